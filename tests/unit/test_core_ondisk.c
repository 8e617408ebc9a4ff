// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the superblock: fields at the documented offsets, round
 * trips, every defect found and named, no byte of an image unprotected.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crc32c.h"
#include "ondisk.h"

static const u64 all = SVCENC_INCOMPAT_DEFINED;

/* A keyed, idle volume of 1 GiB; every field has a value of its own. */
static struct svcenc_sb keyed_sb(void)
{
	struct svcenc_sb sb = {
		.compat = 0x33,
		.cipher = 1,
		.sector_size = 4096,
		.keyed = true,
		.seq = 0x1122334455667788,
		.data_offset = 5 * SVCENC_MIB,
		.data_len = 1024 * SVCENC_MIB,
		.spare_len = 64 * SVCENC_MIB,
		.epoch = 0x0102030405060708,
		.place = SVCENC_PLACE_HIGH,
	};

	memset(sb.uuid.b, 0xa1, sizeof(sb.uuid.b));
	memset(sb.key.policy.b, 0xa2, sizeof(sb.key.policy.b));
	sb.key.version = 0x0a0b0c0d;
	memset(sb.current_.nonce, 0xa3, sizeof(sb.current_.nonce));
	memset(sb.current_.ciphertext, 0xa4, sizeof(sb.current_.ciphertext));
	memset(sb.current_.tag, 0xa5, sizeof(sb.current_.tag));
	memset(sb.history[8], 0xa6, sizeof(sb.history[8]));
	memset(sb.mac, 0xa7, sizeof(sb.mac));
	return sb;
}

static struct svcenc_sb rotating_sb(void)
{
	struct svcenc_sb sb = keyed_sb();

	sb.incompat = SVCENC_INCOMPAT_ROTATING | SVCENC_INCOMPAT_UNREADABLE;
	sb.direction = SVCENC_DIRECTION_DOWN;
	sb.watermark = 4096;
	sb.next = sb.current_;
	sb.next.nonce[0] ^= 1;
	sb.extent_count = 2;
	sb.extents[0] = (struct svcenc_extent){ 8, 16 };
	sb.extents[1] = (struct svcenc_extent){ 24, 8 };
	return sb;
}

static void put(u8 *image, size_t at, size_t size, u64 value)
{
	size_t i;

	for (i = 0; i < size; i++)
		image[at + i] = (u8)(value >> 8 * i);
}

/* Renews the CRC; the MAC's value does not matter to the decoder. */
static void renew_crc(u8 *image)
{
	u8 mac[SVCENC_SB_MAC_SIZE];

	memcpy(mac, image + SVCENC_SB_MAC_SPAN, sizeof(mac));
	svcenc_sb_set_mac(image, mac);
}

static void encode_puts_fields_where_documented(void **state)
{
	struct svcenc_sb sb = rotating_sb();
	u8 image[SVCENC_SB_SIZE], wanted[SVCENC_SB_SIZE] = { 0 };

	(void)state;
	memcpy(wanted, "svcencSB", 8);
	put(wanted, 12, 4, 1);
	put(wanted, 16, 8, 3);
	put(wanted, 32, 8, 0x33);
	memset(wanted + 40, 0xa1, 16);
	memset(wanted + 56, 0xa2, 16);
	put(wanted, 72, 4, 0x0a0b0c0d);
	put(wanted, 76, 4, 1);
	put(wanted, 80, 4, 4096);
	put(wanted, 84, 4, 1);
	put(wanted, 88, 8, 0x1122334455667788);
	put(wanted, 96, 8, 3 << 20);
	put(wanted, 104, 8, 1 << 20);
	put(wanted, 112, 8, 2 << 20);
	put(wanted, 120, 8, 5 << 20);
	put(wanted, 128, 8, 1 << 30);
	put(wanted, 136, 8, 64 << 20);
	put(wanted, 144, 8, 0x0102030405060708);
	put(wanted, 152, 4, 1);
	put(wanted, 156, 4, 1);
	put(wanted, 160, 8, 4096);
	memset(wanted + 168, 0xa3, 12);
	memset(wanted + 180, 0xa4, 64);
	memset(wanted + 244, 0xa5, 16);
	memcpy(wanted + 264, wanted + 168, 96);
	wanted[264] ^= 1;
	memset(wanted + 360 + 8 * 16, 0xa6, 16);
	put(wanted, 616, 4, 2);
	put(wanted, 1024, 8, 8);
	put(wanted, 1032, 4, 16);
	put(wanted, 1040, 8, 24);
	put(wanted, 1048, 4, 8);
	memset(wanted + 4064, 0xa7, 32);
	put(wanted, 8, 4, svcenc_crc32c(0, wanted, sizeof(wanted)));
	svcenc_sb_encode(&sb, image);
	assert_memory_equal(image, wanted, sizeof(image));
}

