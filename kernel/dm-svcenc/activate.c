// SPDX-License-Identifier: GPL-2.0-only
#include <linux/dm-ioctl.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "activate.h"
#include "keyring.h"
#include "netlink.h"
#include "registry.h"
#include "super.h"

/* Words a refusal; log and event follow in one place, report(). */
static __printf(3, 4) int refuse(struct svcenc_dev *dev, int error,
				 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vscnprintf(dev->reason, sizeof(dev->reason), format, args);
	va_end(args);
	return error;
}

static int report(struct svcenc_dev *dev, const char *what, int error)
{
	if (!error)
		return 0;
	DMERR("%s: %s refused: %s (%d)", svcenc_dev_name(dev), what,
	      dev->reason, error);
	svcenc_netlink_dev_event(SVCENC_EVENT_REFUSED, dev, dev->reason);
	return error;
}

/* Counted reference, or a refusal that names the key and the cure. */
static struct svcenc_key *need_key(struct svcenc_dev *dev,
				   const struct svcenc_keyid *id)
{
	struct svcenc_key *key = svcenc_key_find(id);
	char text[SVCENC_KEYID_TEXT + 1];

	if (!IS_ERR(key))
		return key;
	svcenc_keyid_print(id, text);
	refuse(dev, PTR_ERR(key),
	       "no live key %s in keyring .svcenc: add it first", text);
	return key;
}

static int refuse_pick(struct svcenc_dev *dev,
		       const struct svcenc_loaded *loaded)
{
	char text[SVCENC_KEYID_TEXT + 1];

	switch (loaded->pick) {
	case SVCENC_PICK_INVALID:
		return refuse(dev, -EINVAL, "superblock: %s",
			      svcenc_sb_defect_text(loaded->defect));
	case SVCENC_PICK_OTHER_KEY:
		svcenc_keyid_print(&loaded->wanted, text);
		return refuse(dev, -ENOKEY, "%s: %s is needed",
			      svcenc_pick_text(loaded->pick), text);
	case SVCENC_PICK_FORGED:
		return refuse(dev, -EBADMSG, "%s",
			      svcenc_pick_text(loaded->pick));
	case SVCENC_PICK_NEVER_KEYED_TORN:
		/* What cannot be read now may hold a key all the same. */
		if (loaded->unread)
			return refuse(dev, -EIO,
				      "one superblock copy was never keyed and the other cannot be read: I/O errors below, try again");
		fallthrough;
	default:
		return refuse(dev, -EINVAL, "%s",
			      svcenc_pick_text(loaded->pick));
	}
}

/*
 * The constructor looked at an unauthenticated header; what it took from
 * there must be what the authenticated one says. dev->sb is authenticated
 * now (or fresh).
 */
static int check_loaded(struct svcenc_dev *dev)
{
	const struct svcenc_sb *sb = dev->sb;
	const u64 want = (u64)dev->ti->len << SECTOR_SHIFT;

	if (!svcenc_uuid_equal(&sb->uuid, &dev->table.uuid))
		return refuse(dev, -EINVAL,
			      "superblock belongs to another volume");
	if (sb->sector_size != dev->sector_size)
		return refuse(dev, -EINVAL,
			      "sector size changed since the table was loaded");
	if (sb->data_len > want)
		return refuse(dev, -EINVAL,
			      "table is shorter than the volume: shrinking is not possible");
	if (sb->data_len < want && dev->read_only)
		return refuse(dev, -EROFS, "a read-only table cannot grow");
	if (sb->data_len < want && !dev->table.grow)
		return refuse(dev, -EINVAL,
			      "table is longer than the volume: option 'grow' is needed");
	/* After a grow the data area is as long as the table. */
	if (sb->data_offset + want + sb->spare_len > dev->lower_bytes)
		return refuse(dev, -ENOSPC,
			      "device is too small for header, data and spare");
	if (sb->seq < max(dev->table.min_seq, dev->seq))
		return refuse(dev, -ESTALE,
			      "superblock is rolled back: seq %llu, at least %llu expected",
			      sb->seq, max(dev->table.min_seq, dev->seq));
	if (sb->ro_compat && !dev->read_only)
		return refuse(dev, -EROFS,
			      "unknown read-only feature bit: open read-only");
	return 0;
}

