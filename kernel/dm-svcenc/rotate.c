// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a crash at any moment loses nothing
 * ---------------------------------------
 * Let W be the watermark that the superblock says after the crash, and take
 * the direction in which it ascends; the other one is its mirror image. What
 * has to be shown: below W, the new place holds each sector's last content
 * under the next key; at and above W, the old place holds it under the
 * current one.
 *
 * Data ahead of the watermark. A batch [W, W + n) is written to its new place
 * while the superblock still says W. The new place of x is the old place of
 * x - S (S: the spare), so with n <= S, for all uncommitted batches together
 * (I1, core/rotation.h), only old places below W are overwritten, which nobody
 * needs: those sectors are at their new places, durably, or W would not be
 * there. A crash leaves W, the old places from W on as they were, and some
 * ciphertext at new places that is written again. Nobody wrote into the
 * window meanwhile: such writes are parked.
 *
 * Watermark ahead of data. There is none: the first copy of the superblock
 * with W + n is written with PREFLUSH|FUA after the batch's writes have
 * completed, so it is not durable before them. Torn, it has a bad CRC, and the
 * other copy says W; whole, it says W + n and its sequence number wins. Either
 * is right, since nothing that would make a difference has happened: the old
 * places of the batch are not overwritten, and no write to it was let go. Only
 * when both copies are durable does the window move: from then on, no crash
 * and no rot of one copy leads back to W.
 *
 * A batch that could not be read, or is in the way of a suspend, is dropped: W
 * says what it said, the old places are as they were, and whoever is parked
 * writes there. That is the crash that leaves data ahead of the watermark,
 * without the crash. It comes again as smaller ones, or not before a resume.
 *
 * A commit that failed is one that may or may not have happened. Both W and
 * W + n remain right for exactly as long as nobody writes into the window and
 * no further batch is written. So the window stays shut until a later commit,
 * with a higher sequence number, has decided on W again in both copies; then
 * the batch is dropped and parked writes go to the old place. If that fails,
 * too, they fail, and the rest of the volume goes on.
 *
 * The start is one commit: W at its beginning and the next key's wrap, in both
 * copies before the first batch. A start that failed or was cut off leaves a
 * rotation that has moved nothing, or none.
 *
 * The end is one commit. All sectors have been moved, which the superblock
 * says; the spare, which still holds ciphertext under the current key, has
 * been overwritten. Now one superblock says that no rotation runs, that the
 * data is at the other place, and carries the next wrap as its only one. Until
 * it is durable, the one before opens the volume with both keys; it is the
 * same data at the same places. There is no moment at which the header has
 * lost a key that it still asks for.
 *
 * Reads and writes that are under way
 * -----------------------------------
 * Who entered the range (range.h) keeps its place until it leaves. Before a
 * batch is read, everybody who entered before it was claimed has left: a write
 * to its old place is not missed. The same wait makes sure that nobody still
 * reads from the old places that it will overwrite: they are of sectors that
 * W had passed when the batch was claimed, so whoever enters later goes to
 * their new places.
 *
 * The thread allocates nothing on its way, and waits only for the device below,
 * for users that have entered (those wait for nothing but the device below and
 * each other), and for the processor, which it leaves to others for some
 * milliseconds of a window at the most; so parked writes wait milliseconds even
 * if writeback is what must free memory. It can be frozen only when no window
 * is open.
 */
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/mm.h>

#include "batch.h"
#include "control.h"
#include "map.h"
#include "super.h"
#include "unreadable.h"

enum rotate_pace {
	/* How long claim to written shall take; commits come on top. */
	COPY_SHORT_MS = 4,
	COPY_LONG_MS = 10,
	/* While others use the volume: this many parts of rest for one of work. */
	YIELD_PARTS = 3,
	YIELD_MAX_MS = 200,
	/* In a conversion: how long to keep the processor, how long not. */
	TURN_US = 10,
	GIVE_WAY_US = 50,
	/* Tries to decide after a failed commit, each after a longer wait. */
	DECIDE_TRIES = 3,
	DECIDE_WAIT_MS = 50,
};

enum { OVERWRITE_AGAIN = 1 }; /* in smaller pieces */

