// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change.h"
#include "hierarchy.h"
#include "lease.h"
#include "log.h"
#include "roots.h"
#include "step.h"
#include "verdict.h"

/* What a verb is, and what it is called in each situation. */
struct verb {
	enum svcenc_policy_task task;
	enum svcenc_policy_step begun;
	const char *why; /* while it is under way */
};

static const struct verb roll = { SVCENC_TASK_ROLL, SVCENC_STEP_ROLL_BEGUN,
				  "a roll is under way" };
static const struct verb rekey = { SVCENC_TASK_REKEY, SVCENC_STEP_ROLL_BEGUN,
				   "a rekey is under way" };
static const struct verb set_roots = { SVCENC_TASK_SET_ROOTS,
				       SVCENC_STEP_ROLL_BEGUN,
				       "its roots are being exchanged" };
static const struct verb recover = { SVCENC_TASK_RECOVER,
				     SVCENC_STEP_RECOVERY_BEGUN,
				     "a lost root is being replaced" };

/* --- refusals ------------------------------------------------------------- */

static enum svcenc_fault_kind kind_of(enum svcenc_policy_state state)
{
	switch (state) {
	case SVCENC_POLICY_LOCKED:
		return SVCENC_FAULT_VAULT_DENIED;
	case SVCENC_POLICY_FALLBACK:
		return SVCENC_FAULT_VAULT_UNREACHABLE;
	default:
		return SVCENC_FAULT_EXISTS;
	}
}

static int refuse(struct agent *agent, const struct policy *policy,
		  const struct verb *verb, const char *why,
		  struct svcenc_fault *fault)
{
	char label[2 * SVCENC_NAME_SIZE + 1], *slash;

	snprintf(label, sizeof(label), "%s", policy_label(agent, policy));
	svcenc_fault_set(fault, kind_of(policy->state),
			 "policy '%s' takes no %s now: %s", label,
			 svcenc_policy_task_text(verb->task), why);
	slash = strchr(label, '/');
	if (slash)
		*slash = ' ';
	if (policy->task == SVCENC_TASK_NONE)
		return svcenc_fault_hint(fault,
					 "'svcenc policy test %s' shows "
					 "what its roots say",
					 label);
	return svcenc_fault_hint(fault, "'svcenc policy %s %s' goes on with it",
				 svcenc_policy_task_text(policy->task), label);
}

static int check_state(struct agent *agent, const struct policy *policy,
		       const struct verb *verb, struct svcenc_fault *fault)
{
	const char *why = svcenc_policy_refusal(policy->state, verb->begun);

	return why ? refuse(agent, policy, verb, why, fault) : 0;
}

/*
 * May @verb begin, or be gone on with? The policy key by the rules: whoever
 * cannot open it now cannot change what it is under either.
 */
static int begin(struct agent *agent, struct policy *policy,
		 const struct verb *verb, struct change *change,
		 struct svcenc_fault *fault)
{
	if (!policy->ready)
		return refuse(agent, policy, verb,
			      "making it was cut short: create it again",
			      fault);
	if (policy->held)
		return refuse(agent, policy, verb,
			      "its key was ended by hand; 'svcenc open' of a "
			      "volume brings it back",
			      fault);
	if (policy->task != SVCENC_TASK_NONE && policy->task != verb->task)
		return refuse(agent, policy, verb,
			      "another change of its keys was cut short",
			      fault);
	return lease_get_key(agent, policy, &change->key, fault);
}

/* Has that run been cut short behind its transaction? Then nothing is made. */
static bool goes_on(const struct policy *policy, const struct verb *verb)
{
	return policy->task == verb->task;
}

/* --- the transaction ------------------------------------------------------ */

/* Its new version was opened just now: no denial of an earlier one counts. */
static void note_opened(struct agent *agent, const struct policy *policy,
			unsigned int roots)
{
	static const struct vault_result opened = {
		.answer = SVCENC_ANSWER_OK,
	};
	struct lease *lease = lease_of(agent, policy);
	unsigned int i;

	for (i = 0; lease && i < MODEL_ROLES; i++)
		if (roots & (1U << i))
			verdict_note(lease, i, &opened);
}

static int commit(struct agent *agent, struct policy *policy,
		  struct policy *next, const struct verb *verb,
		  unsigned int roots, struct svcenc_fault *fault)
{
	struct lease *lease = lease_of(agent, policy);
	unsigned int i;
	int r;

	if (!lease)
		return svcenc_fault_memory(fault);
	/* the vaults may have taken seconds: may it still begin? */
	policy_catch_up(agent, next);
	r = check_state(agent, next, verb, fault);
	if (r < 0)
		return r;
	for (i = 0; i < 2; i++)
		if (roots & (1U << i))
			next->denied[i] = false;
	verdict_enter_state(lease, next, verb->begun, verb->why);
	next->task = verb->task;
	svcenc_step("change-proven");
	r = policy_replace(agent, policy, next, fault);
	svcenc_step("change-stored");
	if (r < 0)
		return r;
	note_opened(agent, next, roots);
	log_audit("policy '%s': %s, key version %u", policy_label(agent, next),
		  svcenc_policy_task_text(verb->task), next->key.version);
	*policy = *next;
	return 0;
}

