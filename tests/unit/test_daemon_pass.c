// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will rewrite the headers of a policy's volumes in calls that
 * DESCRIPTION: stop in time and are gone on with, tell those that are not reached, end
 * DESCRIPTION: with the store's own troubles, and look at the state and the earlier keys
 * DESCRIPTION: that are left when all is done.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lease.h"
#include "log.h"
#include "pass.h"
#include "refresh.h"
#include "roots.h"
#include "verdict.h"

enum { VOLUMES = 5, STEP_MS = 400 };

/* Volumes "v0" to "v4", all of one policy but v3. */
static struct {
	struct volume volumes[VOLUMES];
	struct policy policy, superseded;
	bool has_superseded;
	unsigned int saves, settled;
	int64_t now_ms;
	unsigned int unreachable;      /* bits by number */
	enum svcenc_fault_kind broken; /* of v1 */
	struct lease lease;
	enum svcenc_answer answers[2];
	char steps[128];
} t;

int64_t agent_now_ms(void)
{
	return t.now_ms;
}

int volume_next_of(struct agent *agent, const struct svcenc_uuid *policy,
		   size_t *cursor, struct volume *ret,
		   struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	for (; *cursor < VOLUMES; ++*cursor) {
		if (!svcenc_uuid_equal(&t.volumes[*cursor].key.policy, policy))
			continue;
		*ret = t.volumes[(*cursor)++];
		return 1;
	}
	return 0;
}

int volume_find(struct agent *agent, const char *name, struct volume *ret,
		struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	*ret = t.volumes[name[1] - '0'];
	return 0;
}

int policy_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct policy *ret, struct svcenc_fault *fault)
{
	(void)agent;
	(void)uuid;
	(void)fault;
	*ret = t.policy;
	return 0;
}

int policy_next_superseded(struct agent *agent, size_t *cursor,
			   struct policy *ret, struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	if (!t.has_superseded || *cursor)
		return 0;
	++*cursor;
	*ret = t.superseded;
	return 1;
}

int policy_forget(struct agent *agent, const struct policy *superseded,
		  struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	assert_int_equal(superseded->key.version, t.superseded.key.version);
	t.has_superseded = false;
	return 0;
}

void policy_catch_up(struct agent *agent, struct policy *policy)
{
	(void)agent;
	(void)policy;
}

int policy_save(struct agent *agent, struct policy *policy,
		struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	t.policy = *policy;
	t.saves++;
	return 0;
}

const char *policy_label(struct agent *agent, const struct policy *policy)
{
	(void)agent;
	(void)policy;
	return "alpha/own";
}

void lease_settle(struct agent *agent, const struct svcenc_keyid *key)
{
	(void)agent;
	assert_int_equal(key->version, t.superseded.key.version);
	t.settled++;
}

struct lease *lease_of(struct agent *agent, const struct policy *policy)
{
	(void)agent;
	(void)policy;
	return &t.lease;
}

void verdict_note(struct lease *lease, unsigned int index,
		  const struct vault_result *result)
{
	svcenc_policy_note(&lease->roots[index].facts, result->answer, 1);
}

void verdict_enter_state(struct lease *lease, struct policy *policy,
			 enum svcenc_policy_step step, const char *why)
{
	(void)lease;
	(void)why;
	assert_int_equal(svcenc_policy_apply(&policy->state, step), 0);
	strncat(t.steps, svcenc_policy_step_text(step),
		sizeof(t.steps) - strlen(t.steps) - 2);
	strcat(t.steps, " ");
}

void roots_fill_probe(const struct policy *policy, unsigned int index,
		      struct unwrap_job *job)
{
	(void)policy;
	(void)index;
	memset(job, 0, sizeof(*job));
}

void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode)
{
	size_t i;

	(void)agent;
	assert_int_equal(mode, VAULTS_ALL);
	for (i = 0; i < count; i++)
		jobs[i].result.answer = t.answers[i];
}

