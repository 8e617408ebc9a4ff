// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the rules of a policy: every pair of
 * DESCRIPTION: answers of two roots under every availability rule, the bounds
 * DESCRIPTION: in time, that a denial is sticky, and which steps are refused.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy.h"

enum { NOW = 1000000 };

static struct svcenc_policy_view view_of(enum svcenc_answer a,
					 enum svcenc_answer b)
{
	struct svcenc_policy_view view = { .state = SVCENC_POLICY_ACTIVE,
					   .key_live = true,
					   .now_ms = NOW };

	svcenc_policy_default_rules(&view.rules);
	svcenc_policy_note(&view.root[0], a, NOW);
	svcenc_policy_note(&view.root[1], b, NOW);
	view.in_doubt = a != SVCENC_ANSWER_OK && b != SVCENC_ANSWER_OK;
	view.doubt_since_ms = NOW;
	return view;
}

static bool outage(enum svcenc_answer answer)
{
	return answer == SVCENC_ANSWER_UNREACHABLE ||
	       answer == SVCENC_ANSWER_THROTTLED;
}

/* The rules of the design in one place, written the other way round. */
static enum svcenc_policy_action wanted(enum svcenc_answer a,
					enum svcenc_answer b,
					enum svcenc_availability availability)
{
	if (a == SVCENC_ANSWER_OK || b == SVCENC_ANSWER_OK)
		return SVCENC_ACTION_RENEW;
	if (a == SVCENC_ANSWER_DENIED && b == SVCENC_ANSWER_DENIED)
		return SVCENC_ACTION_DROP;
	if (outage(a) && outage(b) &&
	    availability == SVCENC_AVAILABILITY_TRANSIENT)
		return SVCENC_ACTION_FALLBACK;
	return SVCENC_ACTION_WAIT;
}

static void every_pair_of_answers(void **state)
{
	unsigned int a, b, availability;

	(void)state;
	for (a = 0; a < SVCENC_ANSWER_COUNT; a++) {
		for (b = 0; b < SVCENC_ANSWER_COUNT; b++) {
			for (availability = 0;
			     availability < SVCENC_AVAILABILITY_COUNT;
			     availability++) {
				struct svcenc_policy_view view = view_of(a, b);
				struct svcenc_policy_verdict verdict;

				view.rules.availability = availability;
				svcenc_policy_decide(&view, &verdict);
				assert_int_equal(verdict.action,
						 wanted(a, b, availability));
				assert_true(verdict.next_probe_ms > 0);
				assert_int_equal(*verdict.why == '\0',
						 a == SVCENC_ANSWER_OK &&
							 b == SVCENC_ANSWER_OK);
			}
		}
	}
}

static void one_root_failing_is_degraded(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_OK, SVCENC_ANSWER_DENIED);
	struct svcenc_policy_verdict verdict;

	(void)state;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_RENEW);
	assert_int_equal(svcenc_policy_apply(&view.state, verdict.step), 0);
	assert_int_equal(view.state, SVCENC_POLICY_DEGRADED);
}

static void half_denied_is_borne_for_a_probe_and_five_seconds(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_DENIED, SVCENC_ANSWER_UNREACHABLE);
	struct svcenc_policy_verdict verdict;

	(void)state;
	view.now_ms = view.doubt_since_ms + 34999;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
	assert_int_equal(verdict.next_probe_ms, 1);
	view.now_ms++;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	assert_int_equal(verdict.step, SVCENC_STEP_WITHDRAWN);
}

static void locked_stays_locked_without_an_answer(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_DENIED, SVCENC_ANSWER_UNREACHABLE);
	struct svcenc_policy_verdict verdict;

	(void)state;
	view.state = SVCENC_POLICY_LOCKED;
	view.key_live = false;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
}

static void denial_survives_an_outage(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_DENIED, SVCENC_ANSWER_DENIED);
	struct svcenc_policy_verdict verdict;

	(void)state;
	svcenc_policy_note(&view.root[0], SVCENC_ANSWER_UNREACHABLE, NOW + 1);
	svcenc_policy_note(&view.root[1], SVCENC_ANSWER_THROTTLED, NOW + 1);
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	svcenc_policy_note(&view.root[1], SVCENC_ANSWER_BADAUTH, NOW + 2);
	assert_true(view.root[1].denied);
	svcenc_policy_note(&view.root[1], SVCENC_ANSWER_OK, NOW + 3);
	assert_false(view.root[1].denied);
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_RENEW);
}

