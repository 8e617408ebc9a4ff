// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read is remapped and decrypted in place when it comes back. A write is
 * encrypted into bounce pages. As a rule they come from the cache, all at
 * once, and device-mapper's clone itself is sent down with them in place of
 * the data: no bio of our own, nothing to count. Where there are too few pages
 * for that, split.c takes over; who goes down whole takes nothing from the
 * reserves and never waits, so it has no part in what is argued there.
 *
 * Conversions of all volumes share two workqueues, so they must not wait for a
 * device: where one submits, it may have to wait for a request's tag. A
 * conversion in the submitter's own context submits by itself; one on the
 * queue leaves it to the volume's submit_work, of which at most one runs per
 * volume, on a queue apart. Otherwise the writes of an upper volume could fill
 * the queue that the lower one needs to make progress.
 */
#include <linux/blkdev.h>

#include "bounce.h"
#include "compat.h"
#include "io.h"
#include "map.h"
#include "trace.h"
#include "unreadable.h"

enum map_limits {
	/* Larger reads and writes are cut, so that several CPUs share them. */
	BIO_MAX_BYTES = 128 << 10,
	/* Up to here the submitter or the completion converts by itself. */
	INLINE_MAX_BYTES = 64 << 10,
};

static_assert(offsetofend(struct svcenc_io, req) == sizeof(struct svcenc_io));
/* One page has room for the vectors of any bio. */
static_assert(BIO_MAX_BYTES / PAGE_SIZE * sizeof(struct bio_vec) <= PAGE_SIZE);

unsigned int svcenc_map_io_size(void)
{
	return ALIGN(offsetof(struct svcenc_io, req) + svcenc_crypt_reqsize(),
		     ARCH_KMALLOC_MINALIGN);
}

static struct svcenc_io *bio_io(struct svcenc_dev *dev, struct bio *bio)
{
	return dm_per_bio_data(bio, dev->ti->per_io_data_size);
}

blk_status_t svcenc_io_conv_status(struct svcenc_dev *dev, int rc)
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

/*
 * Large ones go to any CPU. A write that is cut for want of memory stays what it
 * was: another queue would want workers of its own, just when there is no memory
 * for them.
 */
static bool is_small(const struct svcenc_io *io)
{
	const unsigned int bytes =
		io->conv.encrypt ? io->waiter.run.sectors << SECTOR_SHIFT :
				   io->conv.src_iter.bi_size;

	return bytes <= INLINE_MAX_BYTES;
}

/* Small ones have a line of their own: in that of the large they would be last. */
static void enqueue(struct svcenc_io *io)
{
	queue_work(is_small(io) ? svcenc_small_wq : svcenc_wq, &io->work);
}

void svcenc_io_defer(struct svcenc_io *io)
{
	this_cpu_inc(io->dev->counters->queued);
	enqueue(io);
}

/* An asynchronous request of this conversion is done: go on elsewhere. */
static void resume_conv(struct svcenc_conv *conv)
{
	svcenc_io_defer(container_of(conv, struct svcenc_io, conv));
}

static void prepare_io(struct svcenc_dev *dev, struct svcenc_io *io,
		       struct bio *bio, void (*work)(struct work_struct *))
{
	io->dev = dev;
	io->bio = bio;
	INIT_WORK(&io->work, work);
	io->conv.slot = io->use.slot;
	io->conv.src = bio->bi_io_vec;
	io->conv.src_iter = bio->bi_iter;
	io->conv.tweak = bio->bi_iter.bi_sector;
	io->conv.sector_size = dev->sector_size;
	io->conv.req = &io->req;
	io->conv.resume = resume_conv;
}

/*
 * dev stays as long as one of its bios does: leave first. The clone has been
 * through bio_endio() if it was below, and has nothing for it to do if not.
 */
static void end_bio(struct svcenc_io *io, blk_status_t status)
{
	svcenc_range_leave(&io->dev->range, &io->use);
	io->bio->bi_status = status;
	io->bio->bi_end_io(io->bio);
}

/* The clone goes to the device below, and comes back to @end_io. */
static void aim_clone(struct svcenc_io *io, bio_end_io_t *end_io)
{
	struct bio *bio = io->bio;

	io->end_io = bio->bi_end_io;
	bio->bi_end_io = end_io;
	bio->bi_private = io;
	bio_set_dev(bio, io->dev->lower->bdev);
	bio->bi_iter.bi_sector += io->use.base;
}

/* The clone is back: it is as it was but for device and iterator. */
static struct svcenc_io *returned(struct bio *bio)
{
	struct svcenc_io *io = bio->bi_private;

	bio->bi_end_io = io->end_io;
	return io;
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
	end_bio(io, svcenc_io_conv_status(io->dev, rc));
}

static void run_read(struct svcenc_io *io)
{
	const int rc = svcenc_crypt_run(&io->conv);

	if (rc != -EINPROGRESS)
		finish_read(io, rc);
}

