// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check where sectors are during a rotation and which steps it
 * may take: each answer of the arithmetic against one that is found by trying sector by sector,
 * for all small geometries, both directions, every watermark and pair of batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rotation.h"

enum { LENGTH_MAX = 9, SPARE_MAX = 5 };

static const u32 directions[] = { SVCENC_DIRECTION_DOWN, SVCENC_DIRECTION_UP };

static struct svcenc_sb sb_of(u32 direction, u64 length, u64 spare,
			      u64 watermark)
{
	return (struct svcenc_sb){
		.incompat = SVCENC_INCOMPAT_ROTATING,
		.data_len = length * 512,
		.spare_len = spare * 512,
		.direction = direction,
		.place = direction == SVCENC_DIRECTION_DOWN ?
				 SVCENC_PLACE_HIGH :
				 SVCENC_PLACE_LOW,
		.watermark = watermark,
	};
}

static struct svcenc_rotation rotation_of(u32 direction, u64 length, u64 spare,
					  u64 watermark)
{
	const struct svcenc_sb sb = sb_of(direction, length, spare, watermark);
	struct svcenc_rotation r;

	memset(&r, 0x55, sizeof(r));
	svcenc_rotation_load(&sb, &r);
	return r;
}

/* Calls @check for every geometry, direction and watermark there is. */
static void each_rotation(void (*check)(const struct svcenc_rotation *rotation))
{
	u64 length, spare, w;
	int d;

	for (d = 0; d < 2; d++)
		for (length = 1; length <= LENGTH_MAX; length++)
			for (spare = 1; spare <= SPARE_MAX; spare++)
				for (w = 0; w <= length; w++) {
					const struct svcenc_rotation r =
						rotation_of(directions[d],
							    length, spare, w);

					check(&r);
				}
}

/* The definition of the header's first comment, sector by sector. */
static bool wanted_passed(const struct svcenc_rotation *r, u64 w, u64 x)
{
	return r->direction == SVCENC_DIRECTION_DOWN ? x < w : x >= w;
}

static u64 wanted_physical(const struct svcenc_rotation *r, u32 place, u64 x)
{
	return place == SVCENC_PLACE_LOW ? x : r->spare + x;
}

static u32 old_place(const struct svcenc_rotation *r)
{
	return r->direction == SVCENC_DIRECTION_DOWN ? SVCENC_PLACE_HIGH :
						       SVCENC_PLACE_LOW;
}

static u32 new_place(const struct svcenc_rotation *r)
{
	return r->direction == SVCENC_DIRECTION_DOWN ? SVCENC_PLACE_LOW :
						       SVCENC_PLACE_HIGH;
}

static void check_find(const struct svcenc_rotation *r)
{
	const u64 front = r->batches ? r->edge[r->batches - 1] : r->durable;
	u64 start, sectors, x;

	for (start = 0; start < r->length; start++)
		for (sectors = 1; start + sectors <= r->length; sectors++) {
			const struct svcenc_spot spot =
				svcenc_rotation_find(r, start, sectors);

			assert_in_range(spot.sectors, 1, sectors);
			for (x = start; x < start + spot.sectors; x++) {
				const bool next =
					wanted_passed(r, r->durable, x);
				const bool claimed = !next &&
						     wanted_passed(r, front, x);

				assert_int_equal(spot.zone,
						 next	 ? SVCENC_ZONE_NEXT :
						 claimed ? SVCENC_ZONE_WINDOW :
							   SVCENC_ZONE_CURRENT);
				assert_int_equal(spot.place,
						 next ? new_place(r) :
							old_place(r));
			}
			/* no edge inside, and not cut without one */
			for (x = start + 1; x < start + sectors; x++) {
				bool edge = x == r->durable;

				for (u32 i = 0; i < r->batches; i++)
					edge |= x == r->edge[i];
				if (edge) {
					assert_int_equal(spot.sectors,
							 x - start);
					break;
				}
			}
			if (x == start + sectors)
				assert_int_equal(spot.sectors, sectors);
		}
}