int svcenc_activate_refuse_cipher(struct svcenc_dev *dev, int error)
{
	switch (error) {
	case -EBADMSG:
		return refuse(dev, error,
			      "volume key does not unwrap: wrap belongs to another volume, epoch or format");
	case -EKEYREJECTED:
		return refuse(dev, error,
			      "volume key is weak or belongs to another epoch");
	case -ENOKEY:
		return refuse(dev, error, "policy key ended meanwhile");
	case -EIO:
		return refuse(dev, error,
			      "superblock cannot be read: I/O errors below");
	default:
		return refuse(dev, error, "volume key could not be set up");
	}
}

int svcenc_activate_commit(struct svcenc_dev *dev, struct svcenc_key *key)
{
	int rc = svcenc_super_commit(dev, key);

	if (!rc)
		return 0;
	svcenc_netlink_dev_event(SVCENC_EVENT_IO_ERROR, dev,
				 "superblock write failed");
	return refuse(dev, rc, "superblock could not be written");
}

/* dev->opening. */
enum { OPENING_CURRENT, OPENING_NEXT };

/*
 * First key of a fresh volume. A cut before the commit leaves it fresh; a cut
 * inside leaves one keyed copy, which then opens without 'initialize'. The
 * key that was lost with the cut has never encrypted anything.
 */
static int make_key(struct svcenc_dev *dev, struct svcenc_key *key)
{
	struct svcenc_sb *next = svcenc_super_next(dev);
	int rc;

	next->keyed = true;
	next->epoch = 1;
	rc = svcenc_key_make_volume(key, next, &dev->opening[OPENING_CURRENT]);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	return svcenc_activate_commit(dev, key);
}

/* The writes that opening may need, only after the key opened the volume. */
static int settle(struct svcenc_dev *dev, struct svcenc_key *key,
		  const struct svcenc_loaded *loaded)
{
	const u64 want = (u64)dev->ti->len << SECTOR_SHIFT;
	int rc;

	dev->stale = dev->read_only && loaded->repair;
	if (dev->read_only)
		return 0;
	if (dev->sb->data_len < want) {
		/* One commit heals a stale copy, too. */
		svcenc_super_next(dev)->data_len = want;
		rc = svcenc_activate_commit(dev, key);
		if (!rc)
			dev->settled = SVCENC_EVENT_GROWN;
		return rc;
	}
	if (dev->seq_attempted > dev->sb->seq) {
		/*
		 * A commit of ours failed before the volume was locked, and is
		 * not what we found: a new one settles that, before a write
		 * relies on what we found.
		 */
		svcenc_super_next(dev);
		return svcenc_activate_commit(dev, key);
	}
	if (!loaded->repair)
		return 0;
	rc = svcenc_super_repair(dev, loaded->pick);
	if (rc) {
		svcenc_netlink_dev_event(SVCENC_EVENT_IO_ERROR, dev,
					 "superblock write failed");
		return refuse(dev, rc,
			      "stale superblock copy could not be rewritten");
	}
	DMINFO("%s: superblock repaired from the copy with seq %llu",
	       svcenc_dev_name(dev), dev->sb->seq);
	dev->settled = SVCENC_EVENT_SUPER_REPAIRED;
	return 0;
}

struct svcenc_sb *svcenc_activate_view_next(const struct svcenc_sb *sb)
{
	struct svcenc_sb *view = kmemdup(sb, sizeof(*sb), GFP_KERNEL);

	if (!view)
		return ERR_PTR(-ENOMEM);
	svcenc_sb_rotation_end(view);
	return view;
}

