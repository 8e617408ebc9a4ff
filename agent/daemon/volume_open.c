// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "lease.h"
#include "log.h"
#include "pass.h"
#include "refresh.h"
#include "step.h"
#include "volume_look.h"
#include "volumes.h"

enum { SECTOR = 512 };

/* --- open ----------------------------------------------------------------- */

static int open_below(const struct volume *volume, struct sys_device **ret,
		      struct svcenc_fault *fault)
{
	const int r = sys_device_open(volume->device, 0, ret);

	if (!r)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
			 "device %s of volume '%s': %s", volume->device,
			 volume->name,
			 r == -ENOTBLK ? "not a block device" : strerror(-r));
	return svcenc_fault_hint(fault,
				 "if it has another path now: 'svcenc open %s "
				 "PATH'; 'lsblk -f' shows type svcenc",
				 volume->name);
}

static int refuse_header(const struct sys_device *device,
			 const struct header *header,
			 const struct volume *volume,
			 struct svcenc_fault *fault)
{
	const enum svcenc_sb_defect one = header->defect[0];
	const enum svcenc_sb_defect two = header->defect[1];

	if (header->newest) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "%s carries another svcenc volume, not '%s'",
				 device->path, volume->name);
		return svcenc_fault_hint(fault,
					 "'svcenc-dump %s' shows which; "
					 "name the right device: 'svcenc open "
					 "%s DEVICE'",
					 device->path, volume->name);
	}
	svcenc_fault_set(
		fault,
		one == SVCENC_SB_MAGIC_DEFECT && two == SVCENC_SB_MAGIC_DEFECT ?
			SVCENC_FAULT_WRONG_DEVICE :
			SVCENC_FAULT_INTEGRITY,
		"%s: superblock copy 1: %s; copy 2: %s", device->path,
		svcenc_sb_defect_text(one), svcenc_sb_defect_text(two));
	return svcenc_fault_hint(fault, "is it the right device? A backup of "
					"the header's first 4 MiB can be "
					"restored with dd");
}

/* Under an earlier key, whose end would be undone, or under a later one. */
static int refuse_key(const struct sys_device *device,
		      const struct svcenc_sb *sb, const struct volume *volume,
		      struct svcenc_fault *fault)
{
	const bool older =
		svcenc_uuid_equal(&sb->key.policy, &volume->key.policy) &&
		sb->key.version < volume->key.version;

	svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
			 "%svolume '%s' on %s is protected by version %u of a "
			 "policy key, the store has version %u",
			 older ? "rollback: " : "", volume->name, device->path,
			 sb->key.version, volume->key.version);
	if (older)
		return svcenc_fault_hint(
			fault, "the header is of a time before a rekey: "
			       "restore a newer one, or get at the data with "
			       "svcenc-recover and the root keys of that time");
	return svcenc_fault_hint(fault,
				 "the store is older than the volume: restore "
				 "a newer store, or recover it with 'svcenc "
				 "store recover %s'",
				 device->path);
}

/* What can be seen without the key; the kernel looks harder. */
static int check_header(const struct sys_device *device,
			const struct header *header,
			const struct volume *volume, bool accept_rollback,
			struct svcenc_fault *fault)
{
	const struct svcenc_sb *sb = header->newest;

	if (!sb || !header_is_of(header, &volume->uuid))
		return refuse_header(device, header, volume, fault);
	if (!svcenc_keyid_equal(&sb->key, &volume->key))
		return refuse_key(device, sb, volume, fault);
	if (sb->seq < volume->seq && !accept_rollback) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "rollback: the header of volume '%s' on %s "
				 "has sequence number %llu, the store knows "
				 "%llu",
				 volume->name, device->path,
				 (unsigned long long)sb->seq,
				 (unsigned long long)volume->seq);
		return svcenc_fault_hint(
			fault,
			"an older copy of the device or its "
			"header is there; if that was a wanted "
			"restore, an officer runs 'svcenc open "
			"%s --accept-rollback'",
			volume->name);
	}
	if (!header->keyed && volume->epoch) {
		svcenc_fault_set(
			fault, SVCENC_FAULT_INTEGRITY,
			"the header of volume '%s' on %s is fresh, but "
			"the volume had a key",
			volume->name, device->path);
		return svcenc_fault_hint(fault, "restore the header from a "
						"backup: with a new key its "
						"data would be lost");
	}
	if (svcenc_sb_device_bytes(sb) > device->bytes) {
		svcenc_fault_set(
			fault, SVCENC_FAULT_WRONG_DEVICE,
			"%s has %llu bytes, volume '%s' needs %llu",
			device->path, (unsigned long long)device->bytes,
			volume->name,
			(unsigned long long)svcenc_sb_device_bytes(sb));
		return svcenc_fault_hint(fault, "the device was shrunk: give "
						"it its old size back");
	}
	return 0;
}

