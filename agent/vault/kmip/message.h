/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few messages of KMIP 1.2 to 1.4 that a vault needs: writing requests of
 * one batch item, and reading what answers them. Pure: bytes in, numbers and
 * views out; knows neither TLS nor what an answer means for a key.
 */
#ifndef SVCENC_VAULT_KMIP_MESSAGE_H
#define SVCENC_VAULT_KMIP_MESSAGE_H

#include "ttlv.h"

enum kmip_limits {
	KMIP_REQUEST_MAX = 2048,
	KMIP_REPLY_MAX = 4096, /* told to the server, and enforced */
	KMIP_UID_MAX = 255,
	KMIP_NAME_MAX = 255,
	KMIP_LOCATE_MAX = 16, /* keys that may have one name */
	KMIP_MINOR_MIN = 2,
	KMIP_MINOR_MAX = 4,
	KMIP_IV_SIZE = 16,
};

enum kmip_operation {
	KMIP_CREATE = 0x01,
	KMIP_LOCATE = 0x08,
	KMIP_GET_ATTRIBUTES = 0x0b,
	KMIP_ACTIVATE = 0x12,
	KMIP_DISCOVER_VERSIONS = 0x1e,
	KMIP_ENCRYPT = 0x1f,
	KMIP_DECRYPT = 0x20,
};

enum kmip_reason {
	KMIP_ITEM_NOT_FOUND = 0x01,
	KMIP_AUTHENTICATION = 0x03,
	KMIP_CANCELED = 0x09,
	KMIP_ILLEGAL_OPERATION = 0x0b,
	KMIP_PERMISSION_DENIED = 0x0c,
	KMIP_OBJECT_ARCHIVED = 0x0d,
	KMIP_GENERAL_FAILURE = 0x100,
};

enum kmip_state {
	KMIP_PRE_ACTIVE = 1,
	KMIP_ACTIVE = 2,
	KMIP_DEACTIVATED = 3,
	KMIP_COMPROMISED = 4,
	KMIP_DESTROYED = 5,
	KMIP_DESTROYED_COMPROMISED = 6,
};

enum kmip_usage { KMIP_USE_ENCRYPT = 4, KMIP_USE_DECRYPT = 8 };

enum { KMIP_AES = 3 };

/* --- requests ------------------------------------------------------------- */

/*
 * All return the length of the message in @writer, or -EMSGSIZE. @minor is
 * that of the protocol version, 1.minor.
 */
int kmip_discover_versions(struct ttlv_writer *writer, int minor);
/* Symmetric keys of this name. */
int kmip_locate(struct ttlv_writer *writer, int minor, const char *name);
/* Those of struct kmip_attributes. */
int kmip_get_attributes(struct ttlv_writer *writer, int minor, const char *uid);
/* AES-256, for Encrypt and Decrypt, of this name. */
int kmip_create(struct ttlv_writer *writer, int minor, const char *name);
int kmip_activate(struct ttlv_writer *writer, int minor, const char *uid);
/* AES-CBC with PKCS5 padding; @operation is KMIP_ENCRYPT or KMIP_DECRYPT. */
int kmip_crypt(struct ttlv_writer *writer, int minor,
	       enum kmip_operation operation, const char *uid,
	       const uint8_t iv[KMIP_IV_SIZE], struct ttlv_view data);

/* --- replies -------------------------------------------------------------- */

struct kmip_reply {
	bool success;
	unsigned int reason; /* unless success; 0 = none was given */
	char message[160];   /* printable; "" if none was given */
	struct ttlv_view payload;
};

/* -EBADMSG: not a reply to one @operation. The reply's view is of @bytes. */
int kmip_read_reply(const uint8_t *bytes, size_t len,
		    enum kmip_operation operation, struct kmip_reply *ret);

/* Highest minor of 1.x within the limits above that is offered; or -ENOENT. */
int kmip_read_versions(const struct kmip_reply *reply);

/* -EBADMSG unless there is one that can be stored: printable, no blanks. */
int kmip_read_uid(const struct kmip_reply *reply, char ret[KMIP_UID_MAX + 1]);
/* Number of identifiers, at most KMIP_LOCATE_MAX; or -EBADMSG. */
int kmip_read_located(const struct kmip_reply *reply,
		      char ret[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1]);

/* What the server tells of a key; 0, "" = it does not. */
struct kmip_attributes {
	char name[KMIP_NAME_MAX + 1]; /* the first one */
	unsigned int state;
	unsigned int algorithm;
	unsigned int length_bits;
	unsigned int usage;
	int64_t initial_date;
	int64_t stop_date; /* the earlier of Deactivation and Protect Stop */
};

int kmip_read_attributes(const struct kmip_reply *reply,
			 struct kmip_attributes *ret);

/* The bytes that Encrypt or Decrypt gave. */
int kmip_read_data(const struct kmip_reply *reply, struct ttlv_view *ret);

#endif
