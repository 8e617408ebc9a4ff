// SPDX-License-Identifier: GPL-2.0-only
#include "super.h"
#include "unreadable.h"

void svcenc_unreadable_show(struct svcenc_dev *dev)
{
	svcenc_extents_load(dev->sb, dev->extents);
	svcenc_range_set_unreadable(&dev->range, dev->extents);
}

int svcenc_unreadable_add(struct svcenc_dev *dev,
			  const struct svcenc_extents *found)
{
	u32 i;

	svcenc_extents_load(dev->next, dev->extents);
	for (i = 0; i < found->count; i++) {
		const struct svcenc_run run = {
			.start = found->extent[i].start,
			.sectors = found->extent[i].sectors,
		};
		const int rc = svcenc_extents_add(dev->extents, &run);

		if (rc)
			return -E2BIG; /* -ENOSPC is also a thin pool's */
	}
	svcenc_extents_store(dev->extents, dev->next);
	return 0;
}

/* commit_lock held. */
static int forget(struct svcenc_dev *dev, const struct svcenc_run *run)
{
	int rc;

	if (dev->read_only)
		return -EROFS;
	if (!dev->key || !svcenc_dev_live(dev))
		return -ENOKEY;
	svcenc_super_next(dev);
	svcenc_extents_load(dev->next, dev->extents);
	rc = svcenc_extents_remove(dev->extents, run);
	if (rc)
		return rc;
	svcenc_extents_store(dev->extents, dev->next);
	rc = svcenc_super_commit(dev, dev->key);
	if (!rc) {
		svcenc_dev_publish(dev);
		svcenc_unreadable_show(dev);
	}
	return rc;
}

int svcenc_unreadable_forget(struct svcenc_dev *dev,
			     const struct svcenc_run *run)
{
	int rc;

	mutex_lock(&dev->commit_lock);
	rc = forget(dev, run);
	mutex_unlock(&dev->commit_lock);
	return rc;
}
