// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "message.h"

enum tag {
	TAG_ATTRIBUTE = 0x420008,
	TAG_ATTRIBUTE_NAME = 0x42000a,
	TAG_ATTRIBUTE_VALUE = 0x42000b,
	TAG_BATCH_COUNT = 0x42000d,
	TAG_BATCH_ITEM = 0x42000f,
	TAG_BLOCK_CIPHER_MODE = 0x420011,
	TAG_ALGORITHM = 0x420028,
	TAG_PARAMETERS = 0x42002b,
	TAG_IV = 0x42003d,
	TAG_MAXIMUM_ITEMS = 0x42004f,
	TAG_MAXIMUM_RESPONSE_SIZE = 0x420050,
	TAG_NAME_TYPE = 0x420054,
	TAG_NAME_VALUE = 0x420055,
	TAG_OBJECT_TYPE = 0x420057,
	TAG_OPERATION = 0x42005c,
	TAG_PADDING_METHOD = 0x42005f,
	TAG_VERSION = 0x420069,
	TAG_VERSION_MAJOR = 0x42006a,
	TAG_VERSION_MINOR = 0x42006b,
	TAG_REQUEST_HEADER = 0x420077,
	TAG_REQUEST_MESSAGE = 0x420078,
	TAG_REQUEST_PAYLOAD = 0x420079,
	TAG_RESPONSE_HEADER = 0x42007a,
	TAG_RESPONSE_MESSAGE = 0x42007b,
	TAG_RESPONSE_PAYLOAD = 0x42007c,
	TAG_RESULT_MESSAGE = 0x42007d,
	TAG_RESULT_REASON = 0x42007e,
	TAG_RESULT_STATUS = 0x42007f,
	TAG_TEMPLATE_ATTRIBUTE = 0x420091,
	TAG_UNIQUE_IDENTIFIER = 0x420094,
	TAG_DATA = 0x4200c2,
};

enum {
	MODE_CBC = 1,
	PADDING_PKCS5 = 3,
	NAME_IS_TEXT = 1,
	SYMMETRIC_KEY = 2,
	KEY_BITS = 256,
	MAJOR = 1,
};

#define NAME "Name"
#define STATE "State"
#define LENGTH "Cryptographic Length"
#define ALGORITHM "Cryptographic Algorithm"
#define USAGE "Cryptographic Usage Mask"
#define INITIAL "Initial Date"
#define DEACTIVATION "Deactivation Date"
#define PROTECT_STOP "Protect Stop Date"

/* --- requests ------------------------------------------------------------- */

static void put_version(struct ttlv_writer *writer, int minor)
{
	ttlv_open(writer, TAG_VERSION);
	ttlv_put_integer(writer, TAG_VERSION_MAJOR, MAJOR);
	ttlv_put_integer(writer, TAG_VERSION_MINOR, minor);
	ttlv_close(writer);
}

/* Up to and into the payload. */
static void begin(struct ttlv_writer *writer, int minor,
		  enum kmip_operation operation)
{
	ttlv_open(writer, TAG_REQUEST_MESSAGE);
	ttlv_open(writer, TAG_REQUEST_HEADER);
	put_version(writer, minor);
	ttlv_put_integer(writer, TAG_MAXIMUM_RESPONSE_SIZE, KMIP_REPLY_MAX);
	ttlv_put_integer(writer, TAG_BATCH_COUNT, 1);
	ttlv_close(writer);
	ttlv_open(writer, TAG_BATCH_ITEM);
	ttlv_put_enum(writer, TAG_OPERATION, operation);
	ttlv_open(writer, TAG_REQUEST_PAYLOAD);
}

static int end(struct ttlv_writer *writer)
{
	ttlv_close(writer);
	ttlv_close(writer);
	ttlv_close(writer);
	return ttlv_end(writer);
}

static void begin_attribute(struct ttlv_writer *writer, const char *name)
{
	ttlv_open(writer, TAG_ATTRIBUTE);
	ttlv_put_text(writer, TAG_ATTRIBUTE_NAME, name);
}

