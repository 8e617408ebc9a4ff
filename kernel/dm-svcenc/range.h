/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which place and which key a bio uses, for how long the choice holds, and
 * who has to wait for it. Knows sectors, places and slots; not why the layout
 * changes, no pages, no superblock.
 *
 * Every read, write and discard enters before it uses the layout and leaves
 * when it has ended. In between, what it was told stays true for it: whoever
 * wants to reuse a stretch of the lower device changes the layout first and
 * then waits for those who entered before (svcenc_range_wait()).
 *
 * While no rotation runs, to enter is a per-CPU increment. While one runs, it
 * is done under a lock, together with the look at the layout, so that there
 * is no moment in between that would have to be argued about.
 */
#ifndef SVCENC_RANGE_H
#define SVCENC_RANGE_H

#include <linux/bio.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "core/extents.h"
#include "core/rotation.h"
#include "policykey.h"

enum svcenc_range_count {
	SVCENC_COUNT_EVEN, /* entered in one half of the waits ... */
	SVCENC_COUNT_ODD,  /* ... or in the other, while rotating */
	SVCENC_COUNT_IDLE, /* entered while no rotation ran */
};

/* What a bio was told when it entered; constant until it leaves. */
struct svcenc_use {
	sector_t base;		  /* lower sector of logical sector 0 */
	struct svcenc_slot *slot; /* whose cipher converts it */
	enum svcenc_range_count count;
};

/*
 * A write or discard whose place is not decided. Holds nothing: it has not
 * entered. Embedded in per-bio data; the list's while it is on it.
 */
struct svcenc_waiter {
	struct list_head node;
	struct svcenc_run run;
	u64 since_ns;
	struct svcenc_use *use; /* filled before go(BLK_STS_OK) */
	/*
	 * It has entered (BLK_STS_OK), or never will. Process context, from
	 * the rotation's thread: must not wait.
	 */
	void (*go)(struct svcenc_waiter *waiter, blk_status_t status);
};

struct svcenc_range {
	spinlock_t lock; /* irq-safe, innermost */
	/*
	 * Read without the lock to take the short way. Set under it before
	 * the first batch is claimed; cleared under it when idle_* are right.
	 */
	bool rotating;
	bool failing; /* lock; W is undecided: writes to the window fail */
	struct svcenc_rotation rotation; /* lock */
	sector_t base[2];	    /* by place; constant once active */
	u32 idle_place;		    /* while !rotating; lock or READ_ONCE */
	struct svcenc_slot *idle_slot; /* likewise */
	struct svcenc_slot *current_slot; /* lock; while rotating */
	struct svcenc_slot *next_slot;

	int __percpu *idle_users; /* only the sum means anything */
	unsigned int users[2];	  /* lock; by count; read without it */
	enum svcenc_range_count count; /* lock; of those who enter now */
	wait_queue_head_t left;	  /* woken when a waited-for count is zero */

	struct list_head parked; /* lock */
	u64 parked_longest_ns;	 /* lock */

	/* What cannot be read: a copy of the superblock's list. */
	bool has_unreadable; /* read without the lock; set under it */
	struct svcenc_extents unreadable; /* lock */
};

int svcenc_range_init(struct svcenc_range *range);
void svcenc_range_exit(struct svcenc_range *range);

/*
 * The layout of @sb, without batches: when a volume becomes active (no bio
 * under way) or is unlocked (bios of before may be; the layout they were told
 * is this one). @slots by parity of the epoch.
 */
void svcenc_range_load(struct svcenc_range *range, const struct svcenc_sb *sb,
		       struct svcenc_slot slots[2]);

enum svcenc_entry {
	SVCENC_ENTRY_GO,     /* entered; *ret_use is set */
	SVCENC_ENTRY_PARKED, /* on the list; @bio is waiter->go()'s now */
	SVCENC_ENTRY_FAIL,   /* its place cannot be decided: fail it */
};

/*
 * Enters with device-mapper's clone @bio (its sector is logical), cut with
 * dm_accept_partial_bio() where the layout wants it. @waiter: NULL for reads,
 * else node, use and go are used if it has to be parked. In map context, any
 * that may submit bios.
 */
enum svcenc_entry svcenc_range_enter(struct svcenc_range *range,
				     struct bio *bio,
				     struct svcenc_waiter *waiter,
				     struct svcenc_use *ret_use);

/* Before the bio ends, since the range goes with its last bio. Any context. */
void svcenc_range_leave(struct svcenc_range *range,
			const struct svcenc_use *use);

/* Is one of the sectors on the list of what cannot be read? Any context. */
bool svcenc_range_unreadable(struct svcenc_range *range,
			     const struct svcenc_run *run);
void svcenc_range_set_unreadable(struct svcenc_range *range,
				 const struct svcenc_extents *extents);
u32 svcenc_range_unreadable_count(struct svcenc_range *range);

/* --- the rotation's side: process context, one caller at a time */

/* A rotation begins as in @sb; nothing is claimed. */
void svcenc_range_begin(struct svcenc_range *range, const struct svcenc_sb *sb,
			struct svcenc_slot *next_slot);

/* Waits until all who entered before a rotation began have left. */
void svcenc_range_wait_idle(struct svcenc_range *range);

/* Waits until all who entered before this call have left. */
void svcenc_range_wait(struct svcenc_range *range);

/* svcenc_rotation_claim(); writes to the run are parked from now on. */
struct svcenc_run svcenc_range_claim(struct svcenc_range *range, u64 want,
				     u64 unit);

/* Is a bio of others under way? A hint: by now it may have left. */
bool svcenc_range_in_use(const struct svcenc_range *range);

/* A copy of the layout. */
void svcenc_range_get(struct svcenc_range *range, struct svcenc_rotation *ret);

/* The oldest batch is durable; who waited for it enters at the new place. */
void svcenc_range_advance(struct svcenc_range *range);

/* All batches are dropped; who waited enters at the old place. */
void svcenc_range_abandon(struct svcenc_range *range);

/*
 * Whether W has passed the window is unknown: who waits for it fails with
 * @status, and so does who would have to wait (SVCENC_ENTRY_FAIL), until
 * svcenc_range_abandon().
 */
void svcenc_range_fail(struct svcenc_range *range, blk_status_t status);

/* Everything is at the other place under the next key: idle again. */
void svcenc_range_finish(struct svcenc_range *range);

/* Nanoseconds of the longest wait so far. */
u64 svcenc_range_longest(struct svcenc_range *range);

#endif
