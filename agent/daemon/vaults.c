// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "log.h"
#include "proto.h"
#include "recordjson.h"
#include "vaults.h"

#define INTERFACE "io.svcenc.Vault."

enum {
	STARTING_MS = 3000, /* a worker this young may not listen yet */
	STARTING_NAP_MS = 10,
	JOBS_MAX = 3,
};

static int say(struct vault_result *result, enum svcenc_answer answer,
	       const char *reason, const char *detail)
{
	result->answer = answer;
	snprintf(result->reason, sizeof(result->reason), "%s", reason);
	snprintf(result->detail, sizeof(result->detail), "%s", detail);
	return answer == SVCENC_ANSWER_OK ? 0 : -EREMOTEIO;
}

/* --- life ----------------------------------------------------------------- */

int vaults_start(struct agent *agent, struct svcenc_fault *fault)
{
	size_t i;

	agent->vaults = calloc(agent->config.vault_count, sizeof(struct vault));
	if (!agent->vaults)
		return svcenc_fault_memory(fault);
	for (i = 0; i < agent->config.vault_count; i++) {
		struct svcenc_fault local = { .kind = SVCENC_FAULT_NONE };
		struct vault *vault = &agent->vaults[i];

		vault->config = &agent->config.vaults[i];
		vault->worker.agent = agent;
		vault->worker.config = vault->config;
		/* one vault that cannot start must not stop the others */
		if (worker_start(&vault->worker, &local) < 0)
			log_error("vault '%s': %s; %s", vault->config->name,
				  local.message, local.hint);
	}
	return 0;
}

void vaults_stop(struct agent *agent)
{
	size_t i;

	for (i = 0; agent->vaults && i < agent->config.vault_count; i++)
		worker_stop(&agent->vaults[i].worker);
	free(agent->vaults);
	agent->vaults = NULL;
}

struct vault *vaults_find(struct agent *agent, const char *name)
{
	size_t i;

	for (i = 0; i < agent->config.vault_count; i++)
		if (!strcmp(agent->vaults[i].config->name, name))
			return &agent->vaults[i];
	return NULL;
}

/* --- one call ------------------------------------------------------------- */

static bool is_starting(const struct vault *vault)
{
	return vault->worker.pid &&
	       agent_now_ms() - vault->worker.started_ms < STARTING_MS;
}

static int open_socket(struct agent *agent, const struct vault *vault,
		       struct svcenc_client **ret)
{
	const struct timespec nap = { 0, STARTING_NAP_MS * 1000000L };
	char path[SVCENC_PATH_MAX];
	int r;

	worker_socket(agent, vault->config->name, path);
	for (;;) {
		r = svcenc_client_open(path, vault->worker.uid, true, ret);
		if ((r != -ENOENT && r != -ECONNREFUSED) || !is_starting(vault))
			return r;
		(void)nanosleep(&nap, NULL);
	}
}

/* NULL, with @result set, if the vault cannot be asked. */
static struct svcenc_client *reach(struct agent *agent, const char *name,
				   struct vault_result *result)
{
	struct vault *vault = vaults_find(agent, name);
	struct svcenc_client *client = NULL;
	char detail[400];
	int r;

	if (!vault) {
		snprintf(detail, sizeof(detail),
			 "vault '%.64s' is not configured on this host", name);
		say(result, SVCENC_ANSWER_BADAUTH, "", detail);
		return NULL;
	}
	if (agent_now_ms() < vault->rest_until_ms) {
		snprintf(detail, sizeof(detail),
			 "vault '%s' did not answer lately", name);
		say(result, SVCENC_ANSWER_UNREACHABLE, "", detail);
		return NULL;
	}
	if (!vault->worker.has_uid) {
		snprintf(detail, sizeof(detail),
			 "vault '%s' has no worker: user '%s' does not exist",
			 name, vault->config->user);
		say(result, SVCENC_ANSWER_BADAUTH, "", detail);
		return NULL;
	}
	r = open_socket(agent, vault, &client);
	if (!r)
		return client;
	snprintf(detail, sizeof(detail),
		 r == -EPERM ? "the socket of vault '%s' is served by another "
			       "user than '%s'" :
			       "no worker listens for vault '%s' (user '%s')",
		 name, vault->config->user);
	say(result,
	    r == -EPERM ? SVCENC_ANSWER_BADAUTH : SVCENC_ANSWER_UNREACHABLE, "",
	    detail);
	return NULL;
}

