// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read is remapped and decrypted in place when it comes back. A write is
 * encrypted into bounce pages, in one or more bounce bios, and ends when all
 * of them have.
 *
 * Nothing here waits for memory. Pages and bounce bios are taken without
 * reclaim, from the volume's reserve if need be; a write that gets none is
 * set aside as starved and taken up when another write of the volume gives
 * something back. There is always such a write: a starved one holds nothing,
 * and reserves belong to one volume only, so stacked volumes cannot wait for
 * each other in a circle.
 *
 * Conversions of all volumes share one workqueue, so they must not wait for a
 * device either: where one submits, it may have to wait for a request's tag.
 * A conversion in the submitter's own context submits by itself; one on the
 * queue leaves its bounce to the volume's submit_work, of which at most one
 * runs per volume, on a queue apart. Otherwise the writes of an upper volume
 * could fill the queue that the lower one needs to make progress.
 */
#include <linux/blk-cgroup.h>
#include <linux/blkdev.h>

#include "crypt.h"
#include "map.h"
#include "trace.h"
#include "unreadable.h"

enum map_limits {
	/* Larger reads and writes are cut, so that several CPUs share them. */
	BIO_MAX_BYTES = 128 << 10,
	/* Up to here the submitter or the completion converts by itself. */
	INLINE_MAX_BYTES = 64 << 10,
};

/*
 * Per-bio data. A read uses it from completion on, a write from map on; one
 * context at a time works on it, handed over by queue_work(). pending and
 * status are shared with the completions of bounce bios.
 */
struct svcenc_io {
	struct svcenc_dev *dev;
	struct bio *bio;	   /* device-mapper's clone: ours meanwhile */
	bio_end_io_t *end_io;	   /* reads, discards: the clone's own */
	struct bio *bounce;	   /* writes: being filled, not yet submitted */
	unsigned int cut;	   /* writes: bytes left out of conv.src_iter */
	bool waited;		   /* writes: was starved before */
	bool heals;		   /* writes: over what could not be read */
	sector_t sector;	   /* writes: lower sector of the next bounce */
	struct svcenc_use use;	   /* from entering to leaving the range */
	struct svcenc_waiter waiter; /* writes, discards: until they enter */
	atomic_t pending;	   /* writes: unfinished bounces + 1 */
	blk_status_t status;	   /* writes: first error */
	struct work_struct work;
	struct list_head node;	   /* starved_lock */
	struct svcenc_conv conv;
	struct skcipher_request req; /* its context follows: keep last */
};

static_assert(offsetofend(struct svcenc_io, req) == sizeof(struct svcenc_io));

unsigned int svcenc_map_io_size(void)
{
	return ALIGN(offsetof(struct svcenc_io, req) + svcenc_crypt_reqsize(),
		     ARCH_KMALLOC_MINALIGN);
}

static struct svcenc_io *bio_io(struct bio *bio)
{
	return dm_per_bio_data(bio, svcenc_map_io_size());
}

static blk_status_t conv_status(struct svcenc_dev *dev, int rc)
{
	if (!rc)
		return BLK_STS_OK;
	if (rc == -ENOKEY) {
		this_cpu_inc(dev->counters->offline);
		return BLK_STS_OFFLINE;
	}
	this_cpu_inc(dev->counters->crypto_errors);
	return rc == -ENOMEM ? BLK_STS_RESOURCE : BLK_STS_IOERR;
}

static void defer(struct svcenc_io *io)
{
	this_cpu_inc(io->dev->counters->queued);
	queue_work(svcenc_wq, &io->work);
}

/* An asynchronous request of this conversion is done: go on elsewhere. */
static void resume_conv(struct svcenc_conv *conv)
{
	defer(container_of(conv, struct svcenc_io, conv));
}

static void prepare_io(struct svcenc_dev *dev, struct svcenc_io *io,
		       struct bio *bio, void (*work)(struct work_struct *))
{
	io->dev = dev;
	io->bio = bio;
	io->bounce = NULL;
	io->cut = 0;
	io->waited = false;
	io->status = BLK_STS_OK;
	INIT_WORK(&io->work, work);
	io->conv.slot = io->use.slot;
	io->conv.src = bio;
	io->conv.src_iter = bio->bi_iter;
	io->conv.tweak = bio->bi_iter.bi_sector;
	io->conv.sector_size = dev->sector_size;
	io->conv.req = &io->req;
	io->conv.resume = resume_conv;
}

