// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A policy's past, in the store: its earlier keys, as long as a volume is
 * under one, and the root versions that it has used before. What changes
 * together is one transaction; a crash leaves the policy before or after.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hierarchy.h"
#include "model_json.h"
#include "recordjson.h"

#define FORMER "former-root"

enum { ID_BYTES = 16 };

/* "<policy uuid>/<role>/<half of a hash>": the same version is kept once. */
static int former_id(const struct former_root *former,
		     char ret[SVCENC_STORE_ID_MAX])
{
	char uuid[SVCENC_UUID_TEXT + 1], hex[2 * ID_BYTES + 1];
	u8 hash[32];
	int r;

	r = svcenc_hierarchy_sha256(&former->version, sizeof(former->version),
				    hash);
	if (r < 0)
		return r;
	svcenc_uuid_print(&former->policy, uuid);
	svcenc_hex_print(hash, ID_BYTES, hex);
	snprintf(ret, SVCENC_STORE_ID_MAX, "%s/%s/%s", uuid,
		 svcenc_recordjson_role_text(former->role), hex);
	return 0;
}

static int put_former(struct agent *agent, const struct former_root *former)
{
	char id[SVCENC_STORE_ID_MAX], uuid[SVCENC_UUID_TEXT + 1];
	int r;

	r = former_id(former, id);
	if (r < 0)
		return r;
	svcenc_uuid_print(&former->policy, uuid);
	return svcenc_store_put(
		agent->store, FORMER, id,
		json_pack("{s:s, s:s, s:o}", "policy", uuid, "role",
			  svcenc_recordjson_role_text(former->role), "version",
			  model_write_root(&former->version)));
}

static bool former_read(const json_t *json, struct former_root *ret)
{
	const char *policy, *role;
	json_t *version;

	memset(ret, 0, sizeof(*ret));
	if (json_unpack((json_t *)json, "{s:s, s:s, s:o !}", "policy", &policy,
			"role", &role, "version", &version) < 0)
		return false;
	ret->role = svcenc_recordjson_role_parse(role);
	return ret->role && !svcenc_uuid_parse(policy, &ret->policy) &&
	       model_read_root(version, &ret->version);
}

int former_next(struct agent *agent, size_t *cursor, struct former_root *ret,
		struct svcenc_fault *fault)
{
	const json_t *json = svcenc_store_next(agent->store, FORMER, cursor);

	if (!json)
		return 0;
	if (former_read(json, ret))
		return 1;
	return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				"a root version in the store has a form that "
				"this svcencd does not know");
}

/* --- transactions --------------------------------------------------------- */

static int end(struct agent *agent, int error, struct svcenc_fault *fault)
{
	if (!error)
		error = svcenc_store_commit(agent->store);
	if (!error)
		return 0;
	svcenc_store_abort(agent->store);
	return model_store_fault(agent, error, fault);
}

int former_forget(struct agent *agent, const struct former_root *former,
		  struct svcenc_fault *fault)
{
	char id[SVCENC_STORE_ID_MAX];
	int r;

	r = former_id(former, id);
	if (!r)
		r = svcenc_store_begin(agent->store);
	if (r < 0)
		return model_store_fault(agent, r, fault);
	return end(agent, svcenc_store_delete(agent->store, FORMER, id), fault);
}

int policy_forget(struct agent *agent, const struct policy *superseded,
		  struct svcenc_fault *fault)
{
	char id[SVCENC_KEYID_TEXT + 1];
	int r;

	svcenc_keyid_print(&superseded->key, id);
	r = svcenc_store_begin(agent->store);
	if (r < 0)
		return model_store_fault(agent, r, fault);
	return end(agent,
		   svcenc_store_delete(agent->store, "policy-superseded", id),
		   fault);
}

/* Of @wraps those that @now does not have. */
static int put_formers(struct agent *agent,
		       const struct svcenc_record_wrap *wraps,
		       const struct policy *now)
{
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < MODEL_ROLES; i++) {
		struct former_root former;

		if (!strcmp(wraps[i].kid, now->wraps[i].kid) &&
		    !strcmp(wraps[i].vault, now->wraps[i].vault))
			continue;
		memset(&former, 0, sizeof(former)); /* it is hashed */
		former.policy = now->key.policy;
		former.role = i + 1;
		memcpy(former.version.vault, wraps[i].vault,
		       strlen(wraps[i].vault));
		memcpy(former.version.kid, wraps[i].kid, strlen(wraps[i].kid));
		r = put_former(agent, &former);
	}
	return r;
}

static int put_superseded(struct agent *agent, const struct policy *before)
{
	struct policy superseded = *before;

	superseded.superseded = true;
	superseded.task = SVCENC_TASK_NONE;
	/* it rolls no more; the next probe says what it is */
	if (superseded.state == SVCENC_POLICY_ROLLING)
		superseded.state = SVCENC_POLICY_ACTIVE;
	return policy_put(agent, &superseded);
}

int policy_remember_roots(struct agent *agent, const struct policy *policy,
			  const struct svcenc_record_wrap *wraps,
			  struct svcenc_fault *fault)
{
	int r;

	r = svcenc_store_begin(agent->store);
	if (r < 0)
		return model_store_fault(agent, r, fault);
	return end(agent, put_formers(agent, wraps, policy), fault);
}

int policy_replace(struct agent *agent, const struct policy *before,
		   struct policy *next, struct svcenc_fault *fault)
{
	struct policy old = *before;
	int r;

	policy_catch_up(agent, &old);
	policy_catch_up(agent, next);
	r = svcenc_store_begin(agent->store);
	if (r < 0)
		return model_store_fault(agent, r, fault);
	r = put_formers(agent, before->wraps, next);
	if (!r && !svcenc_keyid_equal(&before->key, &next->key))
		r = put_superseded(agent, &old);
	if (!r)
		r = policy_put(agent, next);
	r = end(agent, r, fault);
	if (!r)
		policy_catch_up(agent, next); /* as it is stored now */
	return r;
}
