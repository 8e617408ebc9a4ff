// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lease.h"
#include "log.h"
#include "policies.h"
#include "step.h"
#include "volumes.h"

static void note(json_t *notes, const char *text)
{
	(void)json_array_append_new(notes, json_string(text));
}

static int check_wish(const struct volume_wish *wish,
		      struct svcenc_fault *fault)
{
	if (!svcenc_name_is_valid(wish->name)) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.64s' is not a name for a volume",
				 wish->name);
		return svcenc_fault_hint(fault, "1 to 63 of A-Z a-z 0-9 . _ -, "
						"not beginning with . or -");
	}
	if (wish->sector_size != 512 && wish->sector_size != 4096) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE, "sector size %u",
				 wish->sector_size);
		return svcenc_fault_hint(fault, "512 or 4096");
	}
	if (*wish->device != '/' || strlen(wish->device) >= SVCENC_PATH_MAX) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.64s' is not an absolute path of a device",
				 wish->device);
		return svcenc_fault_hint(fault, "give the path as in /dev, "
						"best one of /dev/disk/by-id");
	}
	return 0;
}

static int find_policy(struct agent *agent, const struct volume_wish *wish,
		       struct tenant *ret_tenant, struct policy *ret,
		       struct svcenc_fault *fault)
{
	const char *name = wish->tenant ? wish->tenant : TENANT_DEFAULT;
	const char *policy = wish->policy ? wish->policy : POLICY_PROVIDER;
	bool created;
	int r = 0;

	if (strcmp(name, TENANT_DEFAULT))
		r = tenant_find(agent, name, ret_tenant, fault);
	/* also finishes a tenant whose making was cut short */
	if (!r && !strcmp(policy, POLICY_PROVIDER))
		r = policies_create_tenant(agent, name, ret_tenant, &created,
					   fault);
	else if (!r)
		r = tenant_find(agent, name, ret_tenant, fault);
	if (!r)
		r = policy_find(agent, &ret_tenant->uuid, policy, ret, fault);
	if (r < 0)
		return r;
	if (ret->ready)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
			 "making policy '%s' of tenant '%s' was cut short",
			 ret->name, ret_tenant->name);
	return svcenc_fault_hint(fault,
				 "run 'svcenc policy create %s %s' with the "
				 "same options again",
				 ret_tenant->name, ret->name);
}

static int open_device(const struct volume_wish *wish, struct sys_device **ret,
		       struct svcenc_fault *fault)
{
	const char *reason = NULL;
	int r;

	r = sys_device_open(wish->device,
			    SYS_DEVICE_WRITE | SYS_DEVICE_EXCLUSIVE, ret);
	if (r == -EBUSY) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "device %s is in use", wish->device);
		return svcenc_fault_hint(fault,
					 "it is mounted, mapped, or part of "
					 "something: see 'lsblk %s' and 'fuser "
					 "-v %s'",
					 wish->device, wish->device);
	}
	if (r == -ENOTBLK) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "%s is not a block device", wish->device);
		return svcenc_fault_hint(fault, "'lsblk' shows what there is; "
						"a file becomes one with "
						"'losetup'");
	}
	if (r < 0) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "cannot open device %s: %s", wish->device,
				 strerror(-r));
		return svcenc_fault_hint(fault, "'lsblk' shows what there is");
	}
	if (sys_device_check_below(*ret, &reason) < 0) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE, "%s: %s",
				 wish->device,
				 reason ? reason : "unsuitable device");
		return svcenc_fault_hint(fault, "choose another device");
	}
	if ((*ret)->logical_block > wish->sector_size) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "%s has blocks of %u bytes: sectors of %u are "
				 "too small",
				 wish->device, (*ret)->logical_block,
				 wish->sector_size);
		return svcenc_fault_hint(fault, "leave the sector size out, or "
						"say 4096");
	}
	return 0;
}

/* Refuses to write over what somebody may want to keep. */
static int check_contents(const struct sys_device *device,
			  const struct volume_wish *wish,
			  struct svcenc_fault *fault)
{
	struct sys_signature found;
	int r;

	r = sys_device_signature(device, &found);
	if (r < 0) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "cannot look at what is on %s: %s",
				 wish->device, strerror(-r));
		return svcenc_fault_hint(fault, "is the device healthy? See "
						"the kernel log");
	}
	if (!r || wish->force)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
			 "%s carries a signature: %s%s%s", wish->device,
			 found.type, found.label[0] ? " with label " : "",
			 found.label);
	return svcenc_fault_hint(fault, "if its contents are no longer wanted: "
					"--force, which destroys them");
}

/*
 * A volume of that name in the store: 1 = a run to go on with (@volume is
 * it), 0 = none, negative = refused. Whoever formats a ready volume again
 * loses nothing as long as it never had a key: that mends a header that was
 * torn before the first open.
 */
