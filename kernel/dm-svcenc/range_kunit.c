// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of range.c: who is told what, who is parked, who is waited for.
 * Bios are only looked at (sector, size), and lie in one zone each; those that
 * must be cut come with a device (tests/kselftest).
 */
#include <linux/delay.h>
#include <linux/workqueue.h>

#include "env_kunit.h"
#include "range.h"

enum {
	SECTORS = 1024,
	BASE_LOW = 8192,
	BASE_HIGH = 8192 + 2048,
};

/* One write or read of eight sectors. */
struct one {
	struct bio bio;
	struct svcenc_waiter waiter;
	struct svcenc_use use;
	blk_status_t status;
	unsigned int gone; /* times let go */
};

struct range_test {
	struct svcenc_range range;
	struct svcenc_slot slots[2];
	struct svcenc_sb sb;
	struct work_struct work;
	struct completion waited;
};

static void let_go(struct svcenc_waiter *waiter, blk_status_t status)
{
	struct one *one = container_of(waiter, struct one, waiter);

	one->status = status;
	one->gone++;
}

static void wait_work(struct work_struct *work)
{
	struct range_test *t = container_of(work, struct range_test, work);

	svcenc_range_wait(&t->range);
	complete(&t->waited);
}

static void wait_idle_work(struct work_struct *work)
{
	struct range_test *t = container_of(work, struct range_test, work);

	svcenc_range_wait_idle(&t->range);
	complete(&t->waited);
}

static int init(struct kunit *test)
{
	struct range_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	KUNIT_ASSERT_EQ(test, 0, svcenc_range_init(&t->range));
	t->sb.data_offset = BASE_LOW << SECTOR_SHIFT;
	t->sb.data_len = SECTORS << SECTOR_SHIFT;
	t->sb.spare_len = (BASE_HIGH - BASE_LOW) << SECTOR_SHIFT;
	t->sb.epoch = 3;
	init_completion(&t->waited);
	INIT_WORK(&t->work, wait_work);
	test->priv = t;
	return 0;
}

static void done(struct kunit *test)
{
	struct range_test *t = test->priv;

	svcenc_range_exit(&t->range);
}

static void load(struct range_test *t)
{
	svcenc_range_load(&t->range, &t->sb, t->slots);
}

/* From LOW to HIGH, so W descends; the last eighth of the sectors is claimed. */
static void rotate_up(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct svcenc_run run;

	load(t);
	svcenc_sb_rotation_begin(&t->sb);
	svcenc_range_begin(&t->range, &t->sb, &t->slots[0]);
	run = svcenc_range_claim(&t->range, SECTORS / 8, 8);
	KUNIT_ASSERT_EQ(test, (u64)SECTORS / 8 * 7, run.start);
	KUNIT_ASSERT_EQ(test, (u64)SECTORS / 8, run.sectors);
}

static struct one *new_one(struct kunit *test, u64 sector)
{
	struct one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, one);
	one->bio.bi_iter.bi_sector = sector;
	one->bio.bi_iter.bi_size = 8 << SECTOR_SHIFT;
	one->waiter.use = &one->use;
	one->waiter.go = let_go;
	return one;
}

static enum svcenc_entry enter(struct kunit *test, struct one *one, bool write)
{
	struct range_test *t = test->priv;

	return svcenc_range_enter(&t->range, &one->bio,
				  write ? &one->waiter : NULL, &one->use);
}

static void leave(struct kunit *test, struct one *one)
{
	struct range_test *t = test->priv;

	svcenc_range_leave(&t->range, &one->use);
}

static void expect_old(struct kunit *test, const struct one *one)
{
	struct range_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, (sector_t)BASE_LOW, one->use.base);
	KUNIT_EXPECT_PTR_EQ(test, &t->slots[1], one->use.slot);
}

static void expect_new(struct kunit *test, const struct one *one)
{
	struct range_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, (sector_t)BASE_HIGH, one->use.base);
	KUNIT_EXPECT_PTR_EQ(test, &t->slots[0], one->use.slot);
}

static void idle_is_where_the_superblock_says(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct one *one = new_one(test, 0);

	load(t);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, one, true));
	expect_old(test, one);
	leave(test, one);
	t->sb.place = SVCENC_PLACE_HIGH;
	t->sb.epoch = 4;
	load(t);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, one, false));
	expect_new(test, one);
	leave(test, one);
}

static void window_is_read_and_not_written(struct kunit *test)
{
	struct one *outside = new_one(test, 0);
	struct one *reader = new_one(test, SECTORS - 8);
	struct one *writer = new_one(test, SECTORS - 8);

	rotate_up(test);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, outside, true));
	expect_old(test, outside);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, reader, false));
	expect_old(test, reader);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_PARKED,
			(int)enter(test, writer, true));
	KUNIT_EXPECT_EQ(test, 0U, writer->gone);
	svcenc_range_abandon(&((struct range_test *)test->priv)->range);
	KUNIT_EXPECT_EQ(test, 1U, writer->gone);
	leave(test, outside);
	leave(test, reader);
	leave(test, writer);
}

