// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check what a lease remembers of its roots' answers:
 * DESCRIPTION: when doubt begins and ends, which change of state is made and
 * DESCRIPTION: which refused, and that only what changed is stored.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "events.h"
#include "log.h"
#include "verdict.h"

static int64_t now_ms;
static unsigned int saves, errors, told;
static int save_result;
static struct policy_change last_change; /* policy is gone */

int64_t agent_now_ms(void)
{
	return now_ms;
}

void moment_now(struct moment *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->wall_s = 1700000000;
}

bool moment_equal(const struct moment *a, const struct moment *b)
{
	return a->wall_s == b->wall_s;
}

const char *policy_label(struct agent *agent, const struct policy *policy)
{
	(void)agent;
	(void)policy;
	return "t/p";
}

int policy_save(struct agent *agent, struct policy *policy,
		struct svcenc_fault *fault)
{
	(void)agent;
	(void)policy;
	(void)fault;
	saves++;
	return save_result;
}

void log_error(const char *format, ...)
{
	(void)format;
	errors++;
}

void events_policy_state(struct agent *agent,
			 const struct policy_change *change)
{
	(void)agent;
	last_change = *change;
	told++;
}

static int set_up(void **state)
{
	(void)state;
	now_ms = 1000;
	saves = errors = told = 0;
	save_result = 0;
	return 0;
}

static void note(struct lease *lease, unsigned int index,
		 enum svcenc_answer answer)
{
	const struct vault_result result = { .answer = answer };

	verdict_note(lease, index, &result);
}

static void answers_are_noted(void **state)
{
	struct lease lease = { .in_doubt = false };

	(void)state;
	note(&lease, 0, SVCENC_ANSWER_OK);
	assert_true(lease.roots[0].facts.ever_ok);
	assert_int_equal(lease.roots[0].facts.last_ok_ms, 1000);
	assert_int_equal(lease.roots[0].answered_ms, 1000);
	/* Who was not asked or not heard has said nothing. */
	now_ms = 2000;
	note(&lease, 0, SVCENC_ANSWER_UNKNOWN);
	assert_int_equal(lease.roots[0].facts.answer, SVCENC_ANSWER_OK);
	assert_int_equal(lease.roots[0].answered_ms, 1000);
	/* A denial sticks until that root opens again. */
	note(&lease, 1, SVCENC_ANSWER_DENIED);
	note(&lease, 1, SVCENC_ANSWER_UNREACHABLE);
	assert_true(lease.roots[1].facts.denied);
	assert_int_equal(lease.roots[1].last.answer, SVCENC_ANSWER_UNREACHABLE);
	note(&lease, 1, SVCENC_ANSWER_OK);
	assert_false(lease.roots[1].facts.denied);
}

/* Silence for want of a name is not silence. */
static void a_name_that_is_gone_is_no_outage(void **state)
{
	const struct vault_result gone = { .answer = SVCENC_ANSWER_UNREACHABLE,
					   .reason = "name" };
	struct policy policy = { .state = SVCENC_POLICY_ACTIVE };
	struct svcenc_policy_verdict verdict;
	struct lease lease = { .key_live = true };

	(void)state;
	svcenc_policy_default_rules(&policy.rules);
	note(&lease, 0, SVCENC_ANSWER_UNREACHABLE);
	verdict_note(&lease, 1, &gone);
	verdict_weigh(&lease);
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
	note(&lease, 1, SVCENC_ANSWER_UNREACHABLE);
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_FALLBACK);
}

static void doubt_counts_from_the_last_good_answer(void **state)
{
	struct lease lease = { .in_doubt = false };

	(void)state;
	note(&lease, 0, SVCENC_ANSWER_OK);
	now_ms = 3000;
	note(&lease, 1, SVCENC_ANSWER_OK);
	verdict_weigh(&lease);
	assert_false(lease.in_doubt);
	now_ms = 5000;
	note(&lease, 0, SVCENC_ANSWER_UNREACHABLE);
	verdict_weigh(&lease);
	assert_false(lease.in_doubt); /* b is still well */
	note(&lease, 1, SVCENC_ANSWER_THROTTLED);
	verdict_weigh(&lease);
	assert_true(lease.in_doubt);
	assert_int_equal(lease.doubt_since_ms, 3000);
	/* It goes on from there. */
	now_ms = 9000;
	note(&lease, 0, SVCENC_ANSWER_UNREACHABLE);
	verdict_weigh(&lease);
	assert_int_equal(lease.doubt_since_ms, 3000);
	/* One root's OK ends it, and a fallback with it. */
	lease.in_fallback = true;
	note(&lease, 0, SVCENC_ANSWER_OK);
	verdict_weigh(&lease);
	assert_false(lease.in_doubt);
	assert_false(lease.in_fallback);
}

