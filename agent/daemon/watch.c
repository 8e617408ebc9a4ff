// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "log.h"
#include "watch.h"

#define FOREVER ((uint64_t)-1)

enum { BATCH = 64 };

/*
 * One step of the loop from whatever state the first loop has left it in.
 * Armed, it may not know of timers set since: then it looks without waiting
 * and arms again. 1 = something was handled, 0 = nothing was there.
 */
static int step(sd_event *watch, uint64_t timeout)
{
	int r = 1;

	if (sd_event_get_state(watch) == SD_EVENT_RUNNING)
		return -EDEADLK;
	if (sd_event_get_state(watch) == SD_EVENT_ARMED) {
		r = sd_event_wait(watch, 0);
		if (r < 0)
			return r;
	}
	if (sd_event_get_state(watch) == SD_EVENT_INITIAL) {
		r = sd_event_prepare(watch);
		if (!r)
			r = sd_event_wait(watch, timeout);
	}
	if (r <= 0)
		return r;
	r = sd_event_dispatch(watch);
	return r < 0 ? r : 1;
}

/*
 * Handles what is due, and arms: the first loop wakes up for the rest. With
 * more to do than there is time for, requests and signals have their turn in
 * between: after a batch the first loop comes back here.
 */
static int pump(struct agent *agent)
{
	unsigned int handled = 0;
	int r;

	do {
		do
			r = step(agent->watch, 0);
		while (r > 0 && ++handled < BATCH);
		if (r > 0)
			return sd_event_source_set_enabled(agent->watch_again,
							   SD_EVENT_ONESHOT);
		if (r == -EDEADLK)
			return 0;
		if (!r)
			r = sd_event_prepare(agent->watch);
	} while (r > 0);
	if (r < 0)
		log_error("the watch over leases fails: event loop: error %d",
			  -r);
	return r;
}

static int on_watch(sd_event_source *source, int fd, uint32_t revents,
		    void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	return pump(userdata);
}

/* After every handler of the first loop: it may have set a timer. */
static int on_post(sd_event_source *source, void *userdata)
{
	(void)source;
	return pump(userdata);
}

static int on_again(sd_event_source *source, void *userdata)
{
	(void)source;
	return pump(userdata);
}

int watch_start(struct agent *agent)
{
	int r;

	r = sd_event_new(&agent->watch);
	if (r >= 0)
		r = sd_event_add_io(agent->event, NULL,
				    sd_event_get_fd(agent->watch), EPOLLIN,
				    on_watch, agent);
	if (r >= 0)
		r = sd_event_add_post(agent->event, NULL, on_post, agent);
	if (r >= 0)
		r = sd_event_add_defer(agent->event, &agent->watch_again,
				       on_again, agent);
	return r;
}

void watch_stop(struct agent *agent)
{
	agent->watch_again = sd_event_source_unref(agent->watch_again);
	agent->watch = sd_event_unref(agent->watch);
}

int watch_wait(struct agent *agent)
{
	const int r = step(agent->watch, FOREVER);

	return r < 0 ? r : 0;
}
