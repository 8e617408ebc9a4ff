/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O path: classifies bios, converts them, sends them on. Sees sectors,
 * places and slots; no superblock, no key bytes, no policy.
 */
#ifndef SVCENC_MAP_H
#define SVCENC_MAP_H

#include "device.h"

/* Per-volume pools; ctr and dtr. */
int svcenc_map_init(struct svcenc_dev *dev);
void svcenc_map_exit(struct svcenc_dev *dev);

/* For dm_target.per_io_data_size. */
unsigned int svcenc_map_io_size(void);

/* target_type.map; any context that may submit bios, never waits. */
int svcenc_map(struct dm_target *ti, struct bio *bio);

/* Sum of the per-CPU counters. */
void svcenc_map_counters(struct svcenc_dev *dev, struct svcenc_counters *ret);

#endif