/* The thread's own. */
struct rotation_job {
	struct svcenc_dev *dev;
	struct svcenc_batch *batches[2];
	u64 claimed_ns[2];	  /* by batch */
	unsigned int turn;	  /* whose turn it is */
	unsigned int batch_bytes; /* wanted */
	u64 careful;		  /* sectors to come in small pieces */
	bool busy;		  /* others used the volume lately */
	u64 others;		  /* bios of others, when last looked */
	u64 work_ns;		  /* what the last batch took */
	u64 turn_ns;		  /* when it last came back from there */
	u64 due_ns;		  /* not before: the rate limit */
};

/* -------------------------------------------------------------- wishes */

static bool must_stop(struct svcenc_dev *dev)
{
	return READ_ONCE(dev->rotate.stop) || READ_ONCE(dev->rotate.paused);
}

static bool may_run(struct svcenc_dev *dev)
{
	return !READ_ONCE(dev->rotate.paused) &&
	       READ_ONCE(dev->rotate.state) == SVCENC_ROTATION_RUNNING;
}

/* ---------------------------------------------------------------- commit */

/* Changes dev->next into what shall be durable; commit_lock held. */
typedef int (*commit_change)(struct svcenc_dev *dev, void *context);

static int commit(struct svcenc_dev *dev, commit_change change, void *context)
{
	int rc = 0;

	mutex_lock(&dev->commit_lock);
	svcenc_super_next(dev);
	if (change)
		rc = change(dev, context);
	if (!rc)
		rc = svcenc_super_commit(dev, dev->key);
	if (!rc) {
		svcenc_dev_publish(dev);
		svcenc_unreadable_show(dev);
	}
	mutex_unlock(&dev->commit_lock);
	return rc;
}

static bool undecided(struct svcenc_dev *dev)
{
	bool unknown;

	mutex_lock(&dev->commit_lock);
	unknown = dev->seq_attempted != dev->sb->seq;
	mutex_unlock(&dev->commit_lock);
	return unknown;
}

/*
 * After a commit of unknown fate: makes what dev->sb says the truth again, in
 * both copies. Until then the window stays as it is.
 */
static bool decide(struct svcenc_dev *dev)
{
	unsigned int try;
	int rc = -EIO;

	/* Without a key there is no use in waiting: who is parked shall know. */
	for (try = 0; rc && rc != -ENOKEY && try < DECIDE_TRIES; try++) {
		const unsigned long wait =
			msecs_to_jiffies(DECIDE_WAIT_MS << try);

		if (try)
			wait_event_timeout(dev->rotate.wake,
					   READ_ONCE(dev->rotate.stop), wait);
		rc = commit(dev, NULL, NULL);
	}
	return !rc;
}

/* ------------------------------------------------------------------ halt */

/*
 * No batch goes on: who is parked goes to the old place, or fails if what is
 * on disk cannot be decided; without a key like all other I/O.
 */
static void open_window(struct svcenc_dev *dev)
{
	if (!undecided(dev) || decide(dev))
		svcenc_range_abandon(&dev->range);
	else
		svcenc_range_fail(&dev->range, svcenc_dev_live(dev) ?
						       BLK_STS_IOERR :
						       BLK_STS_OFFLINE);
}

/* The rotation rests until it is resumed (an error) or the key is back. */
static void halt_rotation(struct svcenc_dev *dev,
			  enum svcenc_rotation_state state, const char *reason)
{
	open_window(dev);
	svcenc_control_halted(dev, state, reason);
}

static void halt_commit(struct svcenc_dev *dev, int rc)
{
	if (rc == -ENOKEY)
		halt_rotation(dev, SVCENC_ROTATION_LOCKED, "policy key ended");
	else if (rc == -E2BIG)
		halt_rotation(dev, SVCENC_ROTATION_READ_ERROR,
			      "list of unreadable extents is full");
	else
		halt_rotation(dev, SVCENC_ROTATION_SUPER_ERROR,
			      "superblock could not be written");
}

