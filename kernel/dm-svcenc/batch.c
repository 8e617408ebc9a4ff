// SPDX-License-Identifier: GPL-2.0-only
#include <linux/blkdev.h>
#include <linux/highmem.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "batch.h"

/* ---------------------------------------------------------------- memory */

static_assert(offsetofend(struct svcenc_batch, req) ==
	      sizeof(struct svcenc_batch));

static size_t batch_size(void)
{
	return offsetof(struct svcenc_batch, req) + svcenc_crypt_reqsize();
}

static void free_part(struct svcenc_batch_part *part)
{
	unsigned int i;

	for (i = 0; part && i < SVCENC_BATCH_PART_PAGES; i++)
		if (part->pages[i])
			__free_page(part->pages[i]);
	kfree(part);
}

void svcenc_batch_free(struct svcenc_batch *batch)
{
	unsigned int i;

	if (IS_ERR_OR_NULL(batch))
		return;
	for (i = 0; i < SVCENC_BATCH_PARTS; i++)
		free_part(batch->part[i]);
	kvfree_sensitive(batch, batch_size());
}

/* With all its pages, or NULL. */
static struct svcenc_batch_part *alloc_part(void)
{
	struct svcenc_batch_part *part = kzalloc(sizeof(*part), GFP_KERNEL);
	unsigned int i;

	for (i = 0; part && i < SVCENC_BATCH_PART_PAGES; i++) {
		part->pages[i] = alloc_page(GFP_KERNEL | __GFP_NORETRY |
					    __GFP_NOWARN);
		if (!part->pages[i]) {
			free_part(part);
			return NULL;
		}
	}
	return part;
}

static void resume_conv(struct svcenc_conv *conv)
{
	complete(&container_of(conv, struct svcenc_batch, conv)->resumed);
}

static void init_conv(struct svcenc_batch *batch)
{
	struct svcenc_conv *conv = &batch->conv;

	conv->sector_size = batch->sector_size;
	conv->req = &batch->req;
	conv->resume = resume_conv;
	init_completion(&batch->resumed);
	svcenc_crypt_prepare(conv);
}

struct svcenc_batch *svcenc_batch_new(struct block_device *bdev,
				      unsigned int sector_size)
{
	struct svcenc_batch *batch;
	unsigned int i;

	batch = kvzalloc(batch_size(), GFP_KERNEL);
	if (!batch)
		return ERR_PTR(-ENOMEM);
	batch->bdev = bdev;
	batch->sector_size = sector_size;
	init_completion(&batch->done);
	init_conv(batch);
	for (i = 0; i < SVCENC_BATCH_PARTS; i++) {
		batch->part[i] = alloc_part();
		if (!batch->part[i])
			break;
		batch->max_bytes += SVCENC_BATCH_PART;
	}
	if (batch->max_bytes >= SVCENC_BATCH_MIN)
		return batch;
	svcenc_batch_free(batch);
	return ERR_PTR(-ENOMEM);
}

/* ------------------------------------------------------------------- I/O */

/*
 * Others wait for it: what throttles background writes shall leave it alone.
 */
#define WRITE_OPF (REQ_OP_WRITE | REQ_SYNC | REQ_IDLE)

static void put_pending(struct svcenc_batch *batch)
{
	if (atomic_dec_and_test(&batch->pending))
		complete(&batch->done);
}

static void part_end_io(struct bio *bio)
{
	put_pending(bio->bi_private);
}

/* Sends @part as one bio; its status stays in the bio. */
static void submit_part(struct svcenc_batch *batch,
			struct svcenc_batch_part *part, blk_opf_t opf,
			sector_t sector)
{
	unsigned int left = part->bytes, i;

	bio_init(&part->bio, batch->bdev, part->vecs, SVCENC_BATCH_PART_PAGES,
		 opf);
	part->bio.bi_iter.bi_sector = sector;
	part->bio.bi_end_io = part_end_io;
	part->bio.bi_private = batch;
	for (i = 0; left; i++) {
		const unsigned int len = min_t(unsigned int, left, PAGE_SIZE);

		__bio_add_page(&part->bio, part->pages[i], len, 0);
		left -= len;
	}
	atomic_inc(&batch->pending);
	submit_bio(&part->bio);
}

/* All parts, one behind the other from @sector on. */
static void submit_parts(struct svcenc_batch *batch, blk_opf_t opf,
			 sector_t sector)
{
	struct blk_plug plug;
	unsigned int i;

	reinit_completion(&batch->done);
	atomic_set(&batch->pending, 1);
	blk_start_plug(&plug);
	for (i = 0; i < batch->parts; i++) {
		submit_part(batch, batch->part[i], opf, sector);
		sector += batch->part[i]->bytes >> SECTOR_SHIFT;
	}
	blk_finish_plug(&plug);
}

/* 0, or the error of the first part that failed. */
static int wait_parts(struct svcenc_batch *batch)
{
	unsigned int i;
	int rc = 0;

	put_pending(batch);
	wait_for_completion_io(&batch->done);
	for (i = batch->parts; i-- > 0;) {
		if (batch->part[i]->bio.bi_status)
			rc = blk_status_to_errno(batch->part[i]->bio.bi_status);
		bio_uninit(&batch->part[i]->bio);
	}
	return rc;
}

/* Divides @bytes up. */
static void lay_out(struct svcenc_batch *batch, unsigned int bytes)
{
	for (batch->parts = 0; bytes; batch->parts++) {
		struct svcenc_batch_part *part = batch->part[batch->parts];

		part->bytes = min_t(unsigned int, bytes, SVCENC_BATCH_PART);
		bytes -= part->bytes;
	}
}