static int find_earlier(struct agent *agent, const struct volume_wish *wish,
			const struct policy *policy,
			const struct header *header, struct volume *volume,
			struct svcenc_fault *fault)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };

	if (volume_find(agent, wish->name, volume, &absent) < 0) {
		if (absent.kind == SVCENC_FAULT_NOT_FOUND)
			return 0;
		*fault = absent;
		return -EBADMSG;
	}
	if (strcmp(volume->device, wish->device) ||
	    !svcenc_keyid_equal(&volume->key, &policy->key) ||
	    (volume->ready && volume->epoch)) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "there is a volume '%s' already, on %s",
				 wish->name, volume->device);
		return svcenc_fault_hint(
			fault,
			volume->ready ? "choose another name, or open "
					"it: 'svcenc open %s'" :
					"its format was cut short: run "
					"it again with the same "
					"device, tenant and policy for "
					"'%s'",
			wish->name);
	}
	if (header->keyed && header_is_of(header, &volume->uuid)) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "volume '%s' on %s has a key already",
				 wish->name, wish->device);
		return svcenc_fault_hint(fault, "open it: 'svcenc open %s'",
					 wish->name);
	}
	return 1;
}

static int begin(const struct volume_wish *wish, const struct policy *policy,
		 struct volume *volume, struct svcenc_fault *fault)
{
	memset(volume, 0, sizeof(*volume));
	if (model_new_uuid(&volume->uuid) < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"no random numbers");
	snprintf(volume->name, sizeof(volume->name), "%s", wish->name);
	snprintf(volume->device, sizeof(volume->device), "%s", wish->device);
	volume->tenant = policy->tenant;
	volume->key = policy->key;
	volume->seq = 1;
	volume->created = model_wall_s();
	return 0;
}

/* Everything is checked; from here on the device changes. */
static int write_header(struct agent *agent, const struct sys_device *device,
			const struct tenant *tenant, struct policy *policy,
			struct volume *volume, struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct svcenc_record record;
	int r;

	r = lease_get_key(agent, policy, &key, fault);
	if (r < 0)
		return r;
	svcenc_step("format-begin");
	r = volume_save(agent, volume, fault);
	if (r < 0)
		return r;
	svcenc_step("format-recorded");
	r = sys_device_wipe_signatures(device);
	if (r < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
					"cannot wipe old signatures on %s: %s",
					volume->device, strerror(-r));
	svcenc_step("format-wiped");
	header_make_record(tenant, policy, volume, &record);
	r = header_format(device, volume, &record, key, fault);
	if (r < 0)
		return r;
	volume->ready = true;
	(void)header_note_record(volume, policy->wraps);
	r = volume_save(agent, volume, fault);
	svcenc_step("format-stored");
	return r;
}

static int format_on(struct agent *agent, const struct volume_wish *wish,
		     struct sys_device *device, struct volume *ret,
		     bool *ret_created, struct svcenc_fault *fault)
{
	struct policy policy;
	struct header header;
	struct tenant tenant;
	u64 size = wish->size, spare = wish->spare;
	int r, earlier;

	r = header_plan(device->bytes, &size, &spare, fault);
	if (!r)
		r = header_read(device, &header, fault);
	if (!r)
		r = find_policy(agent, wish, &tenant, &policy, fault);
	if (r < 0)
		return r;
	earlier = find_earlier(agent, wish, &policy, &header, ret, fault);
	if (earlier < 0)
		return earlier;
	/* our own unfinished header is no stranger's signature */
	if (!earlier || !header_is_of(&header, &ret->uuid)) {
		r = check_contents(device, wish, fault);
		if (r < 0)
			return r;
	}
	*ret_created = !earlier || !ret->ready;
	if (!earlier) {
		r = begin(wish, &policy, ret, fault);
		if (r < 0)
			return r;
	}
	ret->ready = false;
	ret->sector_size = wish->sector_size;
	ret->allow_discards = wish->allow_discards;
	ret->data_len = size;
	ret->spare_len = spare;
	ret->record_generation++;
	return write_header(agent, device, &tenant, &policy, ret, fault);
}

int volumes_format(struct agent *agent, const struct volume_wish *wish,
		   struct volume *ret, bool *ret_created, json_t *notes,
		   struct svcenc_fault *fault)
{
	__attribute__((cleanup(sys_device_closep))) struct sys_device *device =
		NULL;
	int r;

	r = check_wish(wish, fault);
	if (r < 0)
		return r;
	r = open_device(wish, &device, fault);
	if (r < 0)
		return r;
	r = format_on(agent, wish, device, ret, ret_created, fault);
	if (r < 0)
		return r;
	log_audit("volume '%s' formatted on %s", ret->name, ret->device);
	note(notes, "its key is made in the kernel at the first open");
	if (!strncmp(wish->device, "/dev/sd", 7) ||
	    !strncmp(wish->device, "/dev/vd", 7))
		note(notes, "the path may name another disk after a reboot; a "
			    "path of /dev/disk/by-id stays");
	return 0;
}
