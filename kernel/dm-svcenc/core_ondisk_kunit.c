// SPDX-License-Identifier: GPL-2.0-only
/*
 * The superblock and the choice between two copies in the kernel: images and
 * decoded superblocks in buffers of exactly their size, each defect once,
 * hostile images that carry the right checksum, and what must hold for every
 * pair of copies. The answers to all pairs are written out in tests/unit.
 */
#include <linux/prandom.h>

#include "core/ondisk.h"
#include "env_kunit.h"

static const u64 all = SVCENC_INCOMPAT_DEFINED;

/* The known volume, in mid-rotation with a full list of extents. */
static struct svcenc_sb *rotating_sb(struct kunit *test)
{
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));
	u32 i;

	svcenc_kunit_known_sb(test, sb);
	sb->incompat = SVCENC_INCOMPAT_ROTATING | SVCENC_INCOMPAT_UNREADABLE;
	sb->direction = SVCENC_DIRECTION_UP;
	sb->watermark = 4096;
	sb->next = sb->current_;
	sb->extent_count = SVCENC_EXTENTS_MAX;
	for (i = 0; i < SVCENC_EXTENTS_MAX; i++) {
		sb->extents[i].start = 16 * i;
		sb->extents[i].sectors = 8;
	}
	return sb;
}

static u8 *image_of(struct kunit *test, const struct svcenc_sb *sb)
{
	u8 *image = svcenc_kunit_zeroed(test, SVCENC_SB_SIZE);

	svcenc_sb_encode(sb, image);
	return image;
}

static u8 *known_image(struct kunit *test)
{
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));

	svcenc_kunit_known_sb(test, sb);
	return image_of(test, sb);
}

/* The right CRC over whatever the image holds now. */
static void renew_crc(u8 *image)
{
	u8 mac[SVCENC_SB_MAC_SIZE];

	memcpy(mac, image + SVCENC_SB_MAC_SPAN, sizeof(mac));
	svcenc_sb_set_mac(image, mac);
}

static void decode_gives_back_what_was_encoded(struct kunit *test)
{
	struct svcenc_sb *sb = rotating_sb(test);
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	u8 *image = image_of(test, sb);

	memset(back, 0x55, sizeof(*back));
	KUNIT_EXPECT_EQ(test, SVCENC_SB_NONE,
			(int)svcenc_sb_decode(image, all, back));
	KUNIT_EXPECT_EQ(test, (u32)SVCENC_EXTENTS_MAX, back->extent_count);
	KUNIT_EXPECT_EQ(test, 0, memcmp(image_of(test, back), image,
					SVCENC_SB_SIZE));
	/* who does not know a feature in use is told so */
	KUNIT_EXPECT_EQ(test, SVCENC_SB_UNSUPPORTED,
			(int)svcenc_sb_decode(image, SVCENC_INCOMPAT_ROTATING,
					      back));
}

/* The CRC of the independent model's image of the known superblock. */
static void known_image_is_the_models(struct kunit *test)
{
	const u8 *image = known_image(test);

	KUNIT_EXPECT_EQ(test, 0, memcmp(image + 8, "\x99\xf1\xf1\xa6", 4));
}

struct poke {
	size_t at;
	u8 value;
	enum svcenc_sb_defect wanted;
};

static const struct poke pokes[] = {
	{ 0, 'S', SVCENC_SB_MAGIC_DEFECT },
	{ 12, 2, SVCENC_SB_VERSION_DEFECT },
	{ 23, 0x80, SVCENC_SB_INCOMPAT },
	{ 1023, 1, SVCENC_SB_RESERVED },
	{ 72, 0, SVCENC_SB_POLICY },
	{ 76, 0, SVCENC_SB_CIPHER },
	{ 81, 8, SVCENC_SB_SECTOR_SIZE },
	{ 88, 0, SVCENC_SB_SEQ },
	{ 96, 1, SVCENC_SB_HEADER_LAYOUT },
	{ 122, 0x30, SVCENC_SB_DATA_OFFSET },
	{ 128, 1, SVCENC_SB_DATA_LEN },
	{ 136, 1, SVCENC_SB_SPARE },
	{ 127, 0x80, SVCENC_SB_OVERFLOW },
	{ 152, 2, SVCENC_SB_PLACE },
	{ 84, 2, SVCENC_SB_KEYED },
	{ 84, 0, SVCENC_SB_FRESH },
	{ 144, 0, SVCENC_SB_EPOCH },
	{ 156, 1, SVCENC_SB_ROTATION },
	{ 616, 1, SVCENC_SB_EXTENTS },
	{ 619, 0xff, SVCENC_SB_EXTENTS },
	{ 3068, 1, SVCENC_SB_RESERVED },
	{ 3064, 1, SVCENC_SB_EXTENTS },
	{ 4063, 1, SVCENC_SB_RESERVED },
	{ 4095, 1, SVCENC_SB_NONE }, /* the MAC is not the decoder's */
};

