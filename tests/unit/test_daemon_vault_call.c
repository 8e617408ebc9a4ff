// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will call vaults that are silent, not there, not configured,
 * DESCRIPTION: to be left alone, or answer, on a clock that lets timers come too early:
 * DESCRIPTION: each call ends, once, with the class that the rules give it. Those for
 * DESCRIPTION: which there is no place stand in line, in order, with all of their time.
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
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"
#include "vault_call.h"

enum { TIMEOUT_MS = 60, BEHIND_MS = 25, LOOPS_MAX = 100 };

static struct {
	char dir[32], path[64];
	int listener, peer;
	int64_t behind_ms; /* of the calls' clock, behind the loop's */
	struct svcenc_vault_config config;
	struct vault vault;
	struct agent agent;
	unsigned int done;
} t;

int64_t agent_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000 - t.behind_ms;
}

struct vault *vaults_find(struct agent *agent, const char *name)
{
	(void)agent;
	return strcmp(name, "a") ? NULL : &t.vault;
}

void worker_socket(const struct agent *agent, const char *vault,
		   char ret[SVCENC_PATH_MAX])
{
	(void)agent;
	(void)vault;
	snprintf(ret, SVCENC_PATH_MAX, "%s", t.path);
}

void log_warning(const char *format, ...)
{
	(void)format;
}

void log_error(const char *format, ...)
{
	(void)format;
}

static void on_done(struct vault_call *call)
{
	(void)call;
	t.done++;
}

static int set_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	memset(&t, 0, sizeof(t));
	snprintf(t.dir, sizeof(t.dir), "/tmp/svcenc-call.XXXXXX");
	assert_non_null(mkdtemp(t.dir));
	snprintf(t.path, sizeof(t.path), "%s/sock", t.dir);
	memcpy(address.sun_path, t.path, sizeof(t.path));
	t.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(t.listener, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
	assert_int_equal(listen(t.listener, 4), 0);
	t.peer = -1;
	snprintf(t.config.name, sizeof(t.config.name), "a");
	snprintf(t.config.user, sizeof(t.config.user), "root");
	t.vault.config = &t.config;
	t.vault.worker.uid = getuid();
	t.vault.worker.has_uid = true;
	return sd_event_new(&t.agent.watch) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	sd_event_unref(t.agent.watch);
	if (t.peer >= 0)
		close(t.peer);
	close(t.listener);
	unlink(t.path);
	return rmdir(t.dir);
}

static void begin(struct vault_call *call, const char *vault)
{
	*call = (struct vault_call){
		.agent = &t.agent,
		.name = vault,
		.method = "io.svcenc.Vault.GetInfo",
		.parameters = json_object(),
		.timeout_ms = TIMEOUT_MS,
		.done = on_done,
	};
	vault_call_start(call);
	assert_int_equal(t.done, 0);
}

/* Lets the loop run until the call is done, for ten times its time at most. */
static void finish(struct vault_call *call, enum svcenc_answer wanted)
{
	int i;

	for (i = 0; i < LOOPS_MAX && !t.done; i++)
		assert_true(sd_event_run(t.agent.watch, 10000) >= 0);
	assert_int_equal(t.done, 1);
	assert_int_equal(call->result.answer, wanted);
	assert_int_equal(t.vault.calls, 0);
	assert_null(t.vault.line);
	vault_call_stop(call);
}

static void test_silent(void **state)
{
	struct vault_call call;
	int64_t began;

	(void)state;
	began = agent_now_ms();
	begin(&call, "a");
	finish(&call, SVCENC_ANSWER_UNREACHABLE);
	assert_true(agent_now_ms() - began >= TIMEOUT_MS);
	assert_true(t.vault.silent);
}

/* A loop that was busy sets its timers from a moment that has long passed. */
static void test_silent_and_woken_early(void **state)
{
	struct vault_call call;

	(void)state;
	begin(&call, "a");
	while (!call.client)
		assert_true(sd_event_run(t.agent.watch, 10000) >= 0);
	t.behind_ms = BEHIND_MS;
	finish(&call, SVCENC_ANSWER_UNREACHABLE);
	assert_true(t.vault.silent);
}

