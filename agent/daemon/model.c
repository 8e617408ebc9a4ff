// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "model_json.h"
#include "recordjson.h"
#include "secret.h"

#define SUPERSEDED "policy-superseded"

int model_new_uuid(struct svcenc_uuid *ret)
{
	if (RAND_bytes(ret->b, sizeof(ret->b)) != 1)
		return -EIO;
	ret->b[6] = (u8)((ret->b[6] & 0x0f) | 0x40);
	ret->b[8] = (u8)((ret->b[8] & 0x3f) | 0x80);
	return 0;
}

int64_t model_wall_s(void)
{
	return (int64_t)time(NULL);
}

int model_store_fault(struct agent *agent, int error,
		      struct svcenc_fault *fault)
{
	if (error == -ENOMEM)
		return svcenc_fault_memory(fault);
	if (error == -EBADMSG) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "the store %s/store.db is not what its MACs "
				 "say",
				 agent->paths.state);
		return svcenc_fault_hint(
			fault, "stop svcencd, move the store's files away, "
			       "start it, and run 'svcenc store recover "
			       "DEVICE...'");
	}
	if (error == -ELOOP) {
		svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
				 "the path of the store %s/store.db has a "
				 "symbolic link in it",
				 agent->paths.state);
		return svcenc_fault_hint(fault,
					 "put the file itself there; for "
					 "another disk use a mount");
	}
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
			 "cannot write the store %s/store.db: %s",
			 agent->paths.state, strerror(-error));
	return svcenc_fault_hint(fault,
				 "make room on that filesystem, or mount it "
				 "writable, and run the same command again");
}

/* --- tenants -------------------------------------------------------------- */

static json_t *tenant_write(const struct tenant *tenant)
{
	return json_pack("{s:s, s:o, s:I}", "name", tenant->name, "uuid",
			 model_write_uuid(&tenant->uuid), "created",
			 (json_int_t)tenant->created);
}

static bool tenant_read(const json_t *json, struct tenant *ret)
{
	const char *name, *uuid;
	json_int_t created;

	if (json_unpack((json_t *)json, "{s:s, s:s, s:I !}", "name", &name,
			"uuid", &uuid, "created", &created) < 0)
		return false;
	ret->created = created;
	return model_read_name(name, ret->name) &&
	       model_read_uuid(uuid, &ret->uuid);
}

int tenant_next(struct agent *agent, size_t *cursor, struct tenant *ret,
		struct svcenc_fault *fault)
{
	const json_t *json = svcenc_store_next(agent->store, "tenant", cursor);

	if (!json)
		return 0;
	return tenant_read(json, ret) ? 1 : model_unreadable(fault, "tenant");
}

int tenant_find(struct agent *agent, const char *name, struct tenant *ret,
		struct svcenc_fault *fault)
{
	const json_t *json =
		svcenc_store_get(agent->store, "tenant", name, NULL);

	if (!json) {
		svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
				 "there is no tenant '%.64s'", name);
		return svcenc_fault_hint(
			fault,
			"'svcenc tenant list' shows all; "
			"'svcenc tenant create %.64s' makes it",
			name);
	}
	return tenant_read(json, ret) ? 0 : model_unreadable(fault, "tenant");
}

int tenant_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct tenant *ret, struct svcenc_fault *fault)
{
	char text[SVCENC_UUID_TEXT + 1];
	const json_t *json;
	size_t cursor = 0;

	svcenc_uuid_print(uuid, text);
	while ((json = svcenc_store_next(agent->store, "tenant", &cursor)))
		if (model_has_text(json, "uuid", text))
			return tenant_read(json, ret) ?
				       0 :
				       model_unreadable(fault, "tenant");
	return svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
				"the tenant is not in the store");
}

int tenant_save(struct agent *agent, const struct tenant *tenant,
		struct svcenc_fault *fault)
{
	const int r = svcenc_store_put_now(agent->store, "tenant", tenant->name,
					   tenant_write(tenant));

	return r < 0 ? model_store_fault(agent, r, fault) : 0;
}

static size_t count_with(struct agent *agent, const char *kind,
			 const char *member, const char *text)
{
	size_t cursor = 0, count = 0;
	const json_t *json;

	while ((json = svcenc_store_next(agent->store, kind, &cursor)))
		count += model_has_text(json, member, text);
	return count;
}

/* --- policies ------------------------------------------------------------- */