static int open_next(struct svcenc_dev *dev, struct svcenc_key *key)
{
	struct svcenc_sb *view;
	int rc;

	if (!(dev->sb->incompat & SVCENC_INCOMPAT_ROTATING))
		return 0;
	view = svcenc_activate_view_next(dev->sb);
	if (IS_ERR(view))
		return PTR_ERR(view);
	rc = svcenc_key_open_volume(key, view, &dev->opening[OPENING_NEXT]);
	kfree(view);
	return rc;
}

static int open_keys(struct svcenc_dev *dev, struct svcenc_key *key,
		     const struct svcenc_loaded *loaded)
{
	int rc;

	rc = svcenc_key_open_volume(key, dev->sb,
				    &dev->opening[OPENING_CURRENT]);
	if (!rc)
		rc = open_next(dev, key);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	return settle(dev, key, loaded);
}

/* What another table of the mapped device saw durable binds this one, too. */
static void learn_seq(struct svcenc_dev *dev)
{
	const u64 seq = svcenc_registry_seq(dev);

	spin_lock(&dev->status_lock);
	dev->seq = max(dev->seq, seq);
	spin_unlock(&dev->status_lock);
}

/*
 * Everything from the disk to keys that only have to be shown to the I/O path.
 * On failure the caller takes down what there is of them.
 */
static int prepare(struct svcenc_dev *dev, struct svcenc_key *key)
{
	struct svcenc_loaded loaded;
	bool fresh;
	int rc;

	learn_seq(dev);
	rc = svcenc_super_load(dev, key, &loaded);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	fresh = loaded.pick == SVCENC_PICK_FRESH;
	if (loaded.pick > SVCENC_PICK_FRESH ||
	    (fresh && !dev->table.initialize))
		return refuse_pick(dev, &loaded);
	if (!fresh && dev->table.initialize)
		return refuse(dev, -EEXIST,
			      "volume has a key already: open it without 'initialize'");
	if (fresh && !svcenc_keyid_equal(&dev->sb->key, svcenc_key_id(key)))
		return refuse(dev, -EINVAL,
			      "volume was formatted for another policy key");
	if (fresh && dev->read_only)
		return refuse(dev, -EROFS,
			      "a read-only table cannot initialize");
	rc = check_loaded(dev);
	if (rc || !fresh)
		return rc ? rc : open_keys(dev, key, &loaded);
	return make_key(dev, key);
}

/* Publishes what status, netlink and the I/O path read. commit_lock held. */
static void publish(struct svcenc_dev *dev, struct svcenc_key *key)
{
	const struct svcenc_sb *sb = dev->sb;

	spin_lock(&dev->status_lock);
	dev->table.key = *svcenc_key_id(key);
	dev->table.initialize = false;
	dev->table.grow = false;
	dev->epoch = sb->epoch;
	/* A stale copy that may not be repaired: not durable in both. */
	if (!dev->stale)
		dev->seq = sb->seq;
	memcpy(dev->check, svcenc_key_check(key), sizeof(dev->check));
	spin_unlock(&dev->status_lock);
}

/* From now on the volume counts as in use: active or locked, not new. */
static void set_activated(struct svcenc_dev *dev)
{
	spin_lock(&dev->status_lock);
	WRITE_ONCE(dev->activated, true);
	spin_unlock(&dev->status_lock);
}

/*
 * A mapped device that says by its DM UUID whose volume it is must not get
 * another one's table: whoever holds it open would read the other's data.
 */
static int check_dm_uuid(struct svcenc_dev *dev)
{
	static const char prefix[] = "SVCENC-1-";
	const size_t skip = sizeof(prefix) - 1;
	char name[DM_NAME_LEN], text[DM_UUID_LEN];
	struct svcenc_uuid uuid;

	if (dm_copy_name_and_uuid(svcenc_dev_md(dev), name, text) ||
	    strncmp(text, prefix, skip))
		return 0; /* being removed, or nothing promised */
	if (!svcenc_uuid_parse(text + skip, &uuid) &&
	    svcenc_uuid_equal(&uuid, &dev->table.uuid))
		return 0;
	return refuse(dev, -EINVAL, "device-mapper uuid names another volume");
}