static void test_nobody_listens(void **state)
{
	struct vault_call call;

	(void)state;
	unlink(t.path);
	begin(&call, "a");
	finish(&call, SVCENC_ANSWER_UNREACHABLE);
	assert_false(t.vault.silent);
}

static void test_not_configured(void **state)
{
	struct vault_call call;

	(void)state;
	begin(&call, "b");
	finish(&call, SVCENC_ANSWER_BADAUTH);
}

static void test_left_alone(void **state)
{
	struct vault_call call;

	(void)state;
	t.vault.left_alone_until_ms = agent_now_ms() + 10000;
	begin(&call, "a");
	finish(&call, SVCENC_ANSWER_THROTTLED);
	assert_int_equal(accept(t.listener, NULL, NULL), -1);
}

static void answers(const char *text)
{
	t.peer = accept(t.listener, NULL, NULL);
	assert_true(t.peer >= 0);
	assert_int_equal(write(t.peer, text, strlen(text) + 1),
			 (ssize_t)strlen(text) + 1);
}

static void test_answers(void **state)
{
	static const struct {
		const char *text;
		enum svcenc_answer wanted;
	} cases[] = {
		{ "{\"parameters\":{}}", SVCENC_ANSWER_OK },
		{ "{\"error\":\"io.svcenc.Vault.Denied\",\"parameters\":{}}",
		  SVCENC_ANSWER_DENIED },
		{ "{\"error\":\"org.example.Unheard\",\"parameters\":{}}",
		  SVCENC_ANSWER_CORRUPT },
		{ "no JSON", SVCENC_ANSWER_CORRUPT },
	};
	struct vault_call call;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		t.done = 0;
		t.vault.silent = true;
		begin(&call, "a");
		while (!call.client)
			assert_true(sd_event_run(t.agent.watch, 10000) >= 0);
		answers(cases[i].text);
		finish(&call, cases[i].wanted);
		close(t.peer);
		t.peer = -1;
	}
}

static void run_until_connected(struct vault_call *call)
{
	while (!call->client)
		assert_true(sd_event_run(t.agent.watch, 10000) >= 0);
}

/* As many as may be under way: who came first is next, with all of its time. */
static void test_line(void **state)
{
	struct vault_call busy, first, second;

	(void)state;
	t.vault.calls = VAULTS_CALLS_MAX - 1;
	begin(&busy, "a");
	run_until_connected(&busy);
	begin(&first, "a");
	begin(&second, "a");
	while (sd_event_run(t.agent.watch, 0) > 0)
		;
	assert_null(first.client);
	assert_ptr_equal(t.vault.line, &first);
	vault_call_stop(&busy);
	/* one who comes now does not get the place */
	begin(&busy, "a");
	run_until_connected(&first);
	assert_true(first.deadline_ms - agent_now_ms() > TIMEOUT_MS - 10);
	assert_null(second.client);
	assert_null(busy.client);
	assert_int_equal(t.vault.calls, VAULTS_CALLS_MAX);
	vault_call_stop(&first);
	run_until_connected(&second);
	assert_null(busy.client);
	/* two places that are free at the same time are taken by two */
	begin(&first, "a");
	t.vault.calls -= 2;
	vault_call_stop(&second);
	run_until_connected(&busy);
	run_until_connected(&first);
	vault_call_stop(&busy);
	vault_call_stop(&first);
}

/* It was not even asked: the vault is slow, not silent. */
static void test_line_too_long(void **state)
{
	struct vault_call call;

	(void)state;
	t.vault.calls = VAULTS_CALLS_MAX;
	begin(&call, "a");
	while (!t.done)
		assert_true(sd_event_run(t.agent.watch, 10000) >= 0);
	assert_int_equal(call.result.answer, SVCENC_ANSWER_UNREACHABLE);
	assert_non_null(strstr(call.result.detail, "not this one's turn"));
	assert_false(t.vault.silent);
	assert_null(t.vault.line);
	assert_int_equal(t.vault.calls, VAULTS_CALLS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_silent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_silent_and_woken_early,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_listens, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_not_configured, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_answers, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_line_too_long, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