/* The window first: nobody waits until the sector has been found. */
static void halt_read(struct svcenc_dev *dev, struct svcenc_batch *batch,
		      int rc)
{
	char reason[SVCENC_ROTATE_REASON];
	u64 sector;

	open_window(dev);
	if (svcenc_batch_find_bad(batch, &dev->rotate.stop, &sector))
		scnprintf(reason, sizeof(reason), "sector %llu cannot be read",
			  sector);
	else
		scnprintf(reason, sizeof(reason), "reading failed (%d)", rc);
	svcenc_control_halted(dev, SVCENC_ROTATION_READ_ERROR, reason);
}

static void halt_write(struct svcenc_dev *dev, const struct svcenc_batch *batch)
{
	char reason[SVCENC_ROTATE_REASON];

	scnprintf(reason, sizeof(reason),
		  "writing to the new place failed in sectors %llu to %llu",
		  batch->run.start, batch->run.start + batch->run.sectors - 1);
	halt_rotation(dev, SVCENC_ROTATION_WRITE_ERROR, reason);
}

/* ------------------------------------------------------------------ pace */

static u64 others_now(struct svcenc_dev *dev)
{
	struct svcenc_counters counters;

	svcenc_map_counters(dev, &counters);
	return counters.reads + counters.writes + counters.discards;
}

/*
 * @sectors could not be read or written, and one bad sector is enough for that.
 * They are done again in pieces that are smaller by far, each of which looks
 * at who wants to stop or waits in its window. False: it was one sector.
 */
static bool more_careful(struct rotation_job *job, u64 sectors)
{
	const unsigned int bytes = sectors << SECTOR_SHIFT;

	if (bytes == job->dev->sector_size)
		return false;
	job->careful = sectors;
	job->batch_bytes = bytes > SVCENC_BATCH_MIN ? SVCENC_BATCH_MIN :
						      job->dev->sector_size;
	return true;
}

static void less_careful(struct rotation_job *job, u64 sectors)
{
	job->careful -= min(job->careful, sectors);
	if (!job->careful)
		job->batch_bytes = SVCENC_BATCH_MIN;
}

/* @bytes took @ns: when may the next begin, and how large shall it be? */
static void pace(struct rotation_job *job, u64 bytes, u64 ns)
{
	const u32 rate = READ_ONCE(job->dev->rotate.rate_kib_s);
	const u64 others = others_now(job->dev), now = ktime_get_ns();

	job->busy = others != job->others;
	job->others = others;
	job->work_ns = ns;
	if (job->careful)
		less_careful(job, bytes >> SECTOR_SHIFT);
	else if (ns > COPY_LONG_MS * NSEC_PER_MSEC)
		job->batch_bytes = max_t(unsigned int, job->batch_bytes / 2,
					 SVCENC_BATCH_MIN);
	else if (ns < COPY_SHORT_MS * NSEC_PER_MSEC)
		job->batch_bytes =
			min(job->batch_bytes * 2, job->batches[0]->max_bytes);
	/* What was not used of the rate is not saved up for later. */
	if (rate)
		job->due_ns = max(job->due_ns, now) +
			      div_u64(bytes * NSEC_PER_SEC / 1024, rate);
}

/*
 * In a conversion, after each turn. To offer the processor is not enough: who
 * has rested as we have is owed some of it by the scheduler, and would keep it
 * for milliseconds, from one who is about to send the next bio, too. But a
 * window that has been open for long is not kept open by this: somebody may be
 * parked. Where timers have ticks only, a sleep as short as this cannot be had.
 */
static void give_way(void *context)
{
	struct rotation_job *job = context;
	const u64 now = ktime_get_ns();
	const u64 open_ns = now - job->claimed_ns[job->turn ^ 1];

	if (hrtimer_resolution > GIVE_WAY_US * NSEC_PER_USEC ||
	    now - job->turn_ns < TURN_US * NSEC_PER_USEC ||
	    open_ns > COPY_LONG_MS * NSEC_PER_MSEC ||
	    (!job->busy && !svcenc_range_in_use(&job->dev->range))) {
		cond_resched();
		return;
	}
	usleep_range(GIVE_WAY_US, 2 * GIVE_WAY_US);
	job->turn_ns = ktime_get_ns();
}

