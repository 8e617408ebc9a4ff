/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One batch of a rotation: reads a run of sectors into pages of its own,
 * re-encrypts it there, writes it to another place. Knows pages, bios and
 * slots; not where the watermark is, what a commit is, or when what may be
 * overwritten.
 *
 * All memory is taken when the rotation's thread starts: writes of the volume
 * wait for it, so it must get on without any.
 */
#ifndef SVCENC_BATCH_H
#define SVCENC_BATCH_H

#include <linux/completion.h>

#include "core/extents.h"
#include "crypt.h"

enum svcenc_batch_limits {
	SVCENC_BATCH_MAX = 1 << 20,  /* bytes */
	SVCENC_BATCH_MIN = 64 << 10, /* what it starts with, and falls to */
	SVCENC_BATCH_PART = 64 << 10, /* one bio */
	/* Converted, one way, without a look at who else wants the CPU. */
	SVCENC_BATCH_TURN = 4 << 10,
	SVCENC_BATCH_PARTS = SVCENC_BATCH_MAX / SVCENC_BATCH_PART,
	SVCENC_BATCH_PART_PAGES = SVCENC_BATCH_PART / PAGE_SIZE,
};

struct svcenc_batch_part {
	struct page *pages[SVCENC_BATCH_PART_PAGES];
	struct bio_vec vecs[SVCENC_BATCH_PART_PAGES];
	unsigned int bytes; /* in this batch */
	struct bio bio;	    /* ends in an array: keep last */
};

/* Used by one thread; the completions of its bios touch pending and done. */
struct svcenc_batch {
	struct block_device *bdev;  /* constant */
	unsigned int sector_size;   /* constant */
	unsigned int max_bytes;	    /* constant: what pages there are for */
	struct svcenc_run run;	    /* logical sectors, since the last read */
	sector_t base;		    /* lower sector of logical 0 then */
	struct svcenc_extents found; /* what of them is passed over */
	unsigned int parts;	    /* of that run */
	atomic_t pending;	    /* bios under way + 1 */
	struct completion done;
	struct svcenc_conv conv;
	struct completion resumed;  /* an asynchronous conversion goes on */
	/* Called after each turn of a conversion, with context; may sleep. */
	void (*after_turn)(void *context);
	void *context;
	struct svcenc_batch_part *part[SVCENC_BATCH_PARTS]; /* for max_bytes */
	struct skcipher_request req; /* its context follows: keep last */
};

/*
 * ERR_PTR(-ENOMEM) if there is not even memory for the smallest batch;
 * with less than wanted, max_bytes is smaller. May sleep.
 */
struct svcenc_batch *svcenc_batch_new(struct block_device *bdev,
				      unsigned int sector_size);
void svcenc_batch_free(struct svcenc_batch *batch); /* errors, NULL: nothing */

/* Starts to read @run (<= max_bytes) whose logical 0 is at @base. */
void svcenc_batch_read(struct svcenc_batch *batch, const struct svcenc_run *run,
		       sector_t base);

/* Waits for it. 0, or the error of the first bio that failed. */
int svcenc_batch_read_wait(struct svcenc_batch *batch);

/* Waits for it, whatever became of it. */
void svcenc_batch_drop(struct svcenc_batch *batch);

/* Of the medium, not of the way to it, which may be there again? */
bool svcenc_batch_medium_error(int rc);

/*
 * Reads the run again, sector by sector, each of which may take a sick device
 * seconds; ends when *@stop. True with the first that fails. For words only:
 * clobbers the contents, and needs no window.
 */
bool svcenc_batch_find_bad(struct svcenc_batch *batch, const bool *stop,
			   u64 *ret_sector);

/* A run of one sector that cannot be read: zeroes; it is batch->found. */
void svcenc_batch_blank(struct svcenc_batch *batch);

/* Can a sector of the device not be read for the medium? Clobbers a page. */
bool svcenc_batch_is_bad(struct svcenc_batch *batch, sector_t lower);

/*
 * Decrypts under @from, encrypts under @to, in place. -ENOKEY if a slot is
 * empty; on any error nothing of it stays in memory.
 */
int svcenc_batch_convert(struct svcenc_batch *batch, struct svcenc_slot *from,
			 struct svcenc_slot *to);

/* Writes the run to where @base says, and waits. 0 or the first error. */
int svcenc_batch_write(struct svcenc_batch *batch, sector_t base);

/* Fills max_bytes with random bytes, for svcenc_batch_overwrite(). */
void svcenc_batch_fill(struct svcenc_batch *batch);

/* Writes what svcenc_batch_fill() left over @sectors from @lower on. */
int svcenc_batch_overwrite(struct svcenc_batch *batch, sector_t lower,
			   u64 sectors);

#endif
