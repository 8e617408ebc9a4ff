// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/sched/mm.h>

#include "activate.h"
#include "batch.h"
#include "begin.h"
#include "control.h"
#include "netlink.h"

/* ---------------------------------------------------------------- events */

static void get_reason(struct svcenc_dev *dev, char *ret)
{
	spin_lock(&dev->status_lock);
	strscpy(ret, dev->rotate.reason, SVCENC_ROTATE_REASON);
	spin_unlock(&dev->status_lock);
}

/* On a queue on which nothing depends: it may wait for memory. */
static void send_events(struct work_struct *work)
{
	struct svcenc_rotate *rotate =
		container_of(work, struct svcenc_rotate, event_work);
	struct svcenc_dev *dev =
		container_of(rotate, struct svcenc_dev, rotate);
	const unsigned long events = xchg(&rotate->events, 0);
	char reason[SVCENC_ROTATE_REASON];

	get_reason(dev, reason);
	if (events & BIT(SVCENC_EVENT_ROTATION_PROGRESS))
		svcenc_netlink_dev_event(SVCENC_EVENT_ROTATION_PROGRESS, dev,
					 NULL);
	if (events & BIT(SVCENC_EVENT_ROTATION_PAUSED))
		svcenc_netlink_dev_event(SVCENC_EVENT_ROTATION_PAUSED, dev,
					 reason);
	if (events & BIT(SVCENC_EVENT_ROTATION_DONE))
		svcenc_netlink_dev_event(SVCENC_EVENT_ROTATION_DONE, dev, NULL);
	/* Wakes "dmsetup wait". */
	if (events & ~BIT(SVCENC_EVENT_ROTATION_PROGRESS))
		dm_table_event(dev->ti->table);
}

static void note_event(struct svcenc_dev *dev, enum svcenc_event event)
{
	set_bit(event, &dev->rotate.events);
	queue_work(svcenc_event_wq, &dev->rotate.event_work);
}

void svcenc_control_progress(struct svcenc_dev *dev)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	if (time_before(jiffies, rotate->progress_due))
		return;
	rotate->progress_due = jiffies + HZ;
	note_event(dev, SVCENC_EVENT_ROTATION_PROGRESS);
}

void svcenc_control_halted(struct svcenc_dev *dev,
			   enum svcenc_rotation_state state, const char *reason)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	DMWARN("%s: rotation halted: %s", svcenc_dev_name(dev), reason);
	spin_lock(&dev->status_lock);
	WRITE_ONCE(rotate->state, state);
	strscpy(rotate->reason, reason, sizeof(rotate->reason));
	spin_unlock(&dev->status_lock);
	note_event(dev, SVCENC_EVENT_ROTATION_PAUSED);
}

void svcenc_control_rests(struct svcenc_dev *dev)
{
	struct svcenc_rotate *rotate = &dev->rotate;
	bool paused;

	spin_lock(&dev->status_lock);
	/* Not an error before, and not resumed just now. */
	paused = rotate->state == SVCENC_ROTATION_RUNNING &&
		 READ_ONCE(rotate->paused);
	if (paused) {
		WRITE_ONCE(rotate->state, SVCENC_ROTATION_PAUSED);
		strscpy(rotate->reason, "asked for", sizeof(rotate->reason));
	}
	spin_unlock(&dev->status_lock);
	if (paused)
		note_event(dev, SVCENC_EVENT_ROTATION_PAUSED);
}

void svcenc_control_exits(struct svcenc_dev *dev, bool complete)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	spin_lock(&dev->status_lock);
	if (complete)
		WRITE_ONCE(rotate->state, SVCENC_ROTATION_IDLE);
	else if (rotate->state == SVCENC_ROTATION_RUNNING)
		WRITE_ONCE(rotate->state, SVCENC_ROTATION_HELD);
	spin_unlock(&dev->status_lock);
	if (!complete)
		return;
	DMINFO("%s: rotation is complete", svcenc_dev_name(dev));
	note_event(dev, SVCENC_EVENT_ROTATION_DONE);
}

/* ---------------------------------------------------------- start and hold */

static const char no_memory[] = "no memory to go on";

/* control held. When this returns, there is no thread. */
static void halt_thread(struct svcenc_dev *dev)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	if (!rotate->started)
		return;
	WRITE_ONCE(rotate->stop, true);
	wake_up_all(&rotate->wake);
	wait_for_completion(&rotate->exited);
	rotate->stop = false;
	rotate->started = false;
}

/* control held: one that completed its rotation has nothing left to do. */
static void reap(struct svcenc_dev *dev)
{
	if (dev->rotate.started && completion_done(&dev->rotate.exited))
		halt_thread(dev);
}