/* How long to rest before the next batch. */
static u64 rest_ns(const struct rotation_job *job)
{
	const u64 now = ktime_get_ns();
	u64 rest = 0;

	if (job->busy)
		rest = min_t(u64, job->work_ns * YIELD_PARTS,
			     YIELD_MAX_MS * NSEC_PER_MSEC);
	if (job->due_ns > now && READ_ONCE(job->dev->rotate.rate_kib_s))
		rest = max(rest, job->due_ns - now);
	return rest;
}

/* No window is open here: may sleep, and be frozen. */
static void rest(struct rotation_job *job)
{
	const u64 ns = rest_ns(job);
	struct svcenc_rotate *rotate = &job->dev->rotate;
	const u32 rate = READ_ONCE(rotate->rate_kib_s);

	try_to_freeze();
	if (ns)
		wait_event_freezable_timeout(rotate->wake,
					     must_stop(job->dev) ||
					     READ_ONCE(rotate->rate_kib_s) != rate,
					     nsecs_to_jiffies(ns) + 1);
}

/* May the next batch begin before this one is committed? */
static bool may_overlap(struct rotation_job *job)
{
	return !job->busy && !must_stop(job->dev) && !freezing(current) &&
	       !READ_ONCE(job->dev->rotate.rate_kib_s);
}

/* --------------------------------------------------------------- a batch */

/*
 * In 512-byte sectors: where a batch may end. Not inside a physical block of
 * the device. It would be written a second time for the next batch, by a drive
 * that reads, changes and writes it, when its half of the first one is durable:
 * a power cut in there could take that along. One sector after the other, in
 * search of a bad one, has no choice; nor has what lies on a partition that
 * begins inside a block.
 */
static u64 edge_unit(const struct rotation_job *job)
{
	const unsigned int block =
		bdev_physical_block_size(job->dev->lower->bdev);

	if (is_power_of_2(block) && block > job->dev->sector_size &&
	    block <= min_t(unsigned int, job->batch_bytes, SVCENC_BATCH_MIN))
		return block >> SECTOR_SHIFT;
	return job->dev->sector_size >> SECTOR_SHIFT;
}

/*
 * Claims the next sectors, waits for who used them, begins to read them. NULL
 * if there is nothing (more) to claim.
 */
static struct svcenc_batch *begin_batch(struct rotation_job *job)
{
	struct svcenc_dev *dev = job->dev;
	struct svcenc_batch *batch = job->batches[job->turn];
	struct svcenc_rotation layout;
	struct svcenc_run run;
	u64 want;

	svcenc_range_get(&dev->range, &layout);
	/*
	 * Half of the spare, so that the next batch finds room beside it. The
	 * two may have got different numbers of pages.
	 */
	want = min(job->batch_bytes, batch->max_bytes) >> SECTOR_SHIFT;
	run = svcenc_range_claim(&dev->range,
				 min(want, layout.spare / SVCENC_BATCHES),
				 edge_unit(job));
	if (!run.sectors)
		return NULL;
	job->claimed_ns[job->turn] = ktime_get_ns();
	job->turn ^= 1;
	svcenc_range_wait(&dev->range);
	svcenc_batch_read(batch, &run, dev->range.base[layout.place]);
	return batch;
}

/*
 * @batch could not be read. True: its only sector is passed over. False: it
 * halted, or begins again at W with smaller pieces: it is the only batch. Its
 * window does not stay open until then, because the rotation may be told to
 * stop or to pause before that, and who is parked would wait for ever.
 */
static bool pass_over(struct rotation_job *job, struct svcenc_batch *batch,
		      int rc)
{
	const bool skip = READ_ONCE(job->dev->rotate.skip_unreadable) &&
			  svcenc_batch_medium_error(rc);

	if (skip && more_careful(job, batch->run.sectors)) {
		open_window(job->dev);
		return false;
	}
	if (skip)
		svcenc_batch_blank(batch);
	else
		halt_read(job->dev, batch, rc);
	return skip;
}