static void decode_returns_what_was_encoded(void **state)
{
	const struct svcenc_sb sbs[] = { keyed_sb(), rotating_sb() };
	u8 image[SVCENC_SB_SIZE], again[SVCENC_SB_SIZE];
	struct svcenc_sb back;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		svcenc_sb_encode(&sbs[i], image);
		memset(&back, 0x55, sizeof(back));
		assert_int_equal(svcenc_sb_decode(image, all, &back), 0);
		assert_true(back.keyed);
		assert_true(back.seq == sbs[i].seq);
		assert_int_equal(back.extent_count, sbs[i].extent_count);
		svcenc_sb_encode(&back, again);
		assert_memory_equal(image, again, sizeof(image));
	}
}

static void decode_finds_every_flipped_bit(void **state)
{
	struct svcenc_sb sb = keyed_sb(), back;
	u8 image[SVCENC_SB_SIZE];
	size_t bit;

	(void)state;
	svcenc_sb_encode(&sb, image);
	for (bit = 0; bit < 8 * SVCENC_SB_SIZE; bit++) {
		enum svcenc_sb_defect wanted =
			bit < 64 ? SVCENC_SB_MAGIC_DEFECT : SVCENC_SB_CRC;

		image[bit / 8] ^= (u8)(1 << bit % 8);
		assert_int_equal(svcenc_sb_decode(image, all, &back), wanted);
		image[bit / 8] ^= (u8)(1 << bit % 8);
	}
}

struct poke {
	size_t at;
	size_t size;
	u64 value;
	enum svcenc_sb_defect defect;
};

static const struct poke pokes[] = {
	{ 12, 4, 0, SVCENC_SB_VERSION_DEFECT },
	{ 12, 4, 2, SVCENC_SB_VERSION_DEFECT },
	{ 16, 8, 4, SVCENC_SB_INCOMPAT },
	{ 16, 8, 1ULL << 63, SVCENC_SB_INCOMPAT },
	{ 24, 8, U64_MAX, SVCENC_SB_NONE }, /* the caller's matter */
	{ 32, 8, U64_MAX, SVCENC_SB_NONE },
	{ 72, 4, 0, SVCENC_SB_POLICY },
	{ 76, 4, 0, SVCENC_SB_CIPHER },
	{ 76, 4, 2, SVCENC_SB_CIPHER },
	{ 80, 4, 0, SVCENC_SB_SECTOR_SIZE },
	{ 80, 4, 1024, SVCENC_SB_SECTOR_SIZE },
	{ 80, 4, 512, SVCENC_SB_NONE },
	{ 84, 4, 2, SVCENC_SB_KEYED },
	{ 84, 4, U32_MAX, SVCENC_SB_KEYED },
	{ 84, 4, 0, SVCENC_SB_FRESH },
	{ 88, 8, 0, SVCENC_SB_SEQ },
	{ 88, 8, U64_MAX, SVCENC_SB_SEQ },
	{ 88, 8, U64_MAX - 1, SVCENC_SB_NONE },
	{ 96, 8, 4 * SVCENC_MIB, SVCENC_SB_HEADER_LAYOUT },
	{ 104, 8, 0, SVCENC_SB_HEADER_LAYOUT },
	{ 112, 8, SVCENC_MIB, SVCENC_SB_HEADER_LAYOUT },
	{ 120, 8, 3 * SVCENC_MIB, SVCENC_SB_DATA_OFFSET },
	{ 120, 8, 4 * SVCENC_MIB, SVCENC_SB_NONE },
	{ 120, 8, 4 * SVCENC_MIB + 4096, SVCENC_SB_DATA_OFFSET },
	{ 120, 8, SVCENC_DEVICE_MAX, SVCENC_SB_OVERFLOW },
	{ 120, 8, 0 - SVCENC_MIB, SVCENC_SB_OVERFLOW },
	{ 128, 8, 0, SVCENC_SB_DATA_LEN },
	{ 128, 8, 512, SVCENC_SB_DATA_LEN },
	{ 128, 8, 4096, SVCENC_SB_NONE },
	{ 128, 8, 0 - 4096ULL, SVCENC_SB_OVERFLOW },
	{ 128, 8, SVCENC_DEVICE_MAX, SVCENC_SB_OVERFLOW },
	{ 128, 8, SVCENC_DEVICE_MAX - 69 * SVCENC_MIB, SVCENC_SB_NONE },
	{ 128, 8, SVCENC_DEVICE_MAX - 69 * SVCENC_MIB + 4096,
	  SVCENC_SB_OVERFLOW },
	{ 136, 8, 0, SVCENC_SB_SPARE },
	{ 136, 8, 4096, SVCENC_SB_SPARE },
	{ 136, 8, SVCENC_SPARE_MAX, SVCENC_SB_NONE },
	{ 136, 8, SVCENC_SPARE_MAX + SVCENC_MIB, SVCENC_SB_SPARE },
	{ 136, 8, 0 - SVCENC_MIB, SVCENC_SB_SPARE },
	{ 144, 8, 0, SVCENC_SB_EPOCH },
	{ 152, 4, 2, SVCENC_SB_PLACE },
	{ 152, 4, 0, SVCENC_SB_NONE },
	{ 156, 4, 1, SVCENC_SB_ROTATION },
	{ 160, 8, 8, SVCENC_SB_ROTATION },
	{ 260, 4, 1, SVCENC_SB_RESERVED },
	{ 264, 1, 1, SVCENC_SB_ROTATION }, /* next wrap without the bit */
	{ 356, 4, 1U << 31, SVCENC_SB_RESERVED },
	{ 616, 4, 1, SVCENC_SB_EXTENTS },
	{ 616, 4, U32_MAX, SVCENC_SB_EXTENTS },
	{ 620, 1, 1, SVCENC_SB_RESERVED },
	{ 1023, 1, 1, SVCENC_SB_RESERVED },
	{ 1024, 8, 8, SVCENC_SB_EXTENTS },
	{ 1036, 4, 1, SVCENC_SB_RESERVED },
	{ 3064, 4, 8, SVCENC_SB_EXTENTS }, /* last extent, not counted */
	{ 3068, 4, 1, SVCENC_SB_RESERVED },
	{ 3072, 1, 1, SVCENC_SB_RESERVED },
	{ 4063, 1, 1, SVCENC_SB_RESERVED },
};

