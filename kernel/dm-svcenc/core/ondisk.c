// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "crc32c.h"
#include "ondisk.h"

const char *svcenc_sb_defect_text(enum svcenc_sb_defect defect)
{
	static const char *const texts[] = {
#define x(name, text) [SVCENC_SB_##name] = text,
		SVCENC_SB_DEFECTS(x)
#undef x
	};

	return texts[defect];
}

const char *svcenc_pick_text(enum svcenc_pick pick)
{
	static const char *const texts[] = {
#define x(name, text) [SVCENC_PICK_##name] = text,
		SVCENC_PICKS(x)
#undef x
	};

	return texts[pick];
}

static bool is_zero(const void *buf, size_t len)
{
	const u8 *p = buf;

	while (len--)
		if (*p++)
			return false;
	return true;
}

/* CRC over the image with its own field taken as zero. */
static u32 image_crc(const struct svcenc_sb_disk *d)
{
	static const u8 zero[sizeof(d->crc)];
	const u8 *image = (const u8 *)d;
	const size_t at = offsetof(struct svcenc_sb_disk, crc);
	u32 crc;

	crc = svcenc_crc32c(0, image, at);
	crc = svcenc_crc32c(crc, zero, sizeof(zero));
	return svcenc_crc32c(crc, image + at + sizeof(zero),
			     SVCENC_SB_SIZE - at - sizeof(zero));
}

static void load_fields(const struct svcenc_sb_disk *d, struct svcenc_sb *sb)
{
	u32 i;

	sb->incompat = le64_to_cpu(d->incompat);
	sb->ro_compat = le64_to_cpu(d->ro_compat);
	sb->compat = le64_to_cpu(d->compat);
	sb->uuid = d->uuid;
	sb->key.policy = d->policy;
	sb->key.version = le32_to_cpu(d->policy_version);
	sb->cipher = le32_to_cpu(d->cipher);
	sb->sector_size = le32_to_cpu(d->sector_size);
	sb->keyed = d->keyed != 0;
	sb->seq = le64_to_cpu(d->seq);
	sb->data_offset = le64_to_cpu(d->data_offset);
	sb->data_len = le64_to_cpu(d->data_len);
	sb->spare_len = le64_to_cpu(d->spare_len);
	sb->epoch = le64_to_cpu(d->epoch);
	sb->place = le32_to_cpu(d->place);
	sb->direction = le32_to_cpu(d->direction);
	sb->watermark = le64_to_cpu(d->watermark);
	sb->current_ = d->current_;
	sb->next = d->next;
	memcpy(sb->history, d->history, sizeof(sb->history));
	sb->extent_count = le32_to_cpu(d->extent_count);
	for (i = 0; i < SVCENC_EXTENTS_MAX; i++) {
		sb->extents[i].start = le64_to_cpu(d->extents[i].start);
		sb->extents[i].sectors = le32_to_cpu(d->extents[i].sectors);
	}
	memcpy(sb->mac, d->mac, sizeof(sb->mac));
}

static bool reserved_is_zero(const struct svcenc_sb_disk *d)
{
	u32 i;

	for (i = 0; i < SVCENC_EXTENTS_MAX; i++)
		if (d->extents[i].reserved)
			return false;
	return is_zero(d->reserved0, sizeof(d->reserved0)) &&
	       is_zero(d->reserved1, sizeof(d->reserved1)) &&
	       is_zero(d->current_.reserved, sizeof(d->current_.reserved)) &&
	       is_zero(d->next.reserved, sizeof(d->next.reserved));
}

static bool layout_is_fixed(const struct svcenc_sb_disk *d)
{
	return le64_to_cpu(d->sb2_offset) == SVCENC_SB2_OFFSET &&
	       le64_to_cpu(d->record_offset) == SVCENC_RECORD1_OFFSET &&
	       le64_to_cpu(d->record_len) ==
		       SVCENC_SB2_OFFSET - SVCENC_RECORD1_OFFSET;
}