static json_t *write_probe(const struct probe *probe)
{
	char blob[4 * ((MODEL_BLOB_MAX + 2) / 3) + 1];

	EVP_EncodeBlock((u8 *)blob, probe->blob, (int)probe->blob_len);
	return json_pack("{s:s, s:o}", "blob", blob, "hash",
			 model_write_hex(probe->hash, sizeof(probe->hash)));
}

static bool read_probe(json_t *json, struct probe *ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *bytes = NULL;
	const char *blob, *hash;

	if (json_unpack(json, "{s:s, s:s !}", "blob", &blob, "hash", &hash) <
		    0 ||
	    svcenc_hex_parse(hash, ret->hash, sizeof(ret->hash)) < 0)
		return false;
	ret->blob_len = 0;
	if (!*blob)
		return true; /* not made yet */
	if (svcenc_secret_from_base64(blob, &bytes) < 0 ||
	    svcenc_secret_len(bytes) > MODEL_BLOB_MAX)
		return false;
	ret->blob_len = (u32)svcenc_secret_len(bytes);
	memcpy(ret->blob, svcenc_secret_peek(bytes), ret->blob_len);
	return true;
}

/* Until its policy key exists a policy knows only which vaults to ask. */
static json_t *write_roots(const struct policy *policy)
{
	json_t *names;
	int i;

	if (policy->ready)
		return svcenc_recordjson_write_wraps(policy->wraps,
						     MODEL_ROLES);
	names = json_array();
	for (i = 0; i < MODEL_ROLES; i++)
		json_array_append_new(names,
				      json_string(policy->wraps[i].vault));
	return names;
}

static json_t *policy_write(const struct policy *policy)
{
	json_t *probes = json_array();
	json_t *names = json_array();
	int i;

	for (i = 0; policy->ready && i < MODEL_ROLES; i++)
		json_array_append_new(probes, write_probe(&policy->probes[i]));
	for (i = 0; i < MODEL_ROLES; i++)
		json_array_append_new(names,
				      json_string(policy->root_names[i]));
	return json_pack(
		"{s:s, s:o, s:o, s:o, s:s, s:s, s:I, s:I, s:I, s:s, s:b, s:b, "
		"s:b, s:b, s:o, s:I, s:o, s:o, s:b, s:b, s:s, s:o}",
		"name", policy->name, "tenant",
		model_write_uuid(&policy->tenant), "key",
		model_write_keyid(&policy->key), "check",
		model_write_hex(policy->check, sizeof(policy->check)),
		"availability",
		svcenc_availability_text(policy->rules.availability),
		"on_withdrawal",
		svcenc_on_withdrawal_text(policy->rules.on_withdrawal),
		"lease_s", (json_int_t)policy->rules.lease_s, "probe_s",
		(json_int_t)policy->rules.probe_s, "fallback_max_s",
		(json_int_t)policy->rules.fallback_max_s, "state",
		svcenc_policy_state_text(policy->state), "ready", policy->ready,
		"held", policy->held, "denied_a", policy->denied[0], "denied_b",
		policy->denied[1], "fallback", moment_write(&policy->fallback),
		"created", (json_int_t)policy->created, "wraps",
		write_roots(policy), "probes", probes, "superseded",
		policy->superseded, "customer", policy->customer, "task",
		svcenc_policy_task_text(policy->task), "root_names", names);
}

static bool policy_read_rules(const char *availability,
			      const char *on_withdrawal, const char *state,
			      struct policy *ret)
{
	const int a = svcenc_availability_parse(availability);
	const int w = svcenc_on_withdrawal_parse(on_withdrawal);
	const int s = svcenc_policy_state_parse(state);

	if (a < 0 || w < 0 || s < 0)
		return false;
	ret->rules.availability = (enum svcenc_availability)a;
	ret->rules.on_withdrawal = (enum svcenc_on_withdrawal)w;
	ret->state = (enum svcenc_policy_state)s;
	return !svcenc_policy_check_rules(&ret->rules);
}

/* Written since there is "policy create --root-a"; absent: as before it. */
static bool policy_read_later(const char *task, const json_t *names,
			      struct policy *ret)
{
	const int t = svcenc_policy_task_parse(task);
	size_t i;

	if (t < 0 || (names && json_array_size(names) != MODEL_ROLES))
		return false;
	ret->task = (enum svcenc_policy_task)t;
	for (i = 0; names && i < MODEL_ROLES; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (!name || strlen(name) >= sizeof(ret->root_names[i]))
			return false;
		memcpy(ret->root_names[i], name, strlen(name) + 1);
	}
	return true;
}

