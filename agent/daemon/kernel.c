// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "keyctl.h"
#include "lease.h"
#include "log.h"
#include "refresh.h"
#include "rotations.h"

enum { LOOK_AGAIN_US = 2 * 1000 * 1000, GLANCE_MS = 500 };

/* What kernel_glance_*() saw last. */
static struct {
	int64_t until_ms; /* 0 = nothing is here */
	struct sys_genl_key *keys;
	struct sys_genl_device *devices;
	size_t key_count, device_count;
	bool in_use; /* by a callback, which may change what is here */
} seen;

static void on_event(const struct sys_genl_event *event, void *userdata)
{
	struct agent *agent = userdata;
	const char *text = svcenc_event_text(event->event);
	char uuid[SVCENC_UUID_TEXT + 1] = "-", key[SVCENC_KEYID_TEXT + 1] = "-";

	if (rotations_on_event(agent, event))
		return;
	kernel_forget_glance(agent);
	if (event->has_uuid)
		svcenc_uuid_print(&event->uuid, uuid);
	if (event->has_key)
		svcenc_keyid_print(&event->key, key);
	log_info("kernel: %s volume=%s key=%s %s", text ? text : "unknown",
		 uuid, key, event->reason);
	if (event->event == SVCENC_EVENT_REFUSED && event->has_uuid) {
		agent->refused_volume = event->uuid;
		memcpy(agent->refused_reason, event->reason,
		       sizeof(agent->refused_reason));
	}
	if (event->has_key)
		lease_on_event(agent, event);
}

static void close_events(struct agent *agent)
{
	agent->events_source = sd_event_source_unref(agent->events_source);
	agent->events = sys_genl_events_close(agent->events);
}

static int on_events_readable(sd_event_source *source, int fd, uint32_t revents,
			      void *userdata)
{
	struct agent *agent = userdata;
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	r = sys_genl_events_read(agent->events);
	if (r == -ENOBUFS) {
		log_warning("events of the kernel were lost; looking anew");
		lease_look_anew(agent);
		rotations_look_anew(agent);
	} else if (r < 0) {
		log_warning("events of the kernel: %s", strerror(-r));
		close_events(agent);
	}
	return 0;
}

/* The group exists as long as the module is loaded. */
static int open_events(struct agent *agent)
{
	int r;

	if (agent->events)
		return 0;
	r = sys_genl_events_open(on_event, agent, &agent->events);
	if (r < 0)
		return r;
	r = sd_event_add_io(agent->event, &agent->events_source,
			    sys_genl_events_fd(agent->events), EPOLLIN,
			    on_events_readable, agent);
	if (r < 0) {
		close_events(agent);
		return r;
	}
	return 0;
}

bool kernel_ready(struct agent *agent)
{
	int32_t keyring;

	if (!agent->genl && sys_genl_open(&agent->genl) < 0)
		return false;
	if (sys_genl_keyring(agent->genl, &keyring) < 0) {
		/* unloaded: its group is gone with it */
		close_events(agent);
		return false;
	}
	return open_events(agent) == 0;
}