/* Re-encrypts what begin_batch() reads. False: as pass_over(). */
static bool copy_batch(struct rotation_job *job, struct svcenc_batch *batch)
{
	struct svcenc_dev *dev = job->dev;
	struct svcenc_rotation layout;
	int rc;

	svcenc_range_get(&dev->range, &layout);
	rc = svcenc_batch_read_wait(batch);
	if (rc && !pass_over(job, batch, rc))
		return false;
	rc = svcenc_batch_convert(batch, dev->range.current_slot,
				  dev->range.next_slot);
	if (rc) {
		halt_rotation(dev,
			      rc == -ENOKEY ? SVCENC_ROTATION_LOCKED :
					      SVCENC_ROTATION_WRITE_ERROR,
			      rc == -ENOKEY ? "policy key ended" :
					      "the crypto API refused");
		return false;
	}
	rc = svcenc_batch_write(batch, dev->range.base[!layout.place]);
	if (rc)
		halt_write(dev, batch);
	return !rc;
}

static int change_watermark(struct svcenc_dev *dev, void *context)
{
	const struct svcenc_batch *batch = context;
	struct svcenc_rotation layout;

	svcenc_range_get(&dev->range, &layout);
	dev->next->watermark = svcenc_rotation_next_durable(&layout);
	return batch->found.count ? svcenc_unreadable_add(dev, &batch->found) :
				    0;
}

/* The oldest batch is written: commits it and lets go who waited. */
static bool commit_batch(struct rotation_job *job, struct svcenc_batch *batch,
			 u64 copied_ns)
{
	struct svcenc_dev *dev = job->dev;
	const int rc = commit(dev, change_watermark, batch);

	if (rc) {
		halt_commit(dev, rc);
		return false;
	}
	svcenc_range_advance(&dev->range);
	pace(job, batch->run.sectors << SECTOR_SHIFT, copied_ns);
	svcenc_control_progress(dev);
	return true;
}

/* Nothing is left to claim. The end must not come for any other reason. */
static bool all_moved(struct svcenc_dev *dev)
{
	struct svcenc_rotation layout;

	svcenc_range_get(&dev->range, &layout);
	if (!WARN_ON_ONCE(!svcenc_rotation_all_moved(&layout)))
		return true;
	halt_rotation(dev, SVCENC_ROTATION_HELD, "layout is not understood");
	return false;
}

/* Batch after batch. True if no sector is left. */
static bool move_sectors(struct rotation_job *job)
{
	struct svcenc_batch *ready = NULL, *next;
	u64 copied_ns = 0;

	for (;;) {
		if (!ready)
			rest(job);
		if (!ready && must_stop(job->dev))
			return false;
		next = !ready || may_overlap(job) ? begin_batch(job) : NULL;
		if (!ready && !next)
			return all_moved(job->dev);
		if (ready && !commit_batch(job, ready, copied_ns)) {
			if (next)
				svcenc_batch_drop(next);
			return false;
		}
		if (next && !copy_batch(job, next))
			return false;
		ready = next;
		if (ready)
			copied_ns =
				ktime_get_ns() - job->claimed_ns[job->turn ^ 1];
	}
}

/* --------------------------------------------------------------- the end */

/* Random bytes over a piece of the spare. An error, or OVERWRITE_AGAIN. */
static int overwrite(struct rotation_job *job, sector_t start, u64 sectors)
{
	const int rc = svcenc_batch_overwrite(job->batches[0], start, sectors);

	if (!rc || !READ_ONCE(job->dev->rotate.skip_unreadable) ||
	    !svcenc_batch_medium_error(rc))
		return rc;
	if (more_careful(job, sectors))
		return OVERWRITE_AGAIN;
	/*
	 * What can be neither written nor read, because of the medium, is
	 * passed over: a device that is only away still has it. The other
	 * batch's page, so that what was read is written nowhere.
	 */
	return svcenc_batch_is_bad(job->batches[1], start) ? 0 : rc;
}

/*
 * What is left of the ciphertext under the current key. Random bytes, so that
 * no layer below can save itself the write.
 */