static void doubt_without_any_good_answer_counts_from_now(void **state)
{
	struct lease lease = { .in_doubt = false };

	(void)state;
	now_ms = 7000;
	note(&lease, 0, SVCENC_ANSWER_UNREACHABLE);
	verdict_weigh(&lease);
	assert_true(lease.in_doubt);
	assert_int_equal(lease.doubt_since_ms, 7000);
	assert_false(lease.in_fallback);
}

static void the_rules_are_asked_with_what_is_known(void **state)
{
	struct policy policy = { .state = SVCENC_POLICY_ACTIVE };
	struct svcenc_policy_verdict verdict;
	struct lease lease = { .key_live = true };

	(void)state;
	svcenc_policy_default_rules(&policy.rules);
	note(&lease, 0, SVCENC_ANSWER_OK);
	note(&lease, 1, SVCENC_ANSWER_OK);
	verdict_weigh(&lease);
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_RENEW);
	note(&lease, 0, SVCENC_ANSWER_DENIED);
	note(&lease, 1, SVCENC_ANSWER_DENIED);
	verdict_weigh(&lease);
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	assert_int_equal(verdict.step, SVCENC_STEP_WITHDRAWN);
	/* Never before its time: the bridge has an end. */
	note(&lease, 0, SVCENC_ANSWER_OK);
	note(&lease, 1, SVCENC_ANSWER_OK);
	verdict_weigh(&lease);
	note(&lease, 0, SVCENC_ANSWER_UNREACHABLE);
	note(&lease, 1, SVCENC_ANSWER_UNREACHABLE);
	verdict_weigh(&lease);
	lease.in_fallback = true;
	lease.fallback_since_ms = now_ms;
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_FALLBACK);
	now_ms += (int64_t)policy.rules.fallback_max_s * 1000;
	verdict_judge(&lease, &policy, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
}

static void changes_of_state_are_told_once(void **state)
{
	struct policy policy = { .state = SVCENC_POLICY_ACTIVE };
	struct lease lease = { .key_live = true };

	(void)state;
	verdict_enter_state(&lease, &policy, SVCENC_STEP_ALL_ROOTS_OPEN, "");
	assert_int_equal(told, 0); /* it was that already */
	verdict_enter_state(&lease, &policy, SVCENC_STEP_WITHDRAWN, "denied");
	assert_int_equal(policy.state, SVCENC_POLICY_LOCKED);
	assert_int_equal(told, 1);
	assert_string_equal(lease.why, "denied");
	assert_int_equal(lease.state, SVCENC_POLICY_LOCKED);
	assert_int_equal(last_change.before, SVCENC_POLICY_ACTIVE);
	assert_string_equal(last_change.why, "denied");
	assert_ptr_equal(last_change.a, &lease.roots[0].last);
	/* What is not allowed changes nothing, and is an error. */
	policy.state = SVCENC_POLICY_PURGED;
	verdict_enter_state(&lease, &policy, SVCENC_STEP_ALL_ROOTS_OPEN, "");
	assert_int_equal(policy.state, SVCENC_POLICY_PURGED);
	assert_int_equal(errors, 1);
	assert_int_equal(told, 1);
}

static void only_changes_are_stored(void **state)
{
	struct policy before = { .state = SVCENC_POLICY_ACTIVE };
	struct policy policy = before;
	struct lease lease = { .key_live = true };

	(void)state;
	verdict_remember(&lease, &policy, &before);
	assert_int_equal(saves, 0);
	note(&lease, 1, SVCENC_ANSWER_DENIED);
	verdict_remember(&lease, &policy, &before);
	assert_int_equal(saves, 1);
	assert_true(policy.denied[1] && !policy.denied[0]);
	before = policy;
	lease.in_fallback = true;
	verdict_remember(&lease, &policy, &before);
	assert_int_equal(saves, 2);
	assert_int_equal(policy.fallback.wall_s, 1700000000);
	/* How long it has lasted is not forgotten by storing again. */
	policy.fallback.wall_s = before.fallback.wall_s = 1600000000;
	verdict_remember(&lease, &policy, &before);
	assert_int_equal(saves, 2);
	assert_int_equal(policy.fallback.wall_s, 1600000000);
	lease.in_fallback = false;
	save_result = -5;
	verdict_remember(&lease, &policy, &before);
	assert_int_equal(policy.fallback.wall_s, 0);
	assert_int_equal(saves, 3);
	assert_int_equal(errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers_are_noted, set_up),
		cmocka_unit_test_setup(a_name_that_is_gone_is_no_outage,
				       set_up),
		cmocka_unit_test_setup(doubt_counts_from_the_last_good_answer,
				       set_up),
		cmocka_unit_test_setup(
			doubt_without_any_good_answer_counts_from_now, set_up),
		cmocka_unit_test_setup(the_rules_are_asked_with_what_is_known,
				       set_up),
		cmocka_unit_test_setup(changes_of_state_are_told_once, set_up),
		cmocka_unit_test_setup(only_changes_are_stored, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