int refresh_begin(struct agent *agent, const struct policy *policy,
		  struct svcenc_secret *key, struct refresh *ret,
		  struct svcenc_fault *fault)
{
	(void)fault;
	memset(ret, 0, sizeof(*ret));
	ret->agent = agent;
	ret->policy = *policy;
	ret->key = key;
	return 0;
}

void refresh_end(struct refresh *refresh)
{
	refresh->key = svcenc_secret_free(refresh->key);
}

enum refresh_outcome refresh_due(const struct volume *volume,
				 const struct policy *current)
{
	return volume->key.version == current->key.version ? REFRESH_NOTHING :
							     REFRESH_REWRAPPED;
}

int refresh_volume(struct refresh *refresh, struct volume *volume,
		   enum refresh_outcome *ret, struct svcenc_fault *fault)
{
	const int number = volume->name[1] - '0';

	t.now_ms += STEP_MS;
	if (number == 1 && t.broken)
		return svcenc_fault_set(fault, t.broken, "broken");
	if (t.unreachable & (1U << number)) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE, "not there");
		return svcenc_fault_hint(fault, "attach it");
	}
	t.volumes[number].key = refresh->policy.key;
	*ret = REFRESH_REWRAPPED;
	return 0;
}

#define IGNORE(name)                  \
	void name(const char *f, ...) \
	{                             \
		(void)f;              \
	}
IGNORE(log_audit)
IGNORE(log_warning)

/* -------------------------------------------------------------------------- */

static int set_up(void **state)
{
	int i;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.policy.key.policy.b[0] = 7;
	t.policy.key.version = 2;
	t.policy.ready = true;
	t.policy.state = SVCENC_POLICY_ROLLING;
	t.policy.task = SVCENC_TASK_REKEY;
	t.superseded = t.policy;
	t.superseded.key.version = 1;
	t.has_superseded = true;
	t.answers[0] = t.answers[1] = SVCENC_ANSWER_OK;
	for (i = 0; i < VOLUMES; i++) {
		snprintf(t.volumes[i].name, sizeof(t.volumes[i].name), "v%d",
			 i);
		t.volumes[i].key = t.superseded.key;
		t.volumes[i].ready = true;
	}
	t.volumes[3].key.policy.b[0] = 8;
	return 0;
}

static int run(const char *after, struct pass *ret)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct policy policy = t.policy;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->unreached = json_array();
	r = pass_run(NULL, &policy, NULL, after, ret, &fault);
	assert_int_equal(r < 0, fault.kind != SVCENC_FAULT_NONE);
	return r;
}

static void one_call_takes_about_a_second(void **state)
{
	struct pass pass;

	(void)state;
	assert_int_equal(run("", &pass), 0);
	assert_int_equal(pass.rewrapped, 3); /* 0, 400, 800 ms */
	assert_string_equal(pass.next, "v2");
	assert_int_equal(t.policy.state, SVCENC_POLICY_ROLLING);
	assert_true(t.has_superseded);
	json_decref(pass.unreached);
	assert_int_equal(run(pass.next, &pass), 0);
	assert_int_equal(pass.rewrapped, 1);
	assert_string_equal(pass.next, "");
	assert_int_equal(t.volumes[3].key.version, 1); /* not this policy's */
	assert_int_equal(t.policy.state, SVCENC_POLICY_ACTIVE);
	assert_int_equal(t.policy.task, SVCENC_TASK_NONE);
	assert_string_equal(t.steps, "roll-done all-roots-open ");
	assert_false(t.has_superseded);
	assert_int_equal(t.settled, 1);
	json_decref(pass.unreached);
}