static int refused_by_kernel(struct agent *agent, const struct volume *volume,
			     enum sys_dm_step step, int error,
			     struct svcenc_fault *fault)
{
	const char *reason = kernel_refusal(agent, &volume->uuid);

	if (step == SYS_DM_STEP_RESUME && reason) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "the kernel refuses volume '%s' on %s: %s",
				 volume->name, volume->device, reason);
		return svcenc_fault_hint(fault,
					 "'svcenc-dump %s' shows the "
					 "header; the kernel log says "
					 "more",
					 volume->device);
	}
	if (error == -EBUSY) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "device %s of volume '%s' is in use",
				 volume->device, volume->name);
		return svcenc_fault_hint(fault, "'lsblk %s' shows by what",
					 volume->device);
	}
	svcenc_fault_set(fault, SVCENC_FAULT_KERNEL,
			 "cannot map volume '%s' on %s: %s: %s", volume->name,
			 volume->device, sys_dm_step_text(step),
			 strerror(-error));
	return svcenc_fault_hint(fault, "the kernel log says more: dmesg | "
					"tail");
}

static int map(struct agent *agent, const struct volume *volume,
	       const struct header *header, char *devno,
	       const struct volume_opening *opening, struct svcenc_fault *fault)
{
	struct svcenc_table table = {
		.device = devno,
		.uuid = volume->uuid,
		.key = volume->key,
		.allow_discards = volume->allow_discards,
		.initialize = !header->keyed,
	};
	char uuid[SYS_DM_UUID_SIZE];
	const struct sys_dm_spec spec = {
		.name = volume->name,
		.dm_uuid = uuid,
		.table = &table,
		.sectors = header->newest->data_len / SECTOR,
		.readonly = opening->readonly,
	};
	enum sys_dm_step step = SYS_DM_STEP_CREATE;
	int r;

	/* a header that is still fresh has no past to be rolled back to */
	if (header->keyed && !opening->accept_rollback)
		table.min_seq = volume->seq;
	sys_dm_uuid(&volume->uuid, volume->name, uuid);
	kernel_forget_refusal(agent);
	r = sys_dm_create(&spec, &step);
	return r < 0 ? refused_by_kernel(agent, volume, step, r, fault) : 0;
}

/* The volume is not mapped: all of it. */
static int open_closed(struct agent *agent, struct volume *volume,
		       struct policy *policy,
		       const struct volume_opening *opening,
		       struct svcenc_fault *fault)
{
	__attribute__((cleanup(sys_device_closep))) struct sys_device *device =
		NULL;
	struct svcenc_status status;
	struct header header;
	u64 data_len;
	int r;

	r = open_below(volume, &device, fault);
	if (!r)
		r = header_read(device, &header, fault);
	if (!r)
		r = check_header(device, &header, volume,
				 opening->accept_rollback, fault);
	if (!r)
		r = lease_need(agent, policy, fault);
	if (r < 0)
		return r;
	svcenc_step("open-key-live");
	data_len = header.newest->data_len;
	r = map(agent, volume, &header, device->devno_text, opening, fault);
	if (r < 0) {
		lease_settle(agent, &volume->key);
		return r;
	}
	svcenc_step("open-mapped");
	r = sys_dm_status(volume->name, &status);
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	r = volume_learn(agent, volume, &status, data_len, fault);
	svcenc_step("open-stored");
	return r;
}

/* It is mapped; if it is locked, bring the key back. */
static int open_mapped(struct agent *agent, struct volume *volume,
		       struct policy *policy, json_t *notes,
		       struct svcenc_fault *fault)
{
	char message[16 + SVCENC_KEYID_TEXT], key[SVCENC_KEYID_TEXT + 1];
	struct svcenc_status status;
	int r;

	r = sys_dm_status(volume->name, &status);
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	r = lease_need(agent, policy, fault);
	if (r < 0)
		return r;
	r = sys_dm_status(volume->name, &status);
	if (!r && status.state == SVCENC_STATE_LOCKED) {
		svcenc_keyid_print(&volume->key, key);
		snprintf(message, sizeof(message), "unlock %s", key);
		kernel_forget_refusal(agent);
		r = sys_dm_message(volume->name, message);
		if (r < 0 && kernel_refusal(agent, &volume->uuid))
			return refused_by_kernel(agent, volume,
						 SYS_DM_STEP_RESUME, r, fault);
		if (!r)
			r = sys_dm_status(volume->name, &status);
	}
	if (r < 0)
		return kernel_fault(r, "unlock the volume", fault);
	(void)json_array_append_new(
		notes, json_string("it was open already; a filesystem that was "
				   "shut down must be unmounted and mounted "
				   "again"));
	return volume_learn(agent, volume, &status, volume->data_len, fault);
}