/* The I/O path follows dev->sb. No thread of a rotation is there. */
static void show_layout(struct svcenc_dev *dev)
{
	const bool rotating = dev->sb->incompat & SVCENC_INCOMPAT_ROTATING;

	svcenc_range_load(&dev->range, dev->sb, dev->slots);
	spin_lock(&dev->status_lock);
	WRITE_ONCE(dev->rotate.state, rotating ? SVCENC_ROTATION_HELD :
						 SVCENC_ROTATION_IDLE);
	spin_unlock(&dev->status_lock);
}

/*
 * The next key first: once the current one is there, too, everything can be
 * read. A bio in between, of a volume that is just being unlocked, may meet an
 * empty slot; then it fails like those before it. Both end together.
 */
static int show_keys(struct svcenc_dev *dev)
{
	const unsigned int parity = dev->sb->epoch & 1;
	int rc = 0;

	if (dev->sb->incompat & SVCENC_INCOMPAT_ROTATING)
		rc = svcenc_key_show(&dev->opening[OPENING_NEXT],
				     &dev->slots[!parity]);
	if (!rc)
		rc = svcenc_key_show(&dev->opening[OPENING_CURRENT],
				     &dev->slots[parity]);
	return rc;
}

/* Those that were not shown. */
static void drop_opening(struct svcenc_dev *dev)
{
	svcenc_key_detach(&dev->opening[OPENING_CURRENT]);
	svcenc_key_detach(&dev->opening[OPENING_NEXT]);
}

/* Takes over the reference to @key on success. commit_lock held. */
static int go_live(struct svcenc_dev *dev, struct svcenc_key *key)
{
	int rc;

	rc = check_dm_uuid(dev);
	if (rc)
		return rc;
	rc = prepare(dev, key);
	if (rc) {
		drop_opening(dev);
		return rc;
	}
	show_layout(dev);
	publish(dev, key);
	/* Only now do events carry the epoch and seq that they tell of. */
	if (dev->settled)
		svcenc_netlink_dev_event(dev->settled, dev, NULL);
	dev->settled = 0;
	rc = show_keys(dev);
	drop_opening(dev);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	set_activated(dev);
	svcenc_key_put(dev->key);
	dev->key = key;
	return 0;
}

static int activate_locked(struct svcenc_dev *dev)
{
	struct svcenc_key *key;
	int rc;

	if (svcenc_dev_live(dev))
		return 0; /* plain suspend and resume */
	key = need_key(dev, &dev->table.key);
	rc = PTR_ERR_OR_ZERO(key);
	if (!rc) {
		rc = go_live(dev, key);
		if (rc)
			svcenc_key_put(key);
	}
	return rc;
}

/*
 * A mapped device that is already in use must not be left suspended for want
 * of a key: its I/O would hang instead of failing. It resumes locked.
 */
static bool may_resume_locked(struct svcenc_dev *dev, int error)
{
	return (error == -ENOKEY || error == -EKEYREVOKED ||
		error == -EKEYEXPIRED) &&
	       svcenc_registry_in_use(dev);
}

static int resume_locked(struct svcenc_dev *dev)
{
	DMWARN("%s: resumes locked: %s", svcenc_dev_name(dev), dev->reason);
	set_activated(dev);
	svcenc_netlink_dev_event(SVCENC_EVENT_KEY_NEEDED, dev, dev->reason);
	return 0;
}

