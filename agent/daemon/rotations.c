// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "rotations.h"

enum {
	SAVE_MS = 60 * 1000,
	SPAN_MS = 15 * 1000, /* of a speed: one to two of these */
	GAP_MS = 10 * 1000,  /* without progress: a speed begins anew */
	SECTOR = 512,
};

struct point {
	u64 ms;	  /* CLOCK_BOOTTIME, of the event */
	u64 done; /* sectors */
};

struct rotation {
	struct rotation *next;
	struct svcenc_uuid uuid;
	u64 saved_ms;
	struct point from, middle, last;
};

static struct rotation *find(const struct agent *agent,
			     const struct svcenc_uuid *uuid)
{
	struct rotation *rotation;

	for (rotation = agent->rotations; rotation; rotation = rotation->next)
		if (svcenc_uuid_equal(&rotation->uuid, uuid))
			return rotation;
	return NULL;
}

static void forget(struct agent *agent, const struct svcenc_uuid *uuid)
{
	struct rotation **at = &agent->rotations, *rotation;

	while ((rotation = *at)) {
		if (svcenc_uuid_equal(&rotation->uuid, uuid)) {
			*at = rotation->next;
			free(rotation);
			return;
		}
		at = &rotation->next;
	}
}

/* --- the store and the journal -------------------------------------------- */

static unsigned int percent(u64 done, u64 total)
{
	return total ? (unsigned int)(100.0 * (double)done / (double)total) : 0;
}

/* Only upwards: what arrives late says less than what is known. */
static void learn(struct agent *agent, struct volume *volume, u64 seq,
		  u64 epoch)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	if (seq <= volume->seq)
		return;
	volume->seq = seq;
	if (epoch > volume->epoch)
		volume->epoch = epoch;
	if (volume_save(agent, volume, &fault) < 0)
		log_error("%s", fault.message);
}

/* False: the volume is none of ours. */
static bool save(struct agent *agent, const struct sys_genl_event *event,
		 struct volume *ret)
{
	if (!volume_by_uuid(agent, &event->uuid, ret))
		return false;
	learn(agent, ret, event->seq, event->epoch);
	return true;
}

/* --- events --------------------------------------------------------------- */

static struct rotation *follow(struct agent *agent,
			       const struct sys_genl_event *event)
{
	struct rotation *rotation = calloc(1, sizeof(*rotation));
	struct volume volume;

	if (!rotation) {
		log_error("no memory to follow a rotation with");
		return NULL;
	}
	rotation->uuid = event->uuid;
	rotation->from = (struct point){ event->time_ms, event->rotation_done };
	rotation->middle = rotation->last = rotation->from;
	rotation->saved_ms = event->time_ms;
	rotation->next = agent->rotations;
	agent->rotations = rotation;
	if (save(agent, event, &volume))
		log_audit("rotation of volume '%s' to epoch %llu %s %u%%",
			  volume.name, (unsigned long long)event->epoch + 1,
			  event->rotation_done ? "goes on at" : "starts at",
			  percent(event->rotation_done, event->rotation_total));
	return rotation;
}

static void note_progress(struct rotation *rotation, struct point now)
{
	if (now.done < rotation->last.done ||
	    now.ms - rotation->last.ms > GAP_MS)
		rotation->from = rotation->middle = now;
	else if (now.ms - rotation->middle.ms > SPAN_MS) {
		rotation->from = rotation->middle;
		rotation->middle = now;
	}
	rotation->last = now;
}

static void on_progress(struct agent *agent, const struct sys_genl_event *event)
{
	struct rotation *rotation = find(agent, &event->uuid);
	struct volume volume;

	if (!rotation) {
		(void)follow(agent, event);
		return;
	}
	note_progress(rotation,
		      (struct point){ event->time_ms, event->rotation_done });
	if (event->time_ms - rotation->saved_ms < SAVE_MS)
		return;
	rotation->saved_ms = event->time_ms;
	if (save(agent, event, &volume))
		log_info("rotation of volume '%s': %u%%, %llu KiB/s",
			 volume.name,
			 percent(event->rotation_done, event->rotation_total),
			 (unsigned long long)rotations_speed(agent,
							     &event->uuid) /
				 1024);
}

static void on_paused(struct agent *agent, const struct sys_genl_event *event)
{
	struct volume volume;

	if (save(agent, event, &volume))
		log_audit("rotation of volume '%s' stops at %u%%: %s",
			  volume.name,
			  percent(event->rotation_done, event->rotation_total),
			  event->reason);
}

static void on_done(struct agent *agent, const struct sys_genl_event *event)
{
	struct volume volume;

	if (save(agent, event, &volume))
		log_audit("volume '%s' is rotated: epoch %llu, seq %llu",
			  volume.name, (unsigned long long)event->epoch,
			  (unsigned long long)event->seq);
}

bool rotations_on_event(struct agent *agent, const struct sys_genl_event *event)
{
	if (!event->has_uuid)
		return false;
	switch (event->event) {
	case SVCENC_EVENT_ROTATION_PROGRESS:
		on_progress(agent, event);
		return true;
	case SVCENC_EVENT_ROTATION_PAUSED:
		on_paused(agent, event);
		break;
	case SVCENC_EVENT_ROTATION_DONE:
		on_done(agent, event);
		break;
	case SVCENC_EVENT_ACTIVATED: /* closed and open again: another one */
		forget(agent, &event->uuid);
		return false;
	default:
		return false;
	}
	forget(agent, &event->uuid);
	return true;
}

/* --- what others ask for -------------------------------------------------- */

static void look_at(struct agent *agent, const struct sys_genl_device *device,
		    void *userdata)
{
	struct volume volume;

	(void)userdata;
	if (volume_by_uuid(agent, &device->uuid, &volume))
		learn(agent, &volume, device->seq, device->epoch);
	if (!device->rotation_total)
		forget(agent, &device->uuid);
}

void rotations_look_anew(struct agent *agent)
{
	(void)kernel_each_volume(agent, NULL, look_at, NULL);
}

u64 rotations_speed(const struct agent *agent, const struct svcenc_uuid *uuid)
{
	const struct rotation *rotation = find(agent, uuid);

	if (!rotation || rotation->last.ms <= rotation->from.ms)
		return 0;
	return (rotation->last.done - rotation->from.done) * SECTOR * 1000 /
	       (rotation->last.ms - rotation->from.ms);
}

void rotations_stop(struct agent *agent)
{
	while (agent->rotations)
		forget(agent, &agent->rotations->uuid);
}
