// SPDX-License-Identifier: GPL-2.0-only
#include "netlink.h"
#include "registry.h"
#include "status.h"

/*
 * Guards the list and the life of its members: a volume leaves the list
 * before it is freed. Held while sending events (they may allocate), never
 * on the I/O path; taken inside commit_lock.
 */
static DEFINE_MUTEX(registry_lock);
static LIST_HEAD(volumes); /* newest first */

/*
 * The volume that was described last, and its number: a dump that goes on does
 * not count from the beginning. Ends with each change of the list.
 */
static struct svcenc_dev *last; /* registry_lock; NULL = none */
static unsigned int last_index;

/* registry_lock held: a reload may show one mapped device twice for a while. */
static void list_changed(const struct svcenc_dev *changed)
{
	const struct mapped_device *md = svcenc_dev_md(changed);
	struct svcenc_dev *dev;
	bool newest = true;

	last = NULL;
	list_for_each_entry(dev, &volumes, node) {
		if (svcenc_dev_md(dev) == md) {
			dev->newest = newest;
			newest = false;
		}
	}
}

int svcenc_registry_claim(struct svcenc_dev *dev, char *reason, size_t size)
{
	struct svcenc_dev *other;
	int rc = 0;

	mutex_lock(&registry_lock);
	list_for_each_entry(other, &volumes, node) {
		if (other == dev)
			goto out;
		if (svcenc_uuid_equal(&other->table.uuid, &dev->table.uuid) &&
		    svcenc_dev_md(other) != svcenc_dev_md(dev)) {
			scnprintf(reason, size,
				  "volume is mapped already, by device %s",
				  svcenc_dev_name(other));
			rc = -EBUSY;
			goto out;
		}
	}
	list_add(&dev->node, &volumes);
	list_changed(dev);
out:
	mutex_unlock(&registry_lock);
	return rc;
}

void svcenc_registry_drop(struct svcenc_dev *dev)
{
	mutex_lock(&registry_lock);
	list_del_init(&dev->node);
	list_changed(dev);
	mutex_unlock(&registry_lock);
}

bool svcenc_registry_in_use(struct svcenc_dev *dev)
{
	struct svcenc_dev *other;
	bool in_use = false;

	mutex_lock(&registry_lock);
	list_for_each_entry(other, &volumes, node)
		if (svcenc_dev_md(other) == svcenc_dev_md(dev) &&
		    svcenc_uuid_equal(&other->table.uuid, &dev->table.uuid))
			in_use |= READ_ONCE(other->activated);
	mutex_unlock(&registry_lock);
	return in_use;
}

u64 svcenc_registry_seq(struct svcenc_dev *dev)
{
	struct svcenc_dev *other;
	u64 seq = 0;

	mutex_lock(&registry_lock);
	list_for_each_entry(other, &volumes, node)
		if (svcenc_dev_md(other) == svcenc_dev_md(dev) &&
		    svcenc_uuid_equal(&other->table.uuid, &dev->table.uuid))
			seq = max(seq, svcenc_dev_seq(other));
	mutex_unlock(&registry_lock);
	return seq;
}

void svcenc_registry_key_lost(const struct svcenc_keyid *id)
{
	struct svcenc_status status;
	struct svcenc_dev *dev;

	mutex_lock(&registry_lock);
	list_for_each_entry(dev, &volumes, node) {
		svcenc_status_get(dev, &status);
		if (status.state != SVCENC_STATE_LOCKED ||
		    !svcenc_keyid_equal(&status.key, id) || !dev->newest)
			continue;
		DMWARN("%s: policy key ended, volume is locked",
		       svcenc_dev_name(dev));
		svcenc_netlink_dev_event(SVCENC_EVENT_KEY_LOST, dev, NULL);
		dm_table_event(dev->ti->table); /* wakes "dmsetup wait" */
	}
	mutex_unlock(&registry_lock);
}

/* registry_lock held. */
static void fill_info(struct svcenc_dev *dev, struct svcenc_dev_info *ret)
{
	struct svcenc_status status;

	svcenc_status_get(dev, &status);
	strscpy(ret->name, svcenc_dev_name(dev), sizeof(ret->name));
	ret->uuid = dev->table.uuid;
	ret->key = status.key;
	ret->state = status.state;
	ret->epoch = status.epoch;
	ret->seq = status.seq;
	ret->sectors = dev->ti->len;
	ret->rotation_done = status.rotation_done;
	ret->rotation_total = status.rotation_total;
	ret->rotation = status.rotation;
}

/*
 * registry_lock held. NULL past the last. A dump that begins looks at all: a
 * volume may have been activated since, which is no change of the list.
 */
static struct svcenc_dev *find_index(unsigned int index)
{
	struct svcenc_dev *dev = last;
	unsigned int n = last_index;

	if (!dev || !index || index < n) {
		dev = list_entry(&volumes, struct svcenc_dev, node);
		n = UINT_MAX; /* the first that counts makes it 0 */
	} else if (index == n) {
		return dev;
	}
	list_for_each_entry_continue(dev, &volumes, node)
		if (READ_ONCE(dev->activated) && dev->newest && ++n == index)
			return dev;
	return NULL;
}

int svcenc_registry_describe(unsigned int index, struct svcenc_dev_info *ret)
{
	struct svcenc_dev *dev;

	mutex_lock(&registry_lock);
	dev = find_index(index);
	if (dev) {
		fill_info(dev, ret);
		last = dev;
		last_index = index;
	}
	mutex_unlock(&registry_lock);
	return dev ? 0 : -ENOENT;
}
