// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>

#include "activate.h"
#include "begin.h"
#include "super.h"

/* The next volume key, its wrap and fingerprint in dev->next. */
static int make_next(struct svcenc_dev *dev, struct svcenc_slot *slot)
{
	struct svcenc_sb *view = svcenc_activate_view_next(dev->next);
	int rc;

	if (IS_ERR(view))
		return PTR_ERR(view);
	rc = svcenc_key_make_volume(dev->key, view, slot);
	if (!rc) {
		dev->next->next = view->current_;
		memcpy(dev->next->history, view->history,
		       sizeof(view->history));
	}
	kfree(view);
	return rc;
}

static int refuse(struct svcenc_dev *dev, int error, const char *reason)
{
	strscpy(dev->reason, reason, sizeof(dev->reason));
	return error;
}

static int refuse_second(struct svcenc_dev *dev, const void *unused)
{
	struct svcenc_rotation layout;

	svcenc_range_get(&dev->range, &layout);
	scnprintf(dev->reason, sizeof(dev->reason),
		  "a rotation is under way: %llu of %llu sectors done",
		  svcenc_rotation_done(&layout), layout.length);
	return -EBUSY;
}

int svcenc_begin_refuse(struct svcenc_dev *dev)
{
	static const struct svcenc_claimed_job job = {
		.what = "rotate",
		.run = refuse_second,
	};

	return svcenc_activate_run(dev, &job);
}

static int check_may_rotate(struct svcenc_dev *dev)
{
	if (dev->read_only)
		return refuse(dev, -EROFS, "table is read-only");
	if (!dev->key || !svcenc_dev_live(dev))
		return refuse(dev, -ENOKEY, "volume is locked: unlock it first");
	if (dev->sb->incompat & SVCENC_INCOMPAT_ROTATING)
		return refuse_second(dev, NULL);
	return 0;
}

/*
 * Crash argument: the next key has encrypted nothing before it is in both
 * copies, and a superblock that rotates but has moved nothing says the same
 * of every sector as the one before.
 *
 * It hangs in its slot, which no bio looks at before the range has begun, while
 * the commit waits for the disk: the end of the policy key takes it along.
 */
static int begin_job(struct svcenc_dev *dev, const void *unused)
{
	struct svcenc_slot *slot = &dev->slots[!(dev->sb->epoch & 1)];
	int rc;

	rc = check_may_rotate(dev);
	if (rc)
		return rc;
	svcenc_sb_rotation_begin(svcenc_super_next(dev));
	rc = make_next(dev, slot);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	rc = svcenc_activate_commit(dev, dev->key);
	if (rc) {
		svcenc_key_detach(slot);
		return rc;
	}
	svcenc_dev_publish(dev);
	if (!svcenc_slot_live(slot))
		return svcenc_activate_refuse_cipher(dev, -ENOKEY);
	svcenc_range_begin(&dev->range, dev->sb, slot);
	return 0;
}

int svcenc_begin_run(struct svcenc_dev *dev)
{
	static const struct svcenc_claimed_job job = {
		.what = "rotate",
		.run = begin_job,
		.event = SVCENC_EVENT_ROTATION_PROGRESS,
	};

	return svcenc_activate_run(dev, &job);
}