static void read_work(struct work_struct *work)
{
	struct svcenc_io *io = container_of(work, struct svcenc_io, work);

	io->conv.yields = true;
	run_read(io);
}

/*
 * The crypto API does not work with interrupts off. Where a conversion was
 * interrupted the processor's AES is not at hand: the API would hand it to a
 * thread of cryptd, and that back to our queue.
 */
static bool may_convert(void)
{
	return !in_hardirq() && !irqs_disabled() && svcenc_simd_usable();
}

/* From softirq context, or late: then there were many before it. */
static void read_soon(struct svcenc_soon *soon, bool late)
{
	struct svcenc_io *io = container_of(soon, struct svcenc_io, soon);

	if (late || !may_convert())
		enqueue(io);
	else
		run_read(io);
}

static void read_end_io(struct bio *bio)
{
	struct svcenc_io *io = returned(bio);

	if (bio->bi_status) {
		this_cpu_inc(io->dev->counters->read_errors);
		end_bio(io, bio->bi_status);
		return;
	}
	svcenc_crypt_prepare(&io->conv);
	if (!is_small(io)) {
		svcenc_io_defer(io);
	} else if (likely(may_convert())) {
		run_read(io);
	} else {
		this_cpu_inc(io->dev->counters->queued);
		io->soon.run = read_soon;
		io->soon.bytes = io->conv.src_iter.bi_size;
		svcenc_soon(&io->soon);
	}
}

static int start_read(struct svcenc_dev *dev, struct svcenc_io *io,
		      struct bio *bio)
{
	const struct svcenc_run run = bio_run(bio);

	prepare_io(dev, io, bio, read_work);
	if (unlikely(svcenc_range_unreadable(&dev->range, &run))) {
		end_bio(io, BLK_STS_IOERR);
		return DM_MAPIO_SUBMITTED;
	}
	io->conv.dst = io->conv.src;
	io->conv.encrypt = false;
	aim_clone(io, read_end_io);
	return DM_MAPIO_REMAPPED;
}

/* ---------------------------------------------------------------- writes */

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
 * device below, which may be a volume of ours whose writes need these queues and
 * svcenc_submit_wq to get on. Queued with the lock held: without it the work, if
 * it is running already, could end @io, and with the last of its bios the volume
 * could go, before it is queued.
 */
static void heal_later(struct svcenc_io *io)
{
	struct svcenc_dev *dev = io->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	list_add_tail(&io->node, &dev->healing);
	queue_work(svcenc_heal_wq, &dev->heal_work);
	spin_unlock_irqrestore(&dev->starved_lock, flags);
}

/* All of it is written, or has failed. */
void svcenc_io_end_write(struct svcenc_io *io, blk_status_t status)
{
	if (unlikely(io->heals) && !status) {
		heal_later(io);
		return;
	}
	end_bio(io, status);
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

/* Queued with the lock held, for the reason that heal_later() has. */
void svcenc_io_submit_later(struct svcenc_dev *dev, struct bio *bounce)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->starved_lock, flags);
	bio_list_add(&dev->to_submit, bounce);
	queue_work(svcenc_submit_wq[dev->level], &dev->submit_work);
	spin_unlock_irqrestore(&dev->starved_lock, flags);
}

/*
 * All pages for @io at once and none of the reserve's; false if there are too
 * few. The vectors of more than one lie in a further page.
 */
static bool take_pages(struct svcenc_io *io)
{
	const unsigned int bytes = io->conv.src_iter.bi_size;
	const unsigned int count = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct bio_vec *vecs = &io->one;
	unsigned int i;

	if (!svcenc_bounce_get(&io->one, 1))
		return false;
	if (count > 1) {
		vecs = page_address(io->one.bv_page);
		if (!svcenc_bounce_get(vecs, count)) {
			svcenc_bounce_put(&io->one, 1);
			return false;
		}
	}
	for (i = 0; i < count; i++) {
		vecs[i].bv_len = PAGE_SIZE;
		vecs[i].bv_offset = 0;
	}
	vecs[count - 1].bv_len -= count * PAGE_SIZE - bytes;
	io->vecs = vecs;
	return true;
}

/* To the volume's reserve if that lacks any, else to the cache. */
static void put_pages(struct svcenc_dev *dev, const struct bio_vec *vecs,
		      unsigned int count)
{
	/* As in mempool_free(): who took from the reserve sees it lacking. */
	smp_rmb();
	while (unlikely(READ_ONCE(dev->pages.curr_nr) < dev->pages.min_nr) &&
	       count)
		mempool_free(vecs[--count].bv_page, &dev->pages);
	if (likely(count))
		svcenc_bounce_put(vecs, count);
}

static void give_pages_back(struct svcenc_io *io)
{
	const unsigned int bytes = io->waiter.run.sectors << SECTOR_SHIFT;

	if (io->vecs != &io->one)
		put_pages(io->dev, io->vecs, DIV_ROUND_UP(bytes, PAGE_SIZE));
	put_pages(io->dev, &io->one, 1);
}

