/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Identifiers as text: volume and policy uuids, and the description of a
 * policy key, "svcenc:<policy uuid>:<version>". Knows nothing of keys, tables
 * or disks. One spelling each (lower case, no leading zeros), so that equal
 * identifiers are equal strings: the kernel keyring compares descriptions
 * byte by byte.
 */
#ifndef SVCENC_CORE_IDENT_H
#define SVCENC_CORE_IDENT_H

#include "port.h"

enum svcenc_ident_limits {
	SVCENC_UUID_SIZE = 16,
	SVCENC_UUID_TEXT = 36, /* without the NUL */
	/* "svcenc:" + uuid + ":" + at most 10 digits, without the NUL */
	SVCENC_KEYID_TEXT = 7 + SVCENC_UUID_TEXT + 1 + 10,
};

struct svcenc_uuid {
	u8 b[SVCENC_UUID_SIZE];
};

/* Names one policy key: a policy and a version, 1..2^32-1 (0 = none). */
struct svcenc_keyid {
	struct svcenc_uuid policy;
	u32 version;
};

/* Parses exactly 36 characters at @text, lower case. 0 or -EINVAL. */
int svcenc_uuid_parse(const char *text, struct svcenc_uuid *ret);

/* Writes 36 characters and a NUL. */
void svcenc_uuid_print(const struct svcenc_uuid *uuid,
		       char text[SVCENC_UUID_TEXT + 1]);

bool svcenc_uuid_is_zero(const struct svcenc_uuid *uuid);
bool svcenc_uuid_equal(const struct svcenc_uuid *a,
		       const struct svcenc_uuid *b);

/* Parses a NUL-terminated "svcenc:<uuid>:<version>". 0 or -EINVAL. */
int svcenc_keyid_parse(const char *text, struct svcenc_keyid *ret);

/* Writes at most SVCENC_KEYID_TEXT characters and a NUL. */
void svcenc_keyid_print(const struct svcenc_keyid *id,
			char text[SVCENC_KEYID_TEXT + 1]);

bool svcenc_keyid_equal(const struct svcenc_keyid *a,
			const struct svcenc_keyid *b);

/* Lower-case hex. @hex has room for 2 * @len + 1. */
void svcenc_hex_print(const u8 *bytes, size_t len, char *hex);

/* Parses exactly 2 * @len lower-case hex digits and a NUL. 0 or -EINVAL. */
int svcenc_hex_parse(const char *hex, u8 *ret, size_t len);

/*
 * Parses a NUL-terminated decimal number without sign, blank or leading
 * zeros (the single digit 0 is allowed). 0, -EINVAL, or -ERANGE above @max.
 */
int svcenc_u64_parse(const char *text, u64 max, u64 *ret);

#endif
