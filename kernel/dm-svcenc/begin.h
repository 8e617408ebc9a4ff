/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The beginning of a rotation: may there be one, the next volume key, the
 * commit that says so. Knows the superblock and the keys; no batch, no thread,
 * not who asked (control.c).
 */
#ifndef SVCENC_BEGIN_H
#define SVCENC_BEGIN_H

#include "device.h"

/*
 * Makes the next volume key and commits a rotation that has moved nothing yet;
 * the range follows. 0, or a refusal as of svcenc_activate().
 */
int svcenc_begin_run(struct svcenc_dev *dev);

/* Refuses another one: -EBUSY, with the progress of the one under way. */
int svcenc_begin_refuse(struct svcenc_dev *dev);

#endif