/* Geometry alone; shared by decode and format. */
static enum svcenc_sb_defect check_geometry(const struct svcenc_sb *sb)
{
	if (sb->sector_size != 512 && sb->sector_size != 4096)
		return SVCENC_SB_SECTOR_SIZE;
	if (sb->data_offset < SVCENC_HEADER_SIZE ||
	    sb->data_offset % SVCENC_MIB)
		return SVCENC_SB_DATA_OFFSET;
	if (!sb->data_len || sb->data_len % sb->sector_size)
		return SVCENC_SB_DATA_LEN;
	if (!sb->spare_len || sb->spare_len % SVCENC_MIB ||
	    sb->spare_len > SVCENC_SPARE_MAX)
		return SVCENC_SB_SPARE;
	if (sb->data_offset > SVCENC_DEVICE_MAX ||
	    sb->data_len > SVCENC_DEVICE_MAX ||
	    svcenc_sb_device_bytes(sb) > SVCENC_DEVICE_MAX)
		return SVCENC_SB_OVERFLOW;
	return SVCENC_SB_NONE;
}

static bool fresh_is_empty(const struct svcenc_sb *sb)
{
	return !sb->epoch && !sb->incompat &&
	       sb->place == SVCENC_PLACE_LOW &&
	       is_zero(&sb->current_, sizeof(sb->current_)) &&
	       is_zero(sb->history, sizeof(sb->history)) &&
	       is_zero(sb->mac, sizeof(sb->mac));
}

/*
 * The ROTATING bit, direction, watermark and next wrap come and go together;
 * the place during a rotation is the one it started from.
 */
static bool rotation_is_consistent(const struct svcenc_sb *sb)
{
	bool next_is_empty = is_zero(&sb->next, sizeof(sb->next));

	if (!(sb->incompat & SVCENC_INCOMPAT_ROTATING))
		return sb->direction == SVCENC_DIRECTION_NONE &&
		       !sb->watermark && next_is_empty;
	if (next_is_empty || sb->watermark > sb->data_len / 512 ||
	    sb->watermark % (sb->sector_size / 512))
		return false;
	return (sb->direction == SVCENC_DIRECTION_DOWN &&
		sb->place == SVCENC_PLACE_HIGH) ||
	       (sb->direction == SVCENC_DIRECTION_UP &&
		sb->place == SVCENC_PLACE_LOW);
}

/* Sorted, disjoint, inside the volume, the unused rest empty. */
static bool extents_are_sane(const struct svcenc_sb *sb)
{
	const u64 end = sb->data_len / 512;
	const u32 unit = sb->sector_size / 512;
	u64 from = 0;
	u32 i;

	if (sb->extent_count > SVCENC_EXTENTS_MAX ||
	    !sb->extent_count != !(sb->incompat & SVCENC_INCOMPAT_UNREADABLE))
		return false;
	for (i = 0; i < sb->extent_count; i++) {
		const struct svcenc_extent *e = &sb->extents[i];

		if (e->start < from || e->start >= end || !e->sectors ||
		    e->sectors > end - e->start ||
		    e->start % unit || e->sectors % unit)
			return false;
		from = e->start + e->sectors;
	}
	for (; i < SVCENC_EXTENTS_MAX; i++)
		if (sb->extents[i].start || sb->extents[i].sectors)
			return false;
	return true;
}

static enum svcenc_sb_defect check_keys(const struct svcenc_sb *sb)
{
	if (sb->place > SVCENC_PLACE_HIGH)
		return SVCENC_SB_PLACE;
	if (!sb->keyed && !fresh_is_empty(sb))
		return SVCENC_SB_FRESH;
	if (sb->keyed &&
	    (!sb->epoch || is_zero(&sb->current_, sizeof(sb->current_))))
		return SVCENC_SB_EPOCH;
	if (!rotation_is_consistent(sb))
		return SVCENC_SB_ROTATION;
	if (!extents_are_sane(sb))
		return SVCENC_SB_EXTENTS;
	return SVCENC_SB_NONE;
}

static enum svcenc_sb_defect check_identity(const struct svcenc_sb *sb)
{
	if (svcenc_uuid_is_zero(&sb->uuid))
		return SVCENC_SB_UUID;
	if (svcenc_uuid_is_zero(&sb->key.policy) || !sb->key.version)
		return SVCENC_SB_POLICY;
	if (sb->cipher != SVCENC_CIPHER_AES256_XTS_PLAIN64)
		return SVCENC_SB_CIPHER;
	return SVCENC_SB_NONE;
}

