/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What policykey.c (life and end of a key) and volumekey.c (what volumes do
 * with one) share; nobody else looks at a key from inside.
 */
#ifndef SVCENC_POLICYKEY_INT_H
#define SVCENC_POLICYKEY_INT_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "policykey.h"

/* See policykey.c; keys_lock, for short, where comments speak of it. */
extern spinlock_t svcenc_keys_lock;

struct svcenc_key {
	refcount_t refs;
	struct svcenc_keyid id;		 /* constant */
	u8 check[SVCENC_CHECK_SIZE];	 /* constant; public */
	struct list_head node;		 /* keys_lock; in live_keys */
	unsigned long number;		 /* keys_lock; since it is live */
	struct list_head holders;	 /* keys_lock; empty: nobody holds it */
	struct list_head ciphers;	 /* keys_lock; of the open volumes */
	bool dead;			 /* keys_lock; set once */
	u32 lease_s;			 /* keys_lock */
	ktime_t deadline;		 /* keys_lock; CLOCK_BOOTTIME */
	struct hrtimer lease_timer;	 /* armed while live */
	struct work_struct lease_work;	 /* owns a reference while queued */
	struct work_struct lost_work;	 /* owns a reference while queued */
	const char *lost_reason;	 /* set by the one who ends it */
	struct completion ended;	 /* all transforms are gone */
	/*
	 * Readers use kc (CPU work only, short); the end takes it for writing
	 * to free kc. Nobody allocates with __GFP_IO or does I/O inside.
	 */
	struct rw_semaphore use;
	struct svcenc_keycrypt *kc; /* use; NULL after the end */
};

/*
 * keys_lock held: the slots of @ciphers, all of one key, show none from
 * now on, and no more conversions start; they are moved to @ret_doomed.
 */
void svcenc_volumekeys_hide(struct list_head *ciphers,
			    struct list_head *ret_doomed);

/*
 * Waits for the conversions with ciphers whose slots were emptied, and frees
 * them. Takes no lock, allocates nothing.
 */
void svcenc_volumekeys_retire(struct list_head *doomed);

#endif