static bool overwrite_spare(struct rotation_job *job)
{
	struct svcenc_dev *dev = job->dev;
	struct svcenc_batch *batch = job->batches[0];
	struct svcenc_rotation layout;
	struct svcenc_run run;

	svcenc_range_get(&dev->range, &layout);
	run = svcenc_rotation_spare(&layout);
	run.start += dev->range.base[SVCENC_PLACE_LOW];
	svcenc_batch_fill(batch);
	while (run.sectors && !must_stop(dev)) {
		const u64 begin = ktime_get_ns();
		const u64 sectors = min_t(u64, run.sectors,
					  job->batch_bytes >> SECTOR_SHIFT);
		const int rc = overwrite(job, run.start, sectors);

		if (rc == OVERWRITE_AGAIN)
			continue;
		if (rc) {
			halt_rotation(dev, SVCENC_ROTATION_WRITE_ERROR,
				      "overwriting the spare failed");
			return false;
		}
		run.start += sectors;
		run.sectors -= sectors;
		pace(job, sectors << SECTOR_SHIFT, ktime_get_ns() - begin);
		rest(job);
	}
	return !run.sectors;
}

static int change_to_end(struct svcenc_dev *dev, void *unused)
{
	svcenc_sb_rotation_end(dev->next);
	return 0;
}

/* All sectors are under the next key. True: so is the superblock. */
static bool complete_rotation(struct rotation_job *job)
{
	struct svcenc_dev *dev = job->dev;
	struct svcenc_slot *old = dev->range.current_slot;
	int rc;

	/* Readers of the old place leave before it is overwritten. */
	svcenc_range_wait(&dev->range);
	if (!overwrite_spare(job))
		return false;
	rc = commit(dev, change_to_end, NULL);
	if (rc) {
		halt_commit(dev, rc);
		return false;
	}
	svcenc_range_finish(&dev->range);
	/* Nobody is left who could convert with the old key; it goes now. */
	svcenc_key_detach(old);
	return true;
}

/* ---------------------------------------------------------------- thread */

static bool run_rotation(struct rotation_job *job)
{
	struct svcenc_dev *dev = job->dev;

	/* A commit failed before, and could not be decided then. */
	if (undecided(dev) && !decide(dev)) {
		halt_rotation(dev, SVCENC_ROTATION_SUPER_ERROR,
			      "superblock could not be written");
		return false;
	}
	/* It may have been decided by a commit that was not the rotation's. */
	svcenc_range_abandon(&dev->range);
	if (!job->careful)
		job->batch_bytes = SVCENC_BATCH_MIN;
	job->others = others_now(dev);
	return move_sectors(job) && complete_rotation(job);
}

static void init_batches(struct rotation_job *job)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(job->batches); i++) {
		job->batches[i]->after_turn = give_way;
		job->batches[i]->context = job;
	}
}

static int rotate_thread(void *context)
{
	struct rotation_job *job = context;
	struct svcenc_dev *dev = job->dev;
	struct svcenc_rotate *rotate = &dev->rotate;
	const unsigned int noio = memalloc_noio_save();
	bool complete = false;

	set_freezable();
	svcenc_range_wait_idle(&dev->range);
	while (!complete && !READ_ONCE(rotate->stop)) {
		if (may_run(dev)) {
			complete = run_rotation(job);
			continue;
		}
		svcenc_control_rests(dev);
		wait_event_freezable(rotate->wake,
				     READ_ONCE(rotate->stop) || may_run(dev));
	}
	svcenc_batch_free(job->batches[0]);
	svcenc_batch_free(job->batches[1]);
	kfree(job);
	svcenc_control_exits(dev, complete);
	memalloc_noio_restore(noio);
	kthread_complete_and_exit(&rotate->exited, 0);
}

int svcenc_rotate_run(struct svcenc_dev *dev, struct svcenc_batch *batches[2])
{
	struct rotation_job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	struct task_struct *thread;

	if (!job)
		return -ENOMEM;
	job->dev = dev;
	job->batches[0] = batches[0];
	job->batches[1] = batches[1];
	init_batches(job);
	thread = kthread_run(rotate_thread, job, "svcenc/%s",
			     svcenc_dev_name(dev));
	if (IS_ERR(thread)) {
		kfree(job);
		return PTR_ERR(thread);
	}
	return 0;
}
