// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto.h"
#include "secret.h"

enum {
	FRAME_ROOM_FIRST = 4096,
	LISTEN_BACKLOG = 256,
	PEER_GROUPS_MAX = 65536,
};

void svcenc_proto_init(void)
{
	json_set_alloc_funcs(svcenc_secret_alloc, svcenc_secret_release);
	/* reads the random device now: a sandbox may forbid it later */
	json_object_seed(0);
}

/* --- frames --------------------------------------------------------------- */

void svcenc_frame_clear(struct svcenc_frame *frame)
{
	svcenc_secret_release(frame->bytes);
	frame->bytes = NULL;
	frame->used = 0;
	frame->room = 0;
}

static int frame_grow(struct svcenc_frame *frame, size_t want)
{
	size_t room = frame->room ? frame->room : FRAME_ROOM_FIRST;
	char *bytes;

	if (want <= frame->room)
		return 0;
	while (room < want)
		room *= 2;
	if (frame->secret)
		svcenc_secret_scope_enter();
	bytes = svcenc_secret_alloc(room);
	if (frame->secret)
		svcenc_secret_scope_leave();
	if (!bytes)
		return -ENOMEM;
	if (frame->used)
		memcpy(bytes, frame->bytes, frame->used);
	svcenc_secret_release(frame->bytes);
	frame->bytes = bytes;
	frame->room = room;
	return 0;
}

/* The message that is growing at the end has no NUL within the limit? */
static bool frame_too_long(const struct svcenc_frame *frame)
{
	const size_t most = frame->secret ? SVCENC_PROTO_SECRET_MAX :
					    SVCENC_PROTO_MESSAGE_MAX;

	return frame->used > most && !memchr(frame->bytes, 0, most + 1);
}

int svcenc_frame_feed(struct svcenc_frame *frame, const void *bytes, size_t len)
{
	int r;

	if (len > 2 * (size_t)SVCENC_PROTO_MESSAGE_MAX ||
	    frame->used > 2 * (size_t)SVCENC_PROTO_MESSAGE_MAX)
		return -EMSGSIZE;
	r = frame_grow(frame, frame->used + len);
	if (r < 0)
		return r;
	memcpy(frame->bytes + frame->used, bytes, len);
	frame->used += len;
	return frame_too_long(frame) ? -EMSGSIZE : 0;
}

int svcenc_frame_read(struct svcenc_frame *frame, int fd)
{
	ssize_t n;
	int r;

	r = frame_grow(frame, frame->used + FRAME_ROOM_FIRST / 2);
	if (r < 0)
		return r;
	do {
		n = read(fd, frame->bytes + frame->used,
			 frame->room - frame->used);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (!n)
		return 0;
	frame->used += (size_t)n;
	return frame_too_long(frame) ? -EMSGSIZE : 1;
}

static unsigned int json_depth(const char *text, size_t len)
{
	unsigned int depth = 0, deepest = 0;
	bool quoted = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '{' || text[i] == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && depth && (text[i] == '}' || text[i] == ']'))
			depth--;
	}
	return deepest;
}

static int message_decode(const char *text, size_t len, bool secret,
			  json_t **ret)
{
	json_t *message;

	if (json_depth(text, len) > SVCENC_PROTO_DEPTH_MAX)
		return -EBADMSG;
	if (secret)
		svcenc_secret_scope_enter();
	message = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (secret)
		svcenc_secret_scope_leave();
	if (!json_is_object(message)) {
		json_decref(message);
		return -EBADMSG;
	}
	*ret = message;
	return 0;
}

int svcenc_frame_next(struct svcenc_frame *frame, json_t **ret)
{
	char *nul = frame->used ? memchr(frame->bytes, 0, frame->used) : NULL;
	size_t len;
	int r;

	if (!nul)
		return -EAGAIN;
	len = (size_t)(nul - frame->bytes);
	r = len > SVCENC_PROTO_MESSAGE_MAX ?
		    -EBADMSG :
		    message_decode(frame->bytes, len, frame->secret, ret);
	frame->used -= len + 1;
	memmove(frame->bytes, nul + 1, frame->used);
	explicit_bzero(frame->bytes + frame->used, len + 1);
	return r;
}

