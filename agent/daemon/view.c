// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "dm.h"
#include "grants.h"
#include "kernel.h"
#include "lease_key.h"
#include "pass.h"
#include "recordjson.h"
#include "rotations.h"
#include "view.h"

static const char *uuid_text(const struct svcenc_uuid *uuid,
			     char text[SVCENC_UUID_TEXT + 1])
{
	svcenc_uuid_print(uuid, text);
	return text;
}

static const char *key_text(const struct svcenc_keyid *key,
			    char text[SVCENC_KEYID_TEXT + 1])
{
	svcenc_keyid_print(key, text);
	return text;
}

/* --- tenants -------------------------------------------------------------- */

json_t *view_tenant(struct agent *agent, const struct tenant *tenant)
{
	const size_t policies = model_policies_of(agent, &tenant->uuid);
	const size_t volumes = model_volumes_of(agent, &tenant->uuid);
	char uuid[SVCENC_UUID_TEXT + 1];

	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "name", tenant->name,
			 "uuid", uuid_text(&tenant->uuid, uuid), "created",
			 (json_int_t)tenant->created, "policies",
			 (json_int_t)policies, "volumes", (json_int_t)volumes);
}

/* --- policies ------------------------------------------------------------- */

static json_t *view_root(const struct policy *policy, const struct lease *lease,
			 unsigned int index)
{
	static const struct lease_root unknown = { .answered_ms = 0 };
	const struct lease_root *root = lease ? &lease->roots[index] : &unknown;
	const struct svcenc_record_wrap *wrap = &policy->wraps[index];
	const char *alg = svcenc_recordjson_alg_text(wrap->alg);

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "role",
		svcenc_recordjson_role_text(wrap->role), "vault", wrap->vault,
		"kid", wrap->kid, "alg", alg ? alg : "", "answer",
		svcenc_answer_text(root->last.answer), "reason",
		root->last.reason, "detail", root->last.detail, "denied",
		index < 2 && (policy->denied[index] || root->facts.denied),
		"answer_age_ms",
		root->answered_ms ?
			(json_int_t)(agent_now_ms() - root->answered_ms) :
			(json_int_t)-1);
}

struct usage {
	const struct svcenc_uuid *policy;
	size_t open;
};

static void count_open(struct agent *agent,
		       const struct sys_genl_device *device, void *userdata)
{
	struct usage *usage = userdata;

	(void)agent;
	usage->open += svcenc_uuid_equal(&device->key.policy, usage->policy);
}

/* Keys that a rekey has left behind, with the volumes still under them. */
static json_t *view_superseded(struct agent *agent, const struct policy *policy)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	char key[SVCENC_KEYID_TEXT + 1];
	json_t *list = json_array();
	struct policy superseded;
	size_t cursor = 0;

	while (policy_next_superseded(agent, &cursor, &superseded, &ignored) >
	       0)
		if (svcenc_uuid_equal(&superseded.key.policy,
				      &policy->key.policy))
			json_array_append_new(
				list,
				json_string(key_text(&superseded.key, key)));
	return list;
}

/* Root on this host reads the keys of a file vault. */
static bool separates_from_root(struct agent *agent,
				const struct policy *policy)
{
	const struct svcenc_vault_config *vault;
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++) {
		vault = svcenc_config_vault(&agent->config,
					    policy->wraps[i].vault);
		if (!vault || !strcmp(vault->type, "file"))
			return false;
	}
	return true;
}

static const char *policy_why(const struct policy *policy,
			      const struct lease *lease)
{
	if (!policy->ready)
		return "making it was cut short: create it again";
	if (policy->held)
		return "its key was ended by hand; 'svcenc open' of one of its "
		       "volumes brings it back";
	if (lease && lease->why[0])
		return lease->why;
	if (policy->task != SVCENC_TASK_NONE)
		return "a change of its keys was cut short: give the command "
		       "again";
	return policy->state == SVCENC_POLICY_ACTIVE ?
		       "" :
		       "as of the last probe before svcencd started";
}

