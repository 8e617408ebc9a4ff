// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "crc32c.h"
#include "policyrec.h"

struct wrap_disk {
	__le32 role;
	__le32 alg;
	__le32 kid_len;
	__le32 blob_len;
	u8 vault[SVCENC_NAME_SIZE];
	u8 kid[SVCENC_KID_MAX];
	u8 blob[SVCENC_BLOB_MAX];
	u8 reserved[112];
};

static_assert(sizeof(struct wrap_disk) == 1728);

struct record_disk {
	u8 magic[8];
	__le32 crc;
	__le32 version;
	struct svcenc_uuid volume;
	struct svcenc_uuid policy;
	__le32 policy_version;
	__le32 wrap_count;
	__le64 generation;
	struct svcenc_uuid tenant;
	u8 tenant_name[SVCENC_NAME_SIZE];
	u8 policy_name[SVCENC_NAME_SIZE];
	u8 volume_name[SVCENC_NAME_SIZE];
	u8 reserved0[240];
	struct wrap_disk wraps[SVCENC_RECORD_WRAPS];
	u8 reserved1[2016];
	u8 mac[SVCENC_RECORD_MAC_SIZE];
};

static_assert(sizeof(struct record_disk) == SVCENC_RECORD_SIZE);
static_assert(offsetof(struct record_disk, wraps) == 512);
static_assert(offsetof(struct record_disk, reserved1) == 14336);

const char *svcenc_record_defect_text(enum svcenc_record_defect defect)
{
	static const char *const texts[] = {
#define x(name, text) [SVCENC_RECORD_DEFECT_##name] = text,
		SVCENC_RECORD_DEFECTS(x)
#undef x
	};

	return texts[defect];
}

