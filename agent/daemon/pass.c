// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lease.h"
#include "log.h"
#include "pass.h"
#include "refresh.h"
#include "roots.h"
#include "step.h"
#include "verdict.h"

/* Others wait meanwhile: leases are renewed by the same loop. */
enum { CALL_MS = 1000 };

/* --- which volumes -------------------------------------------------------- */

struct names {
	char (*list)[SVCENC_NAME_SIZE];
	size_t count;
};

static bool is_due(const struct volume *volume, const struct policy *policy)
{
	return refresh_due(volume, policy) != REFRESH_NOTHING;
}

/* In order of their names, as the store has them; no writes in between. */
static int collect(struct agent *agent, const struct policy *policy,
		   const char *after, struct names *ret,
		   struct svcenc_fault *fault)
{
	struct volume volume;
	size_t cursor = 0;
	void *grown;
	int r;

	memset(ret, 0, sizeof(*ret));
	while ((r = volume_next_of(agent, &policy->key.policy, &cursor, &volume,
				   fault)) > 0) {
		if (!is_due(&volume, policy) || strcmp(volume.name, after) <= 0)
			continue;
		grown = realloc(ret->list,
				(ret->count + 1) * sizeof(*ret->list));
		if (!grown) {
			r = svcenc_fault_memory(fault);
			break;
		}
		ret->list = grown;
		memcpy(ret->list[ret->count++], volume.name, SVCENC_NAME_SIZE);
	}
	if (r < 0)
		free(ret->list);
	return r;
}

json_t *pass_survey(struct agent *agent, const struct policy *policy,
		    size_t *ret_volumes)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	json_t *left_behind = json_array();
	struct volume volume;
	size_t cursor = 0;

	*ret_volumes = 0;
	while (volume_next_of(agent, &policy->key.policy, &cursor, &volume,
			      &ignored) > 0) {
		++*ret_volumes;
		if (policy->ready && is_due(&volume, policy))
			json_array_append_new(left_behind,
					      json_string(volume.name));
	}
	return left_behind;
}

/*
 * By a volume that the store has under this key, or under an earlier one: then
 * a rewrap may have reached its header that nobody lived to note, or that failed
 * in one of its copies.
 */
static bool is_used(struct agent *agent, const struct svcenc_keyid *key)
{
	struct svcenc_fault ignored = { .kind = SVCENC_FAULT_NONE };
	struct volume volume;
	size_t cursor = 0;

	while (volume_next_of(agent, &key->policy, &cursor, &volume, &ignored) >
	       0)
		if (volume.key.version <= key->version)
			return true;
	return false;
}

/* --- the end -------------------------------------------------------------- */

/* 1 = *@ret is one that no volume uses. */
static int find_unused(struct agent *agent, const struct svcenc_uuid *policy,
		       struct policy *ret, struct svcenc_fault *fault)
{
	size_t cursor = 0;
	int r;

	while ((r = policy_next_superseded(agent, &cursor, ret, fault)) > 0)
		if (svcenc_uuid_equal(&ret->key.policy, policy) &&
		    !is_used(agent, &ret->key))
			return 1;
	return r;
}

int pass_forget_unused(struct agent *agent, const struct svcenc_uuid *policy,
		       struct svcenc_fault *fault)
{
	struct policy unused;
	int r;

	while ((r = find_unused(agent, policy, &unused, fault)) > 0) {
		lease_settle(agent, &unused.key);
		svcenc_step("pass-key-ended");
		r = policy_forget(agent, &unused, fault);
		svcenc_step("pass-key-forgotten");
		if (r < 0)
			break;
		log_audit("policy '%s': key version %u is forgotten, no volume "
			  "can be under it",
			  policy_label(agent, &unused), unused.key.version);
	}
	return r;
}

/*
 * What the roots say now: the change has opened them all, but maybe not in
 * this process, and an hour ago.
 */
static bool ask_roots(struct agent *agent, const struct policy *policy,
		      struct lease *lease)
{
	struct unwrap_job jobs[2];
	bool both = true;
	int i;

	for (i = 0; i < 2; i++)
		roots_fill_probe(policy, (unsigned int)i, &jobs[i]);
	vaults_unwrap(agent, jobs, 2, VAULTS_ALL);
	for (i = 0; i < 2; i++) {
		svcenc_secret_free(jobs[i].plain);
		verdict_note(lease, (unsigned int)i, &jobs[i].result);
		both = both && jobs[i].result.answer == SVCENC_ANSWER_OK;
	}
	return both;
}

