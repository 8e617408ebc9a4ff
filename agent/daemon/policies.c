// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hierarchy.h"
#include "log.h"
#include "policies.h"
#include "secret.h"
#include "step.h"
#include "vaults.h"

enum { PROBE_SIZE = 32 };

void policies_default_wish(struct agent *agent, const char *name,
			   struct policy_wish *ret)
{
	ret->name = name;
	ret->vaults[0] = "a";
	ret->vaults[1] = "b";
	ret->vaults[2] = "availability";
	ret->rules = agent->config.rules;
}

static int check_wish(struct agent *agent, const struct policy_wish *wish,
		      struct svcenc_fault *fault)
{
	const char *wrong = svcenc_policy_check_rules(&wish->rules);
	int i;

	if (!svcenc_name_is_valid(wish->name)) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.64s' is not a name for a policy",
				 wish->name);
		return svcenc_fault_hint(fault, "1 to 63 of A-Z a-z 0-9 . _ -, "
						"not beginning with . or -");
	}
	if (wrong)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"policy '%s': %s", wish->name, wrong);
	for (i = 0; i < MODEL_ROLES; i++) {
		if (svcenc_config_vault(&agent->config, wish->vaults[i]))
			continue;
		svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
				 "there is no vault '%.64s'", wish->vaults[i]);
		return svcenc_fault_hint(fault,
					 "'svcenc vault list' shows "
					 "all; %s/vaults.d/NAME.conf "
					 "makes one",
					 agent->paths.etc);
	}
	for (i = 0; i < MODEL_ROLES; i++) {
		if (strcmp(wish->vaults[i],
			   wish->vaults[(i + 1) % MODEL_ROLES]))
			continue;
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "vault '%s' is named for two roots of policy "
				 "'%s'",
				 wish->vaults[i], wish->name);
		return svcenc_fault_hint(fault, "the three roots lie in three "
						"vaults");
	}
	return 0;
}

static bool is_as_wished(const struct policy *policy,
			 const struct policy_wish *wish)
{
	int i;

	for (i = 0; i < MODEL_ROLES; i++)
		if (strcmp(policy->wraps[i].vault, wish->vaults[i]))
			return false;
	return policy->rules.availability == wish->rules.availability &&
	       policy->rules.on_withdrawal == wish->rules.on_withdrawal &&
	       policy->rules.lease_s == wish->rules.lease_s &&
	       policy->rules.probe_s == wish->rules.probe_s &&
	       policy->rules.fallback_max_s == wish->rules.fallback_max_s;
}

/* The policy's uuid and vaults, durable before any vault makes a key. */
static int begin(struct agent *agent, const struct tenant *tenant,
		 const struct policy_wish *wish, struct policy *ret,
		 struct svcenc_fault *fault)
{
	struct svcenc_uuid uuid = ret->key.policy;
	u32 i;

	if (svcenc_uuid_is_zero(&uuid) && model_new_uuid(&uuid) < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"no random numbers");
	memset(ret, 0, sizeof(*ret));
	ret->key.policy = uuid;
	snprintf(ret->name, sizeof(ret->name), "%s", wish->name);
	ret->tenant = tenant->uuid;
	ret->key.version = 1;
	ret->rules = wish->rules;
	ret->state = SVCENC_POLICY_ACTIVE;
	ret->created = model_wall_s();
	for (i = 0; i < MODEL_ROLES; i++) {
		ret->wraps[i].role = i + 1;
		snprintf(ret->wraps[i].vault, sizeof(ret->wraps[i].vault), "%s",
			 wish->vaults[i]);
	}
	svcenc_step("policy-begin");
	return policy_save(agent, ret, fault);
}

/* Opens @wrap's blob again and compares. */
static int prove(struct agent *agent, const struct svcenc_record_wrap *wrap,
		 const struct svcenc_secret *want, struct svcenc_fault *fault)
{
	struct unwrap_job job = {
		.vault = wrap->vault,
		.kid = wrap->kid,
		.blob = wrap->blob,
		.blob_len = wrap->blob_len,
	};
	bool same;

	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	if (!job.plain)
		return vaults_fault(wrap->vault, &job.result, fault);
	same = svcenc_secret_equal(job.plain, want);
	svcenc_secret_free(job.plain);
	if (same)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
			 "vault '%s' opens a wrap to something else than was "
			 "wrapped",
			 wrap->vault);
	return svcenc_fault_hint(fault, "'svcenc vault test %s'", wrap->vault);
}

/* Wraps and proves @plain with the root of @wrap. */
static int wrap_proven(struct agent *agent, struct svcenc_record_wrap *wrap,
		       const struct svcenc_secret *plain,
		       struct svcenc_fault *fault)
{
	struct vault_result result;

	if (vaults_wrap(agent, wrap, plain, &result) < 0)
		return vaults_fault(wrap->vault, &result, fault);
	return prove(agent, wrap, plain, fault);
}

