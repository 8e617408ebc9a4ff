// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device-mapper.h>
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "range.h"

int svcenc_range_init(struct svcenc_range *range)
{
	spin_lock_init(&range->lock);
	init_waitqueue_head(&range->left);
	INIT_LIST_HEAD(&range->parked);
	range->idle_users = alloc_percpu(int);
	return range->idle_users ? 0 : -ENOMEM;
}

void svcenc_range_exit(struct svcenc_range *range)
{
	free_percpu(range->idle_users);
}

void svcenc_range_load(struct svcenc_range *range, const struct svcenc_sb *sb,
		       struct svcenc_slot slots[2])
{
	unsigned long flags;

	spin_lock_irqsave(&range->lock, flags);
	svcenc_rotation_load(sb, &range->rotation);
	WRITE_ONCE(range->base[SVCENC_PLACE_LOW],
		   sb->data_offset >> SECTOR_SHIFT);
	WRITE_ONCE(range->base[SVCENC_PLACE_HIGH],
		   (sb->data_offset + sb->spare_len) >> SECTOR_SHIFT);
	/*
	 * A bio from before the key ended may only now read these, the short
	 * way: then there was and is no rotation, and they stay what they were.
	 */
	WRITE_ONCE(range->idle_place, sb->place);
	WRITE_ONCE(range->idle_slot, &slots[sb->epoch & 1]);
	range->current_slot = &slots[sb->epoch & 1];
	range->next_slot = &slots[(sb->epoch + 1) & 1];
	range->failing = false;
	svcenc_extents_load(sb, &range->unreadable);
	WRITE_ONCE(range->has_unreadable, range->unreadable.count > 0);
	/* Pairs with enter_idle(): who sees false sees idle_*. */
	smp_store_release(&range->rotating,
			  svcenc_rotation_running(&range->rotation));
	spin_unlock_irqrestore(&range->lock, flags);
}

/* ---------------------------------------------------------- enter, leave */

/*
 * The RCU section is what svcenc_range_wait_idle() waits for: whoever saw
 * that no rotation runs is in the sum when its grace period has ended.
 */
static bool enter_idle(struct svcenc_range *range, struct svcenc_use *ret_use)
{
	bool idle;

	rcu_read_lock();
	/* Pairs with the releases in load and finish: idle_* are right. */
	idle = !smp_load_acquire(&range->rotating);
	if (idle) {
		this_cpu_inc(*range->idle_users);
		ret_use->base =
			READ_ONCE(range->base[READ_ONCE(range->idle_place)]);
		ret_use->slot = READ_ONCE(range->idle_slot);
		ret_use->count = SVCENC_COUNT_IDLE;
	}
	rcu_read_unlock();
	return idle;
}

/* lock held. */
static void enter_at(struct svcenc_range *range, const struct svcenc_spot *spot,
		     struct svcenc_use *ret_use)
{
	WRITE_ONCE(range->users[range->count], range->users[range->count] + 1);
	ret_use->count = range->count;
	ret_use->base = range->base[spot->place];
	ret_use->slot = spot->zone == SVCENC_ZONE_NEXT ? range->next_slot :
							 range->current_slot;
}

/* lock held. */
static void park(struct svcenc_range *range, struct bio *bio,
		 struct svcenc_waiter *waiter)
{
	waiter->run.start = bio->bi_iter.bi_sector;
	waiter->run.sectors = bio_sectors(bio);
	waiter->since_ns = ktime_get_ns();
	list_add_tail(&waiter->node, &range->parked);
}

/* lock held. */
static enum svcenc_entry enter_rotating(struct svcenc_range *range,
					struct bio *bio,
					struct svcenc_waiter *waiter,
					struct svcenc_use *ret_use)
{
	const u64 sectors = bio_sectors(bio);
	struct svcenc_spot spot;

	spot = svcenc_rotation_find(&range->rotation, bio->bi_iter.bi_sector,
				    sectors);

	/*
	 * Cut before it can be parked: once on the list it may be on its way
	 * in the next moment. And so that, whatever becomes of each batch,
	 * all of it will be at one place.
	 */
	if (spot.sectors < sectors)
		dm_accept_partial_bio(bio, spot.sectors);
	if (spot.zone != SVCENC_ZONE_WINDOW || !waiter) {
		enter_at(range, &spot, ret_use);
		return SVCENC_ENTRY_GO;
	}
	if (range->failing)
		return SVCENC_ENTRY_FAIL;
	park(range, bio, waiter);
	return SVCENC_ENTRY_PARKED;
}