/* I1: nothing that batch @run overwrites may be needed after a crash now. */
static void check_overwrites_nothing(const struct svcenc_rotation *r,
				     struct svcenc_run run)
{
	u64 x, y;

	for (x = run.start; x < run.start + run.sectors; x++)
		for (y = 0; y < r->length; y++)
			if (!wanted_passed(r, r->durable, y))
				assert_int_not_equal(
					wanted_physical(r, new_place(r), x),
					wanted_physical(r, old_place(r), y));
			else if (y != x)
				assert_int_not_equal(
					wanted_physical(r, new_place(r), x),
					wanted_physical(r, new_place(r), y));
}

static void check_claims(const struct svcenc_rotation *start)
{
	u64 want, second;

	check_find(start);
	for (want = 1; want <= SPARE_MAX + 1; want++)
		for (second = 1; second <= SPARE_MAX + 1; second++) {
			struct svcenc_rotation r = *start;
			const u64 left = r.length - svcenc_rotation_done(&r);
			const u64 limit = r.spare < left ? r.spare : left;
			const u64 sectors = want < limit ? want : limit;
			const u64 rest = limit - sectors;
			struct svcenc_run run;

			run = svcenc_rotation_claim(&r, want, 1);
			assert_int_equal(run.sectors, sectors);
			if (!sectors)
				continue;
			check_overwrites_nothing(&r, run);
			check_find(&r);
			run = svcenc_rotation_claim(&r, second, 1);
			assert_int_equal(run.sectors,
					 second < rest ? second : rest);
			check_overwrites_nothing(&r, run);
			check_find(&r);
			if (run.sectors)
				assert_int_equal(
					svcenc_rotation_claim(&r, 1, 1).sectors,
					0);
		}
}

static void each_answer_is_the_one_found_sector_by_sector(void **state)
{
	(void)state;
	each_rotation(check_claims);
}

/* What a claim takes is next to W, in the direction of the rotation. */
static void check_order(const struct svcenc_rotation *start)
{
	struct svcenc_rotation r = *start;
	const bool down = r.direction == SVCENC_DIRECTION_DOWN;
	const u64 done = svcenc_rotation_done(&r);
	const struct svcenc_run a = svcenc_rotation_claim(&r, 2, 1);
	const struct svcenc_run b = svcenc_rotation_claim(&r, 1, 1);
	struct svcenc_run oldest;

	if (!a.sectors) {
		assert_int_equal(done, r.length);
		assert_true(svcenc_rotation_all_moved(&r));
		return;
	}
	assert_false(svcenc_rotation_all_moved(&r));
	assert_int_equal(a.start, down ? r.durable : r.durable - a.sectors);
	oldest = svcenc_rotation_oldest(&r);
	assert_int_equal(oldest.start, a.start);
	assert_int_equal(oldest.sectors, a.sectors);
	assert_int_equal(svcenc_rotation_next_durable(&r),
			 down ? a.start + a.sectors : a.start);
	svcenc_rotation_advance(&r);
	assert_int_equal(r.durable, down ? a.start + a.sectors : a.start);
	assert_int_equal(svcenc_rotation_done(&r), done + a.sectors);
	assert_int_equal(r.batches, b.sectors ? 1 : 0);
	if (!b.sectors)
		return;
	oldest = svcenc_rotation_oldest(&r);
	assert_int_equal(oldest.start, b.start);
	assert_int_equal(oldest.start + (down ? 0 : b.sectors), r.durable);
	svcenc_rotation_abandon(&r);
	assert_int_equal(r.batches, 0);
	assert_int_equal(svcenc_rotation_done(&r), done + a.sectors);
	check_find(&r);
}

static void batches_follow_each_other_and_advance_in_order(void **state)
{
	(void)state;
	each_rotation(check_order);
}

