// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will add and remove runs of the list of unreadable extents at
 * random and compare it with a map of single sectors after every step: same
 * sectors, sorted, disjoint, nothing that touches, unchanged when it is full.
 * TIMEOUT: 20
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extents.h"

enum { SECTORS = 1500, STEPS = 20000 };

/* The list says what the map does, in the form that the superblock wants. */
static void expect_map(const struct svcenc_extents *extents,
		       const unsigned char *map)
{
	u64 at = 0;
	u32 i;

	for (i = 0; i < extents->count; i++) {
		const struct svcenc_extent *extent = &extents->extent[i];

		assert_true(extent->sectors > 0);
		assert_true(i == 0 || extent->start > at);
		for (; at < extent->start; at++)
			assert_false(map[at]);
		for (; at < extent->start + extent->sectors; at++)
			assert_true(map[at]);
	}
	for (; at < SECTORS; at++)
		assert_false(map[at]);
}

static struct svcenc_run random_run(unsigned int *seed)
{
	struct svcenc_run run;

	run.start = (u64)rand_r(seed) % SECTORS;
	run.sectors = 1 + (u64)rand_r(seed) % 2;
	if (run.sectors > SECTORS - run.start)
		run.sectors = SECTORS - run.start;
	return run;
}

static void list_equals_a_map_of_sectors(void **state)
{
	struct svcenc_extents extents = { 0 }, before;
	unsigned char map[SECTORS] = { 0 };
	unsigned int seed = 1, step, full = 0;

	(void)state;
	for (step = 0; step < STEPS; step++) {
		/* mostly adds, then mostly removes, so that it gets full */
		const int mostly_adds = (step / 2000) % 2 == 0;
		const int adds = (rand_r(&seed) % 8 != 0) == mostly_adds;
		const struct svcenc_run run = random_run(&seed);
		int rc;

		before = extents;
		rc = adds ? svcenc_extents_add(&extents, &run) :
			    svcenc_extents_remove(&extents, &run);
		if (rc) {
			assert_int_equal(rc, -ENOSPC);
			assert_memory_equal(&extents, &before, sizeof(before));
			full++;
			continue;
		}
		memset(map + run.start, adds, run.sectors);
		expect_map(&extents, map);
		assert_int_equal(svcenc_extents_overlap(&extents, &run), adds);
	}
	assert_true(full > 10);
}

static void both_ways_through_a_superblock(void **state)
{
	const struct svcenc_run run = { .start = 8, .sectors = 16 };
	struct svcenc_extents extents = { 0 }, back;
	struct svcenc_sb sb = { 0 };

	(void)state;
	assert_int_equal(svcenc_extents_add(&extents, &run), 0);
	svcenc_extents_store(&extents, &sb);
	assert_true(sb.incompat == SVCENC_INCOMPAT_UNREADABLE);
	assert_int_equal(sb.extent_count, 1);
	svcenc_extents_load(&sb, &back);
	assert_memory_equal(&back, &extents, sizeof(back));
	assert_int_equal(svcenc_extents_remove(&extents, &run), 0);
	svcenc_extents_store(&extents, &sb);
	assert_true(sb.incompat == 0);
	assert_int_equal(sb.extent_count, 0);
	assert_int_equal(sb.extents[0].sectors, 0);
}

static void lengths_of_more_than_32_bits_are_refused(void **state)
{
	const struct svcenc_run most = { .start = 0, .sectors = U32_MAX };
	const struct svcenc_run next = { .start = U32_MAX, .sectors = 8 };
	struct svcenc_extents extents = { 0 };

	(void)state;
	assert_int_equal(svcenc_extents_add(&extents, &most), 0);
	assert_int_equal(svcenc_extents_add(&extents, &next), -ENOSPC);
	assert_int_equal(extents.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_equals_a_map_of_sectors),
		cmocka_unit_test(both_ways_through_a_superblock),
		cmocka_unit_test(lengths_of_more_than_32_bits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