static void fallback_ends_and_does_not_begin_anew(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_UNREACHABLE);
	struct svcenc_policy_verdict verdict;

	(void)state;
	view.in_fallback = true;
	view.fallback_since_ms = 0;
	view.now_ms = 4 * 3600 * 1000 - 1;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_FALLBACK);
	view.now_ms++;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	assert_int_equal(svcenc_policy_apply(&view.state, verdict.step), 0);
	assert_int_equal(view.state, SVCENC_POLICY_LOCKED);
	view.key_live = false;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
}

/* Near its end the bridge is looked at when that comes, not a probe later. */
static void the_end_of_a_bridge_is_not_missed(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_THROTTLED);
	struct svcenc_policy_verdict verdict;

	(void)state;
	view.in_fallback = true;
	view.fallback_since_ms = NOW - (int64_t)4 * 3600 * 1000 + 700;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_FALLBACK);
	assert_int_equal(verdict.next_probe_ms, 700);
}

static void a_grant_bridges_until_it_ends(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_UNREACHABLE);
	struct svcenc_policy_verdict verdict;

	(void)state;
	view.rules.availability = SVCENC_AVAILABILITY_ASK;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
	view.granted_until_ms = NOW + 500;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_FALLBACK);
	assert_int_equal(verdict.next_probe_ms, 500);
	/* Its end, or the officer's, ends the key at once. */
	view.in_fallback = true;
	view.now_ms = NOW + 500;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	assert_int_equal(verdict.step, SVCENC_STEP_LEASE_OVER);
	view.granted_until_ms = 0;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_DROP);
	/* It is no answer to a denial, and none of the other rules. */
	view.granted_until_ms = view.now_ms + 500;
	svcenc_policy_note(&view.root[0], SVCENC_ANSWER_DENIED, NOW);
	svcenc_policy_decide(&view, &verdict);
	assert_int_not_equal(verdict.action, SVCENC_ACTION_FALLBACK);
	svcenc_policy_note(&view.root[0], SVCENC_ANSWER_OK, NOW);
	svcenc_policy_note(&view.root[0], SVCENC_ANSWER_UNREACHABLE, NOW);
	view.rules.availability = SVCENC_AVAILABILITY_NEVER;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
}

static void bad_credentials_let_the_lease_run_out(void **state)
{
	struct svcenc_policy_view view =
		view_of(SVCENC_ANSWER_BADAUTH, SVCENC_ANSWER_UNREACHABLE);
	struct svcenc_policy_verdict verdict;

	(void)state;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
	assert_int_equal(verdict.step, SVCENC_STEP_ROOT_MISSING);
	view.key_live = false;
	svcenc_policy_decide(&view, &verdict);
	assert_int_equal(verdict.action, SVCENC_ACTION_WAIT);
	assert_int_equal(verdict.step, SVCENC_STEP_LEASE_OVER);
}

/*
 * The whole table, written by step: where each leads from ACTIVE, ROLLING,
 * DEGRADED, FALLBACK, LOCKED, RECOVERING, PURGE_REQUESTED, PURGED; '-' is
 * refused.
 */
static const struct {
	enum svcenc_policy_step step;
	const char *to;
} table[] = {
	{ SVCENC_STEP_ALL_ROOTS_OPEN, "ARAAAV--" },
	{ SVCENC_STEP_ROOT_MISSING, "DRDDDV--" },
	{ SVCENC_STEP_OUTAGE_BRIDGED, "FFFFFF--" },
	{ SVCENC_STEP_WITHDRAWN, "LLLLLL--" },
	{ SVCENC_STEP_LEASE_OVER, "LLLLLL--" },
	{ SVCENC_STEP_ROLL_BEGUN, "RRR-----" },
	{ SVCENC_STEP_ROLL_DONE, "-A------" },
	{ SVCENC_STEP_RECOVERY_BEGUN, "--VV-V--" },
	{ SVCENC_STEP_RECOVERY_DONE, "-----D--" },
};

