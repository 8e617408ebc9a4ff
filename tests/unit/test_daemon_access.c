// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check which wraps are asked for a policy key, that
 * DESCRIPTION: exactly one answer is taken, and how a failure is named: denied
 * DESCRIPTION: weighs more than corrupt, corrupt more than an outage.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 20
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "access.h"

enum { KEY_LEN = 32, ROUNDS = 64 };

static struct svcenc_record_wrap wraps[MODEL_ROLES] = {
	{ .role = 1, .vault = "a", .kid = "file:a/k/1", .blob_len = 1 },
	{ .role = 2, .vault = "b", .kid = "file:b/k/1", .blob_len = 2 },
	{ .role = 3, .vault = "av", .kid = "file:av/k/1", .blob_len = 3 },
};

/* What the vaults will say, by role - 1, and how they were asked. */
static enum svcenc_answer says[MODEL_ROLES];
static unsigned int asked[MODEL_ROLES], first_asked[MODEL_ROLES];
static enum vaults_mode asked_how;

static unsigned int role_of(const struct unwrap_job *job)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES; i++)
		if (!strcmp(job->vault, wraps[i].vault))
			break;
	assert_true(i < MODEL_ROLES);
	assert_string_equal(job->kid, wraps[i].kid);
	assert_ptr_equal(job->blob, wraps[i].blob);
	assert_int_equal(job->blob_len, wraps[i].blob_len);
	return i;
}

void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode)
{
	size_t i;

	(void)agent;
	asked_how = mode;
	for (i = 0; i < count; i++) {
		const unsigned int role = role_of(&jobs[i]);

		asked[role]++;
		first_asked[role] += !i;
		memset(&jobs[i].result, 0, sizeof(jobs[i].result));
		jobs[i].result.answer = says[role];
		snprintf(jobs[i].result.detail, sizeof(jobs[i].result.detail),
			 "detail of %s", jobs[i].vault);
		jobs[i].plain = NULL;
		if (says[role] == SVCENC_ANSWER_OK)
			jobs[i].plain = svcenc_secret_new(KEY_LEN);
	}
}

static void set_up(enum svcenc_answer a, enum svcenc_answer b,
		   enum svcenc_answer availability)
{
	says[0] = a;
	says[1] = b;
	says[2] = availability;
	memset(asked, 0, sizeof(asked));
	memset(first_asked, 0, sizeof(first_asked));
}