static void decode_names_each_defect(void **state)
{
	struct svcenc_sb sb = keyed_sb(), back;
	u8 image[SVCENC_SB_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		enum svcenc_sb_defect got;

		svcenc_sb_encode(&sb, image);
		put(image, pokes[i].at, pokes[i].size, pokes[i].value);
		renew_crc(image);
		got = svcenc_sb_decode(image, all, &back);
		if (got != pokes[i].defect)
			fail_msg("offset %zu = %#llx: got '%s', wanted '%s'",
				 pokes[i].at,
				 (unsigned long long)pokes[i].value,
				 svcenc_sb_defect_text(got),
				 svcenc_sb_defect_text(pokes[i].defect));
	}
}

static void decode_wants_both_uuids_and_a_wrap(void **state)
{
	struct svcenc_sb sb = keyed_sb(), back;
	u8 image[SVCENC_SB_SIZE];

	(void)state;
	memset(&sb.uuid, 0, sizeof(sb.uuid));
	svcenc_sb_encode(&sb, image);
	assert_int_equal(svcenc_sb_decode(image, all, &back), SVCENC_SB_UUID);
	sb = keyed_sb();
	memset(&sb.key.policy, 0, sizeof(sb.key.policy));
	svcenc_sb_encode(&sb, image);
	assert_int_equal(svcenc_sb_decode(image, all, &back), SVCENC_SB_POLICY);
	sb = keyed_sb();
	memset(&sb.current_, 0, sizeof(sb.current_));
	svcenc_sb_encode(&sb, image);
	assert_int_equal(svcenc_sb_decode(image, all, &back), SVCENC_SB_EPOCH);
}

static void decode_refuses_features_the_caller_lacks(void **state)
{
	struct svcenc_sb sb = rotating_sb(), back;
	u8 image[SVCENC_SB_SIZE];

	(void)state;
	svcenc_sb_encode(&sb, image);
	assert_int_equal(svcenc_sb_decode(image, 0, &back),
			 SVCENC_SB_UNSUPPORTED);
	assert_int_equal(svcenc_sb_decode(image, SVCENC_INCOMPAT_ROTATING,
					  &back),
			 SVCENC_SB_UNSUPPORTED);
	assert_int_equal(svcenc_sb_decode(image, all, &back), SVCENC_SB_NONE);
	/* This version opens everything that is defined. */
	assert_true(SVCENC_INCOMPAT_SUPPORTED == all);
}

static enum svcenc_sb_defect recode(const struct svcenc_sb *sb)
{
	struct svcenc_sb back;
	u8 image[SVCENC_SB_SIZE];

	svcenc_sb_encode(sb, image);
	return svcenc_sb_decode(image, all, &back);
}