struct thread_memory {
	struct svcenc_batch *batches[2];
};

static void free_memory(struct thread_memory *memory)
{
	svcenc_batch_free(memory->batches[0]);
	svcenc_batch_free(memory->batches[1]);
}

static int alloc_memory(struct svcenc_dev *dev, struct thread_memory *ret)
{
	unsigned int i;

	*ret = (struct thread_memory){};
	for (i = 0; i < ARRAY_SIZE(ret->batches); i++) {
		ret->batches[i] =
			svcenc_batch_new(dev->lower->bdev, dev->sector_size);
		if (IS_ERR(ret->batches[i])) {
			const int rc = PTR_ERR(ret->batches[i]);

			free_memory(ret);
			return rc;
		}
	}
	return 0;
}

/* control held. Takes over @memory, whatever happens. */
static int launch(struct svcenc_dev *dev, struct thread_memory *memory)
{
	struct svcenc_rotate *rotate = &dev->rotate;
	int rc;

	WARN_ON_ONCE(rotate->started);
	spin_lock(&dev->status_lock);
	WRITE_ONCE(rotate->state, SVCENC_ROTATION_RUNNING);
	rotate->reason[0] = '\0';
	spin_unlock(&dev->status_lock);
	reinit_completion(&rotate->exited);
	rc = svcenc_rotate_run(dev, memory->batches);
	if (!rc) {
		rotate->started = true;
		return 0;
	}
	free_memory(memory);
	spin_lock(&dev->status_lock);
	WRITE_ONCE(rotate->state, SVCENC_ROTATION_HELD);
	spin_unlock(&dev->status_lock);
	return rc;
}

/* control held: does the volume have a rotation that could go on now? */
static bool wants_thread(struct svcenc_dev *dev)
{
	return !dev->rotate.started && !dev->rotate.held && !dev->read_only &&
	       READ_ONCE(dev->range.rotating) && svcenc_dev_live(dev);
}

/*
 * control held. Without memory the volume works all the same, in the midst of
 * its rotation; "rotate resume" tries again.
 */
static void go_on(struct svcenc_dev *dev)
{
	struct thread_memory memory;
	int rc;

	reap(dev);
	if (!wants_thread(dev))
		return;
	rc = alloc_memory(dev, &memory);
	if (!rc)
		rc = launch(dev, &memory);
	if (rc)
		svcenc_control_halted(dev, SVCENC_ROTATION_HELD, no_memory);
}

/*
 * Whoever holds control may be what reclaim waits for: no allocation inside
 * waits for I/O.
 */
static unsigned int take_control(struct svcenc_dev *dev)
{
	const unsigned int noio = memalloc_noio_save();

	mutex_lock(&dev->rotate.control);
	return noio;
}

static void leave_control(struct svcenc_dev *dev, unsigned int noio)
{
	mutex_unlock(&dev->rotate.control);
	memalloc_noio_restore(noio);
}

void svcenc_control_hold(struct svcenc_dev *dev)
{
	const unsigned int noio = take_control(dev);

	dev->rotate.held = true;
	halt_thread(dev);
	leave_control(dev, noio);
}

void svcenc_control_go(struct svcenc_dev *dev)
{
	const unsigned int noio = take_control(dev);

	dev->rotate.held = false;
	go_on(dev);
	leave_control(dev, noio);
}

/* --------------------------------------------------------------- messages */

/* control held. */
static int start(struct svcenc_dev *dev)
{
	struct thread_memory memory;
	int rc;

	if (dev->rotate.held) {
		DMERR("%s: rotate refused: suspended meanwhile",
		      svcenc_dev_name(dev));
		return -EBUSY;
	}
	/*
	 * The thread of the last rotation may be at its end: the superblock
	 * says that it is complete before the range does, and the range before
	 * the old key is gone. Nothing begins beside it.
	 */
	if (dev->rotate.started && READ_ONCE(dev->range.rotating))
		return svcenc_begin_refuse(dev);
	halt_thread(dev);
	/* Before the commit: what is begun shall go on. */
	rc = alloc_memory(dev, &memory);
	if (rc)
		return rc;
	rc = svcenc_begin_run(dev);
	if (rc) {
		free_memory(&memory);
		return rc;
	}
	WRITE_ONCE(dev->rotate.paused, false);
	WRITE_ONCE(dev->rotate.skip_unreadable, false);
	dev->rotate.progress_due = jiffies + HZ;
	rc = launch(dev, &memory);
	if (rc)
		svcenc_control_halted(dev, SVCENC_ROTATION_HELD, no_memory);
	return rc;
}