bool svcenc_frame_pending(const struct svcenc_frame *frame)
{
	return frame->used > 0;
}

int svcenc_proto_encode(const json_t *message, char **ret, size_t *ret_len)
{
	char *text = json_dumps(message, JSON_COMPACT);
	size_t len;

	if (!text)
		return -ENOMEM;
	len = strlen(text);
	if (len > SVCENC_PROTO_MESSAGE_MAX) {
		svcenc_secret_release(text);
		return -EMSGSIZE;
	}
	*ret = text;
	*ret_len = len + 1;
	return 0;
}

/* --- shapes --------------------------------------------------------------- */

static bool name_is_sane(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot[1] && strlen(name) <= SVCENC_PROTO_NAME_MAX;
}

int svcenc_proto_parse_call(json_t *message, struct svcenc_call *ret)
{
	static const char *const flags[] = { "more", "oneway", "upgrade" };
	json_t *parameters = json_object_get(message, "parameters");
	const char *method =
		json_string_value(json_object_get(message, "method"));
	size_t i, known = 1;

	if (!method || !name_is_sane(method))
		return -EBADMSG;
	if (parameters)
		known++;
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const json_t *flag = json_object_get(message, flags[i]);

		if (flag && !json_is_false(flag))
			return -EBADMSG;
		if (flag)
			known++;
	}
	if (json_object_size(message) != known)
		return -EBADMSG;
	if (!parameters) {
		parameters = json_object();
		if (json_object_set_new(message, "parameters", parameters) < 0)
			return -ENOMEM;
	}
	if (!json_is_object(parameters))
		return -EBADMSG;
	ret->method = method;
	ret->parameters = parameters;
	return 0;
}

json_t *svcenc_proto_call(const char *method, json_t *parameters)
{
	return json_pack("{s:s, s:o}", "method", method, "parameters",
			 parameters ? parameters : json_object());
}

json_t *svcenc_proto_reply(json_t *parameters)
{
	return json_pack("{s:o}", "parameters",
			 parameters ? parameters : json_object());
}

json_t *svcenc_proto_error(const char *error, json_t *parameters)
{
	return json_pack("{s:s, s:o}", "error", error, "parameters",
			 parameters ? parameters : json_object());
}

/* --- peers and sockets ---------------------------------------------------- */

int svcenc_proto_peer(int fd, struct svcenc_peer *ret)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	ret->pid = cred.pid;
	ret->uid = cred.uid;
	ret->gid = cred.gid;
	return 0;
}

int svcenc_proto_peer_in_group(int fd, gid_t gid)
{
	struct svcenc_peer peer;
	socklen_t len = 0;
	gid_t *groups;
	size_t i;
	int r;

	r = svcenc_proto_peer(fd, &peer);
	if (r < 0)
		return r;
	if (peer.gid == gid)
		return 1;
	/* asks for the length first; no groups at all: success with 0 */
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len))
		return 0;
	if (errno != ERANGE || len > PEER_GROUPS_MAX * sizeof(gid_t))
		return -errno;
	groups = malloc(len);
	if (!groups)
		return -ENOMEM;
	r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0 ?
		    -errno :
		    0;
	for (i = 0; !r && i < len / sizeof(gid_t); i++)
		if (groups[i] == gid)
			r = 1;
	free(groups);
	return r;
}

static int make_address(const char *path, struct sockaddr_un *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	memcpy(ret->sun_path, path, strlen(path) + 1);
	return 0;
}

