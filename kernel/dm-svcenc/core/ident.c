// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "ident.h"

static const char keyid_prefix[] = "svcenc:";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* True where a uuid's text has a hyphen before byte @i. */
static bool hyphen_before(int i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

int svcenc_uuid_parse(const char *text, struct svcenc_uuid *ret)
{
	struct svcenc_uuid uuid;
	int i;

	for (i = 0; i < SVCENC_UUID_SIZE; i++) {
		int hi, lo;

		if (hyphen_before(i) && *text++ != '-')
			return -EINVAL;
		hi = hex_digit(*text);
		if (hi < 0)
			return -EINVAL;
		lo = hex_digit(text[1]);
		if (lo < 0)
			return -EINVAL;
		uuid.b[i] = (u8)(hi << 4 | lo);
		text += 2;
	}
	*ret = uuid;
	return 0;
}

void svcenc_hex_print(const u8 *bytes, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	while (len--) {
		*hex++ = digits[*bytes >> 4];
		*hex++ = digits[*bytes++ & 15];
	}
	*hex = '\0';
}

void svcenc_uuid_print(const struct svcenc_uuid *uuid,
		       char text[SVCENC_UUID_TEXT + 1])
{
	int i;

	for (i = 0; i < SVCENC_UUID_SIZE; i++) {
		if (hyphen_before(i))
			*text++ = '-';
		svcenc_hex_print(&uuid->b[i], 1, text);
		text += 2;
	}
}

int svcenc_hex_parse(const char *hex, u8 *ret, size_t len)
{
	while (len--) {
		int hi = hex_digit(*hex);
		int lo = hi < 0 ? -1 : hex_digit(hex[1]);

		if (lo < 0)
			return -EINVAL;
		*ret++ = (u8)(hi << 4 | lo);
		hex += 2;
	}
	return *hex ? -EINVAL : 0;
}

bool svcenc_uuid_is_zero(const struct svcenc_uuid *uuid)
{
	static const struct svcenc_uuid zero;

	return svcenc_uuid_equal(uuid, &zero);
}

bool svcenc_uuid_equal(const struct svcenc_uuid *a,
		       const struct svcenc_uuid *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int svcenc_u64_parse(const char *text, u64 max, u64 *ret)
{
	u64 value = 0;

	if (!*text || (*text == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (digit > 9)
			return -EINVAL;
		if (value > U64_MAX / 10 || value * 10 > U64_MAX - digit)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int svcenc_keyid_parse(const char *text, struct svcenc_keyid *ret)
{
	struct svcenc_keyid id;
	u64 version;

	if (strncmp(text, keyid_prefix, sizeof(keyid_prefix) - 1))
		return -EINVAL;
	text += sizeof(keyid_prefix) - 1;
	if (svcenc_uuid_parse(text, &id.policy))
		return -EINVAL;
	text += SVCENC_UUID_TEXT;
	if (*text++ != ':')
		return -EINVAL;
	if (svcenc_u64_parse(text, U32_MAX, &version) || !version)
		return -EINVAL;
	if (svcenc_uuid_is_zero(&id.policy))
		return -EINVAL;
	id.version = (u32)version;
	*ret = id;
	return 0;
}

void svcenc_keyid_print(const struct svcenc_keyid *id,
			char text[SVCENC_KEYID_TEXT + 1])
{
	char uuid[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(&id->policy, uuid);
	snprintf(text, SVCENC_KEYID_TEXT + 1, "%s%s:%u", keyid_prefix, uuid,
		 id->version);
}

bool svcenc_keyid_equal(const struct svcenc_keyid *a,
			const struct svcenc_keyid *b)
{
	return a->version == b->version &&
	       svcenc_uuid_equal(&a->policy, &b->policy);
}
