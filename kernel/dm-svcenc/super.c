// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/algapi.h>
#include <linux/blkdev.h>
#include <linux/sched/mm.h>

#include "super.h"
#include "trace.h"

static const sector_t copy_sector[SVCENC_SB_COPIES] = {
	SVCENC_SB1_OFFSET >> SECTOR_SHIFT,
	SVCENC_SB2_OFFSET >> SECTOR_SHIFT,
};

/*
 * What is hashed: one for all volumes, since nobody waits for anything but the
 * processor while it is used.
 */
static DEFINE_MUTEX(span_lock); /* inside commit_lock */
static u8 span[SVCENC_SB_MAC_SPAN];

/* Reads or writes one copy and waits for it. */
static int rw_copy(struct svcenc_dev *dev, unsigned int copy, blk_opf_t opf,
		   void *image)
{
	struct bio_vec vec;
	struct bio bio;
	int rc;

	bio_init(&bio, dev->lower->bdev, &vec, 1, opf | REQ_META | REQ_SYNC);
	bio.bi_iter.bi_sector = copy_sector[copy];
	__bio_add_page(&bio, virt_to_page(image), SVCENC_SB_SIZE,
		       offset_in_page(image));
	rc = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return rc;
}

/*
 * An unreadable copy is as good as a rotten one: no magic. Returns how many
 * could be read.
 */
static unsigned int read_copies(struct svcenc_dev *dev)
{
	unsigned int copy, readable = 0;

	for (copy = 0; copy < SVCENC_SB_COPIES; copy++) {
		int rc = rw_copy(dev, copy, REQ_OP_READ, dev->image[copy]);

		if (!rc) {
			readable++;
			continue;
		}
		DMWARN("%s: reading superblock copy %u failed (%d)",
		       svcenc_dev_name(dev), copy + 1, rc);
		memset(dev->image[copy], 0, SVCENC_SB_SIZE);
	}
	return readable;
}

int svcenc_super_peek(struct svcenc_dev *dev, const char **ret_error)
{
	enum svcenc_sb_defect defect[SVCENC_SB_COPIES];
	unsigned int copy;

	if (!read_copies(dev)) {
		*ret_error = "superblock cannot be read: I/O errors below";
		return -EIO;
	}
	for (copy = 0; copy < SVCENC_SB_COPIES; copy++) {
		defect[copy] = svcenc_sb_decode(dev->image[copy],
						SVCENC_INCOMPAT_SUPPORTED,
						dev->sb);
		if (defect[copy] == SVCENC_SB_NONE)
			return 0;
	}
	/* A magic that is there tells more than one that is not. */
	copy = defect[0] == SVCENC_SB_MAGIC_DEFECT;
	*ret_error = svcenc_sb_defect_text(defect[copy]);
	return -EINVAL;
}

static int mac_of(struct svcenc_key *key, const void *image,
		  u8 mac[SVCENC_SB_MAC_SIZE])
{
	int rc;

	mutex_lock(&span_lock);
	svcenc_sb_for_mac(image, span);
	rc = svcenc_key_mac(key, span, mac);
	mutex_unlock(&span_lock);
	return rc;
}

/* -ENOKEY, or 0 with *ret_state GOOD or FORGED. */
static int check_mac(struct svcenc_key *key, const void *image,
		     const struct svcenc_sb *sb,
		     enum svcenc_copy_state *ret_state)
{
	u8 mac[SVCENC_SB_MAC_SIZE];
	int rc;

	rc = mac_of(key, image, mac);
	if (rc)
		return rc;
	*ret_state = crypto_memneq(mac, sb->mac, sizeof(mac)) ?
			     SVCENC_COPY_FORGED : SVCENC_COPY_GOOD;
	return 0;
}

/* Decodes one image into dev->next and says how it looks under @key. */
static int judge_copy(struct svcenc_dev *dev, struct svcenc_key *key,
		      unsigned int i, struct svcenc_copy *copy,
		      struct svcenc_loaded *loaded)
{
	struct svcenc_sb *sb = dev->next;
	enum svcenc_sb_defect defect;

	defect = svcenc_sb_decode(dev->image[i], SVCENC_INCOMPAT_SUPPORTED, sb);
	if (defect == SVCENC_SB_MAGIC_DEFECT || defect == SVCENC_SB_CRC) {
		copy->state = SVCENC_COPY_ROTTEN;
		return 0;
	}
	if (defect) {
		copy->state = SVCENC_COPY_INVALID;
		loaded->defect = defect;
		return 0;
	}
	copy->seq = sb->seq;
	if (!sb->keyed) {
		copy->state = SVCENC_COPY_FRESH;
		return 0;
	}
	if (svcenc_keyid_equal(&sb->key, svcenc_key_id(key)))
		return check_mac(key, dev->image[i], sb, &copy->state);
	copy->state = SVCENC_COPY_FOREIGN;
	if (sb->seq >= loaded->wanted_seq) {
		loaded->wanted = sb->key;
		loaded->wanted_seq = sb->seq;
	}
	return 0;
}