static void note_silence(struct agent *agent, const char *name, int error,
			 struct vault_result *result)
{
	struct vault *vault = vaults_find(agent, name);
	char detail[400];

	if (error == -ETIMEDOUT && vault)
		vault->rest_until_ms = agent_now_ms() + VAULTS_REST_MS;
	snprintf(detail, sizeof(detail), "vault '%.64s' gave no answer: %s",
		 name, strerror(-error));
	say(result,
	    error == -EBADMSG ? SVCENC_ANSWER_CORRUPT :
				SVCENC_ANSWER_UNREACHABLE,
	    "", detail);
}

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
		say(result, classes[i].answer, reason ? reason : "",
		    detail ? detail : text);
		return;
	}
	say(result, SVCENC_ANSWER_CORRUPT, "", text);
}

/* Call and answer; *ret_reply is the caller's. Steals @parameters. */
static int call(struct agent *agent, const char *vault, const char *method,
		json_t *parameters, json_t **ret_reply,
		struct vault_result *result)
{
	SVCENC_CLIENT_AUTO struct svcenc_client *client = NULL;
	SVCENC_JSON_AUTO json_t *reply = NULL;
	char *error = NULL;
	int r;

	client = reach(agent, vault, result);
	if (!client) {
		json_decref(parameters);
		return -EREMOTEIO;
	}
	r = svcenc_client_call(client, method, parameters, VAULTS_TIMEOUT_MS,
			       &reply, &error);
	if (r < 0) {
		note_silence(agent, vault, r, result);
		return -EREMOTEIO;
	}
	if (error) {
		classify(vault, error, reply, result);
		free(error);
		return -EREMOTEIO;
	}
	*ret_reply = reply;
	reply = NULL;
	return say(result, SVCENC_ANSWER_OK, "", "");
}

static int malformed(const char *vault, const char *method,
		     struct vault_result *result)
{
	char detail[400];

	snprintf(detail, sizeof(detail),
		 "vault '%.64s' gives a malformed answer to %s", vault, method);
	return say(result, SVCENC_ANSWER_CORRUPT, "", detail);
}

/* CreateKey and UseKey: a name goes in, a key identifier comes out. */
static int get_key(struct agent *agent, const char *vault, const char *method,
		   json_t *parameters, struct svcenc_record_wrap *ret,
		   struct vault_result *result)
{
	SVCENC_JSON_AUTO json_t *reply = NULL;
	const char *kid, *alg;
	int r;

	r = call(agent, vault, method, parameters, &reply, result);
	if (r < 0)
		return r;
	if (json_unpack(reply, "{s:s, s:s}", "kid", &kid, "alg", &alg) < 0 ||
	    !*kid || strlen(kid) > SVCENC_KID_MAX ||
	    !svcenc_recordjson_alg_parse(alg))
		return malformed(vault, method + strlen(INTERFACE), result);
	ret->alg = svcenc_recordjson_alg_parse(alg);
	memset(ret->vault, 0, sizeof(ret->vault));
	memset(ret->kid, 0, sizeof(ret->kid));
	memcpy(ret->vault, vault, strlen(vault));
	memcpy(ret->kid, kid, strlen(kid));
	return 0;
}

int vaults_create_key(struct agent *agent, const char *vault,
		      const char *key_name, struct svcenc_record_wrap *ret,
		      struct vault_result *result)
{
	return get_key(agent, vault, INTERFACE "CreateKey",
		       json_pack("{s:s}", "name", key_name), ret, result);
}

int vaults_use_key(struct agent *agent, const char *vault, const char *key,
		   struct svcenc_record_wrap *ret, struct vault_result *result)
{
	return get_key(agent, vault, INTERFACE "UseKey",
		       json_pack("{s:s}", "key", key), ret, result);
}

