// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "log.h"
#include "proto.h"
#include "vault_call.h"

#define INTERFACE "io.svcenc.Vault."

enum {
	STARTING_MS = 3000, /* a worker this young may not listen yet */
	NAP_MS = 10,	    /* until the next try to connect */
};

/* Milliseconds; the last bucket has no end. */
static const unsigned int bucket_ms[VAULTS_BUCKETS] = { 5,   10,   25,
							50,  100,  250,
							500, 1000, 2500 };

int vault_say(struct vault_result *result, enum svcenc_answer answer,
	      const char *reason, const char *detail)
{
	result->answer = answer;
	snprintf(result->reason, sizeof(result->reason), "%s", reason);
	snprintf(result->detail, sizeof(result->detail), "%s", detail);
	return answer == SVCENC_ANSWER_OK ? 0 : -EREMOTEIO;
}

/* --- what an answer tells of the vault ------------------------------------ */

static const struct {
	const char *error;
	enum svcenc_answer answer;
} classes[] = {
	{ INTERFACE "Throttled", SVCENC_ANSWER_THROTTLED },
	{ INTERFACE "Unreachable", SVCENC_ANSWER_UNREACHABLE },
	{ INTERFACE "Denied", SVCENC_ANSWER_DENIED },
	{ INTERFACE "BadAuth", SVCENC_ANSWER_BADAUTH },
	{ INTERFACE "Corrupt", SVCENC_ANSWER_CORRUPT },
};

/* An error that is none of the interface's is CORRUPT: never an outage. */
static void classify(const char *vault, const char *error, json_t *parameters,
		     struct vault_result *result)
{
	const char *reason =
		json_string_value(json_object_get(parameters, "reason"));
	const char *detail =
		json_string_value(json_object_get(parameters, "detail"));
	char text[400];
	size_t i;

	snprintf(text, sizeof(text), "vault '%.64s' answers %.100s", vault,
		 error);
	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(classes[i].error, error))
			continue;
		vault_say(result, classes[i].answer, reason ? reason : "",
			  detail ? detail : text);
		return;
	}
	vault_say(result, SVCENC_ANSWER_CORRUPT, "", text);
}

/* Up to a quarter more: whoever it throttled does not come back as one. */
static int64_t with_jitter(int64_t ms)
{
	unsigned char byte = 0;

	(void)RAND_bytes(&byte, 1);
	return ms + ms * byte / 1024;
}

static void leave_alone(struct vault *vault, const json_t *parameters)
{
	json_int_t wait_s = json_integer_value(
		json_object_get(parameters, "retry_after_s"));

	if (wait_s <= 0) {
		wait_s = 1LL << (vault->throttles < 5 ? vault->throttles : 5);
		if (wait_s > VAULTS_BACKOFF_MAX_S)
			wait_s = VAULTS_BACKOFF_MAX_S;
	}
	if (wait_s > VAULTS_RETRY_AFTER_MAX_S)
		wait_s = VAULTS_RETRY_AFTER_MAX_S;
	vault->throttles++;
	vault->left_alone_until_ms =
		agent_now_ms() + with_jitter(wait_s * 1000);
	log_warning("vault '%s' throttles; it is left alone for %lld s",
		    vault->config->name, (long long)wait_s);
}

static void count(struct vault_call *call)
{
	const enum svcenc_answer answer = call->result.answer;
	struct vault_figures *figures = &call->vault->figures;
	const int64_t took_ms = agent_now_ms() - call->started_ms;
	unsigned int i;

	figures->answers[answer]++;
	figures->took_us[answer] += (u64)took_ms * 1000;
	for (i = 0; i < VAULTS_BUCKETS; i++)
		figures->within[answer][i] += took_ms <= bucket_ms[i];
}

/* --- the line before a vault ---------------------------------------------- */

static void line_leave(struct vault_call *call)
{
	struct vault_call **at = &call->vault->line;

	if (!call->in_line)
		return;
	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call->in_line = false;
}

static void line_enter(struct vault_call *call)
{
	struct vault_call **at = &call->vault->line;

	while (*at)
		at = &(*at)->next;
	*at = call;
	call->next = NULL;
	call->in_line = true;
}