static void poke_name(const struct poke *poke, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "byte %zu = %#x: %s", poke->at,
		 poke->value, svcenc_sb_defect_text(poke->wanted));
}

KUNIT_ARRAY_PARAM(poke, pokes, poke_name);

static void defect_is_found_and_named(struct kunit *test)
{
	const struct poke *poke = test->param_value;
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	u8 *image = known_image(test);

	image[poke->at] = poke->value;
	renew_crc(image);
	KUNIT_EXPECT_EQ(test, (int)poke->wanted,
			(int)svcenc_sb_decode(image, all, back));
}

/*
 * A count beyond the list, and a MAC that looks like two more good extents:
 * a decoder that goes on reads past the end of the superblock.
 */
static void extents_end_where_their_list_does(struct kunit *test)
{
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	struct svcenc_sb *sb = rotating_sb(test);
	struct svcenc_extent more[2] = {
		{ .start = 16 * SVCENC_EXTENTS_MAX, .sectors = 8 },
		{ .start = 16 * SVCENC_EXTENTS_MAX + 16, .sectors = 8 },
	};
	unsigned int count;
	u8 *image;

	static_assert(sizeof(more) == sizeof(sb->mac));
	memcpy(sb->mac, more, sizeof(more));
	image = image_of(test, sb);
	KUNIT_EXPECT_EQ(test, SVCENC_SB_NONE,
			(int)svcenc_sb_decode(image, all, back));
	for (count = 140; count > SVCENC_EXTENTS_MAX; count--) {
		image[616] = count;
		renew_crc(image);
		KUNIT_EXPECT_EQ(test, SVCENC_SB_EXTENTS,
				(int)svcenc_sb_decode(image, all, back));
	}
}

static void each_flipped_byte_is_found(struct kunit *test)
{
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	u8 *image = known_image(test);
	unsigned int at, missed = 0;

	for (at = 0; at < SVCENC_SB_SIZE; at++) {
		image[at] ^= 1 << at % 8;
		missed += svcenc_sb_decode(image, all, back) !=
			  (at < 8 ? SVCENC_SB_MAGIC_DEFECT : SVCENC_SB_CRC);
		image[at] ^= 1 << at % 8;
	}
	KUNIT_EXPECT_EQ(test, 0U, missed);
}

/*
 * A forger can make the CRC right: a few fields hold values at the limits, the
 * rest of the image is that of a good one. Whatever is accepted must survive
 * a round trip and lie within the largest device.
 */
static void forged_images_do_no_harm(struct kunit *test)
{
	static const u64 limits[] = {
		0, 1, 2, 8, 128, 129, 512, 4096, 1 << 20, 4 << 20, 64 << 20,
		U32_MAX, 1ULL << 34, 1ULL << 62, 1ULL << 63, U64_MAX,
	};
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	u8 *image = svcenc_kunit_zeroed(test, SVCENC_SB_SIZE);
	u8 *again = svcenc_kunit_zeroed(test, SVCENC_SB_SIZE);
	u8 *good = image_of(test, rotating_sb(test));
	unsigned int round, change, accepted = 0;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 3);
	for (round = 0; round < 5000; round++) {
		memcpy(image, good, SVCENC_SB_SIZE);
		for (change = prandom_u32_state(&rnd) % 3; change < 3; change++) {
			const u32 where = prandom_u32_state(&rnd) % 140;
			const u32 which = prandom_u32_state(&rnd) % 16;
			const __le64 value = cpu_to_le64(limits[which]);

			/* the fields before 624, some of the extents */
			memcpy(image + 16 + 8 * where, &value,
			       prandom_u32_state(&rnd) % 2 ? 4 : 8);
		}
		renew_crc(image);
		if (svcenc_sb_decode(image, all, back))
			continue;
		accepted++;
		svcenc_sb_encode(back, again);
		KUNIT_EXPECT_EQ(test, 0, memcmp(image, again, SVCENC_SB_SIZE));
		KUNIT_EXPECT_LE(test, svcenc_sb_device_bytes(back),
				SVCENC_DEVICE_MAX);
		KUNIT_EXPECT_LE(test, svcenc_sb_data_start(back),
				svcenc_sb_device_bytes(back));
	}
	kunit_info(test, "%u of %u accepted", accepted, round);
	KUNIT_EXPECT_GT(test, accepted, 0U);
}

