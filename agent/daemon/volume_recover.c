// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The store is lost: what the policy record in a volume's header gives back.
 * A record is a stranger's until its MAC matches under a policy key that one
 * of the *configured* vaults has unwrapped; so a hostile record can at most
 * make us ask a configured vault to unwrap a blob, and learns nothing of the
 * answer. Rules are not in the record: they are the configuration's defaults.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "hierarchy.h"
#include "log.h"
#include "policies.h"
#include "rootspec.h"
#include "step.h"
#include "volumes.h"

struct record_on_disk {
	u8 image[SVCENC_RECORD_SIZE];
	struct svcenc_record record; /* believed once verified */
};

static bool opens_record(const struct svcenc_secret *plain, const void *what)
{
	const struct record_on_disk *disk = what;

	return svcenc_secret_len(plain) == SVCENC_POLICYKEY_SIZE &&
	       !svcenc_hierarchy_verify_record(plain, &disk->record.key,
					       disk->image);
}

/* The copy that belongs to the key that the superblock names. */
static int find_record(struct agent *agent, const struct sys_device *device,
		       const struct svcenc_sb *sb, struct record_on_disk *ret,
		       struct svcenc_fault *fault)
{
	struct svcenc_fault parse = { .kind = SVCENC_FAULT_NONE };
	unsigned int copy;

	for (copy = 0; copy < 2; copy++) {
		if (sys_device_read_record(device, copy, ret->image) < 0)
			continue;
		svcenc_fault_clear(&parse);
		if (worker_parse_record(agent, ret->image, &ret->record,
					&parse) < 0)
			continue;
		if (svcenc_keyid_equal(&ret->record.key, &sb->key) &&
		    svcenc_uuid_equal(&ret->record.volume, &sb->uuid))
			return 0;
		svcenc_fault_set(&parse, SVCENC_FAULT_INTEGRITY,
				 "the policy record is of another volume or "
				 "key version than the superblock");
	}
	if (parse.kind == SVCENC_FAULT_NONE)
		svcenc_fault_set(&parse, SVCENC_FAULT_WRONG_DEVICE,
				 "the policy record cannot be read");
	*fault = parse;
	return -EBADMSG;
}

/* Wraps by role; a record may have fewer, or in another order. */
static int sort_wraps(const struct svcenc_record *record,
		      struct svcenc_record_wrap ret[MODEL_ROLES],
		      struct svcenc_fault *fault)
{
	unsigned int have = 0;
	u32 i;

	for (i = 0; i < record->wrap_count; i++) {
		ret[record->wraps[i].role - 1] = record->wraps[i];
		have |= 1U << record->wraps[i].role;
	}
	if (have == 0xe)
		return 0;
	return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				"the policy record lacks a root");
}

/* Opens the policy key with the record's wraps and verifies the record. */
static int unwrap(struct agent *agent, const struct record_on_disk *disk,
		  struct policy *policy, struct svcenc_secret **ret,
		  struct svcenc_fault *fault)
{
	struct access access = { .wraps = policy->wraps,
				 .accept = opens_record,
				 .what = disk };
	int r;

	r = access_by_roots(agent, &access, ret);
	if (r < 0 &&
	    policy->rules.availability == SVCENC_AVAILABILITY_TRANSIENT &&
	    access.results[0].answer == SVCENC_ANSWER_UNREACHABLE &&
	    access.results[1].answer == SVCENC_ANSWER_UNREACHABLE)
		r = access_by_availability(agent, &access, ret);
	return r < 0 ? access_fault(&access, "policy record", fault) : 0;
}

static int take_tenant(struct agent *agent, const struct svcenc_record *record,
		       struct recovery *recovery)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	struct tenant tenant;
	int r;

	if (!tenant_find(agent, record->tenant_name, &tenant, &absent)) {
		if (svcenc_uuid_equal(&tenant.uuid, &record->tenant))
			return 0;
		svcenc_fault_set(&recovery->why, SVCENC_FAULT_EXISTS,
				 "the store has another tenant '%s'",
				 record->tenant_name);
		return svcenc_fault_hint(&recovery->why,
					 "recover into an empty store");
	}
	memset(&tenant, 0, sizeof(tenant));
	memcpy(tenant.name, record->tenant_name, sizeof(tenant.name));
	tenant.uuid = record->tenant;
	tenant.created = model_wall_s();
	svcenc_step("recover-tenant");
	r = tenant_save(agent, &tenant, &recovery->why);
	recovery->tenants += r < 0 ? 0 : 1;
	return r;
}