static int take_new_device(const struct volume_opening *opening,
			   struct volume *volume, struct svcenc_fault *fault)
{
	if (opening->allow_discards >= 0)
		volume->allow_discards = opening->allow_discards;
	if (opening->on_withdrawal >= 0)
		volume->on_withdrawal = (u8)opening->on_withdrawal;
	if (!opening->device)
		return 0;
	if (*opening->device != '/' ||
	    strlen(opening->device) >= sizeof(volume->device))
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"'%.64s' is not an absolute path",
					opening->device);
	memcpy(volume->device, opening->device, strlen(opening->device) + 1);
	return 0;
}

static int catch_up_now(struct agent *agent, struct volume *volume,
			struct policy *policy, struct svcenc_fault *fault)
{
	enum refresh_outcome done;
	struct refresh refresh;
	int r;

	r = refresh_begin(agent, policy, NULL, &refresh, fault);
	if (!r)
		r = refresh_volume(&refresh, volume, &done, fault);
	refresh_end(&refresh);
	return r;
}

/*
 * A header that was out of reach when its policy changed. Under an earlier key
 * it is not opened: what has ended that key's use would be without effect. A
 * stale record is no reason not to.
 */
static int catch_up(struct agent *agent, struct volume *volume, json_t *notes,
		    struct svcenc_fault *fault)
{
	struct svcenc_fault why = { .kind = SVCENC_FAULT_NONE };
	enum refresh_outcome due;
	struct policy current;
	int r;

	r = policy_find_uuid(agent, &volume->key.policy, &current, fault);
	if (r < 0)
		return r;
	due = refresh_due(volume, &current);
	if (due == REFRESH_NOTHING)
		return 0;
	r = catch_up_now(agent, volume, &current, &why);
	if (!r) {
		(void)json_array_append_new(
			notes,
			json_string(due == REFRESH_REWRAPPED ?
					    "its policy had a new key: the "
					    "volume is under it now" :
					    "its policy record was out of "
					    "date: it is written anew"));
		return 0;
	}
	if (due == REFRESH_REWRAPPED) {
		*fault = why;
		return r;
	}
	(void)json_array_append_new(notes, json_string(why.message));
	return 0;
}

int volumes_open(struct agent *agent, const struct volume_opening *opening,
		 struct volume *ret, bool *ret_already, json_t *notes,
		 struct svcenc_fault *fault)
{
	struct sys_dm_info info;
	struct policy policy;
	struct volume before;
	int r;

	r = volume_find_ready(agent, opening->name, ret, &policy, fault);
	if (r < 0)
		return r;
	if (!kernel_ready(agent))
		return kernel_fault(-ENOPKG, "open a volume", fault);
	r = volume_find_mapping(ret, &info, fault);
	if (r < 0)
		return r;
	*ret_already = r > 0;
	if (r > 0 && opening->on_withdrawal >= 0 &&
	    ret->on_withdrawal != opening->on_withdrawal) {
		ret->on_withdrawal = (u8)opening->on_withdrawal;
		r = volume_save(agent, ret, fault);
		if (r < 0)
			return r;
	}
	if (*ret_already)
		return open_mapped(agent, ret, &policy, notes, fault);
	before = *ret;
	r = take_new_device(opening, ret, fault);
	/* a restored backup is looked at as it is, and so is one for reading */
	if (!r && !opening->accept_rollback && !opening->readonly)
		r = catch_up(agent, ret, notes, fault);
	/* also of an open that was killed behind its rewrap */
	if (!r)
		r = pass_forget_unused(agent, &ret->key.policy, fault);
	if (!r)
		r = policy_find_key(agent, &ret->key, &policy, fault);
	if (!r)
		r = open_closed(agent, ret, &policy, opening, fault);
	if (r < 0)
		return r;
	log_audit("volume '%s' opened on %s, seq %llu%s", ret->name,
		  ret->device, (unsigned long long)ret->seq,
		  opening->accept_rollback ? ", rollback accepted" : "");
	if (strcmp(before.device, ret->device) ||
	    before.allow_discards != ret->allow_discards ||
	    before.on_withdrawal != ret->on_withdrawal)
		return volume_save(agent, ret, fault);
	return 0;
}

/* --- close ---------------------------------------------------------------- */

/*
 * Freshness: what the next open must find at least. A rotation commits until
 * it is held, so it is held first; not if the volume is in use, as it is not
 * going to be closed then. Returns whether it is suspended now.
 */
static bool learn_last(struct agent *agent, struct volume *volume,
		       const struct sys_dm_info *info,
		       struct svcenc_fault *fault)
{
	struct svcenc_status status;
	bool suspended;

