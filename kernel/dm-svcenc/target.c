// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a table: construction, suspend and resume, limits. Knows the
 * order in which things are made and undone; no sectors, keys or on-disk
 * bytes.
 */
#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "activate.h"
#include "control.h"
#include "map.h"
#include "registry.h"
#include "status.h"
#include "super.h"
#include "target.h"

static void free_device(struct svcenc_dev *dev)
{
	unsigned int i;

	svcenc_map_exit(dev);
	for (i = 0; i < SVCENC_SB_COPIES; i++)
		free_page((unsigned long)dev->image[i]);
	kfree(dev->buffers);
	if (dev->lower)
		dm_put_device(dev->ti, dev->lower);
	mutex_destroy(&dev->commit_lock);
	kfree(dev);
}

static int alloc_buffers(struct svcenc_dev *dev)
{
	unsigned int i;

	dev->buffers = kzalloc(sizeof(*dev->buffers), GFP_KERNEL);
	if (!dev->buffers)
		return -ENOMEM;
	dev->sb = &dev->buffers->sb[0];
	dev->next = &dev->buffers->sb[1];
	dev->extents = &dev->buffers->extents;
	for (i = 0; i < SVCENC_SB_COPIES; i++) {
		dev->image[i] = (void *)get_zeroed_page(GFP_KERNEL);
		if (!dev->image[i])
			return -ENOMEM;
	}
	return 0;
}

/* A device with all buffers and pools, but nothing looked at yet. */
static struct svcenc_dev *alloc_device(struct dm_target *ti)
{
	struct svcenc_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int rc;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->ti = ti;
	mutex_init(&dev->commit_lock);
	spin_lock_init(&dev->status_lock);
	INIT_LIST_HEAD(&dev->node);
	svcenc_control_init(dev);
	rc = alloc_buffers(dev);
	if (!rc)
		rc = svcenc_map_init(dev);
	if (!rc)
		return dev;
	free_device(dev);
	return ERR_PTR(rc);
}

static int check_lower(struct svcenc_dev *dev, const char **ret_error)
{
	struct block_device *bdev = dev->lower->bdev;

	*ret_error =
		"zoned devices are not supported: a rotation overwrites in place";
	if (bdev_is_zoned(bdev))
		return -EOPNOTSUPP;
	*ret_error = "devices with integrity metadata are not supported";
	if (bdev_get_integrity(bdev))
		return -EOPNOTSUPP;
	*ret_error = "device has logical blocks larger than 4096 bytes";
	if (bdev_logical_block_size(bdev) > SVCENC_SB_SIZE)
		return -EOPNOTSUPP;
	dev->lower_bytes = (u64)bdev_nr_sectors(bdev) << SECTOR_SHIFT;
	*ret_error = "device is too small for a svcenc header";
	return dev->lower_bytes > SVCENC_HEADER_SIZE ? 0 : -ENOSPC;
}

/*
 * What never changes: magic, uuid, geometry. Not authenticated yet, and
 * compared again with the authenticated superblock in preresume. Sequence,
 * wraps and keys are looked at only there: the table of an active volume may
 * still commit while this one is being loaded.
 */
static int check_header(struct svcenc_dev *dev, const char **ret_error)
{
	const u64 want = (u64)dev->ti->len << SECTOR_SHIFT;
	const struct svcenc_sb *sb = dev->sb;
	int rc;

	rc = svcenc_super_peek(dev, ret_error);
	if (rc)
		return rc;
	*ret_error = "volume uuid in the superblock is another one";
	if (!svcenc_uuid_equal(&sb->uuid, &dev->table.uuid))
		return -EINVAL;
	*ret_error =
		"sector size of the volume is below the logical block size of the device";
	if (sb->sector_size < bdev_logical_block_size(dev->lower->bdev))
		return -EINVAL;
	*ret_error =
		"table is shorter than the volume: shrinking is not possible";
	if (want < sb->data_len)
		return -EINVAL;
	*ret_error = "table is longer than the volume: option 'grow' is needed";
	if (want > sb->data_len && !dev->table.grow)
		return -EINVAL;
	*ret_error =
		"table length is not a multiple of the volume's sector size";
	if (want % sb->sector_size)
		return -EINVAL;
	*ret_error = "device is too small for header, data and spare";
	if (want > SVCENC_DEVICE_MAX ||
	    sb->data_offset + want + sb->spare_len > dev->lower_bytes)
		return -ENOSPC;
	*ret_error = "unknown read-only feature bit: open read-only";
	if (sb->ro_compat && !dev->read_only)
		return -EROFS;
	dev->sector_size = sb->sector_size;
	*ret_error = NULL;
	return 0;
}