/* dev stays as long as one of its bios does: leave first. */
static void end_bio(struct svcenc_io *io, blk_status_t status)
{
	svcenc_range_leave(&io->dev->range, &io->use);
	io->bio->bi_status = status;
	bio_endio(io->bio);
}

static struct svcenc_run bio_run(const struct bio *bio)
{
	return (struct svcenc_run){
		.start = bio->bi_iter.bi_sector,
		.sectors = bio_sectors(bio),
	};
}

/* ----------------------------------------------------------------- reads */

static void finish_read(struct svcenc_io *io, int rc)
{
	end_bio(io, conv_status(io->dev, rc));
}

static void run_read(struct svcenc_io *io)
{
	const int rc = svcenc_crypt_run(&io->conv);

	if (rc != -EINPROGRESS)
		finish_read(io, rc);
}

static void read_work(struct work_struct *work)
{
	run_read(container_of(work, struct svcenc_io, work));
}

/* AES-NI cannot be used with interrupts off, and large ones go to any CPU. */
static bool convert_here(const struct svcenc_io *io)
{
	return !in_hardirq() && !irqs_disabled() &&
	       io->conv.src_iter.bi_size <= INLINE_MAX_BYTES;
}

static void read_end_io(struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	bio->bi_end_io = io->end_io;
	if (bio->bi_status) {
		this_cpu_inc(io->dev->counters->read_errors);
		end_bio(io, bio->bi_status);
		return;
	}
	svcenc_crypt_prepare(&io->conv);
	if (convert_here(io))
		run_read(io);
	else
		defer(io);
}

static int start_read(struct svcenc_dev *dev, struct bio *bio)
{
	const struct svcenc_run run = bio_run(bio);
	struct svcenc_io *io = bio_io(bio);

	prepare_io(dev, io, bio, read_work);
	if (unlikely(svcenc_range_unreadable(&dev->range, &run))) {
		end_bio(io, BLK_STS_IOERR);
		return DM_MAPIO_SUBMITTED;
	}
	io->conv.dst = bio;
	io->conv.encrypt = false;
	io->end_io = bio->bi_end_io;
	bio->bi_end_io = read_end_io;
	bio_set_dev(bio, dev->lower->bdev);
	bio->bi_iter.bi_sector += io->use.base;
	return DM_MAPIO_REMAPPED;
}

/* ---------------------------------------------------------------- writes */

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
		defer(io);
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

/*
 * What could not be read is overwritten: it may be read again, but only once
 * the superblock says so, or a cut would bring the error back after the write
 * was acknowledged.
 */
static void heal(struct svcenc_io *io)
{
	const int rc = svcenc_unreadable_forget(io->dev, &io->waiter.run);

	end_bio(io, rc == -ENOKEY ? BLK_STS_OFFLINE : errno_to_blk_status(rc));
}

/* All that wait for it, one after the other: each is a commit. */
static void heal_work(struct work_struct *work)
{
	struct svcenc_dev *dev =
		container_of(work, struct svcenc_dev, heal_work);
	struct svcenc_io *io;

	do {
		spin_lock_irq(&dev->starved_lock);
		io = list_first_entry_or_null(&dev->healing, struct svcenc_io,
					      node);
		if (io)
			list_del(&io->node);
		spin_unlock_irq(&dev->starved_lock);
		if (io)
			heal(io);
	} while (io);
}

/*
 * To a queue of its own, and as one job per volume: it waits for I/O of the
 * device below, which may be a volume of ours whose writes need svcenc_wq and
 * svcenc_submit_wq to get on.
 */
static void heal_later(struct svcenc_io *io)
{
	struct svcenc_dev *dev = io->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	list_add_tail(&io->node, &dev->healing);
	spin_unlock_irqrestore(&dev->starved_lock, flags);
	queue_work(svcenc_heal_wq, &dev->heal_work);
}

static void finish_write(struct svcenc_io *io)
{
	if (!atomic_dec_and_test(&io->pending))
		return;
	if (unlikely(io->heals) && !io->status) {
		heal_later(io);
		return;
	}
	end_bio(io, io->status);
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

/* Submits what conversions on the queue have left, in their order. */
static void submit_work(struct work_struct *work)
{
	struct svcenc_dev *dev =
		container_of(work, struct svcenc_dev, submit_work);
	struct blk_plug plug;
	struct bio *bounce;

	blk_start_plug(&plug);
	do {
		spin_lock_irq(&dev->starved_lock);
		bounce = bio_list_pop(&dev->to_submit);
		spin_unlock_irq(&dev->starved_lock);
		if (bounce)
			submit_bio_noacct(bounce);
	} while (bounce);
	blk_finish_plug(&plug);
}

static void submit_later(struct svcenc_dev *dev, struct bio *bounce)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	bio_list_add(&dev->to_submit, bounce);
	spin_unlock_irqrestore(&dev->starved_lock, flags);
	queue_work(svcenc_submit_wq, &dev->submit_work);
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
		submit_later(io->dev, bounce);
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

	conv->dst = io->bounce;
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
		defer(io);
	return false;
}