int svcenc_activate_run(struct svcenc_dev *dev,
			const struct svcenc_claimed_job *job)
{
	const unsigned int noio = memalloc_noio_save();
	int rc;

	/*
	 * The claim inside, as its end is: of two calls for one table, the one
	 * that fails must not give up what the other one relies on.
	 */
	mutex_lock(&dev->commit_lock);
	rc = svcenc_registry_claim(dev, dev->reason, sizeof(dev->reason));
	if (!rc)
		rc = job->run(dev, job->argument);
	if (rc)
		report(dev, job->what, rc);
	else if (svcenc_dev_live(dev))
		svcenc_netlink_dev_event(job->event, dev, NULL);
	/* A table that never ran must not keep others from running. */
	if (rc && !dev->activated)
		svcenc_registry_drop(dev);
	mutex_unlock(&dev->commit_lock);
	memalloc_noio_restore(noio);
	return rc;
}

static int resume_job(struct svcenc_dev *dev, const void *unused)
{
	const int rc = activate_locked(dev);

	return may_resume_locked(dev, rc) ? resume_locked(dev) : rc;
}

int svcenc_activate(struct svcenc_dev *dev)
{
	static const struct svcenc_claimed_job job = {
		.what = "resume",
		.run = resume_job,
		.event = SVCENC_EVENT_ACTIVATED,
	};

	return svcenc_activate_run(dev, &job);
}

static int unlock_job(struct svcenc_dev *dev, const void *argument)
{
	const struct svcenc_keyid *id = argument;
	struct svcenc_key *key;
	int rc;

	if (svcenc_dev_live(dev)) {
		if (svcenc_keyid_equal(id, &dev->table.key))
			return 0;
		return refuse(dev, -EBUSY,
			      "volume is not locked and uses another key");
	}
	key = need_key(dev, id);
	if (IS_ERR(key))
		return PTR_ERR(key);
	rc = go_live(dev, key);
	if (rc)
		svcenc_key_put(key);
	return rc;
}

int svcenc_unlock(struct svcenc_dev *dev, const struct svcenc_keyid *id)
{
	const struct svcenc_claimed_job job = {
		.what = "unlock",
		.run = unlock_job,
		.argument = id,
		.event = SVCENC_EVENT_KEY_BACK,
	};

	return svcenc_activate_run(dev, &job);
}

/* Without this any root could rewrap under a key of his own; see 5.2. */
static int check_authorisation(struct svcenc_dev *dev, struct svcenc_key *to,
			       const u8 auth[SVCENC_AUTH_SIZE])
{
	struct svcenc_rewrap rewrap = {
		.volume = dev->table.uuid,
		.from = *svcenc_key_id(dev->key),
		.to = *svcenc_key_id(to),
	};
	int rc;

	memcpy(rewrap.to_check, svcenc_key_check(to), sizeof(rewrap.to_check));
	rc = svcenc_key_authorised(dev->key, &rewrap, auth);
	if (rc == -EKEYREJECTED)
		return refuse(dev, rc,
			      "authorisation is not by the current policy key for this volume and new key");
	return rc ? svcenc_activate_refuse_cipher(dev, rc) : 0;
}

/* The wrap of the next volume key, for a superblock that rotates. */
static int rewrap_next(struct svcenc_dev *dev, struct svcenc_key *to)
{
	struct svcenc_sb *old = svcenc_activate_view_next(dev->sb);
	struct svcenc_sb *new = svcenc_activate_view_next(dev->next);
	int rc = -ENOMEM;

	if (!IS_ERR(old) && !IS_ERR(new))
		rc = svcenc_key_rewrap(dev->key, old, to, new);
	if (!rc)
		dev->next->next = new->current_;
	if (!IS_ERR(old))
		kfree(old);
	if (!IS_ERR(new))
		kfree(new);
	return rc;
}

/*
 * The volume's keys now end with dev->key. If one could not be moved, its old
 * or new policy key has ended: then the volume has, with both of its keys.
 */
static int move_keys(struct svcenc_dev *dev)
{
	const bool rotating = dev->sb->incompat & SVCENC_INCOMPAT_ROTATING;
	const unsigned int parity = dev->sb->epoch & 1;
	int rc = 0;

	if (rotating)
		rc = svcenc_key_move(dev->key, &dev->slots[!parity]);
	if (!rc)
		rc = svcenc_key_move(dev->key, &dev->slots[parity]);
	if (rc) {
		svcenc_key_detach(&dev->slots[0]);
		svcenc_key_detach(&dev->slots[1]);
	}
	return rc;
}

