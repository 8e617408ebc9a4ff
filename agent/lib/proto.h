/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Varlink on AF_UNIX: JSON objects, each ended by one NUL byte. Frames bytes,
 * checks the shape of calls and replies, looks at the peer's credentials.
 * Knows no method, no event loop and no policy; never logs.
 *
 * Limits: a message is at most 1 MiB (one that may carry key bytes 16 KiB: no
 * peer can use locked memory up) and at most 64 levels deep (2048 is
 * jansson's own bound; calls here need four); a name of a method or error at
 * most 128 bytes. Duplicate members and anything behind the object are
 * refused.
 */
#ifndef SVCENC_LIB_PROTO_H
#define SVCENC_LIB_PROTO_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum svcenc_proto_limits {
	SVCENC_PROTO_MESSAGE_MAX = 1 << 20, /* bytes, without the NUL */
	SVCENC_PROTO_SECRET_MAX = 16384,    /* the same, in locked memory */
	SVCENC_PROTO_NAME_MAX = 128,
	SVCENC_PROTO_DEPTH_MAX = 64,
};

/* Once per process, after svcenc_secret_init(): jansson on wiped memory. */
void svcenc_proto_init(void);

static inline void svcenc_json_decrefp(json_t **json)
{
	json_decref(*json);
}
#define SVCENC_JSON_AUTO __attribute__((cleanup(svcenc_json_decrefp)))

/* --- one direction of a connection: bytes in, whole messages out --------- */

struct svcenc_frame {
	char *bytes;
	size_t used;
	size_t room;
	bool secret; /* bytes lie in the secure heap; set before first use */
};

void svcenc_frame_clear(struct svcenc_frame *frame);
/* Appends; -EMSGSIZE when a message is longer than allowed. */
int svcenc_frame_feed(struct svcenc_frame *frame, const void *bytes,
		      size_t len);
/*
 * Reads once from non-blocking @fd. 1 = got bytes, 0 = end of stream,
 * -EAGAIN, -EMSGSIZE, or another errno.
 */
int svcenc_frame_read(struct svcenc_frame *frame, int fd);
/*
 * Takes the first whole message out. -EAGAIN = none yet; -EBADMSG = it is
 * not one JSON object within the limits (it is taken out nevertheless).
 */
int svcenc_frame_next(struct svcenc_frame *frame, json_t **ret);
/* True if bytes of a further message are waiting. */
bool svcenc_frame_pending(const struct svcenc_frame *frame);

/*
 * Text of a message with its NUL. In secret frames' scope the caller enters
 * the scope of secret.h around this. Free with svcenc_secret_release().
 */
int svcenc_proto_encode(const json_t *message, char **ret, size_t *ret_len);

/* --- shapes ---------------------------------------------------------------*/

struct svcenc_call {
	const char *method; /* lives as long as the message */
	json_t *parameters; /* borrowed; an object, never NULL */
};

/* -EBADMSG: no method, parameters not an object, unknown member, or a flag
 * (more, oneway, upgrade) that is set.
 */
int svcenc_proto_parse_call(json_t *message, struct svcenc_call *ret);
/* All steal @parameters (NULL = {}); NULL if memory is short. */
json_t *svcenc_proto_call(const char *method, json_t *parameters);
json_t *svcenc_proto_reply(json_t *parameters);
json_t *svcenc_proto_error(const char *error, json_t *parameters);

/* --- peers --------------------------------------------------------------- */

struct svcenc_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

int svcenc_proto_peer(int fd, struct svcenc_peer *ret);
/* 1 if the peer's gid or one of its supplementary groups is @gid, else 0. */
int svcenc_proto_peer_in_group(int fd, gid_t gid);

/*
 * Binds and listens: unlinks a stale socket at @path first. @gid (gid_t)-1 =
 * leave. Non-blocking, close-on-exec.
 */
int svcenc_proto_listen(const char *path, mode_t mode, gid_t gid);

/* --- client -------------------------------------------------------------- */

struct svcenc_client;

/*
 * Connects; the peer must run as @uid, or -EPERM. -ENOENT, -ECONNREFUSED:
 * nobody listens. @secret: replies may carry key bytes (vaults only).
 */
int svcenc_client_open(const char *path, uid_t uid, bool secret,
		       struct svcenc_client **ret);
struct svcenc_client *svcenc_client_close(struct svcenc_client *client);
void svcenc_client_closep(struct svcenc_client **client);
#define SVCENC_CLIENT_AUTO __attribute__((cleanup(svcenc_client_closep)))

/*
 * One call and its reply; steals @parameters. timeout_ms -1 = wait for ever.
 * 0: *ret_parameters is the reply's object, or the error's, and *ret_error is
 * NULL or the error's full name (free()). Negative: no reply (-ETIMEDOUT,
 * -EPIPE peer gone, -EBADMSG); the client is then unusable and to be closed.
 */
int svcenc_client_call(struct svcenc_client *client, const char *method,
		       json_t *parameters, int timeout_ms,
		       json_t **ret_parameters, char **ret_error);

/* The same in two halves, for several calls at once. */
int svcenc_client_send(struct svcenc_client *client, const char *method,
		       json_t *parameters);
int svcenc_client_fd(const struct svcenc_client *client);
/* -EAGAIN: not whole yet; poll the fd and call again. */
int svcenc_client_receive(struct svcenc_client *client, json_t **ret_parameters,
			  char **ret_error);

#endif