static void rotation_states_are_all_or_nothing(void **state)
{
	struct svcenc_sb good = rotating_sb(), sb;
	u32 place, direction;

	(void)state;
	for (place = 0; place < 2; place++) {
		for (direction = 0; direction < 4; direction++) {
			bool valid = (place == SVCENC_PLACE_HIGH &&
				      direction == SVCENC_DIRECTION_DOWN) ||
				     (place == SVCENC_PLACE_LOW &&
				      direction == SVCENC_DIRECTION_UP);

			sb = good;
			sb.place = place;
			sb.direction = direction;
			assert_int_equal(recode(&sb),
					 valid ? SVCENC_SB_NONE :
						 SVCENC_SB_ROTATION);
		}
	}
	sb = good;
	sb.watermark = sb.data_len / 512;
	assert_int_equal(recode(&sb), SVCENC_SB_NONE);
	sb.watermark += 8;
	assert_int_equal(recode(&sb), SVCENC_SB_ROTATION);
	sb.watermark = 4; /* within a 4096-byte sector */
	assert_int_equal(recode(&sb), SVCENC_SB_ROTATION);
	sb = good;
	memset(&sb.next, 0, sizeof(sb.next));
	assert_int_equal(recode(&sb), SVCENC_SB_ROTATION);
}

static enum svcenc_sb_defect with_extents(u32 count, u64 start0, u32 sectors0,
					  u64 start1, u32 sectors1)
{
	struct svcenc_sb sb = keyed_sb();

	sb.incompat = count ? SVCENC_INCOMPAT_UNREADABLE : 0;
	sb.extent_count = count;
	sb.extents[0] = (struct svcenc_extent){ start0, sectors0 };
	sb.extents[1] = (struct svcenc_extent){ start1, sectors1 };
	return recode(&sb);
}

static void extents_are_sorted_disjoint_and_inside(void **state)
{
	const u64 end = keyed_sb().data_len / 512;
	const int bad = SVCENC_SB_EXTENTS;

	(void)state;
	assert_int_equal(with_extents(1, 0, 8, 0, 0), SVCENC_SB_NONE);
	assert_int_equal(with_extents(1, end - 8, 8, 0, 0), SVCENC_SB_NONE);
	assert_int_equal(with_extents(2, 8, 8, 16, 8), SVCENC_SB_NONE);
	assert_int_equal(with_extents(1, end, 8, 0, 0), bad);
	assert_int_equal(with_extents(1, end - 8, 16, 0, 0), bad);
	assert_int_equal(with_extents(1, U64_MAX - 7, 16, 0, 0), bad);
	assert_int_equal(with_extents(1, 8, 0, 0, 0), bad);
	assert_int_equal(with_extents(1, 4, 8, 0, 0), bad);
	assert_int_equal(with_extents(1, 8, 4, 0, 0), bad);
	assert_int_equal(with_extents(2, 16, 8, 8, 8), bad);
	assert_int_equal(with_extents(2, 8, 16, 16, 8), bad);
	assert_int_equal(with_extents(1, 8, 8, 32, 0), SVCENC_SB_NONE);
}

static void extents_may_fill_the_whole_list(void **state)
{
	struct svcenc_sb sb = keyed_sb();
	u32 i;

	(void)state;
	sb.incompat = SVCENC_INCOMPAT_UNREADABLE;
	sb.extent_count = SVCENC_EXTENTS_MAX;
	for (i = 0; i < SVCENC_EXTENTS_MAX; i++)
		sb.extents[i] = (struct svcenc_extent){ 16 * i, 8 };
	assert_int_equal(recode(&sb), SVCENC_SB_NONE);
}

static struct svcenc_format good_format(void)
{
	struct svcenc_format format = {
		.sector_size = 4096,
		.data_len = 16 * SVCENC_MIB,
		.spare_len = SVCENC_SPARE_DEFAULT,
	};

	format.uuid.b[0] = 1;
	format.key.policy.b[0] = 2;
	format.key.version = 1;
	return format;
}

static void format_makes_a_fresh_superblock(void **state)
{
	struct svcenc_format format = good_format();
	u8 image[SVCENC_SB_SIZE];
	struct svcenc_sb sb, back;

	(void)state;
	assert_int_equal(svcenc_sb_format(&format, &sb), SVCENC_SB_NONE);
	svcenc_sb_encode(&sb, image);
	assert_int_equal(svcenc_sb_decode(image, 0, &back), SVCENC_SB_NONE);
	assert_false(back.keyed);
	assert_true(back.seq == 1 && back.epoch == 0);
	assert_int_equal(back.place, SVCENC_PLACE_LOW);
	assert_true(svcenc_sb_device_bytes(&back) == 84 * SVCENC_MIB);
	assert_true(svcenc_sb_data_start(&back) == 4 * SVCENC_MIB);
}