static int finish_task(struct agent *agent, struct policy *policy,
		       struct svcenc_fault *fault)
{
	const enum svcenc_policy_step done =
		policy->task == SVCENC_TASK_RECOVER ?
			SVCENC_STEP_RECOVERY_DONE :
			SVCENC_STEP_ROLL_DONE;
	struct lease *lease = lease_of(agent, policy);
	bool both;
	int r;

	if (policy->task == SVCENC_TASK_NONE)
		return 0;
	if (!lease)
		return svcenc_fault_memory(fault);
	both = ask_roots(agent, policy, lease);
	policy_catch_up(agent, policy); /* that may have taken seconds */
	/* a policy that was locked meanwhile stays so, until a root opens */
	if (!svcenc_policy_refusal(policy->state, done)) {
		verdict_enter_state(lease, policy, done, "");
		verdict_enter_state(lease, policy,
				    both ? SVCENC_STEP_ALL_ROOTS_OPEN :
					   SVCENC_STEP_ROOT_MISSING,
				    both ? "" : "a root does not open");
	}
	policy->task = SVCENC_TASK_NONE;
	svcenc_step("pass-done");
	r = policy_save(agent, policy, fault);
	svcenc_step("pass-stored");
	return r;
}

/* --- one call ------------------------------------------------------------- */

static void note_unreached(const struct volume *volume,
			   const struct svcenc_fault *why, struct pass *pass)
{
	char key[SVCENC_KEYID_TEXT + 1];

	svcenc_keyid_print(&volume->key, key);
	log_warning("volume '%s' is left behind: %s", volume->name,
		    why->message);
	json_array_append_new(pass->unreached,
			      json_pack("{s:s, s:s, s:s, s:s, s:s}", "volume",
					volume->name, "device", volume->device,
					"key", key, "why", why->message, "hint",
					why->hint));
}

static int visit(struct refresh *refresh, const char *name, struct pass *pass,
		 struct svcenc_fault *fault)
{
	struct svcenc_fault why = { .kind = SVCENC_FAULT_NONE };
	enum refresh_outcome outcome;
	struct volume volume;
	int r;

	r = volume_find(refresh->agent, name, &volume, fault);
	if (r < 0)
		return r;
	r = refresh_volume(refresh, &volume, &outcome, &why);
	if (why.kind == SVCENC_FAULT_STORAGE ||
	    why.kind == SVCENC_FAULT_MEMORY) {
		*fault = why; /* no volume's fault */
		return r;
	}
	if (r < 0)
		note_unreached(&volume, &why, pass);
	else if (outcome == REFRESH_REWRAPPED)
		pass->rewrapped++;
	else if (outcome == REFRESH_RECORD)
		pass->records++;
	return 0;
}

static int visit_all(struct refresh *refresh, const struct names *names,
		     struct pass *pass, struct svcenc_fault *fault)
{
	const int64_t end = agent_now_ms() + CALL_MS;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < names->count; i++) {
		if (i && agent_now_ms() >= end) {
			memcpy(pass->next, names->list[i - 1],
			       SVCENC_NAME_SIZE);
			return 0;
		}
		r = visit(refresh, names->list[i], pass, fault);
	}
	return r;
}

int pass_run(struct agent *agent, struct policy *policy,
	     struct svcenc_secret *key, const char *after, struct pass *ret,
	     struct svcenc_fault *fault)
{
	struct refresh refresh;
	struct names names;
	int r;

	memset(ret->next, 0, sizeof(ret->next));
	r = collect(agent, policy, after, &names, fault);
	if (r < 0) {
		svcenc_secret_free(key);
		return r;
	}
	r = refresh_begin(agent, policy, key, &refresh, fault);
	if (!r)
		r = visit_all(&refresh, &names, ret, fault);
	refresh_end(&refresh);
	free(names.list);
	/* probes meanwhile may have changed its state */
	if (!r)
		r = policy_find_uuid(agent, &policy->key.policy, policy, fault);
	if (r < 0 || ret->next[0])
		return r;
	r = pass_forget_unused(agent, &policy->key.policy, fault);
	return r < 0 ? r : finish_task(agent, policy, fault);
}