/*
 * Works on a write until it is submitted as a whole, has failed, is starved,
 * or waits for an asynchronous request (the last two: come back later).
 */
static void run_write(struct svcenc_io *io, bool on_queue)
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
		note_error(io, conv_status(io->dev, rc));
		free_bounce(io->dev, io->bounce);
		release(io->dev);
	}
	finish_write(io);
}

static void write_work(struct work_struct *work)
{
	run_write(container_of(work, struct svcenc_io, work), true);
}

/* Entered: io->use is set. */
static void prepare_write(struct svcenc_dev *dev, struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	io->waiter.run = bio_run(bio);
	prepare_io(dev, io, bio, write_work);
	io->heals = svcenc_range_unreadable(&dev->range, &io->waiter.run);
	io->conv.encrypt = true;
	io->sector = io->use.base + bio->bi_iter.bi_sector;
	atomic_set(&io->pending, 1);
	svcenc_crypt_prepare(&io->conv);
}

static int start_write(struct svcenc_dev *dev, struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	prepare_write(dev, bio);
	if (convert_here(io))
		run_write(io, false);
	else
		defer(io);
	return DM_MAPIO_SUBMITTED;
}

/* -------------------------------------------------------------- discards */

static void discard_end_io(struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	bio->bi_end_io = io->end_io;
	end_bio(io, bio->bi_status);
}

static int start_discard(struct svcenc_dev *dev, struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	io->dev = dev;
	io->bio = bio;
	io->end_io = bio->bi_end_io;
	bio->bi_end_io = discard_end_io;
	bio_set_dev(bio, dev->lower->bdev);
	bio->bi_iter.bi_sector += io->use.base;
	return DM_MAPIO_REMAPPED;
}

/* ------------------------------------------------------ parked, then let go */

static void count_failure(struct svcenc_dev *dev, blk_status_t status)
{
	if (status == BLK_STS_OFFLINE)
		this_cpu_inc(dev->counters->offline);
	else
		this_cpu_inc(dev->counters->write_errors);
}

/*
 * From the rotation's thread, which must not wait: conversions go to their
 * queue, a discard is submitted like a bounce.
 */
static void unparked(struct svcenc_waiter *waiter, blk_status_t status)
{
	struct svcenc_io *io = container_of(waiter, struct svcenc_io, waiter);
	struct svcenc_dev *dev = io->dev;
	struct bio *bio = io->bio;

	if (status) {
		count_failure(dev, status);
		bio->bi_status = status;
		bio_endio(bio);
	} else if (bio_op(bio) == REQ_OP_DISCARD && !svcenc_dev_live(dev)) {
		/* A write asks for its key when it is converted. */
		count_failure(dev, BLK_STS_OFFLINE);
		end_bio(io, BLK_STS_OFFLINE);
	} else if (bio_op(bio) == REQ_OP_DISCARD) {
		start_discard(dev, bio);
		submit_later(dev, bio);
	} else {
		prepare_write(dev, bio);
		defer(io);
	}
}

static struct svcenc_waiter *waiter_of(struct svcenc_dev *dev, struct bio *bio)
{
	struct svcenc_io *io = bio_io(bio);

	if (bio_op(bio) == REQ_OP_READ)
		return NULL;
	io->dev = dev;
	io->bio = bio;
	io->waiter.use = &io->use;
	io->waiter.go = unparked;
	return &io->waiter;
}

/* ------------------------------------------------------------ everything */