enum svcenc_sb_defect svcenc_sb_decode(const void *buf, u64 supported,
				       struct svcenc_sb *ret)
{
	const struct svcenc_sb_disk *d = buf;
	enum svcenc_sb_defect defect;

	if (memcmp(d->magic, SVCENC_SB_MAGIC, sizeof(d->magic)))
		return SVCENC_SB_MAGIC_DEFECT;
	if (le32_to_cpu(d->crc) != image_crc(d))
		return SVCENC_SB_CRC;
	if (le32_to_cpu(d->version) != SVCENC_SB_VERSION)
		return SVCENC_SB_VERSION_DEFECT;
	load_fields(d, ret);
	if (ret->incompat & ~SVCENC_INCOMPAT_DEFINED)
		return SVCENC_SB_INCOMPAT;
	if (ret->incompat & ~supported)
		return SVCENC_SB_UNSUPPORTED;
	if (!reserved_is_zero(d))
		return SVCENC_SB_RESERVED;
	defect = check_identity(ret);
	if (defect)
		return defect;
	if (!ret->seq || ret->seq == U64_MAX)
		return SVCENC_SB_SEQ;
	if (!layout_is_fixed(d))
		return SVCENC_SB_HEADER_LAYOUT;
	defect = check_geometry(ret);
	if (defect)
		return defect;
	if (le32_to_cpu(d->keyed) > 1)
		return SVCENC_SB_KEYED;
	return check_keys(ret);
}

void svcenc_sb_fill(const struct svcenc_sb *sb, void *buf)
{
	struct svcenc_sb_disk *d = buf;
	u32 i;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, SVCENC_SB_MAGIC, sizeof(d->magic));
	d->version = cpu_to_le32(SVCENC_SB_VERSION);
	d->incompat = cpu_to_le64(sb->incompat);
	d->ro_compat = cpu_to_le64(sb->ro_compat);
	d->compat = cpu_to_le64(sb->compat);
	d->uuid = sb->uuid;
	d->policy = sb->key.policy;
	d->policy_version = cpu_to_le32(sb->key.version);
	d->cipher = cpu_to_le32(sb->cipher);
	d->sector_size = cpu_to_le32(sb->sector_size);
	d->keyed = cpu_to_le32(sb->keyed);
	d->seq = cpu_to_le64(sb->seq);
	d->sb2_offset = cpu_to_le64(SVCENC_SB2_OFFSET);
	d->record_offset = cpu_to_le64(SVCENC_RECORD1_OFFSET);
	d->record_len = cpu_to_le64(SVCENC_SB2_OFFSET - SVCENC_RECORD1_OFFSET);
	d->data_offset = cpu_to_le64(sb->data_offset);
	d->data_len = cpu_to_le64(sb->data_len);
	d->spare_len = cpu_to_le64(sb->spare_len);
	d->epoch = cpu_to_le64(sb->epoch);
	d->place = cpu_to_le32(sb->place);
	d->direction = cpu_to_le32(sb->direction);
	d->watermark = cpu_to_le64(sb->watermark);
	d->current_ = sb->current_;
	d->next = sb->next;
	memcpy(d->history, sb->history, sizeof(d->history));
	d->extent_count = cpu_to_le32(sb->extent_count);
	for (i = 0; i < sb->extent_count; i++) {
		d->extents[i].start = cpu_to_le64(sb->extents[i].start);
		d->extents[i].sectors = cpu_to_le32(sb->extents[i].sectors);
	}
}

void svcenc_sb_encode(const struct svcenc_sb *sb, void *buf)
{
	svcenc_sb_fill(sb, buf);
	svcenc_sb_set_mac(buf, sb->mac);
}

void svcenc_sb_for_mac(const void *buf, u8 span[SVCENC_SB_MAC_SPAN])
{
	const size_t at = offsetof(struct svcenc_sb_disk, crc);

	memcpy(span, buf, SVCENC_SB_MAC_SPAN);
	memset(span + at, 0, sizeof(__le32));
}