static bool policy_read_vaults(const json_t *names, struct policy *ret)
{
	u32 i;

	for (i = 0; i < MODEL_ROLES; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		ret->wraps[i].role = i + 1;
		if (!name || !model_read_name(name, ret->wraps[i].vault))
			return false;
	}
	return json_array_size(names) == MODEL_ROLES;
}

static bool policy_read_roots(const json_t *wraps, const json_t *probes,
			      struct policy *ret)
{
	u32 count, i;

	if (!ret->ready)
		return !json_array_size(probes) &&
		       policy_read_vaults(wraps, ret);
	if (json_array_size(probes) != MODEL_ROLES ||
	    svcenc_recordjson_read_wraps(wraps, ret->wraps, MODEL_ROLES,
					 &count) < 0 ||
	    count != MODEL_ROLES)
		return false;
	for (i = 0; i < MODEL_ROLES; i++)
		if (ret->wraps[i].role != i + 1 ||
		    !read_probe(json_array_get(probes, i), &ret->probes[i]))
			return false;
	return true;
}

static bool policy_read(const json_t *json, struct policy *ret)
{
	const char *name, *tenant, *key, *check, *availability, *on_withdrawal,
		*state;
	json_int_t lease, probe, fallback_max, fallback_since = 0, created;
	int ready, held, denied_a, denied_b, superseded = 0, customer = 0;
	json_t *wraps, *probes, *fallback = NULL, *names = NULL;
	const char *task = "";

	if (json_unpack((json_t *)json,
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s, "
			"s:b, s:b, s:b, s:b, s?I, s?o, s:I, s:o, s:o, s?b, "
			"s?b, s?s, s?o !}",
			"name", &name, "tenant", &tenant, "key", &key, "check",
			&check, "availability", &availability, "on_withdrawal",
			&on_withdrawal, "lease_s", &lease, "probe_s", &probe,
			"fallback_max_s", &fallback_max, "state", &state,
			"ready", &ready, "held", &held, "denied_a", &denied_a,
			"denied_b", &denied_b, "fallback_since",
			&fallback_since, "fallback", &fallback, "created",
			&created, "wraps", &wraps, "probes", &probes,
			"superseded", &superseded, "customer", &customer,
			"task", &task, "root_names", &names) < 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->rules.lease_s = (u32)lease;
	ret->rules.probe_s = (u32)probe;
	ret->rules.fallback_max_s = (u32)fallback_max;
	ret->ready = ready;
	ret->held = held;
	ret->superseded = superseded;
	ret->customer = customer;
	ret->denied[0] = denied_a;
	ret->denied[1] = denied_b;
	ret->fallback.wall_s = fallback_since; /* as older stores have it */
	ret->created = created;
	return (!fallback || moment_read(fallback, &ret->fallback)) &&
	       model_read_name(name, ret->name) &&
	       model_read_uuid(tenant, &ret->tenant) &&
	       !svcenc_keyid_parse(key, &ret->key) &&
	       !svcenc_hex_parse(check, ret->check, sizeof(ret->check)) &&
	       policy_read_rules(availability, on_withdrawal, state, ret) &&
	       policy_read_later(task, names, ret) &&
	       policy_read_roots(wraps, probes, ret);
}

static void run_of(const struct policy *policy, struct policy_run *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->state = policy->state;
	ret->held = policy->held;
	ret->denied[0] = policy->denied[0];
	ret->denied[1] = policy->denied[1];
	ret->fallback = policy->fallback;
}

static bool policy_take(const json_t *json, struct policy *ret)
{
	if (!policy_read(json, ret))
		return false;
	run_of(ret, &ret->read);
	return true;
}

/* @now: the same policy as the store has it. */
static void keep_unchanged(struct policy *policy, const struct policy *now)
{
	const struct policy_run *read = &policy->read;
	int i;

	if (policy->state == read->state)
		policy->state = now->state;
	if (policy->held == read->held)
		policy->held = now->held;
	for (i = 0; i < 2; i++)
		if (policy->denied[i] == read->denied[i])
			policy->denied[i] = now->denied[i];
	if (moment_equal(&policy->fallback, &read->fallback))
		policy->fallback = now->fallback;
}

int policy_next(struct agent *agent, size_t *cursor, struct policy *ret,
		struct svcenc_fault *fault)
{
	const json_t *json = svcenc_store_next(agent->store, "policy", cursor);

	if (!json)
		return 0;
	return policy_take(json, ret) ? 1 : model_unreadable(fault, "policy");
}

int policy_next_superseded(struct agent *agent, size_t *cursor,
			   struct policy *ret, struct svcenc_fault *fault)
{
	const json_t *json =
		svcenc_store_next(agent->store, SUPERSEDED, cursor);

	if (!json)
		return 0;
	return policy_take(json, ret) ? 1 : model_unreadable(fault, "policy");
}

int policy_find(struct agent *agent, const struct svcenc_uuid *tenant,
		const char *name, struct policy *ret,
		struct svcenc_fault *fault)
{
	const json_t *json;
	size_t cursor = 0;

	/* to read all of a record costs a hundred times what its name does */
	while ((json = svcenc_store_next(agent->store, "policy", &cursor))) {
		if (!model_has_text(json, "name", name))
			continue;
		if (!policy_take(json, ret))
			return model_unreadable(fault, "policy");
		if (svcenc_uuid_equal(&ret->tenant, tenant))
			return 0;
	}
	svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
			 "the tenant has no policy '%.64s'", name);
	return svcenc_fault_hint(fault, "'svcenc policy list' shows all");
}