static void write_end_io(struct bio *bio)
{
	struct svcenc_io *io = returned(bio);

	if (bio->bi_status)
		this_cpu_inc(io->dev->counters->write_errors);
	give_pages_back(io);
	svcenc_io_end_write(io, bio->bi_status);
}

/*
 * The data of the clone are the pages from now on. It does not own its
 * vectors, so it need not get the old ones back: device-mapper looks at
 * nothing but its status when it ends.
 */
static void show_pages(struct svcenc_io *io)
{
	struct bio *bio = io->bio;

	bio->bi_io_vec = io->vecs;
	bio->bi_iter.bi_idx = 0;
	bio->bi_iter.bi_bvec_done = 0;
	aim_clone(io, write_end_io);
}

/* The first part of run_write(), or what is left after a request that waited. */
static int run_whole(struct svcenc_io *io, bool on_queue)
{
	const int rc = svcenc_crypt_run(&io->conv);

	if (rc == -EINPROGRESS)
		return DM_MAPIO_SUBMITTED;
	if (unlikely(rc)) {
		give_pages_back(io);
		end_bio(io, svcenc_io_conv_status(io->dev, rc));
		return DM_MAPIO_SUBMITTED;
	}
	show_pages(io);
	if (!on_queue)
		return DM_MAPIO_REMAPPED;
	/* Whoever polls for it does not do so in the context of submit_work. */
	io->bio->bi_opf &= ~REQ_POLLED;
	svcenc_io_submit_later(io->dev, io->bio);
	return DM_MAPIO_SUBMITTED;
}

static bool aim_whole(struct svcenc_io *io)
{
	if (!take_pages(io))
		return false;
	io->conv.dst = io->vecs;
	io->conv.dst_iter = (struct bvec_iter){
		.bi_size = io->conv.src_iter.bi_size,
	};
	return true;
}

/* In the clone if that can be, and from then on; else in bounce bios. */
static int run_write(struct svcenc_io *io, bool on_queue)
{
	if (io->vecs || (!io->split && aim_whole(io)))
		return run_whole(io, on_queue);
	io->split = true;
	svcenc_split_run(io, on_queue);
	return DM_MAPIO_SUBMITTED;
}

static void write_work(struct work_struct *work)
{
	struct svcenc_io *io = container_of(work, struct svcenc_io, work);

	io->conv.yields = true;
	run_write(io, true);
}

/* Entered: io->use is set. */
static void prepare_write(struct svcenc_dev *dev, struct svcenc_io *io,
			  struct bio *bio)
{
	io->waiter.run = bio_run(bio);
	prepare_io(dev, io, bio, write_work);
	io->vecs = NULL;
	io->bounce = NULL;
	io->cut = 0;
	io->split = false;
	io->waited = false;
	io->status = BLK_STS_OK;
	io->heals = svcenc_range_unreadable(&dev->range, &io->waiter.run);
	io->conv.encrypt = true;
	io->sector = io->use.base + bio->bi_iter.bi_sector;
	atomic_set(&io->pending, 1);
	svcenc_crypt_prepare(&io->conv);
}

static int start_write(struct svcenc_dev *dev, struct svcenc_io *io,
		       struct bio *bio)
{
	prepare_write(dev, io, bio);
	if (is_small(io) && may_convert())
		return run_write(io, false);
	svcenc_io_defer(io);
	return DM_MAPIO_SUBMITTED;
}

/* -------------------------------------------------------------- discards */

static void discard_end_io(struct bio *bio)
{
	end_bio(returned(bio), bio->bi_status);
}

static int start_discard(struct svcenc_dev *dev, struct svcenc_io *io,
			 struct bio *bio)
{
	io->dev = dev;
	io->bio = bio;
	aim_clone(io, discard_end_io);
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
		start_discard(dev, io, bio);
		svcenc_io_submit_later(dev, bio);
	} else {
		prepare_write(dev, io, bio);
		svcenc_io_defer(io);
	}
}

static struct svcenc_waiter *waiter_of(struct svcenc_dev *dev,
				       struct svcenc_io *io, struct bio *bio)
{
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
	struct svcenc_io *io = bio_io(dev, bio);
	const enum req_op op = bio_op(bio);

	if (op != REQ_OP_READ && op != REQ_OP_WRITE && op != REQ_OP_DISCARD)
		return DM_MAPIO_KILL;
	count_bio(dev, op);
	if (op != REQ_OP_DISCARD && bio->bi_iter.bi_size > BIO_MAX_BYTES)
		dm_accept_partial_bio(bio, BIO_MAX_BYTES >> SECTOR_SHIFT);
	switch (svcenc_range_enter(&dev->range, bio, waiter_of(dev, io, bio),
				   &io->use)) {
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
		return start_read(dev, io, bio);
	return op == REQ_OP_WRITE ? start_write(dev, io, bio) :
				    start_discard(dev, io, bio);
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

	svcenc_split_init(dev);
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
