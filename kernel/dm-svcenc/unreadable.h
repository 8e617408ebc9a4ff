/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of the list of unreadable extents, on disk first, then for the I/O
 * path. Knows the list and the commit; not why a sector cannot be read.
 */
#ifndef SVCENC_UNREADABLE_H
#define SVCENC_UNREADABLE_H

#include "device.h"

/*
 * The sectors of @run were overwritten: commits a list without them. 0, or
 * the error of the commit, -ENOSPC if the list would need one run more than
 * it can hold. May sleep, for superblock I/O.
 */
int svcenc_unreadable_forget(struct svcenc_dev *dev,
			     const struct svcenc_run *run);

/*
 * Adds @found to the list in dev->next; for a commit that the caller makes.
 * svcenc_unreadable_show() after it. -E2BIG if it is full. commit_lock held.
 */
int svcenc_unreadable_add(struct svcenc_dev *dev,
			  const struct svcenc_extents *found);

/* Makes the I/O path follow the list in dev->sb. commit_lock held. */
void svcenc_unreadable_show(struct svcenc_dev *dev);

#endif