/*
 * Keys of ours are called after the policy; any other somebody has named, and
 * then the policy is a customer's.
 */
static void take_root_names(struct policy *policy)
{
	char uuid[SVCENC_UUID_TEXT + 1];
	unsigned int i;

	svcenc_uuid_print(&policy->key.policy, uuid);
	for (i = 0; i < MODEL_ROLES; i++) {
		if (strstr(policy->wraps[i].kid, uuid))
			continue;
		svcenc_rootspec_from_kid(policy->wraps[i].kid,
					 policy->root_names[i]);
		policy->customer = policy->customer || i < 2;
	}
}

/*
 * Volumes that were left behind by a rekey have the earlier key in their
 * records: the newest is the policy's, the others stay until they are unused.
 */
static int take_version(struct agent *agent, const struct policy *known,
			struct policy *policy, struct recovery *recovery)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	struct policy superseded;

	if (policy->key.version > known->key.version) {
		svcenc_step("recover-policy-newer");
		return policy_replace(agent, known, policy, &recovery->why);
	}
	if (!policy_find_key(agent, &policy->key, &superseded, &absent))
		return 0;
	policy->superseded = true;
	svcenc_step("recover-policy-older");
	return policy_save(agent, policy, &recovery->why);
}

/*
 * The probes are made anew: the record does not carry them. A root that is
 * out of reach now gets its probe later (lease.c).
 */
static int take_policy(struct agent *agent, struct policy *policy,
		       struct recovery *recovery)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	struct policy known;
	int r;

	r = policy_find_uuid(agent, &policy->key.policy, &known, &absent);
	if (!r && known.ready && svcenc_keyid_equal(&known.key, &policy->key))
		return policy_remember_roots(agent, &known, policy->wraps,
					     &recovery->why);
	if (!r && !known.ready)
		return svcenc_fault_set(&recovery->why, SVCENC_FAULT_EXISTS,
					"the store has policy '%s', half made",
					policy->name);
	take_root_names(policy);
	(void)policies_mend_probes(agent, policy);
	if (!r)
		return take_version(agent, &known, policy, recovery);
	svcenc_step("recover-policy");
	r = policy_save(agent, policy, &recovery->why);
	recovery->policies += r < 0 ? 0 : 1;
	return r;
}

/* Both copies the same: then it is known what the header names. */
static void take_roots(const struct sys_device *device,
		       const struct record_on_disk *disk, struct volume *volume)
{
	static u8 other[SVCENC_RECORD_SIZE];
	struct svcenc_record_wrap wraps[MODEL_ROLES];
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	unsigned int copy;

	memset(volume->record_roots, 0, sizeof(volume->record_roots));
	for (copy = 0; copy < 2; copy++)
		if (sys_device_read_record(device, copy, other) < 0 ||
		    memcmp(other, disk->image, sizeof(other)))
			return;
	if (!sort_wraps(&disk->record, wraps, &ignored))
		(void)header_note_record(volume, wraps);
}

/* The store has it: is the header ahead of the store? */
static int take_known(struct agent *agent, const struct sys_device *device,
		      const struct svcenc_sb *sb,
		      const struct record_on_disk *disk, struct volume *volume,
		      struct recovery *recovery)
{
	if (!svcenc_uuid_equal(&volume->uuid, &sb->uuid)) {
		svcenc_fault_set(&recovery->why, SVCENC_FAULT_EXISTS,
				 "the store has another volume '%s'",
				 volume->name);
		return svcenc_fault_hint(&recovery->why,
					 "recover into an empty store");
	}
	if (disk->record.key.version <= volume->key.version ||
	    sb->seq < volume->seq) {
		recovery->outcome = "known";
		return 0;
	}
	volume->key = disk->record.key;
	volume->seq = sb->seq;
	volume->record_generation = disk->record.generation;
	take_roots(device, disk, volume);
	svcenc_step("recover-volume-key");
	return volume_save(agent, volume, &recovery->why);
}

