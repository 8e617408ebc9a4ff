// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "proto.h"
#include "vault_call.h"
#include "watch.h"

#define UNWRAP "io.svcenc.Vault.Unwrap"

enum { JOBS_MAX = 3 };

struct asking {
	struct agent *agent;
	struct unwrap_job *jobs;
	size_t count;
	enum vaults_mode mode;
	void (*done)(void *userdata);
	void *userdata;
	bool patient; /* not: less time for a vault that was silent last */
	struct vault_call calls[JOBS_MAX];
	bool asked[JOBS_MAX];
	size_t waiting;		/* asked and not heard */
	sd_event_source *timer; /* FIRST: asks the others; ALL: asks all */
};

/* --- one job -------------------------------------------------------------- */

static void job_take(struct unwrap_job *job, json_t *reply)
{
	const char *text =
		json_string_value(json_object_get(reply, "plaintext"));
	char detail[400];

	if (!text || svcenc_secret_from_base64(text, &job->plain) < 0) {
		snprintf(detail, sizeof(detail),
			 "vault '%.64s' gives a malformed answer to Unwrap",
			 job->vault);
		vault_say(&job->result, SVCENC_ANSWER_CORRUPT, "", detail);
		return;
	}
	if (job->accept && !job->accept(job->plain, job->what)) {
		job->plain = svcenc_secret_free(job->plain);
		snprintf(detail, sizeof(detail),
			 "vault '%.64s' opens the blob to something else than "
			 "was wrapped",
			 job->vault);
		vault_say(&job->result, SVCENC_ANSWER_CORRUPT, "", detail);
		return;
	}
	vault_say(&job->result, SVCENC_ANSWER_OK, "", "");
}

/* --- several -------------------------------------------------------------- */

struct asking *vaults_ask_stop(struct asking *asking)
{
	size_t i;

	if (!asking)
		return NULL;
	for (i = 0; i < asking->count; i++)
		vault_call_stop(&asking->calls[i]);
	sd_event_source_disable_unref(asking->timer);
	free(asking);
	return NULL;
}

static void finish(struct asking *asking)
{
	void (*done)(void *userdata) = asking->done;
	void *userdata = asking->userdata;

	/* an unheard hedge is no failure of its vault: it stays UNKNOWN */
	vaults_ask_stop(asking);
	done(userdata);
}

static void ask_rest_at(struct asking *asking, int64_t delay_ms)
{
	(void)sd_event_source_set_time_relative(asking->timer,
						(uint64_t)delay_ms * 1000);
	(void)sd_event_source_set_enabled(asking->timer, SD_EVENT_ONESHOT);
}

static bool all_asked(const struct asking *asking)
{
	size_t i;

	for (i = 0; i < asking->count; i++)
		if (!asking->asked[i])
			return false;
	return true;
}

static void on_answer(struct vault_call *call)
{
	struct asking *asking = call->userdata;
	struct unwrap_job *job = &asking->jobs[call - asking->calls];

	asking->waiting--;
	job->result = call->result;
	if (call->result.answer == SVCENC_ANSWER_OK)
		job_take(job, call->reply);
	json_decref(call->reply);
	call->reply = NULL;
	if (asking->mode == VAULTS_FIRST &&
	    job->result.answer == SVCENC_ANSWER_OK)
		finish(asking);
	else if (!all_asked(asking))
		ask_rest_at(asking, 0); /* it failed: no head start any more */
	else if (!asking->waiting)
		finish(asking);
}

static int timeout_of(const struct asking *asking, const char *vault)
{
	const struct vault *known = vaults_find(asking->agent, vault);

	return !asking->patient && known && known->silent ?
		       VAULTS_SILENT_TIMEOUT_MS :
		       VAULTS_TIMEOUT_MS;
}

static void ask(struct asking *asking, size_t index)
{
	char base64[4 * ((SVCENC_BLOB_MAX + 2) / 3) + 1];
	const struct unwrap_job *job = &asking->jobs[index];
	struct vault_call *call = &asking->calls[index];

	EVP_EncodeBlock((u8 *)base64, job->blob, (int)job->blob_len);
	asking->asked[index] = true;
	asking->waiting++;
	*call = (struct vault_call){
		.agent = asking->agent,
		.name = job->vault,
		.method = UNWRAP,
		.parameters = json_pack("{s:s, s:s}", "kid", job->kid, "blob",
					base64),
		.timeout_ms = timeout_of(asking, job->vault),
		.done = on_answer,
		.userdata = asking,
	};
	vault_call_start(call);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct asking *asking = userdata;
	bool first = !asking->waiting && !asking->asked[0];
	size_t i;

	(void)source;
	(void)usec;
	if (first && asking->mode == VAULTS_FIRST && asking->count > 1) {
		ask(asking, 0);
		ask_rest_at(asking, VAULTS_HEDGE_MS);
		return 0;
	}
	for (i = 0; i < asking->count; i++)
		if (!asking->asked[i])
			ask(asking, i);
	return 0;
}

static struct asking *start(struct agent *agent, struct unwrap_job *jobs,
			    size_t count, enum vaults_mode mode)
{
	struct asking *asking;
	size_t i;

	for (i = 0; i < count; i++) {
		jobs[i].plain = NULL;
		vault_say(&jobs[i].result, SVCENC_ANSWER_UNKNOWN, "", "");
		if (jobs[i].blob_len > SVCENC_BLOB_MAX)
			return NULL;
	}
	asking = calloc(1, sizeof(*asking));
	if (!asking || !count || count > JOBS_MAX ||
	    sd_event_add_time_relative(agent->watch, &asking->timer,
				       CLOCK_BOOTTIME, 0, 1000, on_timer,
				       asking) < 0) {
		free(asking);
		return NULL;
	}
	asking->agent = agent;
	asking->jobs = jobs;
	asking->count = count;
	asking->mode = mode;
	return asking;
}

struct asking *vaults_ask(struct agent *agent, struct unwrap_job *jobs,
			  size_t count, enum vaults_mode mode,
			  void (*done)(void *userdata), void *userdata)
{
	struct asking *asking = start(agent, jobs, count, mode);

	if (!asking)
		return NULL;
	asking->patient = true;
	asking->done = done;
	asking->userdata = userdata;
	return asking;
}

static void flag_done(void *userdata)
{
	bool *done = userdata;

	*done = true;
}

void vaults_unwrap(struct agent *agent, struct unwrap_job *jobs, size_t count,
		   enum vaults_mode mode)
{
	struct asking *asking = start(agent, jobs, count, mode);
	bool done = false;
	size_t i;
	int r = 0;

	if (asking) {
		asking->done = flag_done;
		asking->userdata = &done;
		while (!done && !r)
			r = watch_wait(agent);
	}
	if (done)
		return;
	vaults_ask_stop(asking);
	for (i = 0; i < count; i++)
		vault_say(&jobs[i].result, SVCENC_ANSWER_CORRUPT, "",
			  "svcencd has no memory left to ask");
}