static void put_name(struct ttlv_writer *writer, const char *name)
{
	begin_attribute(writer, NAME);
	ttlv_open(writer, TAG_ATTRIBUTE_VALUE);
	ttlv_put_text(writer, TAG_NAME_VALUE, name);
	ttlv_put_enum(writer, TAG_NAME_TYPE, NAME_IS_TEXT);
	ttlv_close(writer);
	ttlv_close(writer);
}

static void put_enum_attribute(struct ttlv_writer *writer, const char *name,
			       uint32_t value)
{
	begin_attribute(writer, name);
	ttlv_put_enum(writer, TAG_ATTRIBUTE_VALUE, value);
	ttlv_close(writer);
}

static void put_integer_attribute(struct ttlv_writer *writer, const char *name,
				  int32_t value)
{
	begin_attribute(writer, name);
	ttlv_put_integer(writer, TAG_ATTRIBUTE_VALUE, value);
	ttlv_close(writer);
}

int kmip_discover_versions(struct ttlv_writer *writer, int minor)
{
	int offer;

	begin(writer, minor, KMIP_DISCOVER_VERSIONS);
	for (offer = KMIP_MINOR_MAX; offer >= KMIP_MINOR_MIN; offer--)
		put_version(writer, offer);
	return end(writer);
}

int kmip_locate(struct ttlv_writer *writer, int minor, const char *name)
{
	begin(writer, minor, KMIP_LOCATE);
	ttlv_put_integer(writer, TAG_MAXIMUM_ITEMS, KMIP_LOCATE_MAX);
	put_name(writer, name);
	put_enum_attribute(writer, "Object Type", SYMMETRIC_KEY);
	return end(writer);
}

int kmip_get_attributes(struct ttlv_writer *writer, int minor, const char *uid)
{
	static const char *const names[] = {
		NAME,  STATE,	LENGTH,	      ALGORITHM,
		USAGE, INITIAL, DEACTIVATION, PROTECT_STOP,
	};
	size_t i;

	begin(writer, minor, KMIP_GET_ATTRIBUTES);
	ttlv_put_text(writer, TAG_UNIQUE_IDENTIFIER, uid);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ttlv_put_text(writer, TAG_ATTRIBUTE_NAME, names[i]);
	return end(writer);
}

int kmip_create(struct ttlv_writer *writer, int minor, const char *name)
{
	begin(writer, minor, KMIP_CREATE);
	ttlv_put_enum(writer, TAG_OBJECT_TYPE, SYMMETRIC_KEY);
	ttlv_open(writer, TAG_TEMPLATE_ATTRIBUTE);
	put_enum_attribute(writer, ALGORITHM, KMIP_AES);
	put_integer_attribute(writer, LENGTH, KEY_BITS);
	put_integer_attribute(writer, USAGE,
			      KMIP_USE_ENCRYPT | KMIP_USE_DECRYPT);
	put_name(writer, name);
	ttlv_close(writer);
	return end(writer);
}

int kmip_activate(struct ttlv_writer *writer, int minor, const char *uid)
{
	begin(writer, minor, KMIP_ACTIVATE);
	ttlv_put_text(writer, TAG_UNIQUE_IDENTIFIER, uid);
	return end(writer);
}

int kmip_crypt(struct ttlv_writer *writer, int minor,
	       enum kmip_operation operation, const char *uid,
	       const uint8_t iv[KMIP_IV_SIZE], struct ttlv_view data)
{
	begin(writer, minor, operation);
	ttlv_put_text(writer, TAG_UNIQUE_IDENTIFIER, uid);
	ttlv_open(writer, TAG_PARAMETERS);
	ttlv_put_enum(writer, TAG_BLOCK_CIPHER_MODE, MODE_CBC);
	ttlv_put_enum(writer, TAG_PADDING_METHOD, PADDING_PKCS5);
	ttlv_put_enum(writer, TAG_ALGORITHM, KMIP_AES);
	ttlv_close(writer);
	ttlv_put_bytes(writer, TAG_DATA, data.bytes, data.len);
	ttlv_put_bytes(writer, TAG_IV, iv, KMIP_IV_SIZE);
	return end(writer);
}

