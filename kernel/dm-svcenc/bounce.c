// SPDX-License-Identifier: GPL-2.0-only
/*
 * A shelf for each CPU, and one depot from which an empty shelf is restocked
 * and into which a full one is halved: pages are taken where conversions run
 * and come back where the device completes, which may always be another CPU.
 *
 * Locks: shelf->lock, inside it depot.lock; both irq-safe, innermost, held for
 * a bounded number of steps and never across the allocator. A shelf's lock is
 * for the shrinker, which looks into all of them, and for whoever is moved to
 * another CPU between choosing a shelf and locking it: any shelf will do.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/shrinker.h>
#include <linux/spinlock.h>

#include "bounce.h"

enum bounce_limits {
	SHELF_PAGES = 128, /* the largest bio takes 33 */
	SHELF_HALF = SHELF_PAGES / 2,
	DEPOT_PAGES_MIN = 256,
	DEPOT_PAGES_MAX = 16384,
	/* The depot holds at most this part of all memory. */
	DEPOT_SHARE = 64,
};

struct shelf {
	spinlock_t lock;    /* of the rest */
	unsigned int count; /* also read without it, as a hint: set_count() */
	struct page *pages[SHELF_PAGES];
};

static struct shelf __percpu *shelves;

static struct {
	spinlock_t lock;	/* of the rest */
	struct list_head pages; /* by page->lru */
	unsigned long count;	/* also read without it, as a hint */
	unsigned long max;	/* constant after init */
} depot;

/*
 * The allocator had no page for us: for a second from then on it gets all that
 * come back. What it lacks must not lie about here, and pages that went round
 * between writes would keep others from it. No lock: late or early by a few
 * writes is as good.
 */
static bool memory_short;
static unsigned long short_until; /* jiffies; while memory_short */

static void note_shortage(void)
{
	WRITE_ONCE(short_until, jiffies + HZ);
	WRITE_ONCE(memory_short, true);
}

static bool still_short(void)
{
	if (time_before(jiffies, READ_ONCE(short_until)))
		return true;
	WRITE_ONCE(memory_short, false);
	return false;
}

static void free_all(struct list_head *pages)
{
	struct page *page, *tmp;

	list_for_each_entry_safe(page, tmp, pages, lru)
		__free_page(page);
}

/* ---------------------------------------------------- between the two kinds */

/* shelf->lock held. */
static void set_count(struct shelf *shelf, unsigned int count)
{
	WRITE_ONCE(shelf->count, count);
}

static void push(struct shelf *shelf, struct page *page)
{
	shelf->pages[shelf->count] = page;
	set_count(shelf, shelf->count + 1);
}

static struct page *pop(struct shelf *shelf)
{
	set_count(shelf, shelf->count - 1);
	return shelf->pages[shelf->count];
}

/* shelf->lock held: what the depot has, until the shelf is half full. */
static void restock(struct shelf *shelf)
{
	struct page *page;

	if (!READ_ONCE(depot.count))
		return;
	spin_lock(&depot.lock);
	while (shelf->count < SHELF_HALF && depot.count) {
		page = list_first_entry(&depot.pages, struct page, lru);
		list_del(&page->lru);
		WRITE_ONCE(depot.count, depot.count - 1);
		push(shelf, page);
	}
	spin_unlock(&depot.lock);
}

/* shelf->lock held: half of it to the depot; @ret_surplus is for the allocator. */
static void unstock(struct shelf *shelf, struct list_head *ret_surplus)
{
	struct page *page;

	spin_lock(&depot.lock);
	while (shelf->count > SHELF_HALF) {
		page = pop(shelf);
		if (depot.count >= depot.max) {
			list_add(&page->lru, ret_surplus);
			continue;
		}
		list_add(&page->lru, &depot.pages);
		WRITE_ONCE(depot.count, depot.count + 1);
	}
	spin_unlock(&depot.lock);
}

/* ---------------------------------------------------------------- get, put */

static unsigned int take(struct bio_vec *vecs, unsigned int count)
{
	struct shelf *shelf = raw_cpu_ptr(shelves);
	unsigned int got, left;
	unsigned long flags;

	spin_lock_irqsave(&shelf->lock, flags);
	if (unlikely(shelf->count < count))
		restock(shelf);
	left = shelf->count;
	for (got = 0; got < count && left; got++)
		vecs[got].bv_page = shelf->pages[--left];
	set_count(shelf, left);
	spin_unlock_irqrestore(&shelf->lock, flags);
	return got;
}

