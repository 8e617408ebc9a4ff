/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One bio of a volume while it is with the target: what map.c and split.c
 * share. Nobody else looks inside.
 */
#ifndef SVCENC_IO_H
#define SVCENC_IO_H

#include "crypt.h"
#include "device.h"
#include "soon.h"

/*
 * Per-bio data. A read uses it from completion on, a write from map on; one
 * context at a time works on it, handed over by queue_work() or soon.c.
 * pending and status are shared with the completions of bounce bios.
 */
struct svcenc_io {
	struct svcenc_dev *dev;
	struct bio *bio;	/* device-mapper's clone: ours meanwhile */
	bio_end_io_t *end_io;	/* the clone's own, while it is below */
	struct svcenc_use use;	/* from entering to leaving the range */
	struct svcenc_soon soon; /* reads: completed in an interrupt */
	struct work_struct work;
	struct svcenc_waiter waiter; /* writes, discards: until they enter */

	/* Writes. */
	struct bio_vec *vecs; /* pages that the clone goes down with, or NULL */
	struct bio_vec one;   /* the only page, or the one that holds vecs */
	bool heals;	      /* over what could not be read */
	bool split;	      /* goes down in bounce bios: the rest is split.c's */
	bool waited;	      /* was starved before */
	struct bio *bounce;   /* being filled, not yet submitted */
	unsigned int cut;     /* bytes left out of conv.src_iter */
	sector_t sector;      /* lower sector of the next bounce */
	atomic_t pending;     /* unfinished bounces + 1 */
	blk_status_t status;  /* first error */
	struct list_head node; /* starved_lock; starved, or to be healed */

	struct svcenc_conv conv;
	struct skcipher_request req; /* its context follows: keep last */
};

/* --- map.c */

/* What a bio ends with after a conversion that returned @rc; counts it. */
blk_status_t svcenc_io_conv_status(struct svcenc_dev *dev, int rc);

/* Hands the work over to a queue of conversions. Any context. */
void svcenc_io_defer(struct svcenc_io *io);

/* Submits @bio from the volume's submit_work. Any context. */
void svcenc_io_submit_later(struct svcenc_dev *dev, struct bio *bio);

/* All of a write is on the device below, or has failed. */
void svcenc_io_end_write(struct svcenc_io *io, blk_status_t status);

/* --- split.c */

void svcenc_split_init(struct svcenc_dev *dev);

/*
 * Works on a write until it is submitted as a whole, has failed, is starved,
 * or waits for an asynchronous request (the last two: come back later).
 * @on_queue: on a queue of conversions, where nothing may be submitted.
 */
void svcenc_split_run(struct svcenc_io *io, bool on_queue);

#endif
