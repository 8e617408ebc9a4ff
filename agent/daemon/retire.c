// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "recordjson.h"
#include "retire.h"
#include "step.h"

static bool is_same(const struct root_version *one, const char *vault,
		    const char *kid)
{
	return !strcmp(one->vault, vault) && !strcmp(one->kid, kid);
}

static bool uses(const struct policy *policy, const struct root_version *root)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++)
		if (is_same(root, policy->wraps[i].vault, policy->wraps[i].kid))
			return true;
	return false;
}

static void add(json_t *list, const char *what, const char *name,
		const char *behind)
{
	char text[SVCENC_KEYID_TEXT + 64];

	snprintf(text, sizeof(text), "%s %s%s", what, name, behind);
	json_array_append_new(list, json_string(text));
}

/*
 * Headers, as the store knows them. What a header that has not been seen since
 * a store without such knowledge names, nobody knows: it counts.
 */
static int add_headers(struct agent *agent, const struct policy *policy,
		       const struct root_version *root, json_t *list,
		       struct svcenc_fault *fault)
{
	struct volume volume;
	size_t cursor = 0;
	unsigned int i;
	int r;

	while ((r = volume_next_of(agent, &policy->key.policy, &cursor, &volume,
				   fault)) > 0) {
		if (volume.ready && !volume.record_roots[0].vault[0]) {
			add(list, "header of volume", volume.name,
			    ", not seen yet");
			continue;
		}
		for (i = 0; volume.ready && i < MODEL_ROLES; i++)
			if (is_same(root, volume.record_roots[i].vault,
				    volume.record_roots[i].kid))
				add(list, "header of volume", volume.name, "");
	}
	return r;
}

static int add_superseded(struct agent *agent, const struct policy *policy,
			  const struct root_version *root, json_t *list,
			  struct svcenc_fault *fault)
{
	char key[SVCENC_KEYID_TEXT + 1];
	struct policy superseded;
	size_t cursor = 0;
	int r;

	while ((r = policy_next_superseded(agent, &cursor, &superseded,
					   fault)) > 0) {
		if (!svcenc_uuid_equal(&superseded.key.policy,
				       &policy->key.policy) ||
		    !uses(&superseded, root))
			continue;
		svcenc_keyid_print(&superseded.key, key);
		add(list, "store:", key, "");
	}
	return r;
}

static json_t *view(u32 role, const struct root_version *root,
		    const char *state, json_t *referenced_by)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "role",
			 svcenc_recordjson_role_text(role), "vault",
			 root->vault, "kid", root->kid, "state", state,
			 "referenced_by", referenced_by);
}

static void add_current(const struct policy *policy, json_t *roots)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++) {
		struct root_version root = { .vault = "" };

		memcpy(root.vault, policy->wraps[i].vault, sizeof(root.vault));
		memcpy(root.kid, policy->wraps[i].kid, sizeof(root.kid));
		json_array_append_new(roots, view(i + 1, &root, "current",
						  json_array()));
	}
}

/* 1: forgotten, and the cursors of the store are void. */
static int judge(struct agent *agent, const struct policy *policy,
		 const struct former_root *former, json_t *roots,
		 size_t *referenced, struct svcenc_fault *fault)
{
	json_t *by = json_array();
	int r;

	r = add_headers(agent, policy, &former->version, by, fault);
	if (r >= 0)
		r = add_superseded(agent, policy, &former->version, by, fault);
	if (r < 0) {
		json_decref(by);
		return r;
	}
	if (json_array_size(by)) {
		++*referenced;
		json_array_append_new(roots,
				      view(former->role, &former->version,
					   "referenced", by));
		return 0;
	}
	svcenc_step("retire-forget");
	r = former_forget(agent, former, fault);
	svcenc_step("retire-forgotten");
	if (r < 0) {
		json_decref(by);
		return r;
	}
	log_audit("policy '%s': root version %s of vault '%s' is retired",
		  policy_label(agent, policy), former->version.kid,
		  former->version.vault);
	json_array_append_new(roots, view(former->role, &former->version,
					  "retired", by));
	return 1;
}

/* The @index-th former root of @policy that it does not use again: 1, or 0. */
static int find(struct agent *agent, const struct policy *policy, size_t index,
		struct former_root *ret, struct svcenc_fault *fault)
{
	size_t cursor = 0;
	int r;

	while ((r = former_next(agent, &cursor, ret, fault)) > 0)
		if (svcenc_uuid_equal(&ret->policy, &policy->key.policy) &&
		    !uses(policy, &ret->version) && !index--)
			return 1;
	return r;
}

int retire_roots(struct agent *agent, const struct policy *policy,
		 json_t **ret_roots, struct svcenc_fault *fault)
{
	json_t *roots = json_array();
	struct former_root former;
	size_t referenced = 0;
	int r;

	add_current(policy, roots);
	*ret_roots = roots;
	while ((r = find(agent, policy, referenced, &former, fault)) > 0) {
		r = judge(agent, policy, &former, roots, &referenced, fault);
		if (r < 0)
			return r;
	}
	return r;
}