static int bind(struct agent *agent, struct policy *next, unsigned int index,
		const struct svcenc_secret *key, struct svcenc_fault *fault)
{
	svcenc_step("change-root");
	return roots_bind(agent, next, index, key, fault);
}

/* A fresh policy key under the newest version of each of @next's roots. */
static int bind_fresh_key(struct agent *agent, struct policy *next,
			  struct change *change, struct svcenc_fault *fault)
{
	unsigned int i;
	int r = 0;

	change->key = svcenc_secret_free(change->key);
	next->key.version++;
	if (svcenc_secret_random(SVCENC_POLICYKEY_SIZE, &change->key) < 0 ||
	    svcenc_hierarchy_check(change->key, &next->key, next->check) < 0)
		return svcenc_fault_memory(fault);
	for (i = 0; !r && i < MODEL_ROLES; i++) {
		r = roots_newest(agent, next, i, &next->wraps[i], fault);
		if (!r)
			r = bind(agent, next, i, change->key, fault);
	}
	return r;
}

/* --- roll ----------------------------------------------------------------- */

static void note_not_rolled(struct change *change, const struct policy *policy,
			    unsigned int index)
{
	char text[2 * SVCENC_NAME_SIZE + MODEL_KEY_NAME_SIZE + 128];

	snprintf(text, sizeof(text),
		 "root %c: the newest version of key '%s' in vault '%s' is in "
		 "use already; make a new version there, then roll",
		 'a' + (int)index, policy->root_names[index],
		 policy->wraps[index].vault);
	json_array_append_new(change->notes, json_string(text));
}

/* Of the wanted roots those that have a new version; 0: none. */
static int roll_roots(struct agent *agent, struct policy *next,
		      unsigned int wanted, struct change *change,
		      unsigned int *ret_rolled, struct svcenc_fault *fault)
{
	unsigned int i;
	bool is_new;
	int r = 0;

	*ret_rolled = 0;
	for (i = 0; !r && i < MODEL_ROLES; i++) {
		struct svcenc_record_wrap wrap = next->wraps[i];

		if (!(wanted & (1U << i)))
			continue;
		r = roots_newer(agent, next, i, &wrap, &is_new, fault);
		if (r < 0)
			break;
		if (!is_new) {
			note_not_rolled(change, next, i);
			continue;
		}
		next->wraps[i] = wrap;
		r = bind(agent, next, i, change->key, fault);
		*ret_rolled |= 1U << i;
	}
	return r;
}

int change_roll(struct agent *agent, struct policy *policy, unsigned int roots,
		struct change *ret, struct svcenc_fault *fault)
{
	struct policy next;
	unsigned int rolled;
	int r;

	r = begin(agent, policy, &roll, ret, fault);
	if (!r)
		r = check_state(agent, policy, &roll, fault);
	if (r < 0 || goes_on(policy, &roll))
		return r;
	next = *policy;
	r = roll_roots(agent, &next, roots, ret, &rolled, fault);
	if (r < 0 || !rolled)
		return r;
	ret->changed = true;
	return commit(agent, policy, &next, &roll, rolled, fault);
}

/* --- rekey, set-roots ----------------------------------------------------- */

int change_rekey(struct agent *agent, struct policy *policy, struct change *ret,
		 struct svcenc_fault *fault)
{
	struct policy next;
	int r;

	r = begin(agent, policy, &rekey, ret, fault);
	if (!r)
		r = check_state(agent, policy, &rekey, fault);
	if (r < 0 || goes_on(policy, &rekey))
		return r;
	next = *policy;
	r = bind_fresh_key(agent, &next, ret, fault);
	if (r < 0)
		return r;
	ret->changed = true;
	return commit(agent, policy, &next, &rekey, CHANGE_ROOTS_ALL, fault);
}

static bool has_roots(const struct policy *policy,
		      const struct policy_wish *wish)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++)
		if (strcmp(policy->wraps[i].vault, wish->vaults[i]))
			return false;
	for (i = 0; i < 2; i++)
		if (strcmp(policy->root_names[i], wish->root_names[i]))
			return false;
	return true;
}

static void take_roots(struct policy *next, const struct policy_wish *wish)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++) {
		memset(next->wraps[i].vault, 0, sizeof(next->wraps[i].vault));
		memcpy(next->wraps[i].vault, wish->vaults[i],
		       strlen(wish->vaults[i]));
	}
	for (i = 0; i < 2; i++)
		snprintf(next->root_names[i], sizeof(next->root_names[i]), "%s",
			 wish->root_names[i]);
	next->customer = wish->customer;
}