static int open_lower(struct svcenc_dev *dev, const char **ret_error)
{
	struct dm_target *ti = dev->ti;
	const fmode_t mode = dm_table_get_mode(ti->table);
	int rc;

	dev->read_only = !(mode & FMODE_WRITE);
	rc = dm_get_device(ti, dev->table.device, mode, &dev->lower);
	/* Points into device-mapper's words, which end with the constructor. */
	dev->table.device = NULL;
	if (rc) {
		*ret_error = "device cannot be opened";
		return rc;
	}
	rc = check_lower(dev, ret_error);
	return rc ? rc : check_header(dev, ret_error);
}

static void declare_features(struct svcenc_dev *dev)
{
	struct dm_target *ti = dev->ti;

	ti->private = dev;
	ti->per_io_data_size = svcenc_map_io_size();
	ti->num_flush_bios = 1;
	ti->flush_supported = true;
	ti->limit_swap_bios = true;
	ti->num_discard_bios = dev->table.allow_discards ? 1 : 0;
	/* Zeroes must be encrypted like anything else: no write-zeroes. */
	ti->num_write_zeroes_bios = 0;
	ti->num_secure_erase_bios = 0;
}

static int ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	const char *error = "out of memory";
	struct svcenc_dev *dev;
	int rc;

	dev = alloc_device(ti);
	if (IS_ERR(dev)) {
		ti->error = (char *)error;
		return PTR_ERR(dev);
	}
	rc = svcenc_table_parse(argc, argv, &dev->table, &error);
	if (!rc)
		rc = open_lower(dev, &error);
	if (rc) {
		ti->error = (char *)error;
		free_device(dev);
		return rc;
	}
	declare_features(dev);
	return 0;
}

/* No bio is left: nobody converts, nobody is parked. */
static void dtr(struct dm_target *ti)
{
	struct svcenc_dev *dev = ti->private;

	svcenc_registry_drop(dev);
	svcenc_control_exit(dev);
	svcenc_key_detach(&dev->slots[0]);
	svcenc_key_detach(&dev->slots[1]);
	svcenc_key_put(dev->key);
	free_device(dev);
}

static int preresume(struct dm_target *ti)
{
	return svcenc_activate(ti->private);
}

/* Before the filesystem is frozen: its last writes must not find a window. */
static void presuspend(struct dm_target *ti)
{
	svcenc_control_hold(ti->private);
}

static void go_on(struct dm_target *ti)
{
	svcenc_control_go(ti->private);
}

static int iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn,
			   void *context)
{
	struct svcenc_dev *dev = ti->private;

	/* From the first byte: the header is ours, too. */
	return fn(ti, dev->lower, 0, dev->lower_bytes >> SECTOR_SHIFT, context);
}

static void io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	const struct svcenc_dev *dev = ti->private;
	const unsigned int size = dev->sector_size;

	limits->logical_block_size = max(limits->logical_block_size, size);
	limits->physical_block_size = max(limits->physical_block_size, size);
	blk_limits_io_min(limits, size);
	limits->discard_granularity = max(limits->discard_granularity, size);
}

static struct target_type svcenc_target = {
	.name = "svcenc",
	.version = { 1, 1, 0 },
	.features = DM_TARGET_SINGLETON,
	.module = THIS_MODULE,
	.ctr = ctr,
	.dtr = dtr,
	.map = svcenc_map,
	.presuspend = presuspend,
	.presuspend_undo = go_on,
	.preresume = preresume,
	.resume = go_on,
	.status = svcenc_status,
	.message = svcenc_message,
	.iterate_devices = iterate_devices,
	.io_hints = io_hints,
};

int svcenc_target_init(void)
{
	return dm_register_target(&svcenc_target);
}

void svcenc_target_exit(void)
{
	dm_unregister_target(&svcenc_target);
}