void svcenc_sb_set_mac(void *buf, const u8 mac[SVCENC_SB_MAC_SIZE])
{
	struct svcenc_sb_disk *d = buf;

	memcpy(d->mac, mac, sizeof(d->mac));
	d->crc = cpu_to_le32(image_crc(d));
}

u64 svcenc_sb_device_bytes(const struct svcenc_sb *sb)
{
	return sb->data_offset + sb->data_len + sb->spare_len;
}

u64 svcenc_sb_data_start(const struct svcenc_sb *sb)
{
	return sb->data_offset +
	       (sb->place == SVCENC_PLACE_HIGH ? sb->spare_len : 0);
}

enum svcenc_sb_defect svcenc_sb_format(const struct svcenc_format *format,
				       struct svcenc_sb *ret)
{
	enum svcenc_sb_defect defect;

	memset(ret, 0, sizeof(*ret));
	ret->uuid = format->uuid;
	ret->key = format->key;
	ret->cipher = SVCENC_CIPHER_AES256_XTS_PLAIN64;
	ret->sector_size = format->sector_size;
	ret->seq = 1;
	ret->data_offset = SVCENC_HEADER_SIZE;
	ret->data_len = format->data_len;
	ret->spare_len = format->spare_len;
	defect = check_identity(ret);
	return defect ? defect : check_geometry(ret);
}

/* One copy is unreadable: the other decides alone. */
static enum svcenc_pick pick_survivor(const struct svcenc_copy *survivor,
				      enum svcenc_pick which)
{
	switch (survivor->state) {
	case SVCENC_COPY_GOOD:
		return which;
	case SVCENC_COPY_FRESH:
		return SVCENC_PICK_NEVER_KEYED_TORN;
	case SVCENC_COPY_FOREIGN:
		return SVCENC_PICK_OTHER_KEY;
	default:
		return SVCENC_PICK_ROTTEN;
	}
}

/* Both readable, at least one keyed, none forged or malformed. */
static enum svcenc_pick pick_newest(const struct svcenc_copy copy[], bool same)
{
	const int newest = copy[1].seq > copy[0].seq;
	const struct svcenc_copy *top = &copy[newest];
	const struct svcenc_copy *low = &copy[!newest];

	if (top->state == SVCENC_COPY_FRESH || (low->state == SVCENC_COPY_FRESH &&
						low->seq == top->seq))
		return SVCENC_PICK_FRESH_ABOVE;
	if (top->seq == low->seq && !same)
		return SVCENC_PICK_CONFLICT;
	if (top->state == SVCENC_COPY_FOREIGN)
		return SVCENC_PICK_OTHER_KEY;
	return newest ? SVCENC_PICK_SECOND : SVCENC_PICK_FIRST;
}

enum svcenc_pick svcenc_sb_pick(const struct svcenc_copy copy[SVCENC_SB_COPIES],
				bool same, bool *ret_repair)
{
	const enum svcenc_copy_state a = copy[0].state, b = copy[1].state;
	enum svcenc_pick pick;

	*ret_repair = false;
	/* Someone who can write a valid CRC and no HMAC is an attacker. */
	if (a == SVCENC_COPY_FORGED || b == SVCENC_COPY_FORGED)
		return SVCENC_PICK_FORGED;
	if (a == SVCENC_COPY_INVALID || b == SVCENC_COPY_INVALID)
		return SVCENC_PICK_INVALID;
	if (a == SVCENC_COPY_FRESH && b == SVCENC_COPY_FRESH)
		return same ? SVCENC_PICK_FRESH : SVCENC_PICK_CONFLICT;
	if (a == SVCENC_COPY_ROTTEN)
		pick = pick_survivor(&copy[1], SVCENC_PICK_SECOND);
	else if (b == SVCENC_COPY_ROTTEN)
		pick = pick_survivor(&copy[0], SVCENC_PICK_FIRST);
	else
		pick = pick_newest(copy, same);
	if (pick == SVCENC_PICK_FIRST || pick == SVCENC_PICK_SECOND)
		*ret_repair = !same;
	return pick;
}