int svcenc_super_load(struct svcenc_dev *dev, struct svcenc_key *key,
		      struct svcenc_loaded *ret)
{
	struct svcenc_copy copy[SVCENC_SB_COPIES] = {};
	unsigned int i, readable;
	bool same;
	int rc;

	memset(ret, 0, sizeof(*ret));
	readable = read_copies(dev);
	if (!readable)
		return -EIO;
	ret->unread = readable < SVCENC_SB_COPIES;
	for (i = 0; i < SVCENC_SB_COPIES; i++) {
		rc = judge_copy(dev, key, i, &copy[i], ret);
		if (rc)
			return rc;
	}
	same = !memcmp(dev->image[0], dev->image[1], SVCENC_SB_SIZE);
	ret->pick = svcenc_sb_pick(copy, same, &ret->repair);
	if (ret->pick > SVCENC_PICK_FRESH)
		return 0;
	i = ret->pick == SVCENC_PICK_SECOND;
	/* Decoded without defect a moment ago, from a buffer of ours. */
	svcenc_sb_decode(dev->image[i], SVCENC_INCOMPAT_SUPPORTED, dev->sb);
	dev->seq_attempted = max(dev->seq_attempted, dev->sb->seq);
	dev->doubtful = ret->repair ? !i : 0;
	return 0;
}

/* MACs @sb into image[0]. */
static int seal(struct svcenc_dev *dev, struct svcenc_key *key,
		struct svcenc_sb *sb)
{
	int rc;

	svcenc_sb_fill(sb, dev->image[0]);
	rc = mac_of(key, dev->image[0], sb->mac);
	if (!rc)
		svcenc_sb_set_mac(dev->image[0], sb->mac);
	return rc;
}

/* Writes dev->image[@image] to that copy; it is whole if this succeeds. */
static int write_copy(struct svcenc_dev *dev, unsigned int copy,
		      unsigned int image, blk_opf_t opf)
{
	const int rc = rw_copy(dev, copy, REQ_OP_WRITE | REQ_FUA | opf,
			       dev->image[image]);

	if (!rc)
		return 0;
	DMERR("%s: writing superblock copy %u failed (%d)",
	      svcenc_dev_name(dev), copy + 1, rc);
	dev->doubtful = copy;
	return rc;
}

/*
 * One copy after the other, never both at once: the second is touched only
 * when the first is durable, so at every moment at least one is whole. For
 * that, the first must be the one that is not known to be: what is left of a
 * write that failed may be torn, and the other one all there is. Where both
 * are whole, copy 1 is the first.
 *
 * A cut before the first is durable: the other (old) wins, or the first (new)
 * if it happens to be whole. A cut later: the first (new) wins. Either is a
 * state that the caller was prepared for. PREFLUSH makes all data that was
 * acknowledged before durable ahead of the superblock.
 */
static int write_both(struct svcenc_dev *dev)
{
	const unsigned int first = dev->doubtful;
	int rc;

	rc = write_copy(dev, first, 0, REQ_PREFLUSH);
	if (!rc)
		rc = write_copy(dev, !first, 0, 0);
	if (!rc)
		dev->doubtful = 0;
	return rc;
}

struct svcenc_sb *svcenc_super_next(struct svcenc_dev *dev)
{
	*dev->next = *dev->sb;
	return dev->next;
}

int svcenc_super_commit(struct svcenc_dev *dev, struct svcenc_key *key)
{
	unsigned int noio;
	int rc;

	lockdep_assert_held(&dev->commit_lock);
	/* The last number is no valid one: never write what cannot be read. */
	if (dev->seq_attempted >= U64_MAX - 1)
		return -EOVERFLOW;
	noio = memalloc_noio_save();
	dev->next->seq = dev->seq_attempted + 1;
	rc = seal(dev, key, dev->next);
	if (!rc) {
		/* From here on its fate is unknown until it has succeeded. */
		dev->seq_attempted++;
		rc = write_both(dev);
	}
	memalloc_noio_restore(noio);
	trace_svcenc_commit(svcenc_dev_name(dev), dev->next->seq, rc);
	if (!rc)
		swap(dev->sb, dev->next);
	return rc;
}

int svcenc_super_repair(struct svcenc_dev *dev, enum svcenc_pick picked)
{
	const unsigned int good = picked == SVCENC_PICK_SECOND;
	unsigned int noio;
	int rc;

	lockdep_assert_held(&dev->commit_lock);
	noio = memalloc_noio_save();
	/* A cut in here leaves the good copy and one to repair again. */
	rc = write_copy(dev, !good, good, REQ_PREFLUSH);
	memalloc_noio_restore(noio);
	if (!rc)
		dev->doubtful = 0;
	trace_svcenc_commit(svcenc_dev_name(dev), dev->sb->seq, rc);
	return rc;
}
