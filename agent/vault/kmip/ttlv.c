// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "ttlv.h"

enum { ALIGN = 8, TAG_STANDARD = 0x42, TAG_EXTENSION = 0x54 };

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void put_u32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

static size_t padded(size_t len)
{
	return (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* --- reading -------------------------------------------------------------- */

/* Is @len a length that values of this type have? */
static bool length_fits(unsigned int type, uint32_t len)
{
	switch (type) {
	case TTLV_STRUCTURE:
		return len % ALIGN == 0;
	case TTLV_INTEGER:
	case TTLV_ENUM:
	case TTLV_INTERVAL:
		return len == 4;
	case TTLV_LONG:
	case TTLV_BOOL:
	case TTLV_TIME:
		return len == 8;
	case TTLV_BIG:
		return len && len % ALIGN == 0;
	case TTLV_TEXT:
	case TTLV_BYTES:
		return true;
	default:
		return false;
	}
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Takes one item off @rest, with every bound checked. */
static bool split(struct ttlv_view *rest, struct ttlv_item *ret)
{
	uint32_t len;

	if (rest->len < TTLV_HEAD_SIZE)
		return false;
	len = get_u32(rest->bytes + 4);
	if (len > TTLV_MESSAGE_MAX ||
	    padded(len) > rest->len - TTLV_HEAD_SIZE ||
	    !length_fits(rest->bytes[3], len))
		return false;
	ret->tag = get_u32(rest->bytes) >> 8;
	ret->type = (enum ttlv_type)rest->bytes[3];
	ret->value.bytes = rest->bytes + TTLV_HEAD_SIZE;
	ret->value.len = len;
	rest->bytes += TTLV_HEAD_SIZE + padded(len);
	rest->len -= TTLV_HEAD_SIZE + padded(len);
	return true;
}

/* What split() does not see: tag, padding, and the two values of a BOOL. */
static bool item_is_proper(const struct ttlv_item *item)
{
	const struct ttlv_view value = item->value;

	if (item->tag >> 16 != TAG_STANDARD && item->tag >> 16 != TAG_EXTENSION)
		return false;
	if (!is_zero(value.bytes + value.len, padded(value.len) - value.len))
		return false;
	if (item->type == TTLV_TEXT && memchr(value.bytes, '\0', value.len))
		return false;
	return item->type != TTLV_BOOL ||
	       (is_zero(value.bytes, 7) && value.bytes[7] <= 1);
}

/* The end of a structure is that of its view, so a stack of views will do. */
static bool tree_is_proper(struct ttlv_view message)
{
	struct ttlv_view open[TTLV_DEPTH_MAX] = { message };
	unsigned int depth = 1, items = 0;
	struct ttlv_item item;

	while (depth) {
		struct ttlv_view *const rest = &open[depth - 1];

		if (!rest->len) {
			depth--;
			continue;
		}
		if (++items > TTLV_ITEMS_MAX || !split(rest, &item) ||
		    !item_is_proper(&item))
			return false;
		if (item.type != TTLV_STRUCTURE)
			continue;
		if (depth == TTLV_DEPTH_MAX)
			return false;
		open[depth++] = item.value;
	}
	return true;
}

int ttlv_message_len(const uint8_t head[TTLV_HEAD_SIZE])
{
	const uint32_t len = get_u32(head + 4);

	if (head[0] != TAG_STANDARD || head[3] != TTLV_STRUCTURE ||
	    len % ALIGN || len > TTLV_MESSAGE_MAX - TTLV_HEAD_SIZE)
		return -EBADMSG;
	return (int)len + TTLV_HEAD_SIZE;
}

int ttlv_check(const uint8_t *bytes, size_t len)
{
	const struct ttlv_view message = { bytes, len };

	if (len < TTLV_HEAD_SIZE || ttlv_message_len(bytes) != (int)len)
		return -EBADMSG;
	return tree_is_proper(message) ? 0 : -EBADMSG;
}

bool ttlv_next(struct ttlv_view *rest, struct ttlv_item *ret)
{
	return split(rest, ret);
}

bool ttlv_find(struct ttlv_view in, uint32_t tag, enum ttlv_type type,
	       struct ttlv_view *ret)
{
	struct ttlv_item item;

	while (ttlv_next(&in, &item)) {
		if (item.tag != tag || item.type != type)
			continue;
		*ret = item.value;
		return true;
	}
	return false;
}

bool ttlv_find_number(struct ttlv_view in, uint32_t tag, enum ttlv_type type,
		      int64_t *ret)
{
	struct ttlv_view value;

	if (!ttlv_find(in, tag, type, &value))
		return false;
	if (value.len == 4 && type == TTLV_INTEGER)
		*ret = (int32_t)get_u32(value.bytes);
	else if (value.len == 4)
		*ret = get_u32(value.bytes);
	else if (value.len == 8)
		*ret = (int64_t)((uint64_t)get_u32(value.bytes) << 32 |
				 get_u32(value.bytes + 4));
	else
		return false;
	return true;
}

bool ttlv_is_text(struct ttlv_view value, const char *text)
{
	return value.len == strlen(text) &&
	       !memcmp(value.bytes, text, value.len);
}

/* --- writing -------------------------------------------------------------- */

/* Writes the head and makes room for the value; NULL if there is none. */
static uint8_t *begin(struct ttlv_writer *writer, uint32_t tag,
		      enum ttlv_type type, size_t len)
{
	uint8_t *head = writer->bytes + writer->used;

	if (writer->failed || len > TTLV_MESSAGE_MAX ||
	    TTLV_HEAD_SIZE + padded(len) > writer->room - writer->used) {
		writer->failed = true;
		return NULL;
	}
	put_u32(head, tag << 8 | type);
	put_u32(head + 4, (uint32_t)len);
	memset(head + TTLV_HEAD_SIZE, 0, padded(len));
	writer->used += TTLV_HEAD_SIZE + padded(len);
	return head + TTLV_HEAD_SIZE;
}

void ttlv_open(struct ttlv_writer *writer, uint32_t tag)
{
	const size_t at = writer->used;

	if (writer->depth == TTLV_DEPTH_MAX)
		writer->failed = true;
	if (begin(writer, tag, TTLV_STRUCTURE, 0))
		writer->open[writer->depth++] = at;
}

void ttlv_close(struct ttlv_writer *writer)
{
	size_t at;

	if (!writer->depth)
		writer->failed = true;
	if (writer->failed)
		return;
	at = writer->open[--writer->depth];
	put_u32(writer->bytes + at + 4,
		(uint32_t)(writer->used - at - TTLV_HEAD_SIZE));
}

static void put_word(struct ttlv_writer *writer, uint32_t tag,
		     enum ttlv_type type, uint32_t value)
{
	uint8_t *place = begin(writer, tag, type, 4);

	if (place)
		put_u32(place, value);
}

void ttlv_put_integer(struct ttlv_writer *writer, uint32_t tag, int32_t value)
{
	put_word(writer, tag, TTLV_INTEGER, (uint32_t)value);
}

void ttlv_put_enum(struct ttlv_writer *writer, uint32_t tag, uint32_t value)
{
	put_word(writer, tag, TTLV_ENUM, value);
}

static void put_string(struct ttlv_writer *writer, uint32_t tag,
		       enum ttlv_type type, struct ttlv_view value)
{
	uint8_t *place = begin(writer, tag, type, value.len);

	if (place && value.len)
		memcpy(place, value.bytes, value.len);
}

void ttlv_put_text(struct ttlv_writer *writer, uint32_t tag, const char *text)
{
	const struct ttlv_view value = { (const uint8_t *)text, strlen(text) };

	put_string(writer, tag, TTLV_TEXT, value);
}

void ttlv_put_bytes(struct ttlv_writer *writer, uint32_t tag, const void *bytes,
		    size_t len)
{
	const struct ttlv_view value = { bytes, len };

	put_string(writer, tag, TTLV_BYTES, value);
}

int ttlv_end(const struct ttlv_writer *writer)
{
	if (writer->failed || writer->depth || !writer->used)
		return -EMSGSIZE;
	return (int)writer->used;
}
