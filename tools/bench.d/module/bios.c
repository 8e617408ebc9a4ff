// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a number of bios under way on one device. All memory is there before
 * the clock starts, and a bio that has ended is the next one: the loop costs
 * as little as it can, and the same above every device.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/llist.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/wait.h>

#include "bench.h"

struct slot {
	struct llist_node node; /* while it waits to be used */
	struct stream *stream;
	u64 since_ns;
	struct bio_vec *vecs;
	unsigned int nr_vecs;
	struct bio bio; /* ends in an array: keep last */
};

/* The thread's, but for ended, error, samples and the wait queue. */
struct stream {
	struct bench_job *job;
	struct block_device *bdev;
	u64 places; /* I/Os side by side that the device has room for */
	u64 next;
	u64 due_ns; /* of the next one, after a pause; 0: now */
	u64 random;
	struct llist_node *at_hand;
	struct llist_head ended; /* completions add, the thread takes all */
	wait_queue_head_t wait;
	atomic_t under_way;
	int error;
	u32 *latency;
	atomic_t samples;
	struct slot *slots[];
};

/* ---------------------------------------------------------------- memory */

static void free_slot(struct slot *slot)
{
	unsigned int i;

	if (!slot)
		return;
	for (i = 0; slot->vecs && i < slot->nr_vecs; i++)
		if (slot->vecs[i].bv_page)
			__free_page(slot->vecs[i].bv_page);
	bio_uninit(&slot->bio);
	kvfree(slot->vecs);
	kfree(slot);
}

static int fill_slot(struct slot *slot, unsigned int bytes)
{
	unsigned int i;

	bio_init(&slot->bio, NULL, NULL, 0, 0);
	slot->nr_vecs = DIV_ROUND_UP(bytes, PAGE_SIZE);
	slot->vecs = kvcalloc(slot->nr_vecs, sizeof(*slot->vecs), GFP_KERNEL);
	if (!slot->vecs)
		return -ENOMEM;
	for (i = 0; i < slot->nr_vecs; i++) {
		struct bio_vec *vec = &slot->vecs[i];

		vec->bv_page = alloc_page(GFP_KERNEL);
		if (!vec->bv_page)
			return -ENOMEM;
		vec->bv_len = min_t(unsigned int, bytes, PAGE_SIZE);
		bytes -= vec->bv_len;
		/* Neither zeroes, nor the same everywhere. */
		memset32(page_address(vec->bv_page), get_random_u32(),
			 PAGE_SIZE / sizeof(u32));
	}
	bio_init(&slot->bio, NULL, slot->vecs, slot->nr_vecs, 0);
	return 0;
}

static int make_slot(struct stream *stream, unsigned int number)
{
	struct slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);

	if (!slot)
		return -ENOMEM;
	stream->slots[number] = slot;
	slot->stream = stream;
	llist_add(&slot->node, &stream->ended);
	return fill_slot(slot, stream->job->bytes);
}

static void free_stream(struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < stream->job->depth; i++)
		free_slot(stream->slots[i]);
	if (stream->bdev)
		blkdev_put(stream->bdev, FMODE_READ | FMODE_WRITE);
	kvfree(stream->latency);
	kvfree(stream);
}

static int open_device(struct stream *stream)
{
	const struct bench_job *job = stream->job;
	struct block_device *bdev;
	u64 span;

	bdev = blkdev_get_by_path(job->device, FMODE_READ | FMODE_WRITE, NULL);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	stream->bdev = bdev;
	span = bdev_nr_bytes(bdev);
	if (job->span)
		span = min(span, job->span);
	stream->places = div_u64(span, job->bytes);
	if (job->bytes % bdev_logical_block_size(bdev))
		return -EINVAL;
	return stream->places ? 0 : -ENOSPC;
}

static struct stream *make_stream(struct bench_job *job)
{
	struct stream *stream;
	unsigned int i;
	int rc = 0;