json_t *view_policy(struct agent *agent, const struct policy *policy)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	char check[SVCENC_CHECK_TEXT + 1];
	struct lease *lease = lease_of(agent, policy);
	struct grant grant = { .for_s = 0 };
	const bool granted = grant_find(agent, policy, &grant);
	struct usage usage = { .open = 0 };
	json_t *roots = json_array(), *left_behind;
	struct tenant tenant;
	size_t volumes;
	unsigned int i;

	if (tenant_find_uuid(agent, &policy->tenant, &tenant, &ignored) < 0)
		tenant.name[0] = '\0';
	if (lease)
		lease_key_glance(lease);
	left_behind = pass_survey(agent, policy, &volumes);
	usage.policy = &policy->key.policy;
	(void)kernel_glance_volumes(agent, NULL, count_open, &usage);
	svcenc_hex_print(policy->check, sizeof(policy->check), check);
	for (i = 0; i < MODEL_ROLES; i++)
		json_array_append_new(roots, view_root(policy, lease, i));
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, "
		"s:I, s:o, s:I, s:I, s:b, s:I, s:b, s:I, s:s, s:I, s:b, s:I, "
		"s:s, s:o, s:o}",
		"tenant", tenant.name, "name", policy->name, "uuid",
		uuid_text(&policy->key.policy, uuid), "kind",
		policy->customer ? "customer" : "provider", "key",
		key_text(&policy->key, key), "check", check, "state",
		policy->ready ? svcenc_policy_state_text(policy->state) :
				svcenc_policy_state_text(SVCENC_POLICY_LOCKED),
		"why", policy_why(policy, lease), "availability",
		svcenc_availability_text(policy->rules.availability),
		"on_withdrawal",
		svcenc_on_withdrawal_text(policy->rules.on_withdrawal),
		"lease_s", (json_int_t)policy->rules.lease_s, "probe_s",
		(json_int_t)policy->rules.probe_s, "fallback_max_s",
		(json_int_t)policy->rules.fallback_max_s, "roots", roots,
		"volumes", (json_int_t)volumes, "open_volumes",
		(json_int_t)usage.open, "key_live", lease && lease->key_live,
		"lease_left_ms",
		lease && lease->key_live ?
			(json_int_t)(lease->lease_end_ms - agent_now_ms()) :
			(json_int_t)-1,
		"held", policy->held, "fallback_ms",
		lease && lease->in_fallback ?
			(json_int_t)(agent_now_ms() -
				     lease->fallback_since_ms) :
			(json_int_t)-1,
		"grant", grant.reason, "grant_left_ms",
		granted ? (json_int_t)grant_left_ms(&grant) : (json_int_t)-1,
		"separates_from_root", separates_from_root(agent, policy),
		"created", (json_int_t)policy->created, "task",
		svcenc_policy_task_text(policy->task), "superseded_keys",
		view_superseded(agent, policy), "left_behind", left_behind);
}

json_t *view_policies(struct agent *agent, const struct svcenc_uuid *tenant)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	json_t *list = json_array();
	struct policy policy;
	size_t cursor = 0;

	while (policy_next(agent, &cursor, &policy, &ignored) > 0)
		if (!tenant || svcenc_uuid_equal(&policy.tenant, tenant))
			json_array_append_new(list,
					      view_policy(agent, &policy));
	return list;
}

/* --- volumes -------------------------------------------------------------- */

static json_t *view_counters(const struct svcenc_counters *counters)
{
	json_t *json = json_object();

#define x(name)                          \
	json_object_set_new(json, #name, \
			    json_integer((json_int_t)counters->name));
	SVCENC_COUNTERS(x)
#undef x
	return json;
}

static u64 size_of_device(const char *path)
{
	struct sys_device *device;
	u64 bytes;

	if (sys_device_open(path, 0, &device) < 0)
		return 0;
	bytes = device->bytes;
	sys_device_close(device);
	return bytes;
}

/* What a rotation that does not go on by itself waits for; else "". */
static void rotation_why(const char *name, enum svcenc_rotation_state state,
			 char *buf, size_t size)
{
	const char *what, *then = "";

	buf[0] = '\0';
	switch (state) {
	case SVCENC_ROTATION_PAUSED:
		what = "the rotation is paused";
		break;
	case SVCENC_ROTATION_READ_ERROR:
		what = "the rotation stopped where the device cannot read";
		then = " tries again, with --skip-unreadable it passes over";
		break;
	case SVCENC_ROTATION_WRITE_ERROR:
		what = "the rotation stopped where the device cannot write";
		then = " once that is mended";
		break;
	case SVCENC_ROTATION_SUPER_ERROR:
		what = "the rotation stopped as the device cannot write the "
		       "header, and some writes wait";
		then = " once that is mended";
		break;
	default:
		return;
	}
	snprintf(buf, size, "%s: 'svcenc rotate %s --resume'%s", what, name,
		 then);
}

struct mapping {
	bool open;
	struct sys_dm_info info;
	struct svcenc_status status;
	u64 sectors;
	char path[SYS_DM_PATH_SIZE];
	char rotation_why[192 + SVCENC_NAME_SIZE]; /* "": nothing to be done */
};

