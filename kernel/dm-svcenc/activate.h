/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings a volume from a table to I/O, and back to I/O after its key ended:
 * the only place that knows in which order superblock, key and options are
 * looked at, and, but for begin.c, the only one that words a refusal.
 */
#ifndef SVCENC_ACTIVATE_H
#define SVCENC_ACTIVATE_H

#include "device.h"

/*
 * preresume: loads and authenticates the superblock, makes (initialize),
 * grows or repairs it, and hangs the volume key into the slot. Nothing is
 * written before the key has opened the volume. On refusal the reason is in
 * dev->reason, the kernel log and an event.
 */
int svcenc_activate(struct svcenc_dev *dev);

/* Message "unlock": a live key again. 0 also if it was not locked. */
int svcenc_unlock(struct svcenc_dev *dev, const struct svcenc_keyid *id);

/* Message "rewrap": the volume key under another policy key. */
int svcenc_rewrap(struct svcenc_dev *dev, const struct svcenc_keyid *to,
		  const u8 auth[SVCENC_AUTH_SIZE]);

/* --- for begin.c, which refuses and commits in the same way */

/* What is done with the volume claimed and commit_lock held. */
struct svcenc_claimed_job {
	const char *what; /* "<what> refused: ..." */
	int (*run)(struct svcenc_dev *dev, const void *argument);
	const void *argument;
	enum svcenc_event event; /* sent on success */
};

/*
 * Claims the volume, runs the job, reports a refusal from dev->reason. While
 * the device is suspended or locked, and while someone may wait for
 * commit_lock to resume it, reclaim must not wait for its I/O: all of it runs
 * without.
 */
int svcenc_activate_run(struct svcenc_dev *dev,
			const struct svcenc_claimed_job *job);

/* @error of a volume key's making or opening in words; returns it. */
int svcenc_activate_refuse_cipher(struct svcenc_dev *dev, int error);

/* svcenc_super_commit(), or a refusal and an event. */
int svcenc_activate_commit(struct svcenc_dev *dev, struct svcenc_key *key);

/*
 * The superblock as it will be when the rotation in @sb has ended: what makes,
 * opens and wraps the current key does the same with this for the next one.
 * kfree() it. ERR_PTR(-ENOMEM).
 */
struct svcenc_sb *svcenc_activate_view_next(const struct svcenc_sb *sb);

#endif
