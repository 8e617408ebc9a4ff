/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rotation of one volume, carried out: a thread that moves batch after
 * batch and commits the watermark. The crash argument is at the head of
 * rotate.c. Knows batches, the range, the superblock's rotation fields; no
 * messages, no netlink, not who wants it (control.c).
 *
 * The thread is there from when a rotation is to run until it is complete or
 * held; a volume that does not rotate has none.
 */
#ifndef SVCENC_ROTATE_H
#define SVCENC_ROTATE_H

#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "core/names.h"

struct svcenc_batch;
struct svcenc_dev;
struct task_struct;

enum svcenc_rotate_limits {
	SVCENC_ROTATE_REASON = 120,
};

struct svcenc_rotate {
	/*
	 * control.c's: serialises starting and stopping the thread. Taken
	 * before commit_lock, never by the thread.
	 */
	struct mutex control;
	bool held;		   /* control; suspended, or not yet resumed */
	bool started;		   /* control; exited will be completed */
	struct completion exited;  /* the thread's last touch */

	/* Wishes: written by control.c, read by the thread (READ_ONCE). */
	bool stop;
	bool paused;
	bool skip_unreadable;
	u32 rate_kib_s; /* 0 = no limit */
	wait_queue_head_t wake; /* one of them changed */

	/* status_lock; read without it where a change wakes who asks */
	enum svcenc_rotation_state state;
	char reason[SVCENC_ROTATE_REASON]; /* status_lock; of the last halt */

	/* Events that wait to be sent: bits of enum svcenc_event. */
	unsigned long events;
	unsigned long progress_due; /* jiffies; the thread's while there is one */
	struct work_struct event_work;
};

/*
 * Starts the thread with two batches' memory; it takes both over and frees
 * them. The volume is active, its range rotating, no other thread runs.
 * control held. -ENOMEM: then they are still the caller's.
 */
int svcenc_rotate_run(struct svcenc_dev *dev, struct svcenc_batch *batches[2]);

#endif
