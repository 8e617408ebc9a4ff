// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "policy.h"

#define x(name, text) text,
static const char *const answer_texts[] = { SVCENC_ANSWERS(x) };
static const char *const state_texts[] = { SVCENC_POLICY_STATES(x) };
static const char *const step_texts[] = { SVCENC_POLICY_STEPS(x) };
static const char *const task_texts[] = { SVCENC_POLICY_TASKS(x) };
static const char *const availability_texts[] = { SVCENC_AVAILABILITIES(x) };
static const char *const on_withdrawal_texts[] = { SVCENC_ON_WITHDRAWALS(x) };
#undef x

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *text_of(const char *const *texts, size_t count,
			   unsigned int number)
{
	return number < count ? texts[number] : NULL;
}

static int number_of(const char *const *texts, size_t count, const char *text)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(texts[i], text))
			return (int)i;
	return -1;
}

const char *svcenc_answer_text(unsigned int answer)
{
	return text_of(answer_texts, COUNT(answer_texts), answer);
}

const char *svcenc_policy_state_text(unsigned int state)
{
	return text_of(state_texts, COUNT(state_texts), state);
}

const char *svcenc_policy_step_text(unsigned int step)
{
	return text_of(step_texts, COUNT(step_texts), step);
}

const char *svcenc_policy_task_text(unsigned int task)
{
	return text_of(task_texts, COUNT(task_texts), task);
}

const char *svcenc_availability_text(unsigned int availability)
{
	return text_of(availability_texts, COUNT(availability_texts),
		       availability);
}

const char *svcenc_on_withdrawal_text(unsigned int on_withdrawal)
{
	return text_of(on_withdrawal_texts, COUNT(on_withdrawal_texts),
		       on_withdrawal);
}

int svcenc_answer_parse(const char *text)
{
	return number_of(answer_texts, COUNT(answer_texts), text);
}

int svcenc_policy_state_parse(const char *text)
{
	return number_of(state_texts, COUNT(state_texts), text);
}

int svcenc_policy_task_parse(const char *text)
{
	return number_of(task_texts, COUNT(task_texts), text);
}

int svcenc_availability_parse(const char *text)
{
	return number_of(availability_texts, COUNT(availability_texts), text);
}

int svcenc_on_withdrawal_parse(const char *text)
{
	return number_of(on_withdrawal_texts, COUNT(on_withdrawal_texts), text);
}

void svcenc_policy_default_rules(struct svcenc_policy_rules *ret)
{
	ret->availability = SVCENC_AVAILABILITY_TRANSIENT;
	ret->on_withdrawal = SVCENC_ON_WITHDRAWAL_SHUTDOWN;
	ret->lease_s = SVCENC_POLICY_LEASE_S;
	ret->probe_s = SVCENC_POLICY_PROBE_S;
	ret->fallback_max_s = SVCENC_POLICY_FALLBACK_MAX_S;
}

const char *svcenc_policy_check_rules(const struct svcenc_policy_rules *rules)
{
	if (rules->lease_s < SVCENC_POLICY_LEASE_MIN_S ||
	    rules->lease_s > 7 * 24 * 3600)
		return "the lease must be 2 to 604800 seconds";
	if (rules->probe_s < SVCENC_POLICY_PROBE_MIN_S ||
	    rules->probe_s > rules->lease_s / 2)
		return "the probe interval must be at least 1 second and at "
		       "most half of the lease";
	if (rules->fallback_max_s > 30 * 24 * 3600)
		return "fallback_max must be at most 2592000 seconds (30 days)";
	return NULL;
}

void svcenc_policy_note(struct svcenc_policy_root *root,
			enum svcenc_answer answer, int64_t now_ms)
{
	root->answer = answer;
	root->nameless = false;
	if (answer == SVCENC_ANSWER_OK) {
		root->denied = false;
		root->ever_ok = true;
		root->last_ok_ms = now_ms;
	} else if (answer == SVCENC_ANSWER_DENIED) {
		root->denied = true;
	}
}

static bool is_outage(const struct svcenc_policy_root *root)
{
	return (root->answer == SVCENC_ANSWER_UNREACHABLE && !root->nameless) ||
	       root->answer == SVCENC_ANSWER_THROTTLED;
}

