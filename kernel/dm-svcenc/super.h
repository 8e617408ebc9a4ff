/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where and when superblock copies are read and written. Knows the two
 * places, the order of a commit and how to tell a good copy; does not decide
 * what a volume does with it.
 */
#ifndef SVCENC_SUPER_H
#define SVCENC_SUPER_H

#include "device.h"

/*
 * ctr: reads both copies and decodes the first usable one into dev->sb,
 * unauthenticated; only what never changes may be taken from it. On failure
 * (-EIO if no copy can be read, else -EINVAL) *ret_error is a static text.
 */
int svcenc_super_peek(struct svcenc_dev *dev, const char **ret_error);

/*
 * Reads both copies, checks CRC and HMAC with @key and picks by the rule of
 * core/ondisk.h. On FIRST, SECOND and FRESH, dev->sb is the picked one.
 * *ret_repair: the other copy must be rewritten. *ret_wanted (on OTHER_KEY):
 * the key that the newest copy names. Writes nothing. commit_lock held.
 * Returns 0 with *ret_pick, or -ENOKEY if @key ended meanwhile.
 */
struct svcenc_loaded {
	enum svcenc_pick pick;
	enum svcenc_sb_defect defect; /* on INVALID */
	bool repair;
	bool unread; /* one copy counts as rotten for want of a good read */
	struct svcenc_keyid wanted; /* on OTHER_KEY */
	u64 wanted_seq;
};

int svcenc_super_load(struct svcenc_dev *dev, struct svcenc_key *key,
		      struct svcenc_loaded *ret);

/*
 * Commits dev->next, MACed with @key: next seq, one copy with PREFLUSH and
 * FUA, then the other with FUA, never both at once. On success dev->sb = the
 * committed one. On an I/O error the fate of the commit is unknown: dev->sb
 * stays, the next commit takes a higher seq. commit_lock held.
 */
int svcenc_super_commit(struct svcenc_dev *dev, struct svcenc_key *key);

/* Prepares dev->next as a copy of dev->sb. commit_lock held. */
struct svcenc_sb *svcenc_super_next(struct svcenc_dev *dev);

/*
 * Right after svcenc_super_load() asked for it: writes the picked copy over
 * the other one, byte for byte. The picked one is not touched.
 */
int svcenc_super_repair(struct svcenc_dev *dev, enum svcenc_pick picked);

#endif
