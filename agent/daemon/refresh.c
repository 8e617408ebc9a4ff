// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "header.h"
#include "hierarchy.h"
#include "kernel.h"
#include "lease.h"
#include "log.h"
#include "refresh.h"
#include "step.h"
#include "volume_look.h"

enum { SECTOR = 512 };

/* Not a volume's own name: who finds it knows that nobody has opened it. */
#define MOMENT_PREFIX "svcenc-"

enum { MOMENT_NAME_SIZE = sizeof(MOMENT_PREFIX) + SVCENC_UUID_TEXT };

static void moment_name(const struct svcenc_uuid *uuid,
			char ret[MOMENT_NAME_SIZE])
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(uuid, text);
	snprintf(ret, MOMENT_NAME_SIZE, MOMENT_PREFIX "%s", text);
}

void refresh_clear_remains(struct agent *agent)
{
	struct sys_dm_info *list = NULL;
	char name[MOMENT_NAME_SIZE];
	struct svcenc_uuid uuid;
	size_t count = 0, i;

	(void)agent;
	if (sys_dm_list(&list, &count) < 0)
		return;
	for (i = 0; i < count; i++) {
		if (!sys_dm_info_is_svcenc(&list[i], &uuid))
			continue;
		moment_name(&uuid, name);
		if (strcmp(list[i].name, name))
			continue;
		if (sys_dm_remove(name, 0) < 0)
			log_warning("mapping %s of an earlier run cannot be "
				    "removed: 'dmsetup remove %s'",
				    name, name);
		else
			log_info("mapping %s of an earlier run removed", name);
	}
	free(list);
}

/* --- keys ----------------------------------------------------------------- */

int refresh_begin(struct agent *agent, const struct policy *policy,
		  struct svcenc_secret *key, struct refresh *ret,
		  struct svcenc_fault *fault)
{
	memset(ret, 0, sizeof(*ret));
	ret->agent = agent;
	ret->policy = *policy;
	ret->key = key;
	return tenant_find_uuid(agent, &policy->tenant, &ret->tenant, fault);
}

static void drop_from(struct refresh *refresh)
{
	if (!refresh->from_key)
		return;
	refresh->from_key = svcenc_secret_free(refresh->from_key);
	lease_settle(refresh->agent, &refresh->from.key);
}

void refresh_end(struct refresh *refresh)
{
	refresh->key = svcenc_secret_free(refresh->key);
	drop_from(refresh);
	if (refresh->live)
		lease_settle(refresh->agent, &refresh->policy.key);
}

static int need_key(struct refresh *refresh, struct svcenc_fault *fault)
{
	return refresh->key ? 0 :
			      lease_get_key(refresh->agent, &refresh->policy,
					    &refresh->key, fault);
}

static int need_live(struct refresh *refresh, struct svcenc_fault *fault)
{
	int r = 0;

	if (!refresh->live)
		r = lease_need(refresh->agent, &refresh->policy, fault);
	if (!r)
		refresh->live = true;
	return r;
}

/* The key that @id names, an earlier one of this policy: its bytes, live. */
static int need_from(struct refresh *refresh, const struct svcenc_keyid *id,
		     struct svcenc_fault *fault)
{
	int r;

	if (refresh->from_key && svcenc_keyid_equal(&refresh->from.key, id))
		return 0;
	drop_from(refresh);
	r = policy_find_key(refresh->agent, id, &refresh->from, fault);
	if (!r)
		r = lease_get_key(refresh->agent, &refresh->from,
				  &refresh->from_key, fault);
	if (!r)
		r = lease_need(refresh->agent, &refresh->from, fault);
	if (r < 0)
		drop_from(refresh);
	return r;
}

/* --- looking -------------------------------------------------------------- */

struct reached {
	struct sys_device *device;
	struct header header;
	struct sys_dm_info info; /* .exists: it is open */
};

static int refuse(const struct volume *volume, enum svcenc_fault_kind kind,
		  const char *why, const char *hint, struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, kind, "volume '%s' on %s: %s", volume->name,
			 volume->device, why);
	return svcenc_fault_hint(fault, "%s", hint);
}