bool svcenc_bounce_get(struct bio_vec *vecs, unsigned int count)
{
	unsigned int got = take(vecs, count);

	while (unlikely(got < count)) {
		struct page *page = alloc_page(GFP_NOWAIT | __GFP_NOWARN);

		if (!page) {
			note_shortage();
			svcenc_bounce_put(vecs, got);
			return false;
		}
		vecs[got++].bv_page = page;
	}
	return true;
}

static void put_on_shelf(const struct bio_vec *vecs, unsigned int count)
{
	struct shelf *shelf = raw_cpu_ptr(shelves);
	LIST_HEAD(surplus);
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&shelf->lock, flags);
	for (i = 0; i < count; i++) {
		if (unlikely(shelf->count == SHELF_PAGES))
			unstock(shelf, &surplus);
		push(shelf, vecs[i].bv_page);
	}
	spin_unlock_irqrestore(&shelf->lock, flags);
	free_all(&surplus);
}

void svcenc_bounce_put(const struct bio_vec *vecs, unsigned int count)
{
	if (likely(!READ_ONCE(memory_short)) || !still_short()) {
		put_on_shelf(vecs, count);
		return;
	}
	while (count)
		__free_page(vecs[--count].bv_page);
}

/* ---------------------------------------------------------------- shrinking */

unsigned long svcenc_bounce_count(void)
{
	unsigned long count = READ_ONCE(depot.count);
	int cpu;

	for_each_possible_cpu(cpu)
		count += READ_ONCE(per_cpu_ptr(shelves, cpu)->count);
	return count;
}

static unsigned long clear_depot(unsigned long want, struct list_head *ret)
{
	unsigned long flags, got;

	spin_lock_irqsave(&depot.lock, flags);
	for (got = 0; got < want && depot.count; got++) {
		list_move(depot.pages.next, ret);
		WRITE_ONCE(depot.count, depot.count - 1);
	}
	spin_unlock_irqrestore(&depot.lock, flags);
	return got;
}

static unsigned long clear_shelf(struct shelf *shelf, unsigned long want,
				 struct list_head *ret)
{
	unsigned long flags, got;

	spin_lock_irqsave(&shelf->lock, flags);
	for (got = 0; got < want && shelf->count; got++)
		list_add(&pop(shelf)->lru, ret);
	spin_unlock_irqrestore(&shelf->lock, flags);
	return got;
}

unsigned long svcenc_bounce_shrink(unsigned long want)
{
	unsigned long got;
	LIST_HEAD(pages);
	int cpu;

	got = clear_depot(want, &pages);
	for_each_possible_cpu(cpu)
		got += clear_shelf(per_cpu_ptr(shelves, cpu), want - got,
				   &pages);
	free_all(&pages);
	return got;
}

static unsigned long shrinker_count(struct shrinker *shrinker,
				    struct shrink_control *sc)
{
	return svcenc_bounce_count() ?: SHRINK_EMPTY;
}

static unsigned long shrinker_scan(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	return svcenc_bounce_shrink(sc->nr_to_scan) ?: SHRINK_STOP;
}

static struct shrinker shrinker = {
	.count_objects = shrinker_count,
	.scan_objects = shrinker_scan,
	/* Gone without a trace, and the next write brings it back. */
	.seeks = 1,
};

/* ------------------------------------------------------------------- life */

int svcenc_bounce_init(void)
{
	int cpu, rc;

	shelves = alloc_percpu(struct shelf);
	if (!shelves)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		spin_lock_init(&per_cpu_ptr(shelves, cpu)->lock);
	spin_lock_init(&depot.lock);
	INIT_LIST_HEAD(&depot.pages);
	depot.count = 0;
	depot.max = clamp_t(unsigned long, totalram_pages() / DEPOT_SHARE,
			    DEPOT_PAGES_MIN, DEPOT_PAGES_MAX);
	rc = register_shrinker(&shrinker, "svcenc-bounce");
	if (rc)
		free_percpu(shelves);
	return rc;
}

/* No volume is left, so nobody gets or puts. */
void svcenc_bounce_exit(void)
{
	unregister_shrinker(&shrinker);
	svcenc_bounce_shrink(ULONG_MAX);
	free_percpu(shelves);
}