static int map_offline(struct svcenc_dev *dev, struct bio *bio)
{
	this_cpu_inc(dev->counters->offline);
	trace_svcenc_offline(svcenc_dev_name(dev), bio->bi_iter.bi_sector,
			     (__force u32)bio->bi_opf);
	bio->bi_status = BLK_STS_OFFLINE;
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

static bool misaligned(const struct svcenc_dev *dev, const struct bio *bio)
{
	const unsigned int sectors = dev->sector_size >> SECTOR_SHIFT;

	return (bio->bi_iter.bi_sector | bio_sectors(bio)) & (sectors - 1);
}

static void count_bio(struct svcenc_dev *dev, enum req_op op)
{
	if (op == REQ_OP_READ)
		this_cpu_inc(dev->counters->reads);
	else if (op == REQ_OP_WRITE)
		this_cpu_inc(dev->counters->writes);
	else
		this_cpu_inc(dev->counters->discards);
}

/* Reads, writes and discards. */
static int map_data(struct svcenc_dev *dev, struct bio *bio)
{
	const enum req_op op = bio_op(bio);

	if (op != REQ_OP_READ && op != REQ_OP_WRITE && op != REQ_OP_DISCARD)
		return DM_MAPIO_KILL;
	count_bio(dev, op);
	if (op != REQ_OP_DISCARD && bio->bi_iter.bi_size > BIO_MAX_BYTES)
		dm_accept_partial_bio(bio, BIO_MAX_BYTES >> SECTOR_SHIFT);
	switch (svcenc_range_enter(&dev->range, bio, waiter_of(dev, bio),
				   &bio_io(bio)->use)) {
	case SVCENC_ENTRY_PARKED:
		this_cpu_inc(dev->counters->parked);
		return DM_MAPIO_SUBMITTED;
	case SVCENC_ENTRY_FAIL:
		/* The key may have ended since the first look. */
		if (!svcenc_dev_live(dev))
			return map_offline(dev, bio);
		this_cpu_inc(dev->counters->write_errors);
		return DM_MAPIO_KILL;
	case SVCENC_ENTRY_GO:
		break;
	}
	if (op == REQ_OP_READ)
		return start_read(dev, bio);
	return op == REQ_OP_WRITE ? start_write(dev, bio) :
				    start_discard(dev, bio);
}

int svcenc_map(struct dm_target *ti, struct bio *bio)
{
	struct svcenc_dev *dev = ti->private;

	bio->bi_iter.bi_sector = dm_target_offset(ti, bio->bi_iter.bi_sector);
	if (unlikely(!svcenc_dev_live(dev)))
		return map_offline(dev, bio);
	/* Always without data: device-mapper sends the data after it. */
	if (bio->bi_opf & REQ_PREFLUSH) {
		this_cpu_inc(dev->counters->flushes);
		bio_set_dev(bio, dev->lower->bdev);
		return DM_MAPIO_REMAPPED;
	}
	if (unlikely(misaligned(dev, bio)))
		return DM_MAPIO_KILL;
	return map_data(dev, bio);
}

/* ------------------------------------------------------------------ life */

int svcenc_map_init(struct svcenc_dev *dev)
{
	int rc;

	spin_lock_init(&dev->starved_lock);
	INIT_LIST_HEAD(&dev->starved);
	bio_list_init(&dev->to_submit);
	INIT_WORK(&dev->submit_work, submit_work);
	INIT_LIST_HEAD(&dev->healing);
	INIT_WORK(&dev->heal_work, heal_work);
	dev->counters = alloc_percpu(struct svcenc_counters);
	if (!dev->counters)
		return -ENOMEM;
	rc = svcenc_range_init(&dev->range);
	if (rc)
		return rc;
	rc = mempool_init_page_pool(&dev->pages, SVCENC_RESERVE_PAGES, 0);
	if (rc)
		return rc;
	return bioset_init(&dev->bounces, SVCENC_RESERVE_BIOS, 0,
			   BIOSET_NEED_BVECS);
}

/*
 * Also for a half-made device: both exits accept zeroed pools. No bio is left,
 * but the work that submitted or ended the last one may still be on its way
 * out.
 */
void svcenc_map_exit(struct svcenc_dev *dev)
{
	if (dev->submit_work.func)
		flush_work(&dev->submit_work);
	if (dev->heal_work.func)
		flush_work(&dev->heal_work);
	bioset_exit(&dev->bounces);
	mempool_exit(&dev->pages);
	svcenc_range_exit(&dev->range);
	free_percpu(dev->counters);
}

void svcenc_map_counters(struct svcenc_dev *dev, struct svcenc_counters *ret)
{
	int cpu;

	memset(ret, 0, sizeof(*ret));
	for_each_possible_cpu(cpu) {
		const struct svcenc_counters *part =
			per_cpu_ptr(dev->counters, cpu);

#define x(name) ret->name += READ_ONCE(part->name);
		SVCENC_COUNTERS(x)
#undef x
	}
}