static void format_makes_what_decode_takes(struct kunit *test)
{
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	struct svcenc_format format = {
		.key = svcenc_kunit_keyid(0, 7),
		.sector_size = 4096,
		.data_len = 8 * SVCENC_MIB,
		.spare_len = SVCENC_MIB,
	};

	KUNIT_EXPECT_EQ(test, SVCENC_SB_UUID,
			(int)svcenc_sb_format(&format, sb));
	format.uuid.b[0] = 1;
	KUNIT_EXPECT_EQ(test, SVCENC_SB_NONE,
			(int)svcenc_sb_format(&format, sb));
	KUNIT_EXPECT_EQ(test, SVCENC_SB_NONE,
			(int)svcenc_sb_decode(image_of(test, sb), 0, back));
	KUNIT_EXPECT_FALSE(test, back->keyed);
	KUNIT_EXPECT_EQ(test, 1ULL, back->seq);
	KUNIT_EXPECT_EQ(test, 13 * SVCENC_MIB, svcenc_sb_device_bytes(back));
	format.data_len = U64_MAX - 4095;
	KUNIT_EXPECT_EQ(test, SVCENC_SB_OVERFLOW,
			(int)svcenc_sb_format(&format, sb));
}

static void mac_span_is_the_image_without_crc(struct kunit *test)
{
	u8 *span = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SPAN);
	u8 *mac = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SIZE);
	struct svcenc_sb *back = svcenc_kunit_zeroed(test, sizeof(*back));
	u8 *image = known_image(test);

	svcenc_sb_for_mac(image, span);
	KUNIT_EXPECT_EQ(test, 0, memcmp(span, image, 8));
	KUNIT_EXPECT_EQ(test, 0, memcmp(span + 8, "\0\0\0\0", 4));
	KUNIT_EXPECT_EQ(test, 0, memcmp(span + 12, image + 12,
					SVCENC_SB_MAC_SPAN - 12));
	memset(mac, 0x77, SVCENC_SB_MAC_SIZE);
	svcenc_sb_set_mac(image, mac);
	KUNIT_EXPECT_EQ(test, SVCENC_SB_NONE,
			(int)svcenc_sb_decode(image, 0, back));
	KUNIT_EXPECT_EQ(test, 0, memcmp(back->mac, mac, SVCENC_SB_MAC_SIZE));
}

static struct kunit_case ondisk_cases[] = {
	KUNIT_CASE(decode_gives_back_what_was_encoded),
	KUNIT_CASE(known_image_is_the_models),
	KUNIT_CASE_PARAM(defect_is_found_and_named, poke_gen_params),
	KUNIT_CASE(extents_end_where_their_list_does),
	KUNIT_CASE(each_flipped_byte_is_found),
	KUNIT_CASE(forged_images_do_no_harm),
	KUNIT_CASE(format_makes_what_decode_takes),
	KUNIT_CASE(mac_span_is_the_image_without_crc),
	{}
};

static struct kunit_suite ondisk_suite = {
	.name = "svcenc_ondisk",
	.test_cases = ondisk_cases,
};

/* -------------------------------------------------------------------- pick */

enum { STATES = SVCENC_COPY_GOOD + 1 };

typedef void (*pair_check)(struct kunit *test, const struct svcenc_copy *copy,
			   enum svcenc_pick pick, bool repair);