int svcenc_control_start(struct svcenc_dev *dev)
{
	const unsigned int noio = take_control(dev);
	const int rc = start(dev);

	leave_control(dev, noio);
	return rc;
}

/* control held. */
static int check_rotating(struct svcenc_dev *dev, const char *what)
{
	if (READ_ONCE(dev->range.rotating))
		return 0;
	DMERR("%s: %s refused: no rotation is under way", svcenc_dev_name(dev),
	      what);
	return -EINVAL;
}

int svcenc_control_pause(struct svcenc_dev *dev)
{
	const unsigned int noio = take_control(dev);
	const int rc = check_rotating(dev, "pause");

	if (!rc) {
		WRITE_ONCE(dev->rotate.paused, true);
		wake_up_all(&dev->rotate.wake);
	}
	leave_control(dev, noio);
	return rc;
}

/* control held. */
static void resume(struct svcenc_dev *dev, bool skip_unreadable)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	WRITE_ONCE(rotate->skip_unreadable, skip_unreadable);
	/* Under the lock, so that rests() does not report a pause of before. */
	spin_lock(&dev->status_lock);
	WRITE_ONCE(rotate->paused, false);
	if (rotate->started)
		WRITE_ONCE(rotate->state, SVCENC_ROTATION_RUNNING);
	spin_unlock(&dev->status_lock);
	wake_up_all(&rotate->wake);
	go_on(dev);
}

int svcenc_control_resume(struct svcenc_dev *dev, bool skip_unreadable)
{
	const unsigned int noio = take_control(dev);
	const int rc = check_rotating(dev, "resume");

	if (!rc)
		resume(dev, skip_unreadable);
	leave_control(dev, noio);
	return rc;
}

int svcenc_control_rate(struct svcenc_dev *dev, u32 kib_s)
{
	WRITE_ONCE(dev->rotate.rate_kib_s, kib_s);
	wake_up_all(&dev->rotate.wake);
	return 0;
}

/* control held. An error of the device waits for whoever has mended it. */
static bool waits_for_resume(struct svcenc_dev *dev)
{
	const enum svcenc_rotation_state state = READ_ONCE(dev->rotate.state);

	return state == SVCENC_ROTATION_READ_ERROR ||
	       state == SVCENC_ROTATION_WRITE_ERROR ||
	       state == SVCENC_ROTATION_SUPER_ERROR;
}

int svcenc_control_unlock(struct svcenc_dev *dev, const struct svcenc_keyid *id)
{
	const unsigned int noio = take_control(dev);
	int rc;

	/*
	 * If the volume is locked, the layout is loaded anew, and the rotation
	 * is held whatever it was before. If not, it stays what it was.
	 */
	halt_thread(dev);
	rc = svcenc_unlock(dev, id);
	if (!waits_for_resume(dev))
		go_on(dev);
	leave_control(dev, noio);
	return rc;
}

/* ------------------------------------------------------------------- status */

void svcenc_control_status(struct svcenc_dev *dev, struct svcenc_status *ret)
{
	struct svcenc_rotation layout;

	svcenc_range_get(&dev->range, &layout);
	if (svcenc_rotation_running(&layout)) {
		ret->rotation_done = svcenc_rotation_done(&layout);
		ret->rotation_total = layout.length;
		spin_lock(&dev->status_lock);
		ret->rotation = dev->rotate.state;
		spin_unlock(&dev->status_lock);
	}
	/* Locked is what it is, even if the thread has not noticed yet. */
	if (ret->rotation != SVCENC_ROTATION_IDLE &&
	    ret->state == SVCENC_STATE_LOCKED)
		ret->rotation = SVCENC_ROTATION_LOCKED;
	ret->rate_kib_s = READ_ONCE(dev->rotate.rate_kib_s);
	ret->longest_park_us =
		svcenc_range_longest(&dev->range) / NSEC_PER_USEC;
	ret->unreadable = svcenc_range_unreadable_count(&dev->range);
}

/* --------------------------------------------------------------------- life */

void svcenc_control_init(struct svcenc_dev *dev)
{
	struct svcenc_rotate *rotate = &dev->rotate;

	mutex_init(&rotate->control);
	init_completion(&rotate->exited);
	init_waitqueue_head(&rotate->wake);
	INIT_WORK(&rotate->event_work, send_events);
	rotate->held = true;
}

void svcenc_control_exit(struct svcenc_dev *dev)
{
	WARN_ON_ONCE(dev->rotate.started &&
		     !completion_done(&dev->rotate.exited));
	flush_work(&dev->rotate.event_work);
	mutex_destroy(&dev->rotate.control);
}