static int check_header(const struct header *header,
			const struct volume *volume,
			const struct policy *policy, struct svcenc_fault *fault)
{
	const struct svcenc_sb *sb = header->newest;

	if (!sb || !header_is_of(header, &volume->uuid))
		return refuse(volume, SVCENC_FAULT_WRONG_DEVICE,
			      "the device does not carry it now",
			      "where it is now: 'lsblk -f' shows type svcenc; "
			      "'svcenc open NAME DEVICE' takes the new path",
			      fault);
	if (!svcenc_uuid_equal(&sb->key.policy, &policy->key.policy) ||
	    sb->key.version < volume->key.version ||
	    sb->key.version > policy->key.version)
		return refuse(volume, SVCENC_FAULT_INTEGRITY,
			      "its header names a policy key that it cannot be "
			      "under",
			      "the store and the header are of different "
			      "times: restore the newer of both",
			      fault);
	if (sb->seq < volume->seq)
		return refuse(volume, SVCENC_FAULT_INTEGRITY,
			      "rollback: its header is older than the store "
			      "knows",
			      "was a backup restored? An officer opens it with "
			      "--accept-rollback",
			      fault);
	return 0;
}

static int reach(const struct refresh *refresh, const struct volume *volume,
		 struct reached *ret, struct svcenc_fault *fault)
{
	int r;

	r = volume_find_mapping(volume, &ret->info, fault);
	if (r < 0)
		return r;
	if (ret->info.exists && ret->info.readonly)
		return refuse(volume, SVCENC_FAULT_EXISTS,
			      "it is open read-only",
			      "close it, or open it for writing", fault);
	r = sys_device_open(volume->device, SYS_DEVICE_WRITE, &ret->device);
	if (r < 0)
		return refuse(volume, SVCENC_FAULT_WRONG_DEVICE,
			      r == -ENOENT ? "the device is not there" :
					     strerror(-r),
			      "attach it, then give the command again, or open "
			      "the volume",
			      fault);
	r = header_read(ret->device, &ret->header, fault);
	return r < 0 ? r :
		       check_header(&ret->header, volume, &refresh->policy,
				    fault);
}

/* --- the policy record ---------------------------------------------------- */

/* Copy @copy as @volume and the current policy are now. */
static int write_record(struct refresh *refresh, const struct volume *volume,
			const struct reached *reached, unsigned int copy,
			struct svcenc_fault *fault)
{
	struct svcenc_record record;

	header_make_record(&refresh->tenant, &refresh->policy, volume, &record);
	return header_write_record(reached->device, copy, &record, refresh->key,
				   fault);
}

/*
 * Copy 2 first: if a rewrap was cut short it is the one that is of no use,
 * and copy 1 must stay whole until it is.
 */
static int write_both(struct refresh *refresh, struct volume *volume,
		      const struct reached *reached, struct svcenc_fault *fault)
{
	int r;

	r = write_record(refresh, volume, reached, 1, fault);
	svcenc_step("refresh-record-2");
	if (!r)
		r = write_record(refresh, volume, reached, 0, fault);
	svcenc_step("refresh-record-1");
	if (r < 0)
		return r;
	(void)header_note_record(volume, refresh->policy.wraps);
	r = volume_save(refresh->agent, volume, fault);
	svcenc_step("refresh-record-stored");
	return r;
}

/* --- the volume key ------------------------------------------------------- */

/* Under the key that the header names, without a look at its data. */
static int map_for_a_moment(struct refresh *refresh,
			    const struct volume *volume,
			    const struct reached *reached, const char *name,
			    struct svcenc_fault *fault)
{
	const struct svcenc_sb *sb = reached->header.newest;
	struct svcenc_table table = {
		.device = reached->device->devno_text,
		.uuid = volume->uuid,
		.key = sb->key,
		.initialize = !reached->header.keyed,
		.min_seq = reached->header.keyed ? volume->seq : 0,
	};
	char uuid[SYS_DM_UUID_SIZE];
	const struct sys_dm_spec spec = {
		.name = name,
		.dm_uuid = uuid,
		.table = &table,
		.sectors = sb->data_len / SECTOR,
		.hidden = true,
	};
	enum sys_dm_step step = SYS_DM_STEP_CREATE;
	const char *reason;
	int r;