	stream = kvzalloc(struct_size(stream, slots, job->depth), GFP_KERNEL);
	if (!stream)
		return ERR_PTR(-ENOMEM);
	stream->job = job;
	stream->random = get_random_u64() | 1;
	init_waitqueue_head(&stream->wait);
	for (i = 0; i < job->depth && !rc; i++)
		rc = make_slot(stream, i);
	if (!rc && job->latency) {
		stream->latency = kvcalloc(BENCH_SAMPLES_MAX, sizeof(u32),
					   GFP_KERNEL);
		rc = stream->latency ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = open_device(stream);
	if (!rc)
		return stream;
	free_stream(stream);
	return ERR_PTR(rc);
}

/* ------------------------------------------------------------------ loop */

static void note_latency(struct stream *stream, u64 ns)
{
	const int at = atomic_inc_return(&stream->samples) - 1;

	if (at < BENCH_SAMPLES_MAX)
		stream->latency[at] = min_t(u64, ns, U32_MAX);
}

/* Wakes only if the thread has taken all: it looks again before it sleeps. */
static void slot_end_io(struct bio *bio)
{
	struct slot *slot = bio->bi_private;
	struct stream *stream = slot->stream;

	if (unlikely(bio->bi_status))
		cmpxchg(&stream->error, 0, blk_status_to_errno(bio->bi_status));
	if (stream->latency)
		note_latency(stream, ktime_get_ns() - slot->since_ns);
	if (llist_add(&slot->node, &stream->ended) &&
	    wq_has_sleeper(&stream->wait))
		wake_up(&stream->wait);
}

static struct slot *next_slot(struct stream *stream)
{
	struct llist_node *node;

	if (!stream->at_hand) {
		if (llist_empty(&stream->ended))
			wait_event(stream->wait, !llist_empty(&stream->ended));
		stream->at_hand = llist_del_all(&stream->ended);
	}
	node = stream->at_hand;
	stream->at_hand = node->next;
	return llist_entry(node, struct slot, node);
}

static u64 next_place(struct stream *stream)
{
	u64 place = stream->next;

	if (!stream->job->random) {
		stream->next = place + 1 == stream->places ? 0 : place + 1;
		return place;
	}
	stream->random ^= stream->random << 13;
	stream->random ^= stream->random >> 7;
	stream->random ^= stream->random << 17;
	return mul_u64_u64_shr(stream->random, stream->places, 64);
}

static void submit_slot(struct stream *stream, struct slot *slot)
{
	const struct bench_job *job = stream->job;
	struct bio *bio = &slot->bio;

	bio_reset(bio, stream->bdev,
		  job->kind == BENCH_WRITE ? REQ_OP_WRITE | REQ_SYNC | REQ_IDLE :
					     REQ_OP_READ);
	bio->bi_vcnt = slot->nr_vecs;
	bio->bi_iter.bi_size = job->bytes;
	bio->bi_iter.bi_sector = next_place(stream) *
				 (job->bytes >> SECTOR_SHIFT);
	bio->bi_private = slot;
	bio->bi_end_io = slot_end_io;
	if (stream->latency)
		slot->since_ns = stream->due_ns ?: ktime_get_ns();
	submit_bio(bio);
}

/* Takes back what is under way: all slots but those at hand. */
static void drain(struct stream *stream)
{
	unsigned int i;

	for (i = 0; i < stream->job->depth; i++)
		next_slot(stream);
}

/* Who is woken late is late: latency counts from when the pause was over. */
static void pause(struct stream *stream)
{
	const unsigned int us = stream->job->pause_us;

	if (us) {
		stream->due_ns = ktime_get_ns() + (u64)us * NSEC_PER_USEC;
		usleep_range(us, us + 1);
	} else {
		cond_resched();
	}
}

static int loop(struct stream *stream)
{
	struct bench_job *job = stream->job;

	bench_clock_start(job);
	while (bench_goes_on(job, job->done) && !READ_ONCE(stream->error)) {
		submit_slot(stream, next_slot(stream));
		job->done++;
		pause(stream);
	}
	drain(stream);
	bench_clock_stop(job);
	return stream->error;
}

/* --------------------------------------------------------------- results */

static int compare(const void *a, const void *b)
{
	const u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void judge_latency(struct stream *stream)
{
	struct bench_job *job = stream->job;
	const u32 count = min_t(u32, atomic_read(&stream->samples),
				BENCH_SAMPLES_MAX);

	if (!count)
		return;
	sort(stream->latency, count, sizeof(u32), compare, NULL);
	job->p50_ns = stream->latency[count / 2];
	job->p99_ns = stream->latency[(u64)count * 99 / 100];
	job->max_ns = stream->latency[count - 1];
}

int bench_run_bios(struct bench_job *job)
{
	struct stream *stream = make_stream(job);
	int rc;

	if (IS_ERR(stream))
		return PTR_ERR(stream);
	rc = loop(stream);
	if (!rc && stream->latency)
		judge_latency(stream);
	free_stream(stream);
	return rc;
}
