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
static LIST_HEAD(volumes); /* by number, tables of one number newest first */
static unsigned long last_number; /* registry_lock */

/*
 * The volume that was described last: a dump that goes on does not look for its
 * place from the beginning. Not past the volume's end.
 */
static struct svcenc_dev *last; /* registry_lock; NULL = none */

/*
 * registry_lock held. Of a volume on the device @name: 0, or one more than that
 * of the volume that this device is. What lies on it through other layers counts
 * as 0, and more than SVCENC_LEVELS - 1 as that.
 */
static unsigned int level_above(const char *name)
{
	struct svcenc_dev *other;
	unsigned int level = 0;

	list_for_each_entry(other, &volumes, node)
		if (!strcmp(svcenc_dev_name(other), name))
			level = max(level, other->level + 1);
	return min_t(unsigned int, level, SVCENC_LEVELS - 1);
}

/*
 * registry_lock held. A mapped device keeps its number through reloads, of
 * which two tables are listed for a while, so no dump meets it at two places.
 */
static void add_to_list(struct svcenc_dev *dev)
{
	struct svcenc_dev *other;

	dev->level = level_above(dev->lower->name);
	list_for_each_entry(other, &volumes, node) {
		if (svcenc_dev_md(other) == svcenc_dev_md(dev)) {
			dev->number = other->number;
			list_add_tail(&dev->node, &other->node);
			return;
		}
	}
	dev->number = ++last_number;
	list_add_tail(&dev->node, &volumes);
}

/* registry_lock held: the newest table of a mapped device that was activated. */
static bool speaks_for_its_device(struct svcenc_dev *dev)
{
	struct svcenc_dev *newer = dev;

	if (!READ_ONCE(dev->activated))
		return false;
	list_for_each_entry_continue_reverse(newer, &volumes, node) {
		if (newer->number != dev->number)
			break;
		if (READ_ONCE(newer->activated))
			return false;
	}
	return true;
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
	add_to_list(dev);
out:
	mutex_unlock(&registry_lock);
	return rc;
}

void svcenc_registry_drop(struct svcenc_dev *dev)
{
	mutex_lock(&registry_lock);
	list_del_init(&dev->node);
	last = NULL;
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
		    !svcenc_keyid_equal(&status.key, id) ||
		    !speaks_for_its_device(dev))
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
	ret->number = dev->number;
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

int svcenc_registry_describe(unsigned long after, struct svcenc_dev_info *ret)
{
	struct svcenc_dev *dev;
	int rc = -ENOENT;

	mutex_lock(&registry_lock);
	dev = last && last->number <= after ?
		      last :
		      list_entry(&volumes, struct svcenc_dev, node);
	list_for_each_entry_continue(dev, &volumes, node) {
		if (dev->number > after && speaks_for_its_device(dev)) {
			fill_info(dev, ret);
			last = dev;
			rc = 0;
			break;
		}
	}
	mutex_unlock(&registry_lock);
	return rc;
}