	if (!reached->header.keyed && volume->epoch)
		return refuse(volume, SVCENC_FAULT_INTEGRITY,
			      "its header is fresh, but it had a key",
			      "restore the header from a backup", fault);
	sys_dm_uuid(&volume->uuid, name, uuid);
	(void)sys_dm_remove(name, 0); /* one that could not be removed before */
	kernel_forget_refusal(refresh->agent);
	r = sys_dm_create(&spec, &step);
	if (!r)
		return 0;
	reason = kernel_refusal(refresh->agent, &volume->uuid);
	return refuse(volume, SVCENC_FAULT_KERNEL,
		      reason ? reason : strerror(-r),
		      "the kernel log says more; is the device in use?", fault);
}

static int authorise(const struct refresh *refresh, const struct volume *volume,
		     char ret[SVCENC_AUTH_TEXT + 1])
{
	struct svcenc_rewrap rewrap = {
		.volume = volume->uuid,
		.from = refresh->from.key,
		.to = refresh->policy.key,
	};
	u8 auth[SVCENC_AUTH_SIZE];
	int r;

	memcpy(rewrap.to_check, refresh->policy.check, sizeof(rewrap.to_check));
	r = svcenc_hierarchy_authorise_rewrap(refresh->from_key, &rewrap, auth);
	if (!r)
		svcenc_hex_print(auth, sizeof(auth), ret);
	OPENSSL_cleanse(auth, sizeof(auth));
	return r;
}

