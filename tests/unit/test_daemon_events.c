// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check what the journal is told of a policy's
 * DESCRIPTION: change of state and of grants, field by field, that it is a plain
 * DESCRIPTION: line where standard error leads elsewhere, that nobody can forge
 * DESCRIPTION: a line, and that the last 256 events can be asked for.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 20
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "events.h"
#include "log.h"

enum { ENTRIES = 16, ENTRY_SIZE = 1200 };

/* What the journal got last; instead of libsystemd's. */
static char entries[ENTRIES][ENTRY_SIZE];
static int entry_count, journal_result;

int sd_journal_sendv(const struct iovec *iov, int n);

int sd_journal_sendv(const struct iovec *iov, int n)
{
	assert_true(n <= ENTRIES);
	for (entry_count = 0; entry_count < n; entry_count++) {
		assert_true(iov[entry_count].iov_len < ENTRY_SIZE);
		memset(entries[entry_count], 0, ENTRY_SIZE);
		memcpy(entries[entry_count], iov[entry_count].iov_base,
		       iov[entry_count].iov_len);
	}
	return journal_result;
}

int64_t model_wall_s(void)
{
	return 1700000000;
}

const char *policy_label(struct agent *agent, const struct policy *policy)
{
	(void)agent;
	(void)policy;
	return "alpha/strict";
}

static bool was_told(const char *entry)
{
	int i;

	for (i = 0; i < entry_count; i++)
		if (!strcmp(entries[i], entry))
			return true;
	print_message("not told: %s\n", entry);
	return false;
}

static void journal_is(bool standard_error)
{
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 standard_error ? (unsigned long long)st.st_dev : 0,
		 standard_error ? (unsigned long long)st.st_ino : 0);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	entry_count = 0;
	journal_result = 0;
}

/* The last line on standard error, which is a file for that time. */
static void catch_line(void (*act)(void), char *line, size_t size)
{
	char path[] = "/tmp/svcenc-events.XXXXXX";
	const int saved = dup(STDERR_FILENO), fd = mkstemp(path);
	ssize_t n;

	assert_true(saved >= 0 && fd >= 0);
	(void)unlink(path);
	fflush(stderr);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
	act();
	fflush(stderr);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	n = pread(fd, line, size - 1, 0);
	line[n > 0 ? n : 0] = '\0';
	close(saved);
	close(fd);
}

static void change_state(void)
{
	static const struct policy policy = { .state = SVCENC_POLICY_FALLBACK };
	static const struct vault_result a = {
		.answer = SVCENC_ANSWER_UNREACHABLE, .reason = "name"
	};
	static const struct vault_result b = {
		.answer = SVCENC_ANSWER_THROTTLED
	};
	const struct policy_change change = {
		.policy = &policy,
		.before = SVCENC_POLICY_ACTIVE,
		.a = &a,
		.b = &b,
		.why = "no root answers\n<5>forged",
	};

	events_policy_state(NULL, &change);
}

static void a_change_of_state_has_its_fields(void **state)
{
	(void)state;
	journal_is(true);
	change_state();
	assert_true(was_told("MESSAGE_ID=" EVENTS_ID_STATE));
	assert_true(was_told("PRIORITY=4"));
	assert_true(was_told("SYSLOG_IDENTIFIER=svcencd"));
	assert_true(was_told("SVCENC_EVENT=policy-state"));
	assert_true(was_told("SVCENC_POLICY=alpha/strict"));
	assert_true(was_told("SVCENC_POLICY_UUID="
			     "00000000-0000-0000-0000-000000000000"));
	assert_true(was_told("SVCENC_STATE=fallback"));
	assert_true(was_told("SVCENC_STATE_BEFORE=active"));
	assert_true(was_told("SVCENC_ROOT_A=unreachable (name)"));
	assert_true(was_told("SVCENC_ROOT_B=throttled"));
	assert_true(was_told("MESSAGE=svcencd: audit: policy 'alpha/strict' is "
			     "fallback now, was active: no root answers?"
			     "<5>forged"));
}

static void a_grant_has_its_fields(void **state)
{
	const struct policy policy = { .state = SVCENC_POLICY_ACTIVE };

	(void)state;
	journal_is(true);
	events_grant(NULL, &policy, "grant", "ticket 4711", 1007);
	assert_true(was_told("MESSAGE_ID=" EVENTS_ID_GRANT));
	assert_true(was_told("SVCENC_EVENT=grant"));
	assert_true(was_told("SVCENC_OFFICER_UID=1007"));
	assert_true(was_told("SVCENC_REASON=ticket 4711"));
}

static void elsewhere_it_is_one_line(void **state)
{
	static const char wanted[] =
		"<4>svcencd: audit: policy 'alpha/strict' is fallback now, was "
		"active: no root answers?<5>forged\n";
	char line[512];

	(void)state;
	journal_is(false);
	catch_line(change_state, line, sizeof(line));
	assert_string_equal(line, wanted);
	assert_int_equal(entry_count, 0);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	catch_line(change_state, line, sizeof(line));
	assert_string_equal(line, wanted);
}

static void the_last_ones_can_be_asked_for(void **state)
{
	json_int_t last = 0, first;
	json_t *list;
	int i;

	(void)state;
	journal_is(true);
	list = events_list(0, &last);
	first = last;
	json_decref(list);
	for (i = 0; i < EVENTS_KEPT + 3; i++)
		change_state();
	list = events_list(0, &last);
	assert_int_equal(last, first + EVENTS_KEPT + 3);
	assert_int_equal(json_array_size(list), EVENTS_KEPT);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(list, 0), "number")),
			 first + 4);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(list, EVENTS_KEPT - 1), "state")),
		"fallback");
	json_decref(list);
	list = events_list(last - 2, &last);
	assert_int_equal(json_array_size(list), 2);
	json_decref(list);
	list = events_list(last, &last);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	list = events_list(-5, &last);
	assert_int_equal(json_array_size(list), EVENTS_KEPT);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_of_state_has_its_fields),
		cmocka_unit_test(a_grant_has_its_fields),
		cmocka_unit_test(elsewhere_it_is_one_line),
		cmocka_unit_test(the_last_ones_can_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
