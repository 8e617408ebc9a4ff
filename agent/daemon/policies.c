// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hierarchy.h"
#include "log.h"
#include "policies.h"
#include "roots.h"
#include "step.h"

void policies_default_wish(struct agent *agent, const char *name,
			   struct policy_wish *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->name = name;
	ret->vaults[0] = "a";
	ret->vaults[1] = "b";
	ret->vaults[2] = "availability";
	ret->root_names[0] = ret->root_names[1] = "";
	ret->rules = agent->config.rules;
}

static int check_wish(const struct policy_wish *wish,
		      struct svcenc_fault *fault)
{
	const char *wrong = svcenc_policy_check_rules(&wish->rules);

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
	return 0;
}

static int check_vaults(struct agent *agent, const struct policy_wish *wish,
			struct svcenc_fault *fault)
{
	const struct svcenc_vault_config *vaults[MODEL_ROLES];
	int i, other;

	for (i = 0; i < MODEL_ROLES; i++) {
		vaults[i] =
			svcenc_config_vault(&agent->config, wish->vaults[i]);
		if (vaults[i])
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
		other = (i + 1) % MODEL_ROLES;
		if (!svcenc_config_same_vault(vaults[i], vaults[other]))
			continue;
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 vaults[i] == vaults[other] ?
					 "vault '%s' is named for two roots of "
					 "policy '%s'" :
					 "vault '%s' is the same as another "
					 "one of policy '%s'",
				 wish->vaults[i], wish->name);
		return svcenc_fault_hint(fault, "the three roots lie in three "
						"vaults, so that losing one "
						"loses nothing");
	}
	return 0;
}

int policies_check_apart(struct agent *agent, const struct policy *policy,
			 struct svcenc_fault *fault)
{
	struct policy_wish wish = { .name = policy->name };
	int i;

	for (i = 0; i < MODEL_ROLES; i++)
		wish.vaults[i] = policy->wraps[i].vault;
	return check_vaults(agent, &wish, fault);
}

int policies_check_roots(struct agent *agent, const struct policy_wish *wish,
			 json_t *checks, struct svcenc_fault *fault)
{
	static const char *const roots[] = { "a", "b" };
	struct svcenc_rootspec spec;
	int i, r;

	r = check_vaults(agent, wish, fault);
	for (i = 0; !r && wish->customer && i < 2; i++) {
		snprintf(spec.vault, sizeof(spec.vault), "%s", wish->vaults[i]);
		snprintf(spec.key, sizeof(spec.key), "%s", wish->root_names[i]);
		r = roots_check(agent, roots[i], &spec,
				wish->accept_unrecoverable, checks, fault);
	}
	return r;
}

static bool is_as_wished(const struct policy *policy,
			 const struct policy_wish *wish)
{
	int i;

	for (i = 0; i < MODEL_ROLES; i++)
		if (strcmp(policy->wraps[i].vault, wish->vaults[i]))
			return false;
	for (i = 0; i < 2; i++)
		if (strcmp(policy->root_names[i], wish->root_names[i]))
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
	ret->customer = wish->customer;
	ret->state = SVCENC_POLICY_ACTIVE;
	ret->created = model_wall_s();
	for (i = 0; i < MODEL_ROLES; i++) {
		ret->wraps[i].role = i + 1;
		snprintf(ret->wraps[i].vault, sizeof(ret->wraps[i].vault), "%s",
			 wish->vaults[i]);
	}
	for (i = 0; i < 2; i++)
		snprintf(ret->root_names[i], sizeof(ret->root_names[i]), "%s",
			 wish->root_names[i]);
	svcenc_step("policy-begin");
	return policy_save(agent, ret, fault);
}

bool policies_mend_probes(struct agent *agent, struct policy *policy)
{
	bool mended = false;
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++) {
		struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };

		if (policy->probes[i].blob_len)
			continue;
		if (roots_make_probe(agent, &policy->wraps[i],
				     &policy->probes[i], &ignored) < 0)
			policy->probes[i].blob_len = 0;
		else
			mended = true;
	}
	return mended;
}

/* A root key of ours that an earlier, cut-short run has made is found. */
static int make_root(struct agent *agent, struct policy *policy,
		     unsigned int index, const struct svcenc_secret *key,
		     struct svcenc_fault *fault)
{
	int r;

	r = roots_newest(agent, policy, index, &policy->wraps[index], fault);
	if (r < 0)
		return r;
	svcenc_step("policy-root-made");
	return roots_bind(agent, policy, index, key, fault);
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
		    bool *ret_created, json_t *checks,
		    struct svcenc_fault *fault)
{
	struct svcenc_fault absent = { .kind = SVCENC_FAULT_NONE };
	int r;

	r = check_wish(wish, fault);
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
	r = policies_check_roots(agent, wish, checks, fault);
	if (!r)
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
	r = policies_create(agent, ret, &wish, &policy, &policy_created, NULL,
			    fault);
	*ret_created = *ret_created || policy_created;
	return r;
}