static void what_is_not_reached_is_told(void **state)
{
	struct pass pass;
	size_t left;
	json_t *list;

	(void)state;
	t.unreachable = 1 << 0 | 1 << 4;
	assert_int_equal(run("", &pass), 0);
	assert_string_equal(pass.next, "v2");
	assert_int_equal(json_array_size(pass.unreached), 1);
	json_decref(pass.unreached);
	/* not tried again in the same go */
	assert_int_equal(run("v2", &pass), 0);
	assert_int_equal(json_array_size(pass.unreached), 1);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(pass.unreached, 0), "hint")),
			    "attach it");
	assert_string_equal(pass.next, "");
	json_decref(pass.unreached);
	/* the change is done; the earlier key stays for those */
	assert_int_equal(t.policy.task, SVCENC_TASK_NONE);
	assert_true(t.has_superseded);
	list = pass_survey(NULL, &t.policy, &left);
	assert_int_equal(json_array_size(list), 2);
	assert_int_equal(left, 4);
	json_decref(list);
	t.unreachable = 0;
	assert_int_equal(run("", &pass), 0);
	assert_int_equal(pass.rewrapped, 2);
	assert_false(t.has_superseded);
	json_decref(pass.unreached);
}

/* Their headers may be under the version between, whatever the store says. */
static void version_between_is_kept_for_those_behind(void **state)
{
	struct pass pass;
	int i;

	(void)state;
	t.policy.key.version = 3;
	t.superseded.key.version = 2;
	for (i = 0; i < VOLUMES; i++)
		t.volumes[i].key.version = 3;
	t.volumes[0].key.version = 1;
	t.unreachable = 1 << 0;
	assert_int_equal(run("", &pass), 0);
	assert_int_equal(json_array_size(pass.unreached), 1);
	assert_true(t.has_superseded);
	json_decref(pass.unreached);
	t.unreachable = 0;
	assert_int_equal(run("", &pass), 0);
	assert_int_equal(pass.rewrapped, 1);
	assert_false(t.has_superseded);
	json_decref(pass.unreached);
}

static void a_full_store_is_no_volumes_fault(void **state)
{
	struct pass pass;

	(void)state;
	t.broken = SVCENC_FAULT_STORAGE;
	assert_true(run("", &pass) < 0);
	assert_int_equal(json_array_size(pass.unreached), 0);
	assert_int_equal(t.policy.task, SVCENC_TASK_REKEY);
	json_decref(pass.unreached);
}

static void ends_as_the_roots_say(void **state)
{
	struct pass pass;

	(void)state;
	t.answers[1] = SVCENC_ANSWER_UNREACHABLE;
	assert_int_equal(run("v4", &pass), 0);
	assert_int_equal(t.policy.state, SVCENC_POLICY_DEGRADED);
	json_decref(pass.unreached);
	t.policy.state = SVCENC_POLICY_RECOVERING;
	t.policy.task = SVCENC_TASK_RECOVER;
	t.answers[1] = SVCENC_ANSWER_OK;
	assert_int_equal(run("v4", &pass), 0);
	assert_int_equal(t.policy.state, SVCENC_POLICY_ACTIVE);
	json_decref(pass.unreached);
	/* locked by its owner meanwhile */
	t.policy.state = SVCENC_POLICY_LOCKED;
	t.policy.task = SVCENC_TASK_ROLL;
	assert_int_equal(run("v4", &pass), 0);
	assert_int_equal(t.policy.state, SVCENC_POLICY_LOCKED);
	assert_int_equal(t.policy.task, SVCENC_TASK_NONE);
	json_decref(pass.unreached);
}

static void without_a_change_nothing_is_stored(void **state)
{
	struct pass pass;

	(void)state;
	t.policy.state = SVCENC_POLICY_ACTIVE;
	t.policy.task = SVCENC_TASK_NONE;
	assert_int_equal(run("v4", &pass), 0);
	assert_int_equal(t.saves, 0);
	json_decref(pass.unreached);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_call_takes_about_a_second),
		TEST(what_is_not_reached_is_told),
		TEST(version_between_is_kept_for_those_behind),
		TEST(a_full_store_is_no_volumes_fault),
		TEST(ends_as_the_roots_say),
		TEST(without_a_change_nothing_is_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