static void unlisted_steps_are_refused(void **state)
{
	static const char letters[] = "ARDFLVPX";
	enum svcenc_policy_state at;
	unsigned int from;
	size_t i;

	(void)state;
	assert_int_equal(sizeof(table) / sizeof(table[0]),
			 SVCENC_POLICY_STEP_COUNT);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (from = 0; from < SVCENC_POLICY_STATE_COUNT; from++) {
			const bool refused = table[i].to[from] == '-';
			const char *why;

			at = from;
			assert_int_equal(svcenc_policy_apply(&at,
							     table[i].step),
					 refused ? -EPERM : 0);
			assert_int_equal(letters[at],
					 refused ? letters[from] :
						   table[i].to[from]);
			why = svcenc_policy_refusal(from, table[i].step);
			assert_int_equal(why != NULL, refused);
			assert_true(!why || strlen(why) > 8);
		}
	}
	at = SVCENC_POLICY_ACTIVE;
	assert_int_equal(svcenc_policy_apply(&at, SVCENC_POLICY_STEP_COUNT),
			 -EPERM);
	at = SVCENC_POLICY_STATE_COUNT;
	assert_int_equal(svcenc_policy_apply(&at, 0), -EPERM);
}

/* A reason that names the state, not one sentence for all. */
static void refusals_have_their_own_reasons(void **state)
{
	unsigned int a, b;

	(void)state;
	for (a = SVCENC_POLICY_FALLBACK; a < SVCENC_POLICY_STATE_COUNT; a++)
		for (b = SVCENC_POLICY_FALLBACK; b < a; b++)
			assert_string_not_equal(
				svcenc_policy_refusal(a,
						      SVCENC_STEP_ROLL_BEGUN),
				svcenc_policy_refusal(b,
						      SVCENC_STEP_ROLL_BEGUN));
	assert_string_equal(svcenc_policy_refusal(SVCENC_POLICY_ACTIVE,
						  SVCENC_STEP_RECOVERY_BEGUN),
			    "its roots open: nothing is lost");
}

static void texts_parse_back(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < SVCENC_POLICY_STATE_COUNT; i++)
		assert_int_equal(
			svcenc_policy_state_parse(svcenc_policy_state_text(i)),
			i);
	for (i = 0; i < SVCENC_ANSWER_COUNT; i++)
		assert_int_equal(svcenc_answer_parse(svcenc_answer_text(i)), i);
	for (i = 0; i < SVCENC_TASK_COUNT; i++)
		assert_int_equal(
			svcenc_policy_task_parse(svcenc_policy_task_text(i)),
			i);
	assert_null(svcenc_policy_state_text(i + 100));
	assert_int_equal(svcenc_availability_parse("sometimes"), -1);
	assert_int_equal(svcenc_on_withdrawal_parse("fail"),
			 SVCENC_ON_WITHDRAWAL_FAIL);
}

static void rules_have_limits(void **state)
{
	struct svcenc_policy_rules rules;

	(void)state;
	svcenc_policy_default_rules(&rules);
	assert_null(svcenc_policy_check_rules(&rules));
	rules.probe_s = 301;
	assert_non_null(svcenc_policy_check_rules(&rules));
	rules.probe_s = 0;
	assert_non_null(svcenc_policy_check_rules(&rules));
	rules.probe_s = 1;
	rules.lease_s = 1;
	assert_non_null(svcenc_policy_check_rules(&rules));
	rules.lease_s = 604801;
	assert_non_null(svcenc_policy_check_rules(&rules));
	rules.lease_s = 2;
	assert_null(svcenc_policy_check_rules(&rules));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_answers),
		cmocka_unit_test(one_root_failing_is_degraded),
		cmocka_unit_test(
			half_denied_is_borne_for_a_probe_and_five_seconds),
		cmocka_unit_test(locked_stays_locked_without_an_answer),
		cmocka_unit_test(denial_survives_an_outage),
		cmocka_unit_test(fallback_ends_and_does_not_begin_anew),
		cmocka_unit_test(the_end_of_a_bridge_is_not_missed),
		cmocka_unit_test(a_grant_bridges_until_it_ends),
		cmocka_unit_test(bad_credentials_let_the_lease_run_out),
		cmocka_unit_test(unlisted_steps_are_refused),
		cmocka_unit_test(refusals_have_their_own_reasons),
		cmocka_unit_test(texts_parse_back),
		cmocka_unit_test(rules_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