void svcenc_batch_read(struct svcenc_batch *batch, const struct svcenc_run *run,
		       sector_t base)
{
	batch->run = *run;
	batch->base = base;
	batch->found.count = 0;
	lay_out(batch, run->sectors << SECTOR_SHIFT);
	submit_parts(batch, REQ_OP_READ, base + run->start);
}

int svcenc_batch_write(struct svcenc_batch *batch, sector_t base)
{
	submit_parts(batch, WRITE_OPF, base + batch->run.start);
	return wait_parts(batch);
}

int svcenc_batch_read_wait(struct svcenc_batch *batch)
{
	return wait_parts(batch);
}

void svcenc_batch_drop(struct svcenc_batch *batch)
{
	wait_parts(batch);
}

/* ------------------------------------------------------------ bad sectors */

/* Reads one sector of the volume, into the first page, and waits. */
static int read_alone(struct svcenc_batch *batch, sector_t sector)
{
	struct bio_vec vec;
	struct bio bio;
	int rc;

	bio_init(&bio, batch->bdev, &vec, 1, REQ_OP_READ);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, batch->part[0]->pages[0], batch->sector_size, 0);
	rc = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return rc;
}

bool svcenc_batch_medium_error(int rc)
{
	return rc == -EIO || rc == -ENODATA || rc == -EILSEQ;
}

bool svcenc_batch_find_bad(struct svcenc_batch *batch, const bool *stop,
			   u64 *ret_sector)
{
	const u64 sectors = batch->sector_size >> SECTOR_SHIFT;
	u64 i;

	for (i = 0; i < batch->run.sectors && !READ_ONCE(*stop); i += sectors) {
		const u64 sector = batch->run.start + i;

		if (!read_alone(batch, batch->base + sector))
			continue;
		*ret_sector = sector;
		return true;
	}
	return false;
}

void svcenc_batch_blank(struct svcenc_batch *batch)
{
	memzero_page(batch->part[0]->pages[0], 0, batch->sector_size);
	svcenc_extents_add(&batch->found, &batch->run); /* has room */
}

bool svcenc_batch_is_bad(struct svcenc_batch *batch, sector_t lower)
{
	return svcenc_batch_medium_error(read_alone(batch, lower));
}

/* ------------------------------------------------------------- conversion */

/* One direction over all of @part. */
static int convert(struct svcenc_batch *batch, struct svcenc_batch_part *part,
		   struct svcenc_slot *slot, u64 tweak)
{
	struct svcenc_conv *conv = &batch->conv;
	unsigned int left = part->bytes;
	int rc = 0;

	conv->slot = slot;
	conv->src = &part->bio;
	conv->dst = &part->bio;
	conv->src_iter = (struct bvec_iter){};
	conv->tweak = tweak;
	while (left && !rc) {
		conv->src_iter.bi_size =
			min_t(unsigned int, left, SVCENC_BATCH_TURN);
		left -= conv->src_iter.bi_size;
		for (rc = -EINPROGRESS; rc == -EINPROGRESS;) {
			rc = svcenc_crypt_run(conv);
			if (rc == -EINPROGRESS)
				wait_for_completion(&batch->resumed);
		}
		batch->after_turn(batch->context);
	}
	return rc;
}

static void wipe(struct svcenc_batch *batch)
{
	unsigned int i, j;

	for (i = 0; i < batch->parts; i++)
		for (j = 0; j < SVCENC_BATCH_PART_PAGES; j++)
			clear_highpage(batch->part[i]->pages[j]);
}

int svcenc_batch_convert(struct svcenc_batch *batch, struct svcenc_slot *from,
			 struct svcenc_slot *to)
{
	u64 tweak = batch->run.start;
	unsigned int i;
	int rc = 0;

	/* Forgets an error of the batch before. */
	svcenc_crypt_prepare(&batch->conv);
	for (i = 0; i < batch->parts && !rc; i++) {
		struct svcenc_batch_part *part = batch->part[i];

		batch->conv.encrypt = false;
		rc = convert(batch, part, from, tweak);
		batch->conv.encrypt = true;
		if (!rc)
			rc = convert(batch, part, to, tweak);
		tweak += part->bytes >> SECTOR_SHIFT;
	}
	if (rc)
		wipe(batch); /* some of it is plaintext */
	return rc;
}

/* ------------------------------------------------------------- overwriting */

/* Random bytes cost more than all the rest: one part has them for all. */
void svcenc_batch_fill(struct svcenc_batch *batch)
{
	const unsigned int parts = batch->max_bytes / SVCENC_BATCH_PART;
	unsigned int i, j;

	for (j = 0; j < SVCENC_BATCH_PART_PAGES; j++) {
		void *page = kmap_local_page(batch->part[0]->pages[j]);

		get_random_bytes(page, PAGE_SIZE);
		kunmap_local(page);
		for (i = 1; i < parts; i++)
			copy_highpage(batch->part[i]->pages[j],
				      batch->part[0]->pages[j]);
		cond_resched();
	}
}

int svcenc_batch_overwrite(struct svcenc_batch *batch, sector_t lower,
			   u64 sectors)
{
	lay_out(batch, sectors << SECTOR_SHIFT);
	submit_parts(batch, WRITE_OPF, lower);
	return wait_parts(batch);
}