enum svcenc_entry svcenc_range_enter(struct svcenc_range *range,
				     struct bio *bio,
				     struct svcenc_waiter *waiter,
				     struct svcenc_use *ret_use)
{
	enum svcenc_entry entry;
	unsigned long flags;

	if (likely(enter_idle(range, ret_use)))
		return SVCENC_ENTRY_GO;
	spin_lock_irqsave(&range->lock, flags);
	entry = enter_rotating(range, bio, waiter, ret_use);
	spin_unlock_irqrestore(&range->lock, flags);
	return entry;
}

/*
 * Either this section sees that a rotation has begun and wakes its waiter, or
 * it ends before the waiter's grace period does and is in the sum.
 */
static void leave_idle(struct svcenc_range *range)
{
	rcu_read_lock();
	/* What it did is done: pairs with the barrier in wait_idle. */
	smp_mb__before_atomic();
	this_cpu_dec(*range->idle_users);
	if (unlikely(READ_ONCE(range->rotating)))
		wake_up(&range->left);
	rcu_read_unlock();
}

void svcenc_range_leave(struct svcenc_range *range,
			const struct svcenc_use *use)
{
	unsigned long flags;
	unsigned int left;

	if (likely(use->count == SVCENC_COUNT_IDLE)) {
		leave_idle(range);
		return;
	}
	spin_lock_irqsave(&range->lock, flags);
	left = range->users[use->count] - 1;
	WRITE_ONCE(range->users[use->count], left);
	if (!left && use->count != range->count)
		wake_up(&range->left);
	spin_unlock_irqrestore(&range->lock, flags);
}

/* ------------------------------------------------------------ unreadable */

bool svcenc_range_unreadable(struct svcenc_range *range,
			     const struct svcenc_run *run)
{
	unsigned long flags;
	bool unreadable;

	if (likely(!READ_ONCE(range->has_unreadable)))
		return false;
	spin_lock_irqsave(&range->lock, flags);
	unreadable = svcenc_extents_overlap(&range->unreadable, run);
	spin_unlock_irqrestore(&range->lock, flags);
	return unreadable;
}

void svcenc_range_set_unreadable(struct svcenc_range *range,
				 const struct svcenc_extents *extents)
{
	unsigned long flags;

	spin_lock_irqsave(&range->lock, flags);
	range->unreadable = *extents;
	WRITE_ONCE(range->has_unreadable, extents->count > 0);
	spin_unlock_irqrestore(&range->lock, flags);
}

u32 svcenc_range_unreadable_count(struct svcenc_range *range)
{
	unsigned long flags;
	u32 count;

	spin_lock_irqsave(&range->lock, flags);
	count = range->unreadable.count;
	spin_unlock_irqrestore(&range->lock, flags);
	return count;
}

/* ------------------------------------------------- the rotation's side */

void svcenc_range_begin(struct svcenc_range *range, const struct svcenc_sb *sb,
			struct svcenc_slot *next_slot)
{
	spin_lock_irq(&range->lock);
	svcenc_rotation_load(sb, &range->rotation);
	range->current_slot = range->idle_slot;
	range->next_slot = next_slot;
	range->failing = false;
	WRITE_ONCE(range->rotating, true);
	spin_unlock_irq(&range->lock);
}

static int idle_sum(struct svcenc_range *range)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(range->idle_users, cpu));
	return sum;
}

void svcenc_range_wait_idle(struct svcenc_range *range)
{
	synchronize_rcu();
	wait_event(range->left, !idle_sum(range));
	/* What they did is done: pairs with the barrier in leave_idle. */
	smp_mb();
}

void svcenc_range_wait(struct svcenc_range *range)
{
	enum svcenc_range_count before;

	/* The other count is zero: the last wait made it so. */
	spin_lock_irq(&range->lock);
	before = range->count;
	range->count = before == SVCENC_COUNT_EVEN ? SVCENC_COUNT_ODD :
						     SVCENC_COUNT_EVEN;
	spin_unlock_irq(&range->lock);
	wait_event(range->left, !READ_ONCE(range->users[before]));
	/* What they did is done: pairs with the lock in leave. */
	smp_mb();
}