/* One root is denied, the other does not answer OK: how long to bear it. */
static void decide_half_denied(const struct svcenc_policy_view *view,
			       struct svcenc_policy_verdict *ret)
{
	const int64_t bound = (int64_t)view->rules.probe_s * 1000 +
			      SVCENC_POLICY_TOLERANCE_MS;
	const int64_t left =
		view->in_doubt ? view->doubt_since_ms + bound - view->now_ms :
				 bound;

	if (!view->key_live || view->state == SVCENC_POLICY_LOCKED ||
	    left <= 0) {
		ret->action = SVCENC_ACTION_DROP;
		ret->step = SVCENC_STEP_WITHDRAWN;
		ret->why = "one root is denied by its owner and the other "
			   "does not open the policy key";
		return;
	}
	ret->action = SVCENC_ACTION_WAIT;
	ret->step = SVCENC_STEP_ROOT_MISSING;
	ret->next_probe_ms =
		left < SVCENC_POLICY_RETRY_MS ? left : SVCENC_POLICY_RETRY_MS;
	ret->why = "one root is denied by its owner and the other gives no "
		   "answer; the key ends if that lasts";
}

/* Nothing opens, nothing denies, and the availability key may not help. */
static void decide_run_out(const struct svcenc_policy_view *view,
			   const char *why, struct svcenc_policy_verdict *ret)
{
	ret->action = SVCENC_ACTION_WAIT;
	ret->step = view->key_live ? SVCENC_STEP_ROOT_MISSING :
				     SVCENC_STEP_LEASE_OVER;
	ret->why = why;
}

/* The bridge has an end: it is over, or looked at again when it is. */
static void decide_bridge(int64_t left_ms, const char *why, const char *over,
			  struct svcenc_policy_verdict *ret)
{
	if (left_ms <= 0) {
		ret->action = SVCENC_ACTION_DROP;
		ret->step = SVCENC_STEP_LEASE_OVER;
		ret->why = over;
		return;
	}
	ret->action = SVCENC_ACTION_FALLBACK;
	ret->step = SVCENC_STEP_OUTAGE_BRIDGED;
	ret->why = why;
	if (left_ms < ret->next_probe_ms)
		ret->next_probe_ms = left_ms;
}

static void decide_outage(const struct svcenc_policy_view *view,
			  struct svcenc_policy_verdict *ret)
{
	const int64_t lasted =
		view->in_fallback ? view->now_ms - view->fallback_since_ms : 0;
	const int64_t granted = view->granted_until_ms - view->now_ms;

	if (view->rules.availability == SVCENC_AVAILABILITY_NEVER)
		decide_run_out(view,
			       "no root answers, and this policy never uses "
			       "its availability key; the lease runs out",
			       ret);
	else if (view->rules.availability == SVCENC_AVAILABILITY_TRANSIENT)
		decide_bridge((int64_t)view->rules.fallback_max_s * 1000 -
				      lasted,
			      "no root answers; the availability key bridges "
			      "the outage",
			      "no root answers, and the availability key has "
			      "been used for as long as the policy allows",
			      ret);
	else if (granted > 0 || view->in_fallback)
		decide_bridge(granted,
			      "no root answers; the availability key bridges "
			      "the outage by an officer's grant",
			      "no root answers, and the officer's grant of the "
			      "availability key has ended",
			      ret);
	else
		decide_run_out(view,
			       "no root answers, and no officer has granted "
			       "the use of the availability key; the lease "
			       "runs out ('svcenc policy grant')",
			       ret);
}

void svcenc_policy_decide(const struct svcenc_policy_view *view,
			  struct svcenc_policy_verdict *ret)
{
	const struct svcenc_policy_root *a = &view->root[0];
	const struct svcenc_policy_root *b = &view->root[1];
	const bool a_ok = a->answer == SVCENC_ANSWER_OK;
	const bool b_ok = b->answer == SVCENC_ANSWER_OK;