int policy_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct policy *ret, struct svcenc_fault *fault)
{
	char id[SVCENC_UUID_TEXT + 1];
	const json_t *json;

	svcenc_uuid_print(uuid, id);
	json = svcenc_store_get(agent->store, "policy", id, NULL);
	if (!json)
		return svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
					"policy %s is not in the store", id);
	return policy_take(json, ret) ? 0 : model_unreadable(fault, "policy");
}

const char *policy_label(struct agent *agent, const struct policy *policy)
{
	static char label[2 * SVCENC_NAME_SIZE + 1];
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	struct tenant tenant;

	if (tenant_find_uuid(agent, &policy->tenant, &tenant, &ignored) < 0)
		tenant.name[0] = '\0';
	snprintf(label, sizeof(label), "%s/%s", tenant.name, policy->name);
	return label;
}

int policy_find_key(struct agent *agent, const struct svcenc_keyid *key,
		    struct policy *ret, struct svcenc_fault *fault)
{
	char id[SVCENC_KEYID_TEXT + 1];
	const json_t *json;
	int r;

	r = policy_find_uuid(agent, &key->policy, ret, fault);
	if (r < 0 || svcenc_keyid_equal(&ret->key, key))
		return r;
	svcenc_keyid_print(key, id);
	json = svcenc_store_get(agent->store, SUPERSEDED, id, NULL);
	if (!json)
		return svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
					"policy key %s is not in the store",
					id);
	return policy_take(json, ret) ? 0 : model_unreadable(fault, "policy");
}

/* A current one is found by its uuid, a superseded one by its key. */
static const char *policy_id(const struct policy *policy,
			     char ret[SVCENC_KEYID_TEXT + 1])
{
	if (policy->superseded)
		svcenc_keyid_print(&policy->key, ret);
	else
		svcenc_uuid_print(&policy->key.policy, ret);
	return policy->superseded ? SUPERSEDED : "policy";
}

void policy_catch_up(struct agent *agent, struct policy *policy)
{
	char id[SVCENC_KEYID_TEXT + 1];
	const char *kind = policy_id(policy, id);
	const json_t *json = svcenc_store_get(agent->store, kind, id, NULL);
	struct policy now;

	if (!json || !policy_read(json, &now))
		return;
	keep_unchanged(policy, &now);
	run_of(&now, &policy->read);
}

int policy_put(struct agent *agent, const struct policy *policy)
{
	char id[SVCENC_KEYID_TEXT + 1];
	const char *kind = policy_id(policy, id);

	return svcenc_store_put(agent->store, kind, id, policy_write(policy));
}

int policy_save(struct agent *agent, struct policy *policy,
		struct svcenc_fault *fault)
{
	char id[SVCENC_KEYID_TEXT + 1];
	const char *kind = policy_id(policy, id);
	int r;

	policy_catch_up(agent, policy);
	r = svcenc_store_put_now(agent->store, kind, id, policy_write(policy));
	if (r < 0)
		return model_store_fault(agent, r, fault);
	run_of(policy, &policy->read);
	return 0;
}

/* --- how many ------------------------------------------------------------- */

size_t model_policies_of(struct agent *agent, const struct svcenc_uuid *tenant)
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(tenant, text);
	return count_with(agent, "policy", "tenant", text);
}

size_t model_volumes_of(struct agent *agent, const struct svcenc_uuid *tenant)
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(tenant, text);
	return count_with(agent, "volume", "tenant", text);
}

size_t model_volumes_under(struct agent *agent, const struct svcenc_keyid *key)
{
	char text[SVCENC_KEYID_TEXT + 1];

	svcenc_keyid_print(key, text);
	return count_with(agent, "volume", "key", text);
}
