/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Where each sector of a volume is while its volume key is being rotated, and
 * which steps a rotation may take. Arithmetic and states only: knows no
 * device, bio, lock or key; whoever calls serialises.
 *
 * Idle, logical sector x lies at LOW (data offset + x) or at HIGH (data offset
 * + spare + x). A rotation moves all sectors to the other place, re-encrypted,
 * in batches, in an order in which a batch never overwrites old ciphertext
 * that may still be needed:
 *
 *   DOWN  from HIGH to LOW, watermark W ascends from 0 to the length:
 *         x < W is LOW under the next key, x >= W is HIGH under the current.
 *   UP    from LOW to HIGH, watermark W descends from the length to 0:
 *         x >= W is HIGH under the next key, x < W is LOW under the current.
 *
 * A batch is claimed (its sectors are in the window), copied, and committed:
 * the superblock says that W has passed it. Up to SVCENC_BATCHES may be
 * uncommitted at a time, the oldest first. What keeps a crash harmless:
 *
 *   I1  The uncommitted batches together are not longer than the spare. So
 *       what they overwrite lies behind the durable W, where no old
 *       ciphertext is needed any more, and everything at and ahead of the
 *       durable W is still there under the current key.
 *
 * While a sector is in the window it is read from the old place. It is
 * written nowhere: a write to the old place would be lost if the commit
 * succeeds, one to the new place if it does not.
 */
#ifndef SVCENC_CORE_ROTATION_H
#define SVCENC_CORE_ROTATION_H

#include "ondisk.h"

enum svcenc_rotation_limits {
	SVCENC_BATCHES = 2,
};

/* All in logical 512-byte sectors. */
struct svcenc_rotation {
	u32 direction; /* NONE: idle, everything is at @place */
	u32 place;     /* where the sectors are, or were when it started */
	u64 length;
	u64 spare;
	u64 durable;   /* W as both superblock copies have it; idle: 0 */
	unsigned int batches; /* uncommitted ones */
	u64 edge[SVCENC_BATCHES]; /* W after each, in the order claimed */
};

enum svcenc_zone {
	SVCENC_ZONE_CURRENT, /* under the current key, at the old place */
	SVCENC_ZONE_WINDOW,  /* the same for reads; a write has to wait */
	SVCENC_ZONE_NEXT,    /* under the next key, at the new place */
};

/* What holds for the first @sectors of the sectors asked for. */
struct svcenc_spot {
	enum svcenc_zone zone;
	u32 place;   /* to read from, and to write to unless in the window */
	u64 sectors; /* > 0; a batch's edge is never inside */
};

/* A run of logical sectors. */
struct svcenc_run {
	u64 start;
	u64 sectors;
};

/* As @sb says, without batches. */
void svcenc_rotation_load(const struct svcenc_sb *sb,
			  struct svcenc_rotation *ret);

static inline bool
svcenc_rotation_running(const struct svcenc_rotation *rotation)
{
	return rotation->direction != SVCENC_DIRECTION_NONE;
}

/*
 * Where @start is, and how many of the @sectors (> 0) from there on share it.
 * @start + @sectors <= length.
 */
struct svcenc_spot svcenc_rotation_find(const struct svcenc_rotation *rotation,
					u64 start, u64 sectors);

/*
 * Claims the next batch: at most @want sectors, cut to what I1 allows, and so
 * that its far edge is a multiple of @unit or the volume's end. @unit is a
 * multiple of the volume's sectors, of which the length, W and @want are, too.
 * Returns its sectors; none if SVCENC_BATCHES are claimed, all sectors are, or
 * what is left of the spare or @want does not reach the next multiple.
 */
struct svcenc_run svcenc_rotation_claim(struct svcenc_rotation *rotation,
					u64 want, u64 unit);

/* The oldest batch: its sectors. There is one. */
struct svcenc_run
svcenc_rotation_oldest(const struct svcenc_rotation *rotation);

/* W to commit for the oldest batch. There is one. */
u64 svcenc_rotation_next_durable(const struct svcenc_rotation *rotation);

/* The oldest batch is durable: both superblock copies say so. */
void svcenc_rotation_advance(struct svcenc_rotation *rotation);

/* All uncommitted batches are as if they had never been claimed. */
void svcenc_rotation_abandon(struct svcenc_rotation *rotation);

/* Sectors that are durably under the next key. */
u64 svcenc_rotation_done(const struct svcenc_rotation *rotation);

/* Every sector is: only the spare and the last commit are left. */
bool svcenc_rotation_all_moved(const struct svcenc_rotation *rotation);

/*
 * The spare after all sectors were moved: what still holds ciphertext under
 * the current key. start counts 512-byte sectors from the data offset.
 */
struct svcenc_run
svcenc_rotation_spare(const struct svcenc_rotation *rotation);

/* 512-byte sectors from the data offset to logical sector 0 at @place. */
u64 svcenc_rotation_base(const struct svcenc_rotation *rotation, u32 place);

/*
 * The superblock of a rotation. begin: from idle to W at its start; the
 * caller has the wrap of the next key in sb->next and its fingerprint in the
 * history. end: everything under the next key, which becomes the current
 * one; the old wrap is gone.
 */
void svcenc_sb_rotation_begin(struct svcenc_sb *sb);
void svcenc_sb_rotation_end(struct svcenc_sb *sb);

#endif