static void check_pair(struct kunit *test, const struct svcenc_copy given[2],
		       pair_check check)
{
	struct svcenc_copy *copy =
		svcenc_kunit_copy(test, given, 2 * sizeof(*given));
	enum svcenc_pick pick;
	bool repair = true;

	pick = svcenc_sb_pick(copy, false, &repair);
	check(test, copy, pick, repair);
	kunit_kfree(test, copy);
}

/* Calls @check for every pair of states and order of sequence numbers. */
static void check_all_pairs(struct kunit *test, pair_check check)
{
	static const u64 seqs[][2] = {
		{ 1, 2 }, { 2, 1 }, { 2, 2 }, { 1, U64_MAX - 1 },
	};
	struct svcenc_copy copy[2];
	size_t i;
	int a, b;

	for (a = 0; a < STATES; a++) {
		for (b = 0; b < STATES; b++) {
			for (i = 0; i < ARRAY_SIZE(seqs); i++) {
				copy[0].state = a;
				copy[0].seq = seqs[i][0];
				copy[1].state = b;
				copy[1].seq = seqs[i][1];
				check_pair(test, copy, check);
			}
		}
	}
}

static void check_choice(struct kunit *test, const struct svcenc_copy *copy,
			 enum svcenc_pick pick, bool repair)
{
	const struct svcenc_copy *chosen, *other;

	if (pick > SVCENC_PICK_SECOND) {
		KUNIT_EXPECT_FALSE(test, repair);
		return;
	}
	chosen = &copy[pick == SVCENC_PICK_SECOND];
	other = &copy[pick != SVCENC_PICK_SECOND];
	KUNIT_EXPECT_EQ(test, SVCENC_COPY_GOOD, (int)chosen->state);
	/* they differ, so the other one is rewritten */
	KUNIT_EXPECT_TRUE(test, repair);
	if (other->state != SVCENC_COPY_ROTTEN)
		KUNIT_EXPECT_LT(test, other->seq, chosen->seq);
	KUNIT_EXPECT_NE(test, SVCENC_COPY_FORGED, (int)other->state);
	KUNIT_EXPECT_NE(test, SVCENC_COPY_INVALID, (int)other->state);
}

static void only_the_newest_good_copy_is_chosen(struct kunit *test)
{
	check_all_pairs(test, check_choice);
}

static void check_forgery(struct kunit *test, const struct svcenc_copy *copy,
			  enum svcenc_pick pick, bool repair)
{
	const bool forged = copy[0].state == SVCENC_COPY_FORGED ||
			    copy[1].state == SVCENC_COPY_FORGED;

	KUNIT_EXPECT_EQ(test, forged, pick == SVCENC_PICK_FORGED);
	KUNIT_EXPECT_GT(test, strlen(svcenc_pick_text(pick)), (size_t)5);
}

static void forgery_is_always_refused(struct kunit *test)
{
	check_all_pairs(test, check_forgery);
}

static void equal_copies_need_no_repair(struct kunit *test)
{
	const struct svcenc_copy good[] = { { SVCENC_COPY_GOOD, 7 },
					    { SVCENC_COPY_GOOD, 7 } };
	const struct svcenc_copy fresh[] = { { SVCENC_COPY_FRESH, 1 },
					     { SVCENC_COPY_FRESH, 1 } };
	bool repair = true;

	KUNIT_EXPECT_EQ(test, SVCENC_PICK_FIRST,
			(int)svcenc_sb_pick(good, true, &repair));
	KUNIT_EXPECT_FALSE(test, repair);
	KUNIT_EXPECT_EQ(test, SVCENC_PICK_CONFLICT,
			(int)svcenc_sb_pick(good, false, &repair));
	KUNIT_EXPECT_EQ(test, SVCENC_PICK_FRESH,
			(int)svcenc_sb_pick(fresh, true, &repair));
	KUNIT_EXPECT_EQ(test, SVCENC_PICK_CONFLICT,
			(int)svcenc_sb_pick(fresh, false, &repair));
}

static struct kunit_case pick_cases[] = {
	KUNIT_CASE(only_the_newest_good_copy_is_chosen),
	KUNIT_CASE(forgery_is_always_refused),
	KUNIT_CASE(equal_copies_need_no_repair),
	{}
};

static struct kunit_suite pick_suite = {
	.name = "svcenc_pick",
	.test_cases = pick_cases,
};

kunit_test_suites(&ondisk_suite, &pick_suite);