/* --- replies -------------------------------------------------------------- */

/* A server's words for people: cut, and nothing that moves a cursor. */
static void copy_words(struct ttlv_view from, char *ret, size_t size)
{
	const size_t len = from.len < size ? from.len : size - 1;
	size_t i;

	for (i = 0; i < len; i++)
		ret[i] = from.bytes[i] >= ' ' && from.bytes[i] <= '~' ?
				 (char)from.bytes[i] :
				 '?';
	ret[len] = '\0';
}

/* The only batch item; a second one answers a question nobody asked. */
static bool only_item(struct ttlv_view message, struct ttlv_view *ret)
{
	struct ttlv_view header;
	struct ttlv_item item;
	int64_t count;
	int found = 0;

	if (!ttlv_find(message, TAG_RESPONSE_HEADER, TTLV_STRUCTURE, &header) ||
	    !ttlv_find_number(header, TAG_BATCH_COUNT, TTLV_INTEGER, &count) ||
	    count != 1)
		return false;
	while (ttlv_next(&message, &item)) {
		if (item.tag != TAG_BATCH_ITEM || item.type != TTLV_STRUCTURE)
			continue;
		*ret = item.value;
		found++;
	}
	return found == 1;
}

static void read_failure(struct ttlv_view item, struct kmip_reply *ret)
{
	struct ttlv_view words;
	int64_t reason;

	if (ttlv_find_number(item, TAG_RESULT_REASON, TTLV_ENUM, &reason))
		ret->reason = (unsigned int)reason;
	if (ttlv_find(item, TAG_RESULT_MESSAGE, TTLV_TEXT, &words))
		copy_words(words, ret->message, sizeof(ret->message));
}

int kmip_read_reply(const uint8_t *bytes, size_t len,
		    enum kmip_operation operation, struct kmip_reply *ret)
{
	const struct ttlv_view whole = { bytes, len };
	struct ttlv_view message, item;
	int64_t number;

	memset(ret, 0, sizeof(*ret));
	if (ttlv_check(bytes, len) < 0 ||
	    !ttlv_find(whole, TAG_RESPONSE_MESSAGE, TTLV_STRUCTURE, &message) ||
	    !only_item(message, &item))
		return -EBADMSG;
	/* a server that could not read the request may not name it */
	if (ttlv_find_number(item, TAG_OPERATION, TTLV_ENUM, &number) &&
	    number != operation)
		return -EBADMSG;
	if (!ttlv_find_number(item, TAG_RESULT_STATUS, TTLV_ENUM, &number))
		return -EBADMSG;
	ret->success = !number;
	if (!ret->success) {
		read_failure(item, ret);
		return 0;
	}
	return ttlv_find(item, TAG_RESPONSE_PAYLOAD, TTLV_STRUCTURE,
			 &ret->payload) ?
		       0 :
		       -EBADMSG;
}

int kmip_read_versions(const struct kmip_reply *reply)
{
	struct ttlv_view rest = reply->payload;
	struct ttlv_item item;
	int64_t major, minor;
	int best = -ENOENT;

	while (ttlv_next(&rest, &item)) {
		if (item.tag != TAG_VERSION || item.type != TTLV_STRUCTURE ||
		    !ttlv_find_number(item.value, TAG_VERSION_MAJOR,
				      TTLV_INTEGER, &major) ||
		    !ttlv_find_number(item.value, TAG_VERSION_MINOR,
				      TTLV_INTEGER, &minor))
			continue;
		if (major == MAJOR && minor >= KMIP_MINOR_MIN &&
		    minor <= KMIP_MINOR_MAX && minor > best)
			best = (int)minor;
	}
	return best;
}

/* It becomes part of a key identifier, which is printable without blanks. */
static int copy_uid(struct ttlv_view from, char ret[KMIP_UID_MAX + 1])
{
	size_t i;

	if (!from.len || from.len > KMIP_UID_MAX)
		return -EBADMSG;
	for (i = 0; i < from.len; i++)
		if (from.bytes[i] <= ' ' || from.bytes[i] > '~')
			return -EBADMSG;
	memcpy(ret, from.bytes, from.len);
	ret[from.len] = '\0';
	return 0;
}