static void parked_go_where_it_was_decided(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct one *first = new_one(test, SECTORS - 8);
	struct one *second = new_one(test, SECTORS / 8 * 7 - 8);

	rotate_up(test);
	svcenc_range_claim(&t->range, SECTORS / 8, 8);
	enter(test, second, true);
	enter(test, first, true);
	svcenc_range_advance(&t->range);
	KUNIT_EXPECT_EQ(test, 1U, first->gone);
	KUNIT_EXPECT_EQ(test, BLK_STS_OK, first->status);
	expect_new(test, first);
	KUNIT_EXPECT_EQ(test, 0U, second->gone);
	svcenc_range_abandon(&t->range);
	KUNIT_EXPECT_EQ(test, 1U, second->gone);
	KUNIT_EXPECT_EQ(test, BLK_STS_OK, second->status);
	expect_old(test, second);
	KUNIT_EXPECT_EQ(test, 1U, first->gone);
	KUNIT_EXPECT_GT(test, svcenc_range_longest(&t->range), 0ULL);
	leave(test, first);
	leave(test, second);
}

static void undecided_fails_writes_to_the_window_only(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct one *parked = new_one(test, SECTORS - 8);
	struct one *later = new_one(test, SECTORS - 16);
	struct one *reader = new_one(test, SECTORS - 16);
	struct one *outside = new_one(test, 0);

	rotate_up(test);
	enter(test, parked, true);
	svcenc_range_fail(&t->range, BLK_STS_OFFLINE);
	KUNIT_EXPECT_EQ(test, 1U, parked->gone);
	KUNIT_EXPECT_EQ(test, BLK_STS_OFFLINE, parked->status);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_FAIL, (int)enter(test, later, true));
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, reader, false));
	expect_old(test, reader);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, outside, true));
	svcenc_range_abandon(&t->range);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, later, true));
	expect_old(test, later);
	leave(test, reader);
	leave(test, outside);
	leave(test, later);
}

/* @before is in, @after comes while somebody waits: only @before counts. */
static void expect_waits_for(struct kunit *test, struct one *before,
			     struct one *after)
{
	struct range_test *t = test->priv;

	queue_work(system_unbound_wq, &t->work);
	/* It would be through long since, if it did not wait. */
	KUNIT_EXPECT_EQ(test, 0UL, wait_for_completion_timeout(&t->waited,
							       HZ / 5));
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, after, false));
	leave(test, before);
	KUNIT_EXPECT_NE(test, 0UL, wait_for_completion_timeout(&t->waited,
							       10 * HZ));
	flush_work(&t->work);
	leave(test, after);
}

static void a_wait_is_for_those_who_came_before(struct kunit *test)
{
	struct one *before = new_one(test, 0), *after = new_one(test, 0);
	unsigned int round;

	rotate_up(test);
	/* Twice, so that each of the counts is waited for. */
	for (round = 0; round < 2; round++) {
		KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO,
				(int)enter(test, before, true));
		expect_waits_for(test, before, after);
	}
}

static void the_first_wait_is_for_the_idle_times(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct one *before = new_one(test, 0), *after = new_one(test, 0);

	INIT_WORK(&t->work, wait_idle_work);
	load(t);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, before, true));
	rotate_up(test);
	expect_waits_for(test, before, after);
}

static void finished_is_idle_at_the_other_place(struct kunit *test)
{
	struct range_test *t = test->priv;
	struct one *one = new_one(test, 0);
	struct svcenc_rotation layout;

	rotate_up(test);
	do {
		svcenc_range_advance(&t->range);
	} while (svcenc_range_claim(&t->range, SECTORS, 8).sectors);
	svcenc_range_get(&t->range, &layout);
	KUNIT_EXPECT_TRUE(test, svcenc_rotation_all_moved(&layout));
	svcenc_range_finish(&t->range);
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, one, true));
	expect_new(test, one);
	KUNIT_EXPECT_EQ(test, SVCENC_COUNT_IDLE, (int)one->use.count);
	leave(test, one);
	/* Who saw the rotation still run, and gets the lock only now. */
	t->range.rotating = true;
	KUNIT_EXPECT_EQ(test, SVCENC_ENTRY_GO, (int)enter(test, one, true));
	expect_new(test, one);
	leave(test, one);
}

static void what_is_listed_is_unreadable(struct kunit *test)
{
	struct range_test *t = test->priv;
	const struct svcenc_run in = { .start = 20, .sectors = 8 };
	const struct svcenc_run beside = { .start = 24, .sectors = 8 };

	t->sb.extent_count = 1;
	t->sb.extents[0] = (struct svcenc_extent){ .start = 16, .sectors = 8 };
	load(t);
	KUNIT_EXPECT_TRUE(test, svcenc_range_unreadable(&t->range, &in));
	KUNIT_EXPECT_FALSE(test, svcenc_range_unreadable(&t->range, &beside));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(idle_is_where_the_superblock_says),
	KUNIT_CASE(window_is_read_and_not_written),
	KUNIT_CASE(parked_go_where_it_was_decided),
	KUNIT_CASE(undecided_fails_writes_to_the_window_only),
	KUNIT_CASE(a_wait_is_for_those_who_came_before),
	KUNIT_CASE(the_first_wait_is_for_the_idle_times),
	KUNIT_CASE(finished_is_idle_at_the_other_place),
	KUNIT_CASE(what_is_listed_is_unreadable),
	{}
};

static struct kunit_suite suite = {
	.name = "svcenc_range",
	.init = init,
	.exit = done,
	.test_cases = cases,
};

kunit_test_suite(suite);