static int take_volume(struct agent *agent, const struct sys_device *device,
		       const struct svcenc_sb *sb,
		       const struct record_on_disk *disk,
		       struct recovery *recovery)
{
	const struct svcenc_record *record = &disk->record;
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	struct volume volume;
	int r;

	if (!volume_find(agent, record->volume_name, &volume, &absent))
		return take_known(agent, device, sb, disk, &volume, recovery);
	memset(&volume, 0, sizeof(volume));
	memcpy(volume.name, record->volume_name, sizeof(volume.name));
	snprintf(volume.device, sizeof(volume.device), "%s", device->path);
	volume.uuid = sb->uuid;
	volume.tenant = record->tenant;
	volume.key = record->key;
	volume.ready = true;
	volume.sector_size = sb->sector_size;
	volume.data_len = sb->data_len;
	volume.spare_len = sb->spare_len;
	volume.seq = sb->seq; /* trust on first use: nothing newer is known */
	volume.epoch = sb->epoch;
	volume.record_generation = record->generation;
	volume.created = model_wall_s();
	take_roots(device, disk, &volume);
	svcenc_step("recover-volume");
	r = volume_save(agent, &volume, &recovery->why);
	recovery->volumes += r < 0 ? 0 : 1;
	return r;
}

static int recover(struct agent *agent, const struct sys_device *device,
		   struct record_on_disk *disk, struct recovery *recovery)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct svcenc_fault *fault = &recovery->why;
	const struct svcenc_record *record = &disk->record;
	struct header header;
	struct policy policy;
	int r;

	r = header_read(device, &header, fault);
	if (r < 0)
		return r;
	if (!header.newest)
		return svcenc_fault_set(
			fault, SVCENC_FAULT_WRONG_DEVICE, "%s: %s",
			device->path, svcenc_sb_defect_text(header.defect[0]));
	r = find_record(agent, device, header.newest, disk, fault);
	if (r < 0)
		return r;
	memset(&policy, 0, sizeof(policy));
	policy.key = record->key;
	policy.rules = agent->config.rules;
	policy.tenant = record->tenant;
	policy.state = SVCENC_POLICY_ACTIVE;
	policy.ready = true;
	policy.created = model_wall_s();
	memcpy(policy.name, record->policy_name, sizeof(policy.name));
	r = sort_wraps(record, policy.wraps, fault);
	if (!r)
		r = unwrap(agent, disk, &policy, &key, fault);
	if (r < 0)
		return r;
	/* from here on the record is believed: its MAC has matched */
	memcpy(recovery->volume, record->volume_name, SVCENC_NAME_SIZE);
	memcpy(recovery->policy, record->policy_name, SVCENC_NAME_SIZE);
	memcpy(recovery->tenant, record->tenant_name, SVCENC_NAME_SIZE);
	if (svcenc_hierarchy_check(key, &policy.key, policy.check) < 0)
		return svcenc_fault_memory(fault);
	r = take_tenant(agent, record, recovery);
	if (!r)
		r = take_policy(agent, &policy, recovery);
	if (!r)
		r = take_volume(agent, device, header.newest, disk, recovery);
	return r;
}

void volumes_recover(struct agent *agent, const char *path,
		     struct recovery *ret)
{
	__attribute__((cleanup(sys_device_closep))) struct sys_device *device =
		NULL;
	static struct record_on_disk disk; /* 30 KiB: too much for a stack */
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->outcome = "recovered";
	r = *path == '/' ? sys_device_open(path, 0, &device) : -EINVAL;
	if (r < 0)
		svcenc_fault_set(&ret->why, SVCENC_FAULT_WRONG_DEVICE,
				 "cannot open %s: %s", path, strerror(-r));
	else
		r = recover(agent, device, &disk, ret);
	if (r < 0)
		ret->outcome = "refused";
	log_audit("recovery from %s: %s %s", path, ret->outcome,
		  ret->why.message);
}