int svcenc_proto_listen(const char *path, mode_t mode, gid_t gid)
{
	struct sockaddr_un address;
	mode_t mask;
	int fd, r;

	r = make_address(path, &address);
	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(path);
	mask = umask(0177); /* never, not for a moment, open to others */
	r = bind(fd, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0 || (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) < 0) ||
	    chmod(path, mode) < 0 || listen(fd, LISTEN_BACKLOG) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* --- client --------------------------------------------------------------- */

struct svcenc_client {
	int fd;
	bool secret;
	struct svcenc_frame in;
};

int svcenc_client_open(const char *path, uid_t uid, bool secret,
		       struct svcenc_client **ret)
{
	SVCENC_CLIENT_AUTO struct svcenc_client *client = NULL;
	struct sockaddr_un address;
	struct svcenc_peer peer;
	int r;

	r = make_address(path, &address);
	if (r < 0)
		return r;
	client = calloc(1, sizeof(*client));
	if (!client)
		return -ENOMEM;
	client->secret = secret;
	client->in.secret = secret;
	client->fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0)
		return -errno;
	if (connect(client->fd, (const struct sockaddr *)&address,
		    sizeof(address)) < 0)
		return -errno;
	r = svcenc_proto_peer(client->fd, &peer);
	if (r < 0)
		return r;
	if (peer.uid != uid)
		return -EPERM;
	*ret = client;
	client = NULL;
	return 0;
}

struct svcenc_client *svcenc_client_close(struct svcenc_client *client)
{
	if (client) {
		if (client->fd >= 0)
			close(client->fd);
		svcenc_frame_clear(&client->in);
		free(client);
	}
	return NULL;
}

void svcenc_client_closep(struct svcenc_client **client)
{
	*client = svcenc_client_close(*client);
}

int svcenc_client_fd(const struct svcenc_client *client)
{
	return client->fd;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until @deadline_ms (-1 = none) for @events. 0 or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = -1;
		int n;

		if (deadline_ms >= 0) {
			left = deadline_ms - clock_ms();
			if (left <= 0)
				return -ETIMEDOUT;
		}
		n = poll(&pfd, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int send_all(int fd, const char *bytes, size_t len, int64_t deadline_ms)
{
	while (len) {
		const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLOUT, deadline_ms);
		if (r < 0)
			return r;
	}
	return 0;
}

int svcenc_client_send(struct svcenc_client *client, const char *method,
		       json_t *parameters)
{
	SVCENC_JSON_AUTO json_t *message =
		svcenc_proto_call(method, parameters);
	char *text = NULL;
	size_t len;
	int r;

	if (!message)
		return -ENOMEM;
	if (client->secret)
		svcenc_secret_scope_enter();
	r = svcenc_proto_encode(message, &text, &len);
	if (client->secret)
		svcenc_secret_scope_leave();
	if (r < 0)
		return r;
	r = send_all(client->fd, text, len, clock_ms() + 5000);
	svcenc_secret_release(text);
	return r;
}

/* Splits {"parameters"} or {"error","parameters"}; nothing else may be in. */
static int take_reply(json_t *message, json_t **ret_parameters,
		      char **ret_error)
{
	json_t *parameters = json_object_get(message, "parameters");
	const json_t *error = json_object_get(message, "error");
	char *name = NULL;

	if (parameters && !json_is_object(parameters))
		return -EBADMSG;
	if (json_object_size(message) !=
	    (parameters ? 1U : 0U) + (error ? 1U : 0U))
		return -EBADMSG;
	if (error) {
		if (!json_is_string(error) ||
		    !name_is_sane(json_string_value(error)))
			return -EBADMSG;
		name = strdup(json_string_value(error));
		if (!name)
			return -ENOMEM;
	}
	*ret_parameters = parameters ? json_incref(parameters) : json_object();
	*ret_error = name;
	return 0;
}

int svcenc_client_receive(struct svcenc_client *client, json_t **ret_parameters,
			  char **ret_error)
{
	SVCENC_JSON_AUTO json_t *message = NULL;
	int r;

	for (;;) {
		r = svcenc_frame_next(&client->in, &message);
		if (r != -EAGAIN)
			break;
		r = svcenc_frame_read(&client->in, client->fd);
		if (!r)
			return -EPIPE;
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	return take_reply(message, ret_parameters, ret_error);
}

int svcenc_client_call(struct svcenc_client *client, const char *method,
		       json_t *parameters, int timeout_ms,
		       json_t **ret_parameters, char **ret_error)
{
	const int64_t deadline = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	int r;

	r = svcenc_client_send(client, method, parameters);
	while (r >= 0) {
		r = svcenc_client_receive(client, ret_parameters, ret_error);
		if (r != -EAGAIN)
			return r;
		r = wait_for(client->fd, POLLIN, deadline);
	}
	return r;
}