bool svcenc_range_in_use(const struct svcenc_range *range)
{
	return READ_ONCE(range->users[SVCENC_COUNT_EVEN]) ||
	       READ_ONCE(range->users[SVCENC_COUNT_ODD]);
}

struct svcenc_run svcenc_range_claim(struct svcenc_range *range, u64 want,
				     u64 unit)
{
	struct svcenc_run run;

	spin_lock_irq(&range->lock);
	run = svcenc_rotation_claim(&range->rotation, want, unit);
	spin_unlock_irq(&range->lock);
	return run;
}

void svcenc_range_get(struct svcenc_range *range, struct svcenc_rotation *ret)
{
	unsigned long flags;

	spin_lock_irqsave(&range->lock, flags);
	*ret = range->rotation;
	spin_unlock_irqrestore(&range->lock, flags);
}

/* lock held: takes @waiter off the list. */
static void unpark(struct svcenc_range *range, struct svcenc_waiter *waiter,
		   struct list_head *ret_released)
{
	const u64 waited = ktime_get_ns() - waiter->since_ns;

	range->parked_longest_ns = max(range->parked_longest_ns, waited);
	list_move_tail(&waiter->node, ret_released);
}

/*
 * lock held: whoever is no longer in the window enters, before another batch
 * can be claimed. So its place stays decided until it leaves.
 */
static void enter_parked(struct svcenc_range *range,
			 struct list_head *ret_released)
{
	struct svcenc_waiter *waiter, *tmp;

	list_for_each_entry_safe(waiter, tmp, &range->parked, node) {
		struct svcenc_spot spot;

		spot = svcenc_rotation_find(&range->rotation,
					    waiter->run.start,
					    waiter->run.sectors);

		if (spot.zone == SVCENC_ZONE_WINDOW)
			continue;
		enter_at(range, &spot, waiter->use);
		unpark(range, waiter, ret_released);
	}
}

static void let_go(struct list_head *released, blk_status_t status)
{
	struct svcenc_waiter *waiter, *tmp;

	list_for_each_entry_safe(waiter, tmp, released, node)
		waiter->go(waiter, status);
}

void svcenc_range_advance(struct svcenc_range *range)
{
	LIST_HEAD(released);

	spin_lock_irq(&range->lock);
	svcenc_rotation_advance(&range->rotation);
	enter_parked(range, &released);
	spin_unlock_irq(&range->lock);
	let_go(&released, BLK_STS_OK);
}

void svcenc_range_abandon(struct svcenc_range *range)
{
	LIST_HEAD(released);

	spin_lock_irq(&range->lock);
	svcenc_rotation_abandon(&range->rotation);
	range->failing = false;
	enter_parked(range, &released);
	spin_unlock_irq(&range->lock);
	let_go(&released, BLK_STS_OK);
}

void svcenc_range_fail(struct svcenc_range *range, blk_status_t status)
{
	struct svcenc_waiter *waiter, *tmp;
	LIST_HEAD(released);

	spin_lock_irq(&range->lock);
	range->failing = true;
	list_for_each_entry_safe(waiter, tmp, &range->parked, node)
		unpark(range, waiter, &released);
	spin_unlock_irq(&range->lock);
	let_go(&released, status);
}

void svcenc_range_finish(struct svcenc_range *range)
{
	spin_lock_irq(&range->lock);
	range->idle_place = range->rotation.place == SVCENC_PLACE_LOW ?
				    SVCENC_PLACE_HIGH :
				    SVCENC_PLACE_LOW;
	range->idle_slot = range->next_slot;
	/*
	 * Who saw that a rotation runs and got the lock only now finds all of
	 * it at the new place: under the key that belongs there.
	 */
	range->current_slot = range->next_slot;
	range->failing = false;
	range->rotation.place = range->idle_place;
	range->rotation.direction = SVCENC_DIRECTION_NONE;
	range->rotation.durable = 0;
	/* Pairs with enter_idle(): who sees false sees idle_*. */
	smp_store_release(&range->rotating, false);
	spin_unlock_irq(&range->lock);
}

u64 svcenc_range_longest(struct svcenc_range *range)
{
	unsigned long flags;
	u64 longest;

	spin_lock_irqsave(&range->lock, flags);
	longest = range->parked_longest_ns;
	spin_unlock_irqrestore(&range->lock, flags);
	return longest;
}