int vaults_wrap(struct agent *agent, struct svcenc_record_wrap *wrap,
		const struct svcenc_secret *plain, struct vault_result *result)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL, *blob = NULL;
	SVCENC_JSON_AUTO json_t *reply = NULL;
	const char *base64, *alg;
	json_t *parameters;
	int r;

	if (svcenc_secret_to_base64(plain, &text) < 0)
		return say(result, SVCENC_ANSWER_UNREACHABLE, "",
			   "the agent has no locked memory left");
	svcenc_secret_scope_enter();
	parameters = json_pack("{s:s, s:s}", "kid", wrap->kid, "plaintext",
			       (const char *)svcenc_secret_peek(text));
	svcenc_secret_scope_leave();
	r = call(agent, wrap->vault, INTERFACE "Wrap", parameters, &reply,
		 result);
	if (r < 0)
		return r;
	if (json_unpack(reply, "{s:s, s:s}", "blob", &base64, "alg", &alg) <
		    0 ||
	    !svcenc_recordjson_alg_parse(alg) ||
	    svcenc_secret_from_base64(base64, &blob) < 0 ||
	    svcenc_secret_len(blob) > SVCENC_BLOB_MAX)
		return malformed(wrap->vault, "Wrap", result);
	wrap->alg = svcenc_recordjson_alg_parse(alg);
	wrap->blob_len = (u32)svcenc_secret_len(blob);
	memset(wrap->blob, 0, sizeof(wrap->blob));
	memcpy(wrap->blob, svcenc_secret_peek(blob), wrap->blob_len);
	return 0;
}

int vaults_info(struct agent *agent, const char *vault, json_t **ret_info,
		struct vault_result *result)
{
	SVCENC_JSON_AUTO json_t *reply = NULL;
	const char *name, *type, *note;
	int separates, r;

	r = call(agent, vault, INTERFACE "GetInfo", NULL, &reply, result);
	if (r < 0)
		return r;
	if (json_unpack(reply, "{s:s, s:s, s:b, s:s}", "name", &name, "type",
			&type, "separates_from_root", &separates, "note",
			&note) < 0 ||
	    strcmp(name, vault))
		return malformed(vault, "GetInfo", result);
	*ret_info = json_incref(reply);
	return 0;
}

/* --- several unwraps ------------------------------------------------------ */

static void job_finish(struct unwrap_job *job)
{
	job->client = svcenc_client_close(job->client);
}

static void job_ask(struct agent *agent, struct unwrap_job *job)
{
	char base64[4 * ((SVCENC_BLOB_MAX + 2) / 3) + 1];
	int r;

	job->asked = true;
	if (job->blob_len > SVCENC_BLOB_MAX) {
		say(&job->result, SVCENC_ANSWER_CORRUPT, "", "blob too long");
		return;
	}
	EVP_EncodeBlock((u8 *)base64, job->blob, (int)job->blob_len);
	job->client = reach(agent, job->vault, &job->result);
	if (!job->client)
		return;
	r = svcenc_client_send(job->client, INTERFACE "Unwrap",
			       json_pack("{s:s, s:s}", "kid", job->kid, "blob",
					 base64));
	if (r < 0) {
		note_silence(agent, job->vault, r, &job->result);
		job_finish(job);
	}
}

static void job_take(struct unwrap_job *job, json_t *reply)
{
	const char *text =
		json_string_value(json_object_get(reply, "plaintext"));

	if (!text || svcenc_secret_from_base64(text, &job->plain) < 0) {
		malformed(job->vault, "Unwrap", &job->result);
		return;
	}
	if (job->accept && !job->accept(job->plain, job->what)) {
		char detail[400];

		job->plain = svcenc_secret_free(job->plain);
		snprintf(detail, sizeof(detail),
			 "vault '%.64s' opens the blob to something else than "
			 "was wrapped",
			 job->vault);
		say(&job->result, SVCENC_ANSWER_CORRUPT, "", detail);
		return;
	}
	say(&job->result, SVCENC_ANSWER_OK, "", "");
}

