// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of a rotation in the kernel, on volumes as large as the
 * format allows: no step may wrap, and a whole rotation by random batches
 * moves every sector once, in order, and never more than a spare at a time.
 * Small geometries are tried to the last one in tests/unit.
 */
#include <linux/prandom.h>

#include "core/rotation.h"
#include "env_kunit.h"

enum { SECTOR_UNIT = 8 };

struct geometry {
	u64 length; /* 512-byte sectors */
	u64 spare;
};

static const struct geometry geometries[] = {
	{ SECTOR_UNIT, SECTOR_UNIT },
	{ 2048, 4096 }, /* spare longer than the data */
	{ 1000 * SECTOR_UNIT, 64 * SECTOR_UNIT },
	{ SVCENC_DEVICE_MAX / 512 - SVCENC_SPARE_MAX / 512,
	  SVCENC_SPARE_MAX / 512 },
};

static struct svcenc_rotation *begin(struct kunit *test, u32 place,
				     const struct geometry *geometry)
{
	struct svcenc_rotation *r = svcenc_kunit_zeroed(test, sizeof(*r));
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));

	svcenc_kunit_known_sb(test, sb);
	sb->place = place;
	sb->data_len = geometry->length * 512;
	sb->spare_len = geometry->spare * 512;
	svcenc_sb_rotation_begin(sb);
	svcenc_rotation_load(sb, r);
	KUNIT_ASSERT_TRUE(test, svcenc_rotation_running(r));
	KUNIT_ASSERT_EQ(test, 0ULL, svcenc_rotation_done(r));
	return r;
}

static void each_volume(struct kunit *test,
			void (*check)(struct kunit *test,
				      struct svcenc_rotation *r))
{
	unsigned int i;
	u32 place;

	for (i = 0; i < ARRAY_SIZE(geometries); i++)
		for (place = SVCENC_PLACE_LOW; place <= SVCENC_PLACE_HIGH;
		     place++)
			check(test, begin(test, place, &geometries[i]));
}

/* The first and last sectors of both batches, seen from both sides. */
static void check_edges(struct kunit *test, struct svcenc_rotation *r)
{
	const bool down = r->direction == SVCENC_DIRECTION_DOWN;
	const struct svcenc_run all = { .start = 0, .sectors = r->length };
	struct svcenc_run run = svcenc_rotation_claim(r, U64_MAX, SECTOR_UNIT);
	struct svcenc_spot spot;

	KUNIT_ASSERT_EQ(test, min(r->spare, r->length), run.sectors);
	KUNIT_EXPECT_EQ(test, 0ULL,
			svcenc_rotation_claim(r, U64_MAX, SECTOR_UNIT).sectors);
	spot = svcenc_rotation_find(r, run.start, run.sectors);
	KUNIT_EXPECT_EQ(test, SVCENC_ZONE_WINDOW, (int)spot.zone);
	KUNIT_EXPECT_EQ(test, run.sectors, spot.sectors);
	KUNIT_EXPECT_EQ(test, r->place, spot.place);
	spot = svcenc_rotation_find(r, all.start, all.sectors);
	KUNIT_EXPECT_EQ(test, down ? run.sectors :
				     all.sectors - run.sectors ?: run.sectors,
			spot.sectors);
	svcenc_rotation_advance(r);
	spot = svcenc_rotation_find(r, run.start, run.sectors);
	KUNIT_EXPECT_EQ(test, SVCENC_ZONE_NEXT, (int)spot.zone);
	KUNIT_EXPECT_EQ(test, run.sectors, spot.sectors);
	KUNIT_EXPECT_NE(test, r->place, spot.place);
	KUNIT_EXPECT_EQ(test, run.sectors, svcenc_rotation_done(r));
}

static void first_batch_of_any_volume_has_its_edges(struct kunit *test)
{
	each_volume(test, check_edges);
}

static u64 random_below(struct rnd_state *rnd, u64 limit)
{
	const u64 wide = (u64)prandom_u32_state(rnd) << 32 |
			 prandom_u32_state(rnd);
	u64 rest;

	div64_u64_rem(wide, limit, &rest);
	return rest;
}

/* Takes the oldest batch off and says that it was where it had to be. */
static void expect_next(struct kunit *test, struct svcenc_rotation *r,
			u64 *done)
{
	const bool down = r->direction == SVCENC_DIRECTION_DOWN;
	const struct svcenc_run run = svcenc_rotation_oldest(r);

	KUNIT_EXPECT_EQ(test, down ? *done : r->length - *done - run.sectors,
			run.start);
	svcenc_rotation_advance(r);
	*done += run.sectors;
	KUNIT_EXPECT_EQ(test, *done, svcenc_rotation_done(r));
}

static void check_whole(struct kunit *test, struct svcenc_rotation *r)
{
	struct rnd_state rnd;
	u64 done = 0;

	prandom_seed_state(&rnd, r->length ^ r->spare);
	if (r->spare < r->length / 1000)
		r->spare = r->length / 1000 / SECTOR_UNIT * SECTOR_UNIT;
	while (!svcenc_rotation_all_moved(r)) {
		u64 want = SECTOR_UNIT + random_below(&rnd, r->spare);

		while (svcenc_rotation_claim(r, want, SECTOR_UNIT).sectors)
			want = SECTOR_UNIT + random_below(&rnd, r->spare);
		KUNIT_ASSERT_GT(test, r->batches, 0U);
		if (random_below(&rnd, 8) == 0) {
			svcenc_rotation_abandon(r);
			KUNIT_EXPECT_EQ(test, done, svcenc_rotation_done(r));
			continue;
		}
		expect_next(test, r, &done);
	}
	KUNIT_EXPECT_EQ(test, r->length, done);
	KUNIT_EXPECT_EQ(test, r->spare, svcenc_rotation_spare(r).sectors);
}

static void whole_rotation_of_any_volume_is_in_order(struct kunit *test)
{
	each_volume(test, check_whole);
}

static struct kunit_case rotation_cases[] = {
	KUNIT_CASE(first_batch_of_any_volume_has_its_edges),
	KUNIT_CASE(whole_rotation_of_any_volume_is_in_order),
	{}
};

static struct kunit_suite rotation_suite = {
	.name = "svcenc_rotation",
	.test_cases = rotation_cases,
};

kunit_test_suites(&rotation_suite);
