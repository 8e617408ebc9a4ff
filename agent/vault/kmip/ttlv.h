/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TTLV, the encoding of KMIP: items of tag (3 bytes), type (1), length (4)
 * and value, padded with zeros to 8 bytes, big-endian; structures nest. Pure:
 * no allocation, no I/O, and no idea of what a tag means.
 *
 * Reading: ttlv_check() once for a whole message, then views of it. What it
 * accepted is well-formed all the way down, and the only encoding of its
 * contents; whoever walks the views needs no further bounds. The bytes must
 * stay and must not change while views are in use.
 *
 * Limits on a stranger: 64 KiB, 8 levels, 512 items.
 */
#ifndef SVCENC_VAULT_KMIP_TTLV_H
#define SVCENC_VAULT_KMIP_TTLV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ttlv_limits {
	TTLV_MESSAGE_MAX = 64 * 1024,
	TTLV_DEPTH_MAX = 8,
	TTLV_ITEMS_MAX = 512,
	TTLV_HEAD_SIZE = 8,
};

enum ttlv_type {
	TTLV_STRUCTURE = 1,
	TTLV_INTEGER = 2,
	TTLV_LONG = 3,
	TTLV_BIG = 4,
	TTLV_ENUM = 5,
	TTLV_BOOL = 6,
	TTLV_TEXT = 7,
	TTLV_BYTES = 8,
	TTLV_TIME = 9,
	TTLV_INTERVAL = 10,
};

/* --- reading -------------------------------------------------------------- */

/* A row of items: the contents of a structure, or a whole message. */
struct ttlv_view {
	const uint8_t *bytes;
	size_t len;
};

struct ttlv_item {
	uint32_t tag;
	enum ttlv_type type;
	struct ttlv_view value; /* without padding */
};

/*
 * Length of the message whose first 8 bytes are @head, or -EBADMSG if it
 * cannot be one (not a structure, or too long).
 */
int ttlv_message_len(const uint8_t head[TTLV_HEAD_SIZE]);

/* 0 if the bytes are exactly one structure, well-formed; else -EBADMSG. */
int ttlv_check(const uint8_t *bytes, size_t len);

/* Takes the first item off @rest; false at its end. */
bool ttlv_next(struct ttlv_view *rest, struct ttlv_item *ret);
/* First item of this tag and type; others are passed over. */
bool ttlv_find(struct ttlv_view in, uint32_t tag, enum ttlv_type type,
	       struct ttlv_view *ret);
/* The same for numbers: INTEGER (sign-extended), ENUM, BOOL, LONG, TIME. */
bool ttlv_find_number(struct ttlv_view in, uint32_t tag, enum ttlv_type type,
		      int64_t *ret);
/* True if it is exactly this text. */
bool ttlv_is_text(struct ttlv_view value, const char *text);

/* --- writing -------------------------------------------------------------- */

/* Zero-initialize but for bytes and room. Errors stick: see ttlv_end(). */
struct ttlv_writer {
	uint8_t *bytes;
	size_t room;
	size_t used;
	size_t open[TTLV_DEPTH_MAX]; /* where the heads of open structures are */
	unsigned int depth;
	bool failed; /* no room, or too deep */
};

void ttlv_open(struct ttlv_writer *writer, uint32_t tag);
void ttlv_close(struct ttlv_writer *writer);
void ttlv_put_integer(struct ttlv_writer *writer, uint32_t tag, int32_t value);
void ttlv_put_enum(struct ttlv_writer *writer, uint32_t tag, uint32_t value);
void ttlv_put_text(struct ttlv_writer *writer, uint32_t tag, const char *text);
void ttlv_put_bytes(struct ttlv_writer *writer, uint32_t tag, const void *bytes,
		    size_t len);
/* Length of the message; -EMSGSIZE if something failed or is still open. */
int ttlv_end(const struct ttlv_writer *writer);

#endif