static void format_refuses_bad_parameters(void **state)
{
	struct svcenc_format f;
	struct svcenc_sb sb;

	(void)state;
	f = good_format();
	f.uuid.b[0] = 0;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_UUID);
	f = good_format();
	f.key.version = 0;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_POLICY);
	f = good_format();
	f.sector_size = 520;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_SECTOR_SIZE);
	f = good_format();
	f.data_len = 0;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_DATA_LEN);
	f = good_format();
	f.data_len += 512;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_DATA_LEN);
	f.sector_size = 512;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_NONE);
	f.spare_len = 0;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_SPARE);
	f = good_format();
	f.data_len = SVCENC_DEVICE_MAX;
	assert_int_equal(svcenc_sb_format(&f, &sb), SVCENC_SB_OVERFLOW);
}

/* Each part of what "fresh" means, one at a time. */
static void fresh_means_empty(void **state)
{
	struct svcenc_format format = good_format();
	struct svcenc_sb fresh, sb;

	(void)state;
	assert_int_equal(svcenc_sb_format(&format, &fresh), SVCENC_SB_NONE);
	sb = fresh;
	sb.epoch = 1;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
	sb = fresh;
	sb.place = SVCENC_PLACE_HIGH;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
	sb = fresh;
	sb.current_.tag[15] = 1;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
	sb = fresh;
	sb.history[15][15] = 1;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
	sb = fresh;
	sb.mac[31] = 1;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
	sb = fresh;
	sb.incompat = SVCENC_INCOMPAT_UNREADABLE;
	assert_int_equal(recode(&sb), SVCENC_SB_FRESH);
}

static void data_start_follows_the_place(void **state)
{
	struct svcenc_sb sb = keyed_sb();

	(void)state;
	assert_true(svcenc_sb_data_start(&sb) == 69 * SVCENC_MIB);
	sb.place = SVCENC_PLACE_LOW;
	assert_true(svcenc_sb_data_start(&sb) == 5 * SVCENC_MIB);
	assert_true(svcenc_sb_device_bytes(&sb) == 1093 * SVCENC_MIB);
}

static void mac_span_is_independent_of_crc_and_mac(void **state)
{
	struct svcenc_sb sb = keyed_sb();
	u8 image[SVCENC_SB_SIZE], a[SVCENC_SB_MAC_SPAN], b[SVCENC_SB_MAC_SPAN];
	u8 mac[SVCENC_SB_MAC_SIZE];
	size_t i;

	(void)state;
	svcenc_sb_encode(&sb, image);
	svcenc_sb_for_mac(image, a);
	memset(mac, 0x11, sizeof(mac));
	svcenc_sb_set_mac(image, mac);
	assert_memory_equal(image + SVCENC_SB_MAC_SPAN, mac, sizeof(mac));
	svcenc_sb_for_mac(image, b);
	assert_memory_equal(a, b, sizeof(a));
	/* Every other byte is in the span as it stands. */
	for (i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], i / 4 == 2 ? 0 : image[i]);
}

static void defect_texts_are_all_there(void **state)
{
	int defect;

	(void)state;
	for (defect = 0; defect <= SVCENC_SB_EXTENTS; defect++)
		assert_true(strlen(svcenc_sb_defect_text(
				    (enum svcenc_sb_defect)defect)) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode_puts_fields_where_documented),
		cmocka_unit_test(decode_returns_what_was_encoded),
		cmocka_unit_test(decode_finds_every_flipped_bit),
		cmocka_unit_test(decode_names_each_defect),
		cmocka_unit_test(decode_wants_both_uuids_and_a_wrap),
		cmocka_unit_test(decode_refuses_features_the_caller_lacks),
		cmocka_unit_test(rotation_states_are_all_or_nothing),
		cmocka_unit_test(extents_are_sorted_disjoint_and_inside),
		cmocka_unit_test(extents_may_fill_the_whole_list),
		cmocka_unit_test(format_makes_a_fresh_superblock),
		cmocka_unit_test(format_refuses_bad_parameters),
		cmocka_unit_test(fresh_means_empty),
		cmocka_unit_test(data_start_follows_the_place),
		cmocka_unit_test(mac_span_is_independent_of_crc_and_mac),
		cmocka_unit_test(defect_texts_are_all_there),
	};

	return cmocka_run_group_tests_name("core_ondisk", tests, NULL, NULL);
}