	ret->next_probe_ms = (int64_t)view->rules.probe_s * 1000;
	ret->why = "";
	if (a_ok || b_ok) {
		ret->action = SVCENC_ACTION_RENEW;
		ret->step = a_ok && b_ok ? SVCENC_STEP_ALL_ROOTS_OPEN :
					   SVCENC_STEP_ROOT_MISSING;
		if (!(a_ok && b_ok))
			ret->why =
				a_ok ? "root b does not open the policy key" :
				       "root a does not open the policy key";
	} else if (a->denied && b->denied) {
		ret->action = SVCENC_ACTION_DROP;
		ret->step = SVCENC_STEP_WITHDRAWN;
		ret->why = "both roots are denied by their owner";
	} else if (a->denied || b->denied) {
		decide_half_denied(view, ret);
	} else if (is_outage(a) && is_outage(b)) {
		decide_outage(view, ret);
	} else {
		decide_run_out(view,
			       "no root opens the policy key, and not because "
			       "of an outage; the lease runs out",
			       ret);
	}
}

/*
 * [state][step] = next state + 1; 0 = refused. While a policy rolls or
 * recovers its roots are watched as ever: a withdrawal locks it, an outage
 * shows. A policy that is being purged takes none of these steps.
 */
static const unsigned char steps[SVCENC_POLICY_STATE_COUNT]
				[SVCENC_POLICY_STEP_COUNT] = {
#define TO(step, state) [SVCENC_STEP_##step] = SVCENC_POLICY_##state + 1
	[SVCENC_POLICY_ACTIVE] = {
		TO(ALL_ROOTS_OPEN, ACTIVE),
		TO(ROOT_MISSING, DEGRADED),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
		TO(ROLL_BEGUN, ROLLING),
	},
	[SVCENC_POLICY_ROLLING] = {
		TO(ALL_ROOTS_OPEN, ROLLING),
		TO(ROOT_MISSING, ROLLING),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
		TO(ROLL_BEGUN, ROLLING),
		TO(ROLL_DONE, ACTIVE),
	},
	[SVCENC_POLICY_DEGRADED] = {
		TO(ALL_ROOTS_OPEN, ACTIVE),
		TO(ROOT_MISSING, DEGRADED),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
		TO(ROLL_BEGUN, ROLLING),
		TO(RECOVERY_BEGUN, RECOVERING),
	},
	[SVCENC_POLICY_FALLBACK] = {
		TO(ALL_ROOTS_OPEN, ACTIVE),
		TO(ROOT_MISSING, DEGRADED),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
		TO(RECOVERY_BEGUN, RECOVERING),
	},
	[SVCENC_POLICY_LOCKED] = {
		TO(ALL_ROOTS_OPEN, ACTIVE),
		TO(ROOT_MISSING, DEGRADED),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
	},
	[SVCENC_POLICY_RECOVERING] = {
		TO(ALL_ROOTS_OPEN, RECOVERING),
		TO(ROOT_MISSING, RECOVERING),
		TO(OUTAGE_BRIDGED, FALLBACK),
		TO(WITHDRAWN, LOCKED),
		TO(LEASE_OVER, LOCKED),
		TO(RECOVERY_BEGUN, RECOVERING),
		TO(RECOVERY_DONE, DEGRADED),
	},
#undef TO
};

int svcenc_policy_apply(enum svcenc_policy_state *state,
			enum svcenc_policy_step step)
{
	unsigned char next;

	if ((unsigned int)*state >= SVCENC_POLICY_STATE_COUNT ||
	    (unsigned int)step >= SVCENC_POLICY_STEP_COUNT)
		return -EPERM;
	next = steps[*state][step];
	if (!next)
		return -EPERM;
	*state = (enum svcenc_policy_state)(next - 1);
	return 0;
}

const char *svcenc_policy_refusal(enum svcenc_policy_state state,
				  enum svcenc_policy_step step)
{
	if (!svcenc_policy_apply(&state, step))
		return NULL;
	switch (state) {
	case SVCENC_POLICY_ACTIVE:
		return step == SVCENC_STEP_RECOVERY_BEGUN ?
			       "its roots open: nothing is lost" :
			       "nothing of that kind has been begun";
	case SVCENC_POLICY_FALLBACK:
		return "no root answers now, the availability key bridges the "
		       "outage";
	case SVCENC_POLICY_LOCKED:
		return "it is locked: no root opens its key";
	case SVCENC_POLICY_ROLLING:
		return "a change of its keys was begun and is to be finished "
		       "first";
	case SVCENC_POLICY_RECOVERING:
		return "a recovery was begun and is to be finished first";
	case SVCENC_POLICY_PURGE_REQUESTED:
		return "its purge has been requested";
	case SVCENC_POLICY_PURGED:
		return "it has been purged";
	default:
		return "nothing of that kind has been begun";
	}
}