/* After a commit that failed, unless it failed before anything was written. */
static void take_back(struct svcenc_dev *dev)
{
	if (dev->seq_attempted == dev->sb->seq)
		return;
	svcenc_super_next(dev);
	if (svcenc_super_commit(dev, dev->key))
		DMERR("%s: the superblock may be under either key",
		      svcenc_dev_name(dev));
	else
		svcenc_dev_publish(dev);
}

/*
 * Crash argument: copy 1 is durable under the new key before copy 2 is
 * touched. A cut between leaves new (higher seq) and old: with the new key
 * the volume opens and copy 2 is repaired; with the old key it is refused and
 * the new one named. The agent keeps both keys until this has returned.
 *
 * A commit that failed may have reached copy 1, and the volume, which goes on
 * under the old key, would need the new one when it is opened next. So the old
 * one is committed again, at once: it is the truth then. If that fails as well,
 * either key may be needed; the caller learns only that it has failed, and keeps
 * both.
 */
static int rewrap_to(struct svcenc_dev *dev, struct svcenc_key *to,
		     const u8 auth[SVCENC_AUTH_SIZE])
{
	struct svcenc_sb *next;
	int rc;

	rc = check_authorisation(dev, to, auth);
	if (rc)
		return rc;
	next = svcenc_super_next(dev);
	next->key = *svcenc_key_id(to);
	rc = svcenc_key_rewrap(dev->key, dev->sb, to, next);
	if (!rc && next->incompat & SVCENC_INCOMPAT_ROTATING)
		rc = rewrap_next(dev, to);
	if (rc)
		return svcenc_activate_refuse_cipher(dev, rc);
	rc = svcenc_activate_commit(dev, to);
	if (rc) {
		take_back(dev);
		return rc;
	}
	/* The disk says so now, even if one of the keys just ended. */
	publish(dev, to);
	swap(dev->key, to);
	svcenc_key_put(to);
	if (move_keys(dev)) {
		/* The key's own message names the key of before. */
		DMWARN("%s: rewrapped, but a key ended meanwhile: locked",
		       svcenc_dev_name(dev));
		svcenc_netlink_dev_event(SVCENC_EVENT_KEY_LOST, dev, NULL);
	}
	return 0;
}

struct rewrap_request {
	const struct svcenc_keyid *id;
	const u8 *auth; /* SVCENC_AUTH_SIZE bytes */
};

static int rewrap_job(struct svcenc_dev *dev, const void *argument)
{
	const struct rewrap_request *request = argument;
	struct svcenc_key *to;
	int rc;

	if (dev->read_only)
		return refuse(dev, -EROFS, "table is read-only");
	if (!dev->key || !svcenc_dev_live(dev))
		return refuse(dev, -ENOKEY,
			      "volume is locked: unlock it first");
	if (svcenc_keyid_equal(request->id, &dev->table.key))
		return refuse(dev, -EINVAL,
			      "volume is wrapped under that key already");
	to = need_key(dev, request->id);
	if (IS_ERR(to))
		return PTR_ERR(to);
	rc = rewrap_to(dev, to, request->auth);
	if (rc)
		svcenc_key_put(to);
	return rc;
}

int svcenc_rewrap(struct svcenc_dev *dev, const struct svcenc_keyid *id,
		  const u8 auth[SVCENC_AUTH_SIZE])
{
	const struct rewrap_request request = { .id = id, .auth = auth };
	const struct svcenc_claimed_job job = {
		.what = "rewrap",
		.run = rewrap_job,
		.argument = &request,
		.event = SVCENC_EVENT_REWRAPPED,
	};

	return svcenc_activate_run(dev, &job);
}
