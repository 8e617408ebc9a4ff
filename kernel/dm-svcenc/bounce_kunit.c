// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite of bounce.c: pages come back to whoever asks next, no page is
 * given out twice, and none is lost: not in bulk, not to the shrinker, not
 * between two CPUs. What happens when the allocator has none is seen with
 * fault injection (tests/uml/t_fault_no_memory_on_the_data_path.sh).
 */
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/workqueue.h>

#include "bounce.h"
#include "env_kunit.h"

enum {
	FEW = 33,   /* what the largest bio takes */
	MANY = 700, /* more than a shelf and, on a small machine, a depot */
};

static int start(struct kunit *test)
{
	return svcenc_bounce_init();
}

static void stop(struct kunit *test)
{
	svcenc_bounce_exit();
}

static struct bio_vec *get(struct kunit *test, unsigned int count)
{
	struct bio_vec *vecs = svcenc_kunit_zeroed(test, count * sizeof(*vecs));

	KUNIT_ASSERT_TRUE(test, svcenc_bounce_get(vecs, count));
	return vecs;
}

static bool has(const struct bio_vec *vecs, unsigned int count,
		const struct page *page)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (vecs[i].bv_page == page)
			return true;
	return false;
}

static void put_pages_are_taken_again(struct kunit *test)
{
	struct bio_vec *first = get(test, FEW), *again;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, 0UL, svcenc_bounce_count());
	svcenc_bounce_put(first, FEW);
	KUNIT_EXPECT_EQ(test, (unsigned long)FEW, svcenc_bounce_count());
	again = get(test, FEW);
	KUNIT_EXPECT_EQ(test, 0UL, svcenc_bounce_count());
	for (i = 0; i < FEW; i++)
		KUNIT_EXPECT_TRUE(test, has(first, FEW, again[i].bv_page));
	svcenc_bounce_put(again, FEW);
}

static int by_page(const void *a, const void *b)
{
	const struct bio_vec *x = a, *y = b;

	return x->bv_page < y->bv_page ? -1 : x->bv_page > y->bv_page;
}

/* Each page is somebody's alone: sorted, no two neighbours are the same. */
static void no_page_is_given_out_twice(struct kunit *test)
{
	struct bio_vec *vecs = get(test, MANY);
	unsigned int i, round;

	for (round = 0; round < 3; round++) {
		/* in pieces, as bios do: over the edges of shelf and depot */
		for (i = 0; i + FEW <= MANY; i += FEW)
			svcenc_bounce_put(vecs + i, FEW);
		for (i = 0; i + FEW <= MANY; i += FEW)
			KUNIT_ASSERT_TRUE(test,
					  svcenc_bounce_get(vecs + i, FEW));
	}
	sort(vecs, MANY, sizeof(*vecs), by_page, NULL);
	for (i = 1; i < MANY; i++)
		KUNIT_EXPECT_PTR_NE(test, vecs[i - 1].bv_page,
				    vecs[i].bv_page);
	svcenc_bounce_put(vecs, MANY);
}

/* What cannot be kept is the allocator's: the cache does not grow for ever. */
static void surplus_goes_to_the_allocator(struct kunit *test)
{
	const unsigned long most = totalram_pages() / 64 + 256 + 128;
	const unsigned int count = min(2 * most, 40000UL);
	struct bio_vec *vecs = kvcalloc(count, sizeof(*vecs), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vecs);
	for (i = 0; i < count; i++)
		vecs[i].bv_page = alloc_page(GFP_KERNEL);
	for (i = 0; i < count; i++)
		if (vecs[i].bv_page)
			svcenc_bounce_put(vecs + i, 1);
	KUNIT_EXPECT_LE(test, svcenc_bounce_count(), most);
	KUNIT_EXPECT_GE(test, svcenc_bounce_count(), 256UL);
	kvfree(vecs);
}

/* In the order and sizes that the kernel asks: until there is none. */
static void shrinker_takes_all(struct kunit *test)
{
	struct bio_vec *vecs = get(test, MANY);
	unsigned long before;

	svcenc_bounce_put(vecs, MANY);
	before = svcenc_bounce_count();
	KUNIT_EXPECT_GT(test, before, 128UL);
	KUNIT_EXPECT_EQ(test, 5UL, svcenc_bounce_shrink(5));
	KUNIT_EXPECT_EQ(test, before - 5, svcenc_bounce_count());
	KUNIT_EXPECT_EQ(test, before - 5, svcenc_bounce_shrink(2 * MANY));
	KUNIT_EXPECT_EQ(test, 0UL, svcenc_bounce_count());
	KUNIT_EXPECT_EQ(test, 0UL, svcenc_bounce_shrink(1));
}

struct churn {
	struct work_struct work;
	unsigned int failed;
};

static void churn(struct work_struct *work)
{
	struct churn *churn = container_of(work, struct churn, work);
	struct bio_vec vecs[FEW];
	unsigned int i, count;

	for (i = 0; i < 3000; i++) {
		count = 1 + i % FEW;
		if (!svcenc_bounce_get(vecs, count)) {
			churn->failed++;
			continue;
		}
		/* whoever had it too would overwrite this */
		*(void **)page_address(vecs[0].bv_page) = churn;
		if (!(i % 64))
			cond_resched();
		churn->failed += *(void **)page_address(vecs[0].bv_page) !=
				 churn;
		svcenc_bounce_put(vecs, count);
	}
}

static void pages_move_between_tasks(struct kunit *test)
{
	struct churn *all = svcenc_kunit_zeroed(test, 4 * sizeof(*all));
	unsigned int i;

	for (i = 0; i < 4; i++) {
		INIT_WORK(&all[i].work, churn);
		queue_work(system_unbound_wq, &all[i].work);
	}
	/* meanwhile the kernel wants some back */
	for (i = 0; i < 100; i++) {
		svcenc_bounce_shrink(7);
		cond_resched();
	}
	for (i = 0; i < 4; i++) {
		flush_work(&all[i].work);
		KUNIT_EXPECT_EQ(test, 0U, all[i].failed);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(put_pages_are_taken_again),
	KUNIT_CASE(no_page_is_given_out_twice),
	KUNIT_CASE(surplus_goes_to_the_allocator),
	KUNIT_CASE(shrinker_takes_all),
	KUNIT_CASE(pages_move_between_tasks),
	{}
};

static struct kunit_suite suite = {
	.name = "svcenc_bounce",
	.init = start,
	.exit = stop,
	.test_cases = cases,
};

kunit_test_suite(suite);