static bool is_zero(const u8 *p, size_t len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

static u32 image_crc(const struct record_disk *d)
{
	static const u8 zero[sizeof(d->crc)];
	const u8 *image = (const u8 *)d;
	const size_t at = offsetof(struct record_disk, crc);
	u32 crc;

	crc = svcenc_crc32c(0, image, at);
	crc = svcenc_crc32c(crc, zero, sizeof(zero));
	return svcenc_crc32c(crc, image + at + sizeof(zero),
			     SVCENC_RECORD_SIZE - at - sizeof(zero));
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool svcenc_name_is_valid(const char *name)
{
	size_t len;

	if (*name == '.' || *name == '-')
		return false;
	for (len = 0; name[len]; len++)
		if (len >= SVCENC_NAME_SIZE - 1 || !name_char(name[len]))
			return false;
	return len > 0;
}

/* A NUL-padded name field: terminated, valid, nothing behind the NUL. */
static bool load_name(const u8 field[SVCENC_NAME_SIZE],
		      char ret[SVCENC_NAME_SIZE])
{
	size_t len;

	memcpy(ret, field, SVCENC_NAME_SIZE);
	if (ret[SVCENC_NAME_SIZE - 1] || !svcenc_name_is_valid(ret))
		return false;
	len = strlen(ret);
	return is_zero(field + len, SVCENC_NAME_SIZE - len);
}

static bool load_kid(const struct wrap_disk *d, u32 len, char *ret)
{
	u32 i;

	if (!len || len > SVCENC_KID_MAX ||
	    !is_zero(d->kid + len, SVCENC_KID_MAX - len))
		return false;
	for (i = 0; i < len; i++)
		if (d->kid[i] <= ' ' || d->kid[i] > '~')
			return false;
	memset(ret, 0, SVCENC_KID_MAX + 1);
	memcpy(ret, d->kid, len);
	return true;
}

static bool load_wrap(const struct wrap_disk *d, struct svcenc_record_wrap *w)
{
	w->role = le32_to_cpu(d->role);
	w->alg = le32_to_cpu(d->alg);
	w->blob_len = le32_to_cpu(d->blob_len);
	if (w->alg < SVCENC_ALG_A256KW || w->alg > SVCENC_ALG_OPAQUE)
		return false;
	if (!w->blob_len || w->blob_len > SVCENC_BLOB_MAX ||
	    !is_zero(d->blob + w->blob_len, SVCENC_BLOB_MAX - w->blob_len) ||
	    !is_zero(d->reserved, sizeof(d->reserved)))
		return false;
	memcpy(w->blob, d->blob, sizeof(w->blob));
	return load_name(d->vault, w->vault) &&
	       load_kid(d, le32_to_cpu(d->kid_len), w->kid);
}

static enum svcenc_record_defect load_wraps(const struct record_disk *d,
					    struct svcenc_record *r)
{
	u32 roles = 0, i;

	if (!r->wrap_count || r->wrap_count > SVCENC_RECORD_WRAPS)
		return SVCENC_RECORD_DEFECT_WRAP_COUNT;
	for (i = 0; i < r->wrap_count; i++) {
		struct svcenc_record_wrap *w = &r->wraps[i];

		if (!load_wrap(&d->wraps[i], w))
			return SVCENC_RECORD_DEFECT_WRAP;
		if (w->role < SVCENC_ROLE_A ||
		    w->role > SVCENC_ROLE_AVAILABILITY ||
		    roles & (1U << w->role))
			return SVCENC_RECORD_DEFECT_ROLE;
		roles |= 1U << w->role;
	}
	if (!is_zero((const u8 *)&d->wraps[i],
		     (SVCENC_RECORD_WRAPS - i) * sizeof(d->wraps[0])))
		return SVCENC_RECORD_DEFECT_RESERVED;
	return SVCENC_RECORD_DEFECT_NONE;
}

enum svcenc_record_defect svcenc_record_decode(const void *buf,
					       struct svcenc_record *ret)
{
	const struct record_disk *d = buf;

	if (memcmp(d->magic, SVCENC_RECORD_MAGIC, sizeof(d->magic)))
		return SVCENC_RECORD_DEFECT_MAGIC;
	if (le32_to_cpu(d->crc) != image_crc(d))
		return SVCENC_RECORD_DEFECT_CRC;
	if (le32_to_cpu(d->version) != SVCENC_RECORD_VERSION)
		return SVCENC_RECORD_DEFECT_VERSION;
	if (!is_zero(d->reserved0, sizeof(d->reserved0)) ||
	    !is_zero(d->reserved1, sizeof(d->reserved1)))
		return SVCENC_RECORD_DEFECT_RESERVED;
	ret->volume = d->volume;
	ret->key.policy = d->policy;
	ret->key.version = le32_to_cpu(d->policy_version);
	ret->tenant = d->tenant;
	ret->generation = le64_to_cpu(d->generation);
	ret->wrap_count = le32_to_cpu(d->wrap_count);
	memcpy(ret->mac, d->mac, sizeof(ret->mac));
	if (svcenc_uuid_is_zero(&ret->volume) ||
	    svcenc_uuid_is_zero(&ret->key.policy) ||
	    svcenc_uuid_is_zero(&ret->tenant) || !ret->key.version ||
	    !ret->generation)
		return SVCENC_RECORD_DEFECT_IDENTITY;
	if (!load_name(d->tenant_name, ret->tenant_name) ||
	    !load_name(d->policy_name, ret->policy_name) ||
	    !load_name(d->volume_name, ret->volume_name))
		return SVCENC_RECORD_DEFECT_NAME;
	return load_wraps(d, ret);
}

static void store_wrap(const struct svcenc_record_wrap *w, struct wrap_disk *d)
{
	const size_t kid_len = strlen(w->kid);

	d->role = cpu_to_le32(w->role);
	d->alg = cpu_to_le32(w->alg);
	d->kid_len = cpu_to_le32((u32)kid_len);
	d->blob_len = cpu_to_le32(w->blob_len);
	memcpy(d->vault, w->vault, strlen(w->vault));
	memcpy(d->kid, w->kid, kid_len);
	memcpy(d->blob, w->blob, w->blob_len);
}

void svcenc_record_encode(const struct svcenc_record *record, void *buf)
{
	struct record_disk *d = buf;
	u32 i;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, SVCENC_RECORD_MAGIC, sizeof(d->magic));
	d->version = cpu_to_le32(SVCENC_RECORD_VERSION);
	d->volume = record->volume;
	d->policy = record->key.policy;
	d->policy_version = cpu_to_le32(record->key.version);
	d->tenant = record->tenant;
	d->generation = cpu_to_le64(record->generation);
	d->wrap_count = cpu_to_le32(record->wrap_count);
	memcpy(d->tenant_name, record->tenant_name,
	       strlen(record->tenant_name));
	memcpy(d->policy_name, record->policy_name,
	       strlen(record->policy_name));
	memcpy(d->volume_name, record->volume_name,
	       strlen(record->volume_name));
	for (i = 0; i < record->wrap_count; i++)
		store_wrap(&record->wraps[i], &d->wraps[i]);
	svcenc_record_set_mac(d, record->mac);
}

void svcenc_record_for_mac(const void *buf, u8 span[SVCENC_RECORD_MAC_SPAN])
{
	const size_t at = offsetof(struct record_disk, crc);

	memcpy(span, buf, SVCENC_RECORD_MAC_SPAN);
	memset(span + at, 0, sizeof(__le32));
}

void svcenc_record_set_mac(void *buf, const u8 mac[SVCENC_RECORD_MAC_SIZE])
{
	struct record_disk *d = buf;

	memcpy(d->mac, mac, sizeof(d->mac));
	d->crc = cpu_to_le32(image_crc(d));
}
