// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "events.h"
#include "log.h"
#include "verdict.h"

enum { ROOTS = 2 }; /* a, b */

void verdict_note(struct lease *lease, unsigned int index,
		  const struct vault_result *result)
{
	struct lease_root *root = &lease->roots[index];

	if (result->answer == SVCENC_ANSWER_UNKNOWN)
		return;
	root->last = *result;
	root->answered_ms = agent_now_ms();
	svcenc_policy_note(&root->facts, result->answer, root->answered_ms);
	root->facts.nameless = result->answer == SVCENC_ANSWER_UNREACHABLE &&
			       !strcmp(result->reason, "name");
}

/* After new answers: does the doubt begin, go on, or end? */
void verdict_weigh(struct lease *lease)
{
	const struct svcenc_policy_root *a = &lease->roots[0].facts;
	const struct svcenc_policy_root *b = &lease->roots[1].facts;
	int64_t last_ok_ms = 0;

	if (a->answer == SVCENC_ANSWER_OK || b->answer == SVCENC_ANSWER_OK) {
		lease->in_doubt = false;
		lease->in_fallback = false;
		return;
	}
	if (lease->in_doubt)
		return;
	lease->in_doubt = true;
	if (a->ever_ok)
		last_ok_ms = a->last_ok_ms;
	if (b->ever_ok && b->last_ok_ms > last_ok_ms)
		last_ok_ms = b->last_ok_ms;
	lease->doubt_since_ms = last_ok_ms ? last_ok_ms : agent_now_ms();
}

void verdict_enter_fallback(struct lease *lease)
{
	if (!lease->in_fallback) {
		lease->in_fallback = true;
		lease->fallback_since_ms = agent_now_ms();
	}
}

void verdict_judge(struct lease *lease, const struct policy *policy,
		   struct svcenc_policy_verdict *ret)
{
	struct svcenc_policy_view view = {
		.state = policy->state,
		.rules = policy->rules,
		.root = { lease->roots[0].facts, lease->roots[1].facts },
		.in_doubt = lease->in_doubt,
		.doubt_since_ms = lease->doubt_since_ms,
		.in_fallback = lease->in_fallback,
		.fallback_since_ms = lease->fallback_since_ms,
		.granted_until_ms = lease->granted_until_ms,
		.key_live = lease->key_live,
		.now_ms = agent_now_ms(),
	};

	svcenc_policy_decide(&view, ret);
}

/* The one place where a policy changes its state; tells everybody. */
void verdict_enter_state(struct lease *lease, struct policy *policy,
			 enum svcenc_policy_step step, const char *why)
{
	const enum svcenc_policy_state before = policy->state;

	snprintf(lease->why, sizeof(lease->why), "%s", why);
	if (svcenc_policy_apply(&policy->state, step) < 0) {
		log_error("policy '%s': step %s refused in state %s",
			  policy_label(lease->agent, policy),
			  svcenc_policy_step_text(step),
			  svcenc_policy_state_text(before));
		return;
	}
	lease->state = policy->state;
	if (policy->state != before)
		events_policy_state(lease->agent,
				    &(struct policy_change){
					    .policy = policy,
					    .before = before,
					    .a = &lease->roots[0].last,
					    .b = &lease->roots[1].last,
					    .why = why,
				    });
}

/* What of it must outlive the agent; saved only if it changed. */
void verdict_remember(struct lease *lease, struct policy *policy,
		      const struct policy *before)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	int i;

	for (i = 0; i < ROOTS; i++)
		policy->denied[i] = lease->roots[i].facts.denied;
	if (!lease->in_fallback)
		memset(&policy->fallback, 0, sizeof(policy->fallback));
	else if (!policy->fallback.wall_s)
		moment_now(&policy->fallback);
	if (policy->state == before->state && policy->held == before->held &&
	    policy->denied[0] == before->denied[0] &&
	    policy->denied[1] == before->denied[1] &&
	    moment_equal(&policy->fallback, &before->fallback))
		return;
	if (policy_save(lease->agent, policy, &fault) < 0)
		log_error("state of policy '%s' is not stored: %s",
			  policy_label(lease->agent, policy), fault.message);
}