/* Whole units only, however little fits. */
static void claims_are_multiples_of_the_unit(void **state)
{
	const u64 unit = 8;
	u64 want, spare;
	int d;

	(void)state;
	for (d = 0; d < 2; d++)
		for (spare = unit; spare <= 4 * unit; spare += unit)
			for (want = 0; want <= 5 * unit; want++) {
				struct svcenc_rotation r =
					rotation_of(directions[d], 16 * unit,
						    spare, 8 * unit);
				const u64 limit = want < spare ? want : spare;

				assert_int_equal(svcenc_rotation_claim(&r, want,
								       unit)
							 .sectors,
						 limit / unit * unit);
				assert_int_equal(r.batches, limit >= unit);
			}
}

/*
 * From a watermark anywhere, as a search for bad sectors leaves it, with a
 * length that is no multiple: each edge is one, or the end, which is reached.
 */
static void edges_are_multiples_of_the_unit(void **state)
{
	const u64 unit = 8, spare = 4 * unit;
	u64 length, watermark, want;
	int d;

	(void)state;
	for (d = 0; d < 2; d++)
		for (length = 5 * unit; length < 6 * unit; length++)
			for (watermark = 0; watermark <= length; watermark++)
				for (want = unit; want <= 3 * unit; want++) {
					struct svcenc_rotation r = rotation_of(
						directions[d], length, spare,
						watermark);
					struct svcenc_run run;
					u64 edge;

					while ((run = svcenc_rotation_claim(
							&r, want, unit))
						       .sectors) {
						edge = svcenc_rotation_next_durable(
							&r);
						assert_true(run.sectors <=
							    want);
						assert_true(!(edge % unit) ||
							    edge == length);
						svcenc_rotation_advance(&r);
					}
					assert_true(
						svcenc_rotation_all_moved(&r));
				}
}

/* A whole rotation, by claims of every size: each sector exactly once. */
static void whole_rotation_moves_each_sector_once(void **state)
{
	u64 length, spare, want;
	int d;

	(void)state;
	for (d = 0; d < 2; d++)
		for (length = 1; length <= LENGTH_MAX; length++)
			for (spare = 1; spare <= SPARE_MAX; spare++)
				for (want = 1; want <= SPARE_MAX; want++) {
					struct svcenc_rotation r = rotation_of(
						directions[d], length, spare,
						d ? length : 0);
					u64 moved = 0, mask = 0;

					while (!svcenc_rotation_all_moved(&r)) {
						struct svcenc_run run;

						while ((run = svcenc_rotation_claim(
								&r, want, 1))
							       .sectors) {
							const u64 bits =
								((1ULL
								  << run.sectors) -
								 1)
								<< run.start;

							assert_int_equal(
								mask & bits, 0);
							mask |= bits;
							moved += run.sectors;
						}
						assert_true(r.batches > 0);
						svcenc_rotation_advance(&r);
					}
					assert_int_equal(moved, length);
					assert_int_equal(mask,
							 (1ULL << length) - 1);
				}
}

/* The spare of the end is what no sector lies on any more. */
static void check_spare(const struct svcenc_rotation *r)
{
	const struct svcenc_run spare = svcenc_rotation_spare(r);
	u64 p, x;

	assert_int_equal(spare.sectors, r->spare);
	for (p = 0; p < r->length + r->spare; p++) {
		bool used = false;

		for (x = 0; x < r->length; x++)
			used |= svcenc_rotation_base(r, new_place(r)) + x == p;
		assert_int_equal(used, !(p >= spare.start &&
					 p < spare.start + spare.sectors));
	}
}

static void spare_is_what_the_new_place_leaves(void **state)
{
	(void)state;
	each_rotation(check_spare);
}