	if (sys_dm_status(volume->name, &status))
		return false;
	suspended = status.rotation_total && !info->open_count &&
		    !sys_dm_suspend(volume->name);
	if (!suspended || !sys_dm_status(volume->name, &status))
		(void)volume_learn(agent, volume, &status, volume->data_len,
				   fault);
	return suspended;
}

int volumes_close(struct agent *agent, const char *name, struct volume *ret,
		  bool *ret_already, struct svcenc_fault *fault)
{
	struct sys_dm_info info;
	bool suspended;
	int r;

	r = volume_find(agent, name, ret, fault);
	if (r < 0)
		return r;
	r = volume_find_mapping(ret, &info, fault);
	if (r < 0)
		return r;
	*ret_already = r == 0;
	if (r > 0) {
		suspended = learn_last(agent, ret, &info, fault);
		svcenc_step("close-learned");
		r = sys_dm_remove(name, 0);
		if (r < 0 && suspended)
			(void)sys_dm_resume(name);
		if (r == -EBUSY) {
			svcenc_fault_clear(fault);
			svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
					 "volume '%s' is in use", name);
			return svcenc_fault_hint(
				fault,
				"unmount it: 'findmnt /dev/mapper/%s' and "
				"'lsblk /dev/mapper/%s' show by what",
				name, name);
		}
		if (r < 0)
			return kernel_fault(r, "remove the mapped device",
					    fault);
		svcenc_step("close-removed");
		log_audit("volume '%s' closed", name);
	}
	lease_settle(agent, &ret->key);
	svcenc_step("close-settled");
	return fault->kind == SVCENC_FAULT_NONE ? 0 : -EIO;
}

/* --- resize --------------------------------------------------------------- */

static int grow(struct agent *agent, struct volume *volume,
		const struct sys_device *device, u64 new_len,
		struct svcenc_fault *fault)
{
	struct svcenc_table table = {
		.device = device->devno_text,
		.uuid = volume->uuid,
		.key = volume->key,
		.allow_discards = volume->allow_discards,
		.grow = true,
		.min_seq = volume->seq,
	};
	const struct sys_dm_spec spec = {
		.name = volume->name,
		.table = &table,
		.sectors = new_len / SECTOR,
	};
	enum sys_dm_step step = SYS_DM_STEP_LOAD;
	int r;

	kernel_forget_refusal(agent);
	svcenc_step("resize-begin");
	r = sys_dm_reload(&spec, &step);
	svcenc_step("resize-loaded");
	return r < 0 ? refused_by_kernel(agent, volume, step, r, fault) : 0;
}

static int resize_to_device(struct agent *agent, struct volume *volume,
			    u64 now_len, struct svcenc_fault *fault)
{
	__attribute__((cleanup(sys_device_closep))) struct sys_device *device =
		NULL;
	struct svcenc_status status;
	u64 new_len, room;
	int r;

	r = open_below(volume, &device, fault);
	if (r < 0)
		return r;
	room = SVCENC_HEADER_SIZE + volume->spare_len;
	new_len = device->bytes > room ?
			  (device->bytes - room) / SVCENC_MIB * SVCENC_MIB :
			  0;
	if (new_len < now_len)
		new_len = now_len;
	if (new_len > now_len) {
		r = grow(agent, volume, device, new_len, fault);
		if (r < 0)
			return r;
		log_audit("volume '%s' grown to %llu bytes", volume->name,
			  (unsigned long long)new_len);
	}
	r = sys_dm_status(volume->name, &status);
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	r = volume_learn(agent, volume, &status, new_len, fault);
	svcenc_step("resize-stored");
	return r;
}

int volumes_resize(struct agent *agent, const char *name, struct volume *ret,
		   u64 *ret_old, struct svcenc_fault *fault)
{
	struct sys_dm_table *table;
	struct sys_dm_info info;
	struct policy policy;
	u64 now_len;
	int r;

	r = volume_find_ready(agent, name, ret, &policy, fault);
	if (r < 0)
		return r;
	r = volume_find_mapping(ret, &info, fault);
	if (r < 0)
		return r;
	if (!r) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "volume '%s' is closed", name);
		return svcenc_fault_hint(fault,
					 "open it first: 'svcenc open "
					 "%s'",
					 name);
	}
	table = malloc(sizeof(*table));
	if (!table)
		return svcenc_fault_memory(fault);
	r = sys_dm_table(name, table);
	now_len = r < 0 ? 0 : table->sectors * SECTOR;
	free(table);
	if (r < 0)
		return kernel_fault(r, "read the volume's table", fault);
	*ret_old = now_len;
	r = lease_need(agent, &policy, fault);
	return r < 0 ? r : resize_to_device(agent, ret, now_len, fault);
}