int kmip_read_uid(const struct kmip_reply *reply, char ret[KMIP_UID_MAX + 1])
{
	struct ttlv_view uid;

	if (!ttlv_find(reply->payload, TAG_UNIQUE_IDENTIFIER, TTLV_TEXT, &uid))
		return -EBADMSG;
	return copy_uid(uid, ret);
}

int kmip_read_located(const struct kmip_reply *reply,
		      char ret[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1])
{
	struct ttlv_view rest = reply->payload;
	struct ttlv_item item;
	int count = 0;

	while (ttlv_next(&rest, &item)) {
		if (item.tag != TAG_UNIQUE_IDENTIFIER || item.type != TTLV_TEXT)
			continue;
		if (count == KMIP_LOCATE_MAX ||
		    copy_uid(item.value, ret[count]) < 0)
			return -EBADMSG;
		count++;
	}
	return count;
}

static void take_stop(struct kmip_attributes *attributes, int64_t date)
{
	if (date > 0 &&
	    (!attributes->stop_date || date < attributes->stop_date))
		attributes->stop_date = date;
}

static void take_name(struct ttlv_view attribute, struct kmip_attributes *ret)
{
	struct ttlv_view value, text;

	if (*ret->name ||
	    !ttlv_find(attribute, TAG_ATTRIBUTE_VALUE, TTLV_STRUCTURE,
		       &value) ||
	    !ttlv_find(value, TAG_NAME_VALUE, TTLV_TEXT, &text) ||
	    text.len > KMIP_NAME_MAX)
		return;
	memcpy(ret->name, text.bytes, text.len);
	ret->name[text.len] = '\0';
}

static void take_attribute(struct ttlv_view attribute,
			   struct kmip_attributes *ret)
{
	struct ttlv_view name;
	int64_t value = 0;

	if (!ttlv_find(attribute, TAG_ATTRIBUTE_NAME, TTLV_TEXT, &name))
		return;
	if (!ttlv_find_number(attribute, TAG_ATTRIBUTE_VALUE, TTLV_ENUM,
			      &value) &&
	    !ttlv_find_number(attribute, TAG_ATTRIBUTE_VALUE, TTLV_INTEGER,
			      &value))
		(void)ttlv_find_number(attribute, TAG_ATTRIBUTE_VALUE,
				       TTLV_TIME, &value);
	if (ttlv_is_text(name, NAME))
		take_name(attribute, ret);
	else if (ttlv_is_text(name, STATE))
		ret->state = (unsigned int)value;
	else if (ttlv_is_text(name, ALGORITHM))
		ret->algorithm = (unsigned int)value;
	else if (ttlv_is_text(name, LENGTH))
		ret->length_bits = (unsigned int)value;
	else if (ttlv_is_text(name, USAGE))
		ret->usage = (unsigned int)value;
	else if (ttlv_is_text(name, INITIAL))
		ret->initial_date = value;
	else if (ttlv_is_text(name, DEACTIVATION) ||
		 ttlv_is_text(name, PROTECT_STOP))
		take_stop(ret, value);
}

int kmip_read_attributes(const struct kmip_reply *reply,
			 struct kmip_attributes *ret)
{
	struct ttlv_view rest = reply->payload;
	struct ttlv_item item;

	memset(ret, 0, sizeof(*ret));
	while (ttlv_next(&rest, &item))
		if (item.tag == TAG_ATTRIBUTE && item.type == TTLV_STRUCTURE)
			take_attribute(item.value, ret);
	/* without a state nothing can be said of the key */
	return ret->state ? 0 : -EBADMSG;
}

int kmip_read_data(const struct kmip_reply *reply, struct ttlv_view *ret)
{
	return ttlv_find(reply->payload, TAG_DATA, TTLV_BYTES, ret) ? 0 :
								      -EBADMSG;
}