static void look_at_mapping(const struct volume *volume, struct mapping *ret)
{
	struct sys_dm_table *table;
	struct svcenc_uuid uuid;

	memset(ret, 0, sizeof(*ret));
	ret->status.seq = volume->seq;
	ret->status.epoch = volume->epoch;
	ret->sectors = volume->data_len / 512;
	if (sys_dm_info(volume->name, &ret->info) < 0 || !ret->info.exists ||
	    !sys_dm_info_is_svcenc(&ret->info, &uuid) ||
	    !svcenc_uuid_equal(&uuid, &volume->uuid) ||
	    sys_dm_status(volume->name, &ret->status) < 0)
		return;
	ret->open = true;
	rotation_why(volume->name, ret->status.rotation, ret->rotation_why,
		     sizeof(ret->rotation_why));
	sys_dm_path(volume->name, ret->path);
	table = malloc(sizeof(*table));
	if (table && !sys_dm_table(volume->name, table))
		ret->sectors = table->sectors;
	free(table);
}

static const char *volume_state(const struct volume *volume,
				const struct mapping *mapping)
{
	if (!volume->ready)
		return "creating";
	return mapping->open ? svcenc_state_text(mapping->status.state) :
			       "closed";
}

static const char *volume_why(const struct volume *volume,
			      const struct mapping *mapping,
			      const struct policy *policy, struct agent *agent)
{
	if (!volume->ready)
		return "format was cut short: run it again";
	if (mapping->open && mapping->info.suspended)
		return "the mapped device is suspended: I/O waits; 'dmsetup "
		       "resume' or 'svcenc open'";
	if (mapping->open && mapping->status.state == SVCENC_STATE_LOCKED) {
		const char *why = policy_why(policy, lease_of(agent, policy));

		return *why ? why : "no key is live for it: 'svcenc open'";
	}
	return mapping->rotation_why;
}

/* Of an open volume; of others all is 0 and "idle". */
static json_t *view_rotation(struct agent *agent, const struct volume *volume,
			     const struct svcenc_status *status)
{
	const u64 left = status->rotation_total - status->rotation_done;
	const u64 speed = status->rotation == SVCENC_ROTATION_RUNNING ?
				  rotations_speed(agent, &volume->uuid) :
				  0;

	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state",
			 svcenc_rotation_text(status->rotation), "done",
			 (json_int_t)(status->rotation_done * 512), "total",
			 (json_int_t)(status->rotation_total * 512), "limit",
			 (json_int_t)(status->rate_kib_s * 1024), "speed",
			 (json_int_t)speed, "left_ms",
			 speed ? (json_int_t)((double)left * 512 * 1000 /
					      (double)speed) :
				 (json_int_t)-1,
			 "longest_park_us", (json_int_t)status->longest_park_us,
			 "unreadable", (json_int_t)status->unreadable);
}

json_t *view_volume(struct agent *agent, const struct volume *volume)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	struct policy policy = { .ready = true };
	struct tenant tenant;
	struct mapping mapping;

	if (tenant_find_uuid(agent, &volume->tenant, &tenant, &ignored) < 0)
		tenant.name[0] = '\0';
	(void)policy_find_key(agent, &volume->key, &policy, &ignored);
	look_at_mapping(volume, &mapping);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, "
		"s:I, s:I, s:b, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:I}",
		"name", volume->name, "uuid", uuid_text(&volume->uuid, uuid),
		"tenant", tenant.name, "policy", policy.name, "key",
		key_text(&volume->key, key), "state",
		volume_state(volume, &mapping), "why",
		volume_why(volume, &mapping, &policy, agent), "device",
		volume->device, "path", mapping.path, "devno",
		mapping.info.devno_text, "size",
		(json_int_t)(mapping.sectors * 512), "device_size",
		(json_int_t)size_of_device(volume->device), "spare",
		(json_int_t)volume->spare_len, "sector_size",
		(json_int_t)volume->sector_size, "allow_discards",
		volume->allow_discards, "on_withdrawal",
		svcenc_on_withdrawal_text(
			volume->on_withdrawal ?
				volume->on_withdrawal - 1U :
				(unsigned int)policy.rules.on_withdrawal),
		"seq", (json_int_t)mapping.status.seq, "epoch",
		(json_int_t)mapping.status.epoch, "rotation_done",
		(json_int_t)(mapping.status.rotation_done * 512),
		"rotation_total",
		(json_int_t)(mapping.status.rotation_total * 512), "rotation",
		view_rotation(agent, volume, &mapping.status), "counters",
		view_counters(&mapping.status.counters), "created",
		(json_int_t)volume->created);
}

json_t *view_volumes(struct agent *agent, const struct svcenc_uuid *tenant)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	json_t *list = json_array();
	struct volume volume;
	size_t cursor = 0;

	while (volume_next(agent, &cursor, &volume, &ignored) > 0)
		if (!tenant || svcenc_uuid_equal(&volume.tenant, tenant))
			json_array_append_new(list,
					      view_volume(agent, &volume));
	return list;
}