/* Its timer is what goes on with a call, also for the next one in line. */
static void wake(struct vault_call *call, int64_t delay_ms)
{
	(void)sd_event_source_set_time_relative(
		call->timer, (uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000);
	(void)sd_event_source_set_enabled(call->timer, SD_EVENT_ONESHOT);
}

/*
 * Now and then too early: "relative" is to the moment at which the loop woke up
 * last, and what it has handled since may have taken long. Who is woken looks at
 * the clock and waits again; a call that did not would be silent for ever.
 */
static void wake_at_deadline(struct vault_call *call)
{
	wake(call, call->deadline_ms - agent_now_ms());
}

/* Whoever has waited longest is next, and none who comes now before it. */
static void serve_line(const struct vault *vault)
{
	if (vault->line && vault->calls < VAULTS_CALLS_MAX)
		wake(vault->line, 0);
}

static bool has_turn(const struct vault_call *call)
{
	return call->vault->calls < VAULTS_CALLS_MAX &&
	       call->vault->line == call;
}

/* --- one call ------------------------------------------------------------- */

void vault_call_stop(struct vault_call *call)
{
	struct vault *vault = call->vault;

	if (vault) {
		line_leave(call);
		vault->calls -= call->client ? 1 : 0;
		serve_line(vault);
	}
	call->client = svcenc_client_close(call->client);
	call->io = sd_event_source_disable_unref(call->io);
	call->timer = sd_event_source_disable_unref(call->timer);
	json_decref(call->parameters);
	call->parameters = NULL;
	json_decref(call->reply);
	call->reply = NULL;
}

static void finish(struct vault_call *call)
{
	json_t *reply = call->reply;

	call->reply = NULL;
	if (call->vault)
		count(call);
	vault_call_stop(call);
	call->reply = reply;
	call->done(call);
}

static void fail(struct vault_call *call, enum svcenc_answer answer,
		 const char *detail)
{
	vault_say(&call->result, answer, "", detail);
	finish(call);
}

static void fail_silent(struct vault_call *call, int error)
{
	char detail[400];

	if (error == -ETIMEDOUT && call->client)
		call->vault->silent = true;
	snprintf(detail, sizeof(detail), "vault '%.64s' gave no answer: %s",
		 call->name, strerror(-error));
	fail(call,
	     error == -EBADMSG || error == -EMSGSIZE ?
		     SVCENC_ANSWER_CORRUPT :
		     SVCENC_ANSWER_UNREACHABLE,
	     detail);
}

static int on_readable(sd_event_source *source, int fd, uint32_t revents,
		       void *userdata)
{
	SVCENC_JSON_AUTO json_t *reply = NULL;
	struct vault_call *call = userdata;
	char *error = NULL;
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	r = svcenc_client_receive(call->client, &reply, &error);
	if (r == -EAGAIN)
		return 0;
	if (r < 0) {
		fail_silent(call, r);
		return 0;
	}
	call->vault->silent = false;
	if (error) {
		classify(call->name, error, reply, &call->result);
		if (call->result.answer == SVCENC_ANSWER_THROTTLED)
			leave_alone(call->vault, reply);
	} else {
		call->vault->throttles = 0;
		vault_say(&call->result, SVCENC_ANSWER_OK, "", "");
		call->reply = reply;
		reply = NULL;
	}
	free(error);
	finish(call);
	return 0;
}

/* The vault's own time begins. */
static void start_clock(struct vault_call *call)
{
	call->started_ms = agent_now_ms();
	call->deadline_ms = call->started_ms + call->timeout_ms;
	if (call->deadline_ms > call->last_ms)
		call->deadline_ms = call->last_ms;
}

static void send_call(struct vault_call *call)
{
	json_t *parameters = call->parameters;
	int r;

	start_clock(call);
	call->parameters = NULL;
	r = svcenc_client_send(call->client, call->method, parameters);
	if (!r)
		r = sd_event_add_io(call->agent->watch, &call->io,
				    svcenc_client_fd(call->client), EPOLLIN,
				    on_readable, call);
	if (r < 0)
		fail_silent(call, r);
	else
		wake_at_deadline(call);
}

static bool is_starting(const struct vault *vault)
{
	return vault->worker.pid &&
	       agent_now_ms() - vault->worker.started_ms < STARTING_MS;
}

/* Connects, or says that it cannot be done, or is to try again. */
static void connect_call(struct vault_call *call)
{
	struct vault *vault = call->vault;
	char path[SVCENC_PATH_MAX], detail[400];
	int r;

	worker_socket(call->agent, call->name, path);
	r = svcenc_client_open(path, vault->worker.uid, true, &call->client);
	if (!r) {
		line_leave(call);
		vault->calls++;
		serve_line(vault);
		send_call(call);
		return;
	}
	call->client = NULL;
	if (r == -EAGAIN ||
	    ((r == -ENOENT || r == -ECONNREFUSED) && is_starting(vault))) {
		wake(call, NAP_MS);
		return;
	}
	snprintf(detail, sizeof(detail),
		 r == -EPERM ? "the socket of vault '%s' is served by another "
			       "user than '%s'" :
			       "no worker listens for vault '%s' (user '%s')",
		 call->name, vault->config->user);
	fail(call,
	     r == -EPERM ? SVCENC_ANSWER_BADAUTH : SVCENC_ANSWER_UNREACHABLE,
	     detail);
}

/* Why it is not even asked; false: ask. */
static bool fail_unasked(struct vault_call *call)
{
	const struct vault *vault = call->vault;
	const int64_t now = agent_now_ms();
	char detail[400];

	if (!vault) {
		snprintf(detail, sizeof(detail),
			 "vault '%.64s' is not configured on this host",
			 call->name);
		fail(call, SVCENC_ANSWER_BADAUTH, detail);
		return true;
	}
	if (!vault->worker.has_uid) {
		snprintf(detail, sizeof(detail),
			 "vault '%s' has no worker: user '%s' does not exist",
			 call->name, vault->config->user);
		fail(call, SVCENC_ANSWER_BADAUTH, detail);
		return true;
	}
	if (now < vault->left_alone_until_ms) {
		snprintf(detail, sizeof(detail),
			 "vault '%s' throttles and is left alone for %lld s "
			 "more",
			 call->name,
			 (long long)(vault->left_alone_until_ms - now + 999) /
				 1000);
		fail(call, SVCENC_ANSWER_THROTTLED, detail);
		return true;
	}
	return false;
}

static void fail_late(struct vault_call *call)
{
	char detail[400];

	if (call->client || has_turn(call)) {
		fail_silent(call, -ETIMEDOUT);
		return;
	}
	snprintf(
		detail, sizeof(detail),
		"vault '%.64s' is slow: %u calls are under way, and it was not "
		"this one's turn",
		call->name, call->vault->calls);
	fail(call, SVCENC_ANSWER_UNREACHABLE, detail);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct vault_call *call = userdata;

	(void)source;
	(void)usec;
	if (call->vault && agent_now_ms() >= call->deadline_ms) {
		fail_late(call);
		return 0;
	}
	if (!call->client && fail_unasked(call))
		return 0;
	if (!call->client && has_turn(call))
		connect_call(call);
	else
		wake_at_deadline(call);
	return 0;
}

static int line_ms(const struct vault_call *call)
{
	const bool starting = call->vault && is_starting(call->vault);

	return call->timeout_ms < VAULTS_LINE_MS || starting ?
		       call->timeout_ms :
		       VAULTS_LINE_MS;
}

void vault_call_start(struct vault_call *call)
{
	vault_say(&call->result, SVCENC_ANSWER_UNKNOWN, "", "");
	call->vault = vaults_find(call->agent, call->name);
	call->started_ms = agent_now_ms();
	call->last_ms = call->started_ms + call->timeout_ms + VAULTS_LINE_MS;
	call->deadline_ms = call->started_ms + line_ms(call);
	if (call->vault)
		line_enter(call);
	/* a timer that cannot be set would leave the caller waiting */
	if (sd_event_add_time_relative(call->agent->watch, &call->timer,
				       CLOCK_BOOTTIME, 0, 1000, on_timer,
				       call) < 0) {
		log_error("no timer for a call to vault '%s'", call->name);
		abort();
	}
}