static int make_probe(struct agent *agent,
		      const struct svcenc_record_wrap *wrap, struct probe *ret,
		      struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL;
	struct svcenc_record_wrap blob = *wrap;
	int r;

	if (svcenc_secret_random(PROBE_SIZE, &number) < 0 ||
	    svcenc_hierarchy_sha256(svcenc_secret_peek(number), PROBE_SIZE,
				    ret->hash) < 0)
		return svcenc_fault_memory(fault);
	r = wrap_proven(agent, &blob, number, fault);
	if (r < 0)
		return r;
	if (blob.blob_len > MODEL_BLOB_MAX)
		return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
					"vault '%s' makes too long a wrap",
					wrap->vault);
	ret->blob_len = blob.blob_len;
	memcpy(ret->blob, blob.blob, blob.blob_len);
	return 0;
}

bool policies_mend_probes(struct agent *agent, struct policy *policy)
{
	bool mended = false;
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++) {
		struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };

		if (policy->probes[i].blob_len)
			continue;
		if (make_probe(agent, &policy->wraps[i], &policy->probes[i],
			       &ignored) < 0)
			policy->probes[i].blob_len = 0;
		else
			mended = true;
	}
	return mended;
}

/* CreateKey finds the root key that an earlier, cut-short run has made. */
static int make_root(struct agent *agent, struct policy *policy,
		     unsigned int index, const struct svcenc_secret *key,
		     struct svcenc_fault *fault)
{
	struct svcenc_record_wrap *wrap = &policy->wraps[index];
	char key_name[SVCENC_UUID_TEXT + 1], vault[SVCENC_NAME_SIZE];
	struct vault_result result;
	int r;

	memcpy(vault, wrap->vault, sizeof(vault));
	svcenc_uuid_print(&policy->key.policy, key_name);
	if (vaults_create_key(agent, vault, key_name, wrap, &result) < 0)
		return vaults_fault(vault, &result, fault);
	svcenc_step("policy-root-made");
	r = wrap_proven(agent, wrap, key, fault);
	if (r < 0)
		return r;
	svcenc_step("policy-root-wrapped");
	return make_probe(agent, wrap, &policy->probes[index], fault);
}

static int finish(struct agent *agent, struct policy *policy,
		  struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	unsigned int i;
	int r;

	if (svcenc_secret_random(SVCENC_POLICYKEY_SIZE, &key) < 0 ||
	    svcenc_hierarchy_check(key, &policy->key, policy->check) < 0)
		return svcenc_fault_memory(fault);
	for (i = 0; i < MODEL_ROLES; i++) {
		r = make_root(agent, policy, i, key, fault);
		if (r < 0)
			return r;
	}
	policy->ready = true;
	svcenc_step("policy-proven");
	r = policy_save(agent, policy, fault);
	svcenc_step("policy-stored");
	return r;
}

int policies_create(struct agent *agent, const struct tenant *tenant,
		    const struct policy_wish *wish, struct policy *ret,
		    bool *ret_created, struct svcenc_fault *fault)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	int r;

	r = check_wish(agent, wish, fault);
	if (r < 0)
		return r;
	*ret_created = true;
	r = policy_find(agent, &tenant->uuid, wish->name, ret, &absent);
	if (r < 0 && absent.kind != SVCENC_FAULT_NOT_FOUND) {
		*fault = absent;
		return r;
	}
	if (!r && ret->ready && !is_as_wished(ret, wish)) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "tenant '%s' has a policy '%s' with other "
				 "vaults or rules",
				 tenant->name, wish->name);
		return svcenc_fault_hint(fault, "choose another name; 'svcenc "
						"policy show' shows it");
	}
	if (!r && ret->ready) {
		*ret_created = false;
		return 0;
	}
	/* of a run that was cut short only the uuid is kept */
	if (r < 0)
		memset(ret, 0, sizeof(*ret));
	r = begin(agent, tenant, wish, ret, fault);
	if (!r)
		r = finish(agent, ret, fault);
	if (!r)
		log_audit("policy '%s' of tenant '%s' made", ret->name,
			  tenant->name);
	return r;
}

int policies_create_tenant(struct agent *agent, const char *name,
			   struct tenant *ret, bool *ret_created,
			   struct svcenc_fault *fault)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	struct policy_wish wish;
	struct policy policy;
	bool policy_created;
	int r;

	if (!svcenc_name_is_valid(name)) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.64s' is not a name for a tenant", name);
		return svcenc_fault_hint(fault, "1 to 63 of A-Z a-z 0-9 . _ -, "
						"not beginning with . or -");
	}
	*ret_created = false;
	r = tenant_find(agent, name, ret, &absent);
	if (r < 0 && absent.kind != SVCENC_FAULT_NOT_FOUND) {
		*fault = absent;
		return r;
	}
	if (r < 0) {
		memset(ret, 0, sizeof(*ret));
		snprintf(ret->name, sizeof(ret->name), "%s", name);
		ret->created = model_wall_s();
		if (model_new_uuid(&ret->uuid) < 0)
			return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
						"no random numbers");
		svcenc_step("tenant-begin");
		r = tenant_save(agent, ret, fault);
		if (r < 0)
			return r;
		*ret_created = true;
		log_audit("tenant '%s' made", name);
	}
	/* a provider policy keeps the rules that it was made with */
	if (!policy_find(agent, &ret->uuid, POLICY_PROVIDER, &policy,
			 &absent) &&
	    policy.ready)
		return 0;
	policies_default_wish(agent, POLICY_PROVIDER, &wish);
	r = policies_create(agent, ret, &wish, &policy, &policy_created, fault);
	*ret_created = *ret_created || policy_created;
	return r;
}