static void roots_open_alone_or_together(void **state)
{
	static const enum svcenc_answer good[][2] = {
		{ SVCENC_ANSWER_OK, SVCENC_ANSWER_OK },
		{ SVCENC_ANSWER_OK, SVCENC_ANSWER_DENIED },
		{ SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_OK },
		{ SVCENC_ANSWER_UNKNOWN, SVCENC_ANSWER_OK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct access access = { .wraps = wraps };
		struct svcenc_secret *key = NULL;

		set_up(good[i][0], good[i][1], SVCENC_ANSWER_OK);
		assert_int_equal(access_by_roots(NULL, &access, &key), 0);
		assert_non_null(key);
		assert_int_equal(asked_how, VAULTS_FIRST);
		/* Answers are where their roots are, whoever came first. */
		assert_int_equal(access.results[0].answer, good[i][0]);
		assert_int_equal(access.results[1].answer, good[i][1]);
		assert_string_equal(access.results[0].detail, "detail of a");
		assert_string_equal(access.results[1].detail, "detail of b");
		/* The availability key is for an outage only. */
		assert_int_equal(asked[2], 0);
		svcenc_secret_free(key);
	}
}

static void roots_take_turns(void **state)
{
	unsigned int i;

	(void)state;
	set_up(SVCENC_ANSWER_OK, SVCENC_ANSWER_OK, SVCENC_ANSWER_OK);
	for (i = 0; i < ROUNDS; i++) {
		struct access access = { .wraps = wraps };
		struct svcenc_secret *key = NULL;

		assert_int_equal(access_by_roots(NULL, &access, &key), 0);
		svcenc_secret_free(key);
	}
	assert_int_equal(first_asked[0] + first_asked[1], ROUNDS);
	assert_true(first_asked[0] && first_asked[1]);
}

static void no_root_no_key(void **state)
{
	struct access access = { .wraps = wraps };
	struct svcenc_secret *key = NULL;

	(void)state;
	set_up(SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_DENIED,
	       SVCENC_ANSWER_OK);
	assert_int_equal(access_by_roots(NULL, &access, &key), -EREMOTEIO);
	assert_null(key);
	assert_int_equal(asked[2], 0);
}

static void availability_is_asked_alone(void **state)
{
	struct access access = { .wraps = wraps };
	struct svcenc_secret *key = NULL;

	(void)state;
	set_up(SVCENC_ANSWER_OK, SVCENC_ANSWER_OK, SVCENC_ANSWER_OK);
	assert_int_equal(access_by_availability(NULL, &access, &key), 0);
	assert_non_null(key);
	svcenc_secret_free(key);
	assert_int_equal(asked[0] + asked[1], 0);
	assert_int_equal(access.results[2].answer, SVCENC_ANSWER_OK);
	key = NULL;
	set_up(SVCENC_ANSWER_OK, SVCENC_ANSWER_OK, SVCENC_ANSWER_CORRUPT);
	assert_int_equal(access_by_availability(NULL, &access, &key),
			 -EREMOTEIO);
	assert_null(key);
	assert_int_equal(access.results[2].answer, SVCENC_ANSWER_CORRUPT);
}

static void failures_are_named(void **state)
{
	static const struct {
		enum svcenc_answer a, b;
		enum svcenc_fault_kind kind;
		int exit;
	} cases[] = {
		{ SVCENC_ANSWER_UNREACHABLE, SVCENC_ANSWER_THROTTLED,
		  SVCENC_FAULT_VAULT_UNREACHABLE, 6 },
		{ SVCENC_ANSWER_UNKNOWN, SVCENC_ANSWER_UNREACHABLE,
		  SVCENC_FAULT_VAULT_UNREACHABLE, 6 },
		{ SVCENC_ANSWER_BADAUTH, SVCENC_ANSWER_UNREACHABLE,
		  SVCENC_FAULT_PERMISSION, 2 },
		{ SVCENC_ANSWER_BADAUTH, SVCENC_ANSWER_CORRUPT,
		  SVCENC_FAULT_INTEGRITY, 9 },
		{ SVCENC_ANSWER_CORRUPT, SVCENC_ANSWER_UNREACHABLE,
		  SVCENC_FAULT_INTEGRITY, 9 },
		{ SVCENC_ANSWER_CORRUPT, SVCENC_ANSWER_DENIED,
		  SVCENC_FAULT_VAULT_DENIED, 7 },
		{ SVCENC_ANSWER_DENIED, SVCENC_ANSWER_BADAUTH,
		  SVCENC_FAULT_VAULT_DENIED, 7 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
		struct access access = { .wraps = wraps };

		access.results[0].answer = cases[i].a;
		access.results[1].answer = cases[i].b;
		strcpy(access.results[0].detail, "one");
		strcpy(access.results[1].detail, "two");
		assert_true(access_fault(&access, "policy 't/p'", &fault) < 0);
		assert_int_equal(fault.kind, cases[i].kind);
		assert_int_equal(svcenc_fault_exit(&fault), cases[i].exit);
		assert_string_equal(fault.message,
				    "policy 't/p': root a: one; root b: two");
		assert_true(*fault.hint);
	}
}

/* An outage after a denial is no reason to try again later. */
static void denial_outlives_an_outage(void **state)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct access access = { .wraps = wraps, .denied = true };

	(void)state;
	access.results[0].answer = SVCENC_ANSWER_UNREACHABLE;
	access.results[1].answer = SVCENC_ANSWER_UNREACHABLE;
	strcpy(access.results[0].detail, "one");
	strcpy(access.results[1].detail, "two");
	assert_true(access_fault(&access, "policy 't/p'", &fault) < 0);
	assert_int_equal(fault.kind, SVCENC_FAULT_VAULT_DENIED);
	assert_int_equal(svcenc_fault_exit(&fault), 7);
	assert_string_equal(fault.message,
			    "policy 't/p' was denied to this host, which no "
			    "outage undoes: root a: one; root b: two");
	/* Denied now: the answers say so themselves. */
	fault = (struct svcenc_fault){ .kind = SVCENC_FAULT_NONE };
	access.results[1].answer = SVCENC_ANSWER_DENIED;
	assert_true(access_fault(&access, "policy 't/p'", &fault) < 0);
	assert_int_equal(svcenc_fault_exit(&fault), 7);
	assert_string_equal(fault.message,
			    "policy 't/p': root a: one; root b: two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_open_alone_or_together),
		cmocka_unit_test(roots_take_turns),
		cmocka_unit_test(no_root_no_key),
		cmocka_unit_test(availability_is_asked_alone),
		cmocka_unit_test(failures_are_named),
		cmocka_unit_test(denial_outlives_an_outage),
	};
	int failed;

	if (svcenc_secret_init() < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	svcenc_secret_done();
	return failed;
}