static void idle_volume_is_all_current(void **state)
{
	u32 place;

	(void)state;
	for (place = SVCENC_PLACE_LOW; place <= SVCENC_PLACE_HIGH; place++) {
		const struct svcenc_sb sb = {
			.data_len = 8 * 512,
			.spare_len = 4 * 512,
			.place = place,
		};
		struct svcenc_rotation r;
		struct svcenc_spot spot;

		svcenc_rotation_load(&sb, &r);
		assert_false(svcenc_rotation_running(&r));
		assert_false(svcenc_rotation_all_moved(&r));
		assert_int_equal(svcenc_rotation_done(&r), 0);
		assert_int_equal(svcenc_rotation_claim(&r, 1, 1).sectors, 0);
		spot = svcenc_rotation_find(&r, 0, 8);
		assert_int_equal(spot.zone, SVCENC_ZONE_CURRENT);
		assert_int_equal(spot.place, place);
		assert_int_equal(spot.sectors, 8);
		assert_int_equal(svcenc_rotation_base(&r, place),
				 place == SVCENC_PLACE_HIGH ? 4 : 0);
	}
}

/* begin and end, each superblock decodable, one key after it, not two. */
static void superblock_begins_and_ends(void **state)
{
	u8 image[SVCENC_SB_SIZE];
	u32 place;

	(void)state;
	for (place = SVCENC_PLACE_LOW; place <= SVCENC_PLACE_HIGH; place++) {
		static const struct svcenc_wrap none;
		struct svcenc_sb sb = {
			.cipher = SVCENC_CIPHER_AES256_XTS_PLAIN64,
			.sector_size = 4096,
			.keyed = true,
			.seq = 5,
			.data_offset = 4 * SVCENC_MIB,
			.data_len = 16 * SVCENC_MIB,
			.spare_len = SVCENC_MIB,
			.epoch = 7,
			.place = place,
		};
		struct svcenc_sb back;
		struct svcenc_wrap next;

		memset(&sb.uuid, 1, sizeof(sb.uuid));
		memset(&sb.key.policy, 2, sizeof(sb.key.policy));
		sb.key.version = 1;
		memset(&sb.current_, 3, offsetof(struct svcenc_wrap, reserved));
		memset(&sb.next, 4, offsetof(struct svcenc_wrap, reserved));
		memset(sb.history[7], 5, sizeof(sb.history[7]));
		memset(sb.history[8], 6, sizeof(sb.history[8]));
		next = sb.next;

		svcenc_sb_rotation_begin(&sb);
		svcenc_sb_encode(&sb, image);
		assert_int_equal(
			svcenc_sb_decode(image, SVCENC_INCOMPAT_DEFINED, &back),
			SVCENC_SB_NONE);
		assert_true(back.incompat & SVCENC_INCOMPAT_ROTATING);
		assert_int_equal(back.direction, place == SVCENC_PLACE_HIGH ?
							 SVCENC_DIRECTION_DOWN :
							 SVCENC_DIRECTION_UP);
		assert_int_equal(back.watermark,
				 place == SVCENC_PLACE_HIGH ? 0 : 16 * 2048);
		assert_int_equal(back.place, place);
		assert_int_equal(back.epoch, 7);

		svcenc_sb_rotation_end(&back);
		svcenc_sb_encode(&back, image);
		assert_int_equal(svcenc_sb_decode(image, 0, &back),
				 SVCENC_SB_NONE);
		assert_int_equal(back.incompat, 0);
		assert_int_equal(back.epoch, 8);
		assert_int_equal(back.watermark, 0);
		assert_int_equal(back.place, !place);
		assert_memory_equal(&back.current_, &next, sizeof(next));
		assert_memory_equal(&back.next, &none, sizeof(none));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_the_one_found_sector_by_sector),
		cmocka_unit_test(
			batches_follow_each_other_and_advance_in_order),
		cmocka_unit_test(claims_are_multiples_of_the_unit),
		cmocka_unit_test(edges_are_multiples_of_the_unit),
		cmocka_unit_test(whole_rotation_moves_each_sector_once),
		cmocka_unit_test(spare_is_what_the_new_place_leaves),
		cmocka_unit_test(idle_volume_is_all_current),
		cmocka_unit_test(superblock_begins_and_ends),
	};

	return cmocka_run_group_tests_name("core_rotation", tests, NULL, NULL);
}
