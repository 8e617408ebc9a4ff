// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "keyfmt.h"

/* Appends @len bytes and returns the place behind them. */
static u8 *put(u8 *at, const void *bytes, size_t len)
{
	memcpy(at, bytes, len);
	return at + len;
}

static u8 *put_be32(u8 *at, u32 value)
{
	const __be32 be = cpu_to_be32(value);

	return put(at, &be, sizeof(be));
}

static u8 *put_le32(u8 *at, u32 value)
{
	const __le32 le = cpu_to_le32(value);

	return put(at, &le, sizeof(le));
}

static u8 *put_le64(u8 *at, u64 value)
{
	const __le64 le = cpu_to_le64(value);

	return put(at, &le, sizeof(le));
}

static u8 *put_keyid(u8 *at, const struct svcenc_keyid *id)
{
	at = put(at, &id->policy, sizeof(id->policy));
	return put_be32(at, id->version);
}

size_t svcenc_kdf_input(const char *label, const struct svcenc_keyid *id,
			u8 buf[SVCENC_KDF_INPUT_MAX])
{
	u8 *at = buf;

	at = put_be32(at, 1);
	at = put(at, label, strlen(label) + 1);
	at = put_keyid(at, id);
	at = put_be32(at, 8 * SVCENC_SUBKEY_SIZE);
	return (size_t)(at - buf);
}

void svcenc_wrap_aad(const struct svcenc_sb *sb, u64 epoch,
		     u8 buf[SVCENC_WRAP_AAD_SIZE])
{
	u8 *at = buf;

	at = put(at, "svcenc volume key", 17);
	at = put(at, &sb->uuid, sizeof(sb->uuid));
	at = put_le64(at, epoch);
	at = put_le32(at, sb->cipher);
	at = put_le32(at, sb->sector_size);
	at = put(at, &sb->key.policy, sizeof(sb->key.policy));
	put_le32(at, sb->key.version);
}

void svcenc_rewrap_message(const struct svcenc_rewrap *rewrap,
			   u8 buf[SVCENC_REWRAP_MSG_SIZE])
{
	u8 *at = buf;

	at = put(at, "svcenc rewrap authorisation", 27);
	at = put(at, &rewrap->volume, sizeof(rewrap->volume));
	at = put_keyid(at, &rewrap->from);
	at = put_keyid(at, &rewrap->to);
	put(at, rewrap->to_check, sizeof(rewrap->to_check));
}

void svcenc_fingerprint_message(const struct svcenc_uuid *volume,
				u8 buf[SVCENC_FINGERPRINT_MSG_SIZE])
{
	put(put(buf, "svcenc fingerprint", 18), volume, sizeof(*volume));
}