static int on_look_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct agent *agent = userdata;
	const bool was_listening = agent->events != NULL;

	(void)usec;
	if (kernel_ready(agent) && !was_listening) {
		log_info("module dm-svcenc is there");
		refresh_clear_remains(agent);
		lease_adopt(agent);
	}
	(void)sd_event_source_set_time_relative(source, LOOK_AGAIN_US);
	(void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

int kernel_start(struct agent *agent)
{
	if (!kernel_ready(agent))
		log_warning("module dm-svcenc is not loaded yet: 'modprobe "
			    "dm-svcenc'");
	return sd_event_add_time_relative(agent->event, &agent->kernel_timer,
					  CLOCK_MONOTONIC, LOOK_AGAIN_US, 0,
					  on_look_again, agent);
}

void kernel_stop(struct agent *agent)
{
	agent->kernel_timer = sd_event_source_unref(agent->kernel_timer);
	close_events(agent);
	agent->genl = sys_genl_close(agent->genl);
	free(seen.keys);
	free(seen.devices);
	memset(&seen, 0, sizeof(seen));
}

int kernel_find_key(struct agent *agent, const struct svcenc_keyid *id,
		    struct sys_genl_key *ret)
{
	struct sys_genl_key *keys = NULL;
	size_t count = 0, i;
	int r;

	if (!kernel_ready(agent))
		return -ENOPKG;
	r = sys_genl_keys(agent->genl, &keys, &count);
	if (r < 0)
		return r;
	for (i = 0; i < count && !r; i++) {
		if (!svcenc_keyid_equal(&keys[i].key, id))
			continue;
		if (ret)
			*ret = keys[i];
		r = 1;
	}
	free(keys);
	return r;
}

int kernel_find_volume(struct agent *agent, const struct svcenc_uuid *uuid,
		       struct sys_genl_device *ret)
{
	struct sys_genl_device *devices = NULL;
	size_t count = 0, i;
	int r;

	if (!kernel_ready(agent))
		return -ENOPKG;
	r = sys_genl_devices(agent->genl, &devices, &count);
	if (r < 0)
		return r;
	for (i = 0; i < count && !r; i++) {
		if (!svcenc_uuid_equal(&devices[i].uuid, uuid))
			continue;
		*ret = devices[i];
		r = 1;
	}
	free(devices);
	return r;
}

int kernel_each_volume(struct agent *agent, const struct svcenc_keyid *id,
		       void (*fn)(struct agent *agent,
				  const struct sys_genl_device *device,
				  void *userdata),
		       void *userdata)
{
	struct sys_genl_device *devices = NULL;
	size_t count = 0, i;
	int r;

	if (!kernel_ready(agent))
		return -ENOPKG;
	r = sys_genl_devices(agent->genl, &devices, &count);
	if (r < 0)
		return r;
	for (i = 0; i < count; i++)
		if (!id || svcenc_keyid_equal(&devices[i].key, id))
			fn(agent, &devices[i], userdata);
	free(devices);
	return 0;
}

/* --- looks that may be a moment old --------------------------------------- */

void kernel_forget_glance(struct agent *agent)
{
	(void)agent;
	seen.until_ms = 0;
}

static int glance(struct agent *agent)
{
	int r;

	if (agent_now_ms() < seen.until_ms || seen.in_use)
		return 0;
	if (!kernel_ready(agent))
		return -ENOPKG;
	free(seen.keys);
	free(seen.devices);
	memset(&seen, 0, sizeof(seen));
	r = sys_genl_keys(agent->genl, &seen.keys, &seen.key_count);
	if (!r)
		r = sys_genl_devices(agent->genl, &seen.devices,
				     &seen.device_count);
	if (!r)
		seen.until_ms = agent_now_ms() + GLANCE_MS;
	return r;
}

int kernel_glance_key(struct agent *agent, const struct svcenc_keyid *id,
		      struct sys_genl_key *ret)
{
	const int r = glance(agent);
	size_t i;

	for (i = 0; !r && i < seen.key_count; i++) {
		if (!svcenc_keyid_equal(&seen.keys[i].key, id))
			continue;
		*ret = seen.keys[i];
		return 1;
	}
	return r;
}

int kernel_glance_volumes(struct agent *agent, const struct svcenc_keyid *id,
			  void (*fn)(struct agent *agent,
				     const struct sys_genl_device *device,
				     void *userdata),
			  void *userdata)
{
	const int r = glance(agent);
	size_t i;

	if (r < 0)
		return r;
	seen.in_use = true;
	for (i = 0; i < seen.device_count; i++)
		if (!id || svcenc_keyid_equal(&seen.devices[i].key, id))
			fn(agent, &seen.devices[i], userdata);
	seen.in_use = false;
	return 0;
}

void kernel_forget_refusal(struct agent *agent)
{
	memset(&agent->refused_volume, 0, sizeof(agent->refused_volume));
}

void kernel_read_events(struct agent *agent)
{
	if (agent->events)
		(void)sys_genl_events_read(agent->events);
}

const char *kernel_refusal(struct agent *agent,
			   const struct svcenc_uuid *volume)
{
	kernel_read_events(agent);
	if (!svcenc_uuid_equal(&agent->refused_volume, volume))
		return NULL;
	return agent->refused_reason;
}

int kernel_fault(int error, const char *what, struct svcenc_fault *fault)
{
	if (error == -ENOMEM)
		return svcenc_fault_memory(fault);
	if (error == -ENOPKG || error == -ENOSYS) {
		svcenc_fault_set(fault, SVCENC_FAULT_KERNEL,
				 "cannot %s: the kernel has no module "
				 "dm-svcenc",
				 what);
		return svcenc_fault_hint(fault, "modprobe dm-svcenc");
	}
	svcenc_fault_set(fault, SVCENC_FAULT_KERNEL, "cannot %s: %s", what,
			 strerror(-error));
	if (error == -EDQUOT)
		return svcenc_fault_hint(fault, "%s", sys_keyctl_hint(error));
	return svcenc_fault_hint(fault, "the kernel log says more: dmesg | "
					"tail");
}