/*
 * The old key stays live, and its wraps stored, until the last volume has
 * left it: at each moment every volume is under the old roots or the new.
 */
int change_roots(struct agent *agent, struct policy *policy,
		 const struct policy_wish *wish, struct change *ret,
		 struct svcenc_fault *fault)
{
	struct policy next;
	int r;

	r = begin(agent, policy, &set_roots, ret, fault);
	if (!r)
		r = check_state(agent, policy, &set_roots, fault);
	if (r < 0)
		return r;
	if (has_roots(policy, wish))
		return 0; /* or is being gone on with */
	if (goes_on(policy, &set_roots))
		return refuse(agent, policy, &set_roots,
			      "an exchange for other roots was cut short",
			      fault);
	r = policies_check_roots(agent, wish, ret->checks, fault);
	if (r < 0)
		return r;
	next = *policy;
	take_roots(&next, wish);
	r = bind_fresh_key(agent, &next, ret, fault);
	if (r < 0)
		return r;
	ret->changed = true;
	return commit(agent, policy, &next, &set_roots, CHANGE_ROOTS_ALL,
		      fault);
}

/* --- recover -------------------------------------------------------------- */

/* Does what is said to be lost still open? Its answer goes to the state. */
static bool still_opens(struct agent *agent, struct policy *policy,
			unsigned int index)
{
	struct unwrap_job job = {
		.vault = policy->wraps[index].vault,
		.kid = policy->wraps[index].kid,
		.blob = policy->wraps[index].blob,
		.blob_len = policy->wraps[index].blob_len,
	};
	struct lease *lease = lease_of(agent, policy);

	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	svcenc_secret_free(job.plain);
	policy_catch_up(agent, policy); /* that may have taken seconds */
	if (job.result.answer == SVCENC_ANSWER_OK)
		return true;
	if (lease)
		verdict_note(lease, index, &job.result);
	if (lease && policy->state == SVCENC_POLICY_ACTIVE)
		verdict_enter_state(lease, policy, SVCENC_STEP_ROOT_MISSING,
				    "a root is said to be lost and does not "
				    "open");
	return false;
}

/* Is what is to take the lost one's place there already? */
static bool has_root(const struct policy *policy, unsigned int index,
		     const struct svcenc_rootspec *spec)
{
	return spec && !strcmp(policy->wraps[index].vault, spec->vault) &&
	       !strcmp(policy->root_names[index], spec->key);
}

static int refuse_not_lost(struct agent *agent, const struct policy *policy,
			   unsigned int index, struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
			 "root %s of policy '%s' opens its key: it is not lost",
			 index == 2 ? "availability" :
			 index	    ? "b" :
				      "a",
			 policy_label(agent, policy));
	return svcenc_fault_hint(fault, "a new version of it is 'svcenc policy "
					"roll', another key 'svcenc policy "
					"set-roots'");
}

/* The root in the lost one's place: @spec, or the same vault's new key. */
static int place_root(struct agent *agent, struct policy *next,
		      unsigned int index, const struct svcenc_rootspec *spec,
		      bool accept_unrecoverable, struct change *change,
		      struct svcenc_fault *fault)
{
	static const char *const roots[] = { "a", "b", "availability" };
	struct svcenc_record_wrap *wrap = &next->wraps[index];
	int r = 0;

	if (spec) {
		memset(wrap->vault, 0, sizeof(wrap->vault));
		memcpy(wrap->vault, spec->vault, strlen(spec->vault));
		snprintf(next->root_names[index],
			 sizeof(next->root_names[index]), "%s", spec->key);
		next->customer = next->customer || index < 2;
		r = policies_check_apart(agent, next, fault);
		if (!r)
			r = roots_check(agent, roots[index], spec,
					accept_unrecoverable, change->checks,
					fault);
	}
	if (!r)
		r = roots_newest(agent, next, index, wrap, fault);
	return r < 0 ? r : bind(agent, next, index, change->key, fault);
}

int change_recover(struct agent *agent, struct policy *policy,
		   unsigned int index, const struct svcenc_rootspec *spec,
		   bool accept_unrecoverable, struct change *ret,
		   struct svcenc_fault *fault)
{
	struct policy next;
	int r;

	r = begin(agent, policy, &recover, ret, fault);
	if (r < 0 || goes_on(policy, &recover))
		return r;
	/* given once more, after an end that nobody has heard of */
	if (still_opens(agent, policy, index))
		return has_root(policy, index, spec) ?
			       0 :
			       refuse_not_lost(agent, policy, index, fault);
	r = check_state(agent, policy, &recover, fault);
	if (r < 0)
		return r;
	next = *policy;
	r = place_root(agent, &next, index, spec, accept_unrecoverable, ret,
		       fault);
	if (r < 0)
		return r;
	ret->changed = true;
	return commit(agent, policy, &next, &recover, 1U << index, fault);
}
