// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes for which the cache had too few pages: they go down in one or more
 * bounce bios, filled with what the allocator or the volume's own reserve
 * gives, and end when all of those have. Does not know when this is chosen.
 *
 * Nothing here waits for memory. Pages and bounce bios are taken without
 * reclaim; a write that gets none is set aside as starved and taken up when
 * another write of the volume gives something back. There is always such a
 * write: a starved one holds nothing, and reserves belong to one volume only,
 * so stacked volumes cannot wait for each other in a circle.
 */
#include <linux/blk-cgroup.h>
#include <linux/blkdev.h>

#include "io.h"

/* ------------------------------------------------------------- the starved */

static void hold(struct svcenc_dev *dev)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	dev->holders++;
	spin_unlock_irqrestore(&dev->starved_lock, flags);
}

/* Something of the reserve may be back: one starved write may try again. */
static void release(struct svcenc_dev *dev)
{
	struct svcenc_io *io;
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	dev->holders--;
	io = list_first_entry_or_null(&dev->starved, struct svcenc_io, node);
	if (io)
		list_del(&io->node);
	spin_unlock_irqrestore(&dev->starved_lock, flags);
	if (io)
		svcenc_io_defer(io);
}

/*
 * Gives up holding and sets @io aside until someone else releases. False if
 * there is nobody: then all reserves are full again and @io shall retry. To
 * decide and to set aside are one step under the lock: no release is missed.
 */
static bool starve(struct svcenc_dev *dev, struct svcenc_io *io)
{
	unsigned long flags;
	bool others;

	spin_lock_irqsave(&dev->starved_lock, flags);
	others = --dev->holders > 0;
	/* Who has waited before stays in front of those who have not. */
	if (others && io->waited)
		list_add(&io->node, &dev->starved);
	else if (others)
		list_add_tail(&io->node, &dev->starved);
	io->waited = true;
	spin_unlock_irqrestore(&dev->starved_lock, flags);
	return others;
}

/* ----------------------------------------------------------------- bounces */

static void free_bounce(struct svcenc_dev *dev, struct bio *bounce)
{
	struct bvec_iter_all iter;
	struct bio_vec *bv;

	bio_for_each_segment_all(bv, bounce, iter)
		mempool_free(bv->bv_page, &dev->pages);
	bio_put(bounce);
}

/*
 * A bounce bio for as much of the rest of @io as there are pages, NULL if
 * there is not even one. The pages only ever hold ciphertext.
 */
static struct bio *alloc_bounce(struct svcenc_io *io, gfp_t gfp)
{
	struct svcenc_dev *dev = io->dev;
	unsigned int left = io->conv.src_iter.bi_size;
	struct bio *bounce;
	/* The poller knows only device-mapper's clone: nobody would poll this. */
	const blk_opf_t opf = io->bio->bi_opf & ~REQ_POLLED;

	bounce = bio_alloc_bioset(dev->lower->bdev,
				  DIV_ROUND_UP(left, PAGE_SIZE), opf, gfp,
				  &dev->bounces);
	/* The reserve for the vector, too, is only of the largest size. */
	if (!bounce)
		bounce = bio_alloc_bioset(dev->lower->bdev, BIO_MAX_VECS, opf,
					  gfp, &dev->bounces);
	if (!bounce)
		return NULL;
	while (left) {
		const unsigned int len = min_t(unsigned int, left, PAGE_SIZE);
		struct page *page = mempool_alloc(&dev->pages, gfp);

		if (!page)
			break;
		__bio_add_page(bounce, page, len, 0);
		left -= len;
	}
	if (bounce->bi_iter.bi_size)
		return bounce;
	bio_put(bounce);
	return NULL;
}

static void finish_write(struct svcenc_io *io)
{
	if (atomic_dec_and_test(&io->pending))
		svcenc_io_end_write(io, io->status);
}

/* The first error stays; which one of several does not matter. */
static void note_error(struct svcenc_io *io, blk_status_t status)
{
	if (status)
		cmpxchg(&io->status, BLK_STS_OK, status);
}

static void bounce_end_io(struct bio *bounce)
{
	struct svcenc_io *io = bounce->bi_private;
	struct svcenc_dev *dev = io->dev;

	if (bounce->bi_status) {
		this_cpu_inc(dev->counters->write_errors);
		note_error(io, bounce->bi_status);
	}
	free_bounce(dev, bounce);
	/* Before the bio ends: dev stays as long as one of its bios does. */
	release(dev);
	finish_write(io);
}

static void submit_bounce(struct svcenc_io *io, bool on_queue)
{
	struct bio *bounce = io->bounce;

	io->bounce = NULL;
	bounce->bi_end_io = bounce_end_io;
	bounce->bi_private = io;
	bounce->bi_ioprio = io->bio->bi_ioprio;
	bounce->bi_iter.bi_sector = io->sector;
	bio_clone_blkg_association(bounce, io->bio);
	io->sector += bio_sectors(bounce);
	atomic_inc(&io->pending);
	if (on_queue)
		svcenc_io_submit_later(io->dev, bounce);
	else
		submit_bio_noacct(bounce);
}

/*
 * Directs the conversion into io->bounce. There may be more left of the bio
 * than the bounce has room for: src_iter is cut for this run.
 */
static void aim_conv(struct svcenc_io *io)
{
	struct svcenc_conv *conv = &io->conv;

	conv->dst = io->bounce->bi_io_vec;
	conv->dst_iter = io->bounce->bi_iter;
	io->cut = conv->src_iter.bi_size - conv->dst_iter.bi_size;
	conv->src_iter.bi_size -= io->cut;
}

/*
 * Gets a bounce for the rest of @io. False: @io is starved and must not be
 * touched any more.
 */
static bool get_bounce(struct svcenc_io *io)
{
	hold(io->dev);
	io->bounce = alloc_bounce(io, GFP_NOWAIT | __GFP_NOWARN);
	if (io->bounce) {
		aim_conv(io);
		return true;
	}
	/* Alone: again, but from the queue, so that nothing can spin here. */
	if (!starve(io->dev, io))
		svcenc_io_defer(io);
	return false;
}

void svcenc_split_run(struct svcenc_io *io, bool on_queue)
{
	int rc = 0;

	while (io->bounce || io->conv.src_iter.bi_size) {
		if (!io->bounce && !get_bounce(io))
			return;
		rc = svcenc_crypt_run(&io->conv);
		if (rc == -EINPROGRESS)
			return;
		if (rc)
			break;
		io->conv.src_iter.bi_size += io->cut;
		submit_bounce(io, on_queue);
	}
	if (rc) {
		note_error(io, svcenc_io_conv_status(io->dev, rc));
		free_bounce(io->dev, io->bounce);
		release(io->dev);
	}
	finish_write(io);
}

void svcenc_split_init(struct svcenc_dev *dev)
{
	spin_lock_init(&dev->starved_lock);
	INIT_LIST_HEAD(&dev->starved);
}
