/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which volumes are mapped, module-wide. All device-mapper devices share one
 * holder of their lower device, so the kernel does not stop two mappings of
 * one volume; this does. Knows uuids and mapped devices; no keys, no bios.
 */
#ifndef SVCENC_REGISTRY_H
#define SVCENC_REGISTRY_H

#include "device.h"

/*
 * Claims the volume's uuid for the mapped device of @dev; several tables of
 * one mapped device may hold it together. 0 also if @dev holds it already.
 * -EBUSY with a text in @reason. Dropped by svcenc_registry_drop().
 */
int svcenc_registry_claim(struct svcenc_dev *dev, char *reason, size_t size);
void svcenc_registry_drop(struct svcenc_dev *dev);

/* True if @dev or an older table of its mapped device was ever activated. */
bool svcenc_registry_in_use(struct svcenc_dev *dev);

/* Highest seq that any table of @dev's mapped device has seen durable. */
u64 svcenc_registry_seq(struct svcenc_dev *dev);

/* Tells the mapped devices that used policy key @id that they are locked. */
void svcenc_registry_key_lost(const struct svcenc_keyid *id);

/* What the netlink dump tells of a volume. */
struct svcenc_dev_info {
	unsigned long number; /* rises from mapped device to device; from 1 */
	char name[16]; /* "major:minor" */
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	enum svcenc_state state;
	u64 epoch;
	u64 seq;
	u64 sectors;
	u64 rotation_done; /* 512-byte sectors */
	u64 rotation_total; /* 0 = idle */
	enum svcenc_rotation_state rotation;
};

/*
 * Fills @ret for the activated volume whose number is the next above @after (0:
 * the first); -ENOENT past the last. Who goes on with ret->number sees each
 * volume that stays mapped once, whatever comes, goes or is reloaded meanwhile.
 */
int svcenc_registry_describe(unsigned long after, struct svcenc_dev_info *ret);

#endif
