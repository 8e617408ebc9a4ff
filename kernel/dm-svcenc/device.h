/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One loaded table of one volume: from ctr to dtr. A reload makes a second
 * one for the same mapped device; never are two of them resumed at once.
 */
#ifndef SVCENC_DEVICE_H
#define SVCENC_DEVICE_H

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "core/line.h"
#include "policykey.h"
#include "range.h"
#include "rotate.h"

#define DM_MSG_PREFIX "svcenc"

enum svcenc_device_limits {
	/*
	 * Own reserve of bounce pages: what guarantees progress of writeback
	 * when no memory is left. Per volume, because a reserve shared with a
	 * volume stacked above would deadlock.
	 */
	SVCENC_RESERVE_PAGES = 16,
	SVCENC_RESERVE_BIOS = 2,
	SVCENC_REASON_SIZE = 160,
};

/*
 * A commit may be what a write waits for, so it has its own. In one piece: each
 * alone would be rounded up to the next power of two.
 */
struct svcenc_buffers {
	struct svcenc_sb sb[2];
	struct svcenc_extents extents;
};

struct svcenc_dev {
	/* Constant after ctr. */
	struct dm_target *ti;
	struct dm_dev *lower;
	u64 lower_bytes;
	unsigned int sector_size; /* bytes */
	bool read_only;

	/*
	 * By parity of the epoch, so that the next key has its place beside
	 * the current one. volumekey.c's, through its functions.
	 */
	struct svcenc_slot slots[2];
	/*
	 * commit_lock; the current key and the next one while the volume is
	 * being opened: they end with the policy key already, but no I/O may
	 * use them. Empty otherwise.
	 */
	struct svcenc_slot opening[2];

	struct svcenc_range range;   /* range.c's, through its functions */
	struct svcenc_rotate rotate; /* rotate.c's and control.c's */

	/*
	 * Serialises whoever reads or writes the superblock or changes the
	 * key: preresume, unlock, rewrap. Held across superblock I/O, so never
	 * taken on the I/O path nor by the end of a key.
	 */
	struct mutex commit_lock;
	struct svcenc_buffers *buffers; /* what the next three point into */
	struct svcenc_sb *sb;	 /* commit_lock; as durable in both copies */
	struct svcenc_sb *next;	 /* commit_lock; scratch: the one to commit */
	struct svcenc_extents *extents; /* commit_lock; scratch */
	void *image[SVCENC_SB_COPIES]; /* commit_lock; I/O buffers, one page */
	struct svcenc_key *key;	 /* commit_lock; counted, NULL before open */
	/*
	 * Highest seq that may be on disk: a commit of unknown fate must not
	 * be followed by another with the same number. Not sb->seq: there was
	 * one. commit_lock.
	 */
	u64 seq_attempted;

	/*
	 * The copy (0 or 1) that the next commit writes first: the one that may
	 * be torn, stale or rotten, if there is one. commit_lock.
	 */
	unsigned int doubtful;

	/*
	 * Written under commit_lock, read without it by status and netlink
	 * (READ_ONCE; table.key may read torn only while a rewrap is just
	 * finishing, so those readers take status_lock).
	 */
	struct svcenc_table table;
	/*
	 * table.key, epoch, seq, activated, check: written with commit_lock
	 * held, too, so who holds that one reads without. rotate.state, reason.
	 */
	spinlock_t status_lock;
	u64 epoch;
	u64 seq; /* durable in both copies */
	bool activated; /* has passed preresume once, if only locked */
	bool stale;	/* commit_lock; read-only with a copy to repair */
	u8 check[SVCENC_CHECK_SIZE];

	/* commit_lock; enum svcenc_event of a write while opening, 0 = none */
	unsigned int settled;

	/* Why preresume or a message refused last; commit_lock. */
	char reason[SVCENC_REASON_SIZE];

	/* map.c's */
	mempool_t pages; /* bounce pages, reserve of SVCENC_RESERVE_PAGES */
	struct bio_set bounces;
	spinlock_t starved_lock; /* irq-safe; next four */
	struct list_head starved; /* writes that wait for a page or bio */
	unsigned int holders;	 /* writes that hold pages or a bounce bio */
	struct bio_list to_submit; /* bounces filled on a queue */
	struct list_head healing; /* written; the unreadable list says it not */
	struct work_struct submit_work; /* on svcenc_submit_wq[level] */
	unsigned int level; /* registry.c's; constant once claimed, even if
			     * the volume below moves onto another one
			     */
	struct work_struct heal_work; /* on svcenc_heal_wq */
	struct svcenc_counters __percpu *counters;

	/* registry.c's lock */
	struct list_head node;
	unsigned long number; /* of its mapped device, since that is listed */
};

static inline const char *svcenc_dev_name(const struct svcenc_dev *dev)
{
	return dm_table_device_name(dev->ti->table); /* "major:minor" */
}

/* Status follows what is durable in both copies. commit_lock held. */
static inline void svcenc_dev_publish(struct svcenc_dev *dev)
{
	spin_lock(&dev->status_lock);
	dev->epoch = dev->sb->epoch;
	dev->seq = dev->sb->seq;
	spin_unlock(&dev->status_lock);
}

static inline u64 svcenc_dev_seq(struct svcenc_dev *dev)
{
	u64 seq;

	spin_lock(&dev->status_lock);
	seq = dev->seq;
	spin_unlock(&dev->status_lock);
	return seq;
}

/* True while conversions can run: a key is live. As svcenc_slot_live(). */
static inline bool svcenc_dev_live(const struct svcenc_dev *dev)
{
	return svcenc_slot_live(&dev->slots[0]) ||
	       svcenc_slot_live(&dev->slots[1]);
}

static inline struct mapped_device *svcenc_dev_md(const struct svcenc_dev *dev)
{
	return dm_table_get_md(dev->ti->table);
}

/* Conversions: writeback depends on it, so its jobs never wait. */
extern struct workqueue_struct *svcenc_wq;
extern struct workqueue_struct *svcenc_small_wq;
/* At most one job per volume, which may wait for the device below. */
enum { SVCENC_LEVELS = 4 }; /* volumes directly on each other; see main.c */
extern struct workqueue_struct *svcenc_submit_wq[SVCENC_LEVELS];
/* At most one job per volume, which waits for I/O of the device below. */
extern struct workqueue_struct *svcenc_heal_wq;
/* Messages about ended keys: nothing depends on it. */
extern struct workqueue_struct *svcenc_event_wq;

#endif
