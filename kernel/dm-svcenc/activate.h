/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings a volume from a table to I/O, and back to I/O after its key ended:
 * the only place that knows in which order superblock, key and options are
 * looked at, and the only one that words a refusal.
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

/*
 * Message "rotate start": makes the next volume key and commits a rotation
 * that has moved nothing yet; the range follows. The thread is control.c's.
 */
int svcenc_begin_rotation(struct svcenc_dev *dev);
/* Refuses another one: -EBUSY, with the progress of the one under way. */
int svcenc_refuse_rotation(struct svcenc_dev *dev);

/* Message "rewrap": the volume key under another policy key. */
int svcenc_rewrap(struct svcenc_dev *dev, const struct svcenc_keyid *to,
		  const u8 auth[SVCENC_AUTH_SIZE]);

#endif