static int send_rewrap(struct refresh *refresh, const struct volume *volume,
		       const char *name, struct svcenc_fault *fault)
{
	char message[16 + SVCENC_KEYID_TEXT + SVCENC_AUTH_TEXT];
	char auth[SVCENC_AUTH_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	const char *reason;
	int r;

	if (authorise(refresh, volume, auth) < 0)
		return svcenc_fault_memory(fault);
	svcenc_keyid_print(&refresh->policy.key, key);
	snprintf(message, sizeof(message), "rewrap %s %s", key, auth);
	kernel_forget_refusal(refresh->agent);
	r = sys_dm_message(name, message);
	OPENSSL_cleanse(message, sizeof(message));
	OPENSSL_cleanse(auth, sizeof(auth));
	if (!r)
		return 0;
	reason = kernel_refusal(refresh->agent, &volume->uuid);
	return refuse(volume, SVCENC_FAULT_KERNEL,
		      reason ? reason : strerror(-r),
		      "the kernel log says more: dmesg | tail", fault);
}

/* @name is mapped. Its status afterwards, under the current key. */
static int rewrap_mapped(struct refresh *refresh, const struct volume *volume,
			 const char *name, struct svcenc_status *ret,
			 struct svcenc_fault *fault)
{
	int r;

	r = sys_dm_status(name, ret);
	if (!r && !svcenc_keyid_equal(&ret->key, &refresh->policy.key)) {
		r = send_rewrap(refresh, volume, name, fault);
		svcenc_step("refresh-rewrapped");
		if (r < 0)
			return r;
		r = sys_dm_status(name, ret);
	}
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	if (ret->state == SVCENC_STATE_LOCKED)
		return refuse(volume, SVCENC_FAULT_PERMISSION, "it is locked",
			      "'svcenc status' shows why", fault);
	return 0;
}

/* Both keys live, the volume mapped under either: all in the kernel. */
static int rewrap_in_kernel(struct refresh *refresh,
			    const struct volume *volume,
			    const struct reached *reached,
			    struct svcenc_status *ret,
			    struct svcenc_fault *fault)
{
	char moment[MOMENT_NAME_SIZE];
	int r, removed;

	if (reached->info.exists)
		return rewrap_mapped(refresh, volume, volume->name, ret, fault);
	moment_name(&volume->uuid, moment);
	r = map_for_a_moment(refresh, volume, reached, moment, fault);
	if (r < 0)
		return r;
	svcenc_step("refresh-mapped");
	r = rewrap_mapped(refresh, volume, moment, ret, fault);
	removed = sys_dm_remove(moment, 0);
	svcenc_step("refresh-unmapped");
	return !r && removed < 0 ?
		       kernel_fault(removed, "remove a mapped device", fault) :
		       r;
}

/*
 * The key to rewrap from: the kernel's, if the volume is open. Its header names
 * another one if a rewrap reached one copy and failed at the other. Done again,
 * that rewrap is no different, if the kernel's key lives. But to a third key it
 * would write over the record that the header needs if the volume is closed as it
 * is.
 */
static int find_from(const struct refresh *refresh, const struct volume *volume,
		     const struct reached *reached, struct svcenc_keyid *ret,
		     struct svcenc_fault *fault)
{
	const struct svcenc_keyid *named = &reached->header.newest->key;
	struct svcenc_status status;
	int r;

	*ret = *named;
	if (!reached->info.exists)
		return 0;
	r = sys_dm_status(volume->name, &status);
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	*ret = status.key;
	if (svcenc_keyid_equal(named, &status.key) ||
	    (svcenc_keyid_equal(named, &refresh->policy.key) &&
	     status.state != SVCENC_STATE_LOCKED))
		return 0;
	return refuse(volume, SVCENC_FAULT_KERNEL,
		      "its header names another policy key than the kernel "
		      "uses: a write of it has failed",
		      "once the device is well, close the volume and open it",
		      fault);
}

/*
 * Record copy 1 first, then the superblocks, then (write_both) copy 2: who
 * recovers takes the copy whose key the superblock names.
 */
static int rewrap(struct refresh *refresh, struct volume *volume,
		  const struct reached *reached, struct svcenc_fault *fault)
{
	struct svcenc_status status;
	struct svcenc_keyid from;
	int r;

	r = find_from(refresh, volume, reached, &from, fault);
	if (r < 0)
		return r;
	if (!svcenc_keyid_equal(&from, &refresh->policy.key)) {
		r = need_from(refresh, &from, fault);
		if (!r)
			r = write_record(refresh, volume, reached, 0, fault);
		svcenc_step("refresh-record-ahead");
	}
	if (!r)
		r = need_live(refresh, fault);
	if (!r)
		r = rewrap_in_kernel(refresh, volume, reached, &status, fault);
	if (r < 0)
		return r;
	volume->key = refresh->policy.key;
	volume->seq = status.seq > volume->seq ? status.seq : volume->seq;
	volume->epoch = status.epoch;
	memset(volume->record_roots, 0, sizeof(volume->record_roots));
	r = volume_save(refresh->agent, volume, fault);
	svcenc_step("refresh-rewrap-stored");
	if (!r)
		log_audit("volume '%s' is under version %u of its policy's key",
			  volume->name, volume->key.version);
	return r;
}

/* --- one volume ----------------------------------------------------------- */

enum refresh_outcome refresh_due(const struct volume *volume,
				 const struct policy *current)
{
	if (!svcenc_keyid_equal(&volume->key, &current->key))
		return REFRESH_REWRAPPED;
	return !volume->ready || header_record_has(volume, current->wraps) ?
		       REFRESH_NOTHING :
		       REFRESH_RECORD;
}

static int refresh_reached(struct refresh *refresh, struct volume *volume,
			   const struct reached *reached,
			   enum refresh_outcome due, struct svcenc_fault *fault)
{
	int r;

	r = need_key(refresh, fault);
	if (r < 0)
		return r;
	volume->record_generation++;
	if (due == REFRESH_REWRAPPED)
		r = rewrap(refresh, volume, reached, fault);
	return r < 0 ? r : write_both(refresh, volume, reached, fault);
}

int refresh_volume(struct refresh *refresh, struct volume *volume,
		   enum refresh_outcome *ret, struct svcenc_fault *fault)
{
	struct reached reached = { .device = NULL };
	int r;

	*ret = refresh_due(volume, &refresh->policy);
	if (*ret == REFRESH_NOTHING)
		return 0;
	if (!volume->ready) {
		/* its format is to be done again, and will be under this key */
		volume->key = refresh->policy.key;
		return volume_save(refresh->agent, volume, fault);
	}
	r = reach(refresh, volume, &reached, fault);
	if (!r)
		r = refresh_reached(refresh, volume, &reached, *ret, fault);
	reached.device = sys_device_close(reached.device);
	return r;
}