static void job_listen(struct agent *agent, struct unwrap_job *job)
{
	SVCENC_JSON_AUTO json_t *reply = NULL;
	char *error = NULL;
	int r;

	r = svcenc_client_receive(job->client, &reply, &error);
	if (r == -EAGAIN)
		return;
	if (r < 0)
		note_silence(agent, job->vault, r, &job->result);
	else if (error)
		classify(job->vault, error, reply, &job->result);
	else
		job_take(job, reply);
	free(error);
	job_finish(job);
}

/* Waits for answers until @until_ms; false when nobody is left to answer. */
static bool wait_for_answers(struct agent *agent, struct unwrap_job *jobs,
			     size_t count, int64_t until_ms)
{
	struct pollfd fds[JOBS_MAX];
	const int64_t left = until_ms - agent_now_ms();
	size_t i, waiting = 0;

	for (i = 0; i < count; i++) {
		fds[i].fd = jobs[i].client ? svcenc_client_fd(jobs[i].client) :
					     -1;
		fds[i].events = POLLIN;
		fds[i].revents = 0;
		waiting += jobs[i].client ? 1 : 0;
	}
	if (!waiting)
		return false;
	if (poll(fds, count, left > 0 ? (int)left : 0) <= 0)
		return true;
	for (i = 0; i < count; i++)
		if (jobs[i].client && fds[i].revents)
			job_listen(agent, &jobs[i]);
	return true;
}

static bool any_ok(const struct unwrap_job *jobs, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (jobs[i].result.answer == SVCENC_ANSWER_OK)
			return true;
	return false;
}

void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode)
{
	const int64_t start = agent_now_ms();
	size_t i;

	if (count > JOBS_MAX)
		return;
	for (i = 0; i < count; i++) {
		jobs[i].plain = NULL;
		jobs[i].client = NULL;
		jobs[i].asked = false;
		say(&jobs[i].result, SVCENC_ANSWER_UNKNOWN, "", "");
	}
	if (mode == VAULTS_FIRST && count > 1) {
		job_ask(agent, &jobs[0]);
		while (agent_now_ms() < start + VAULTS_HEDGE_MS &&
		       wait_for_answers(agent, jobs, count,
					start + VAULTS_HEDGE_MS))
			;
		if (any_ok(jobs, count))
			return;
	}
	for (i = 0; i < count; i++)
		if (!jobs[i].asked)
			job_ask(agent, &jobs[i]);
	while (agent_now_ms() < start + VAULTS_TIMEOUT_MS &&
	       !(mode == VAULTS_FIRST && any_ok(jobs, count)) &&
	       wait_for_answers(agent, jobs, count, start + VAULTS_TIMEOUT_MS))
		;
	for (i = 0; i < count; i++) {
		/* an unheard hedge is no failure of its vault */
		if (jobs[i].client &&
		    !(mode == VAULTS_FIRST && any_ok(jobs, count)))
			note_silence(agent, jobs[i].vault, -ETIMEDOUT,
				     &jobs[i].result);
		job_finish(&jobs[i]);
	}
}

int vaults_fault(const char *vault, const struct vault_result *result,
		 struct svcenc_fault *fault)
{
	switch (result->answer) {
	case SVCENC_ANSWER_DENIED:
		svcenc_fault_set(fault, SVCENC_FAULT_VAULT_DENIED,
				 "vault '%s' denies (%s): %s", vault,
				 result->reason, result->detail);
		return svcenc_fault_hint(fault, "only the owner of the root "
						"key can change that");
	case SVCENC_ANSWER_BADAUTH:
		svcenc_fault_set(fault, SVCENC_FAULT_PERMISSION,
				 "vault '%s' cannot be used: %s", vault,
				 result->detail);
		return svcenc_fault_hint(fault,
					 "correct that, then "
					 "'svcenc vault test %s'",
					 vault);
	case SVCENC_ANSWER_CORRUPT:
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "vault '%s': %s", vault, result->detail);
		return svcenc_fault_hint(fault,
					 "'svcenc vault test %s' shows "
					 "whether the vault works",
					 vault);
	default:
		svcenc_fault_set(fault, SVCENC_FAULT_VAULT_UNREACHABLE,
				 "vault '%s' cannot be reached: %s", vault,
				 result->detail);
		return svcenc_fault_hint(fault,
					 "try again; 'svcenc vault "
					 "test %s' shows more",
					 vault);
	}
}
