// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "grants.h"

#define KIND "grant"

static void id_of(const struct policy *policy, char ret[SVCENC_UUID_TEXT + 1])
{
	svcenc_uuid_print(&policy->key.policy, ret);
}

bool grant_find(struct agent *agent, const struct policy *policy,
		struct grant *ret)
{
	char id[SVCENC_UUID_TEXT + 1];
	json_int_t uid, for_s;
	const json_t *json;
	const char *reason;
	json_t *since;

	id_of(policy, id);
	json = svcenc_store_get(agent->store, KIND, id, NULL);
	if (!json || json_unpack((json_t *)json, "{s:s, s:I, s:I, s:o !}",
				 "reason", &reason, "uid", &uid, "for_s",
				 &for_s, "since", &since) < 0)
		return false;
	memset(ret, 0, sizeof(*ret));
	if (strlen(reason) > GRANT_REASON_MAX)
		return false;
	memcpy(ret->reason, reason, strlen(reason) + 1);
	ret->uid = (uint32_t)uid;
	ret->for_s = (uint32_t)for_s;
	return moment_read(since, &ret->since);
}

int64_t grant_left_ms(const struct grant *grant)
{
	const int64_t left =
		(int64_t)grant->for_s * 1000 - moment_ago_ms(&grant->since);

	return left > 0 ? left : 0;
}

int64_t grants_left_ms(struct agent *agent, const struct policy *policy)
{
	struct grant grant;

	return grant_find(agent, policy, &grant) ? grant_left_ms(&grant) : 0;
}

int grant_save(struct agent *agent, const struct policy *policy,
	       const struct grant *grant, struct svcenc_fault *fault)
{
	char id[SVCENC_UUID_TEXT + 1];
	int r;

	id_of(policy, id);
	r = svcenc_store_put_now(agent->store, KIND, id,
				 json_pack("{s:s, s:I, s:I, s:o}", "reason",
					   grant->reason, "uid",
					   (json_int_t)grant->uid, "for_s",
					   (json_int_t)grant->for_s, "since",
					   moment_write(&grant->since)));
	return r < 0 ? model_store_fault(agent, r, fault) : 0;
}

int grant_delete(struct agent *agent, const struct policy *policy,
		 struct svcenc_fault *fault)
{
	char id[SVCENC_UUID_TEXT + 1];
	int r;

	id_of(policy, id);
	if (!svcenc_store_get(agent->store, KIND, id, NULL)) {
		svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
				 "policy '%s' has no grant",
				 policy_label(agent, policy));
		return svcenc_fault_hint(fault, "'svcenc policy show' shows "
						"the grant of a policy");
	}
	r = svcenc_store_begin(agent->store);
	if (!r)
		r = svcenc_store_delete(agent->store, KIND, id);
	if (!r)
		r = svcenc_store_commit(agent->store);
	if (!r)
		return 0;
	svcenc_store_abort(agent->store);
	return model_store_fault(agent, r, fault);
}
