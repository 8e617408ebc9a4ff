// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "methods.h"
#include "proto.h"
#include "secret.h"
#include "vaults.h"

#define SELFTEST_KEY "svcenc-selftest"

enum { SELFTEST_SIZE = 32 };

static json_t *view_vault(struct agent *agent,
			  const struct svcenc_vault_config *config)
{
	SVCENC_JSON_AUTO json_t *info = NULL;
	struct vault_result result;
	const char *state = "reachable", *note = "";
	int separates = 0;

	if (vaults_info(agent, config->name, &info, &result) < 0)
		state = result.answer == SVCENC_ANSWER_UNREACHABLE ||
					result.answer ==
						SVCENC_ANSWER_THROTTLED ?
				"unreachable" :
				"refused";
	else
		(void)json_unpack(info, "{s:b, s:s}", "separates_from_root",
				  &separates, "note", &note);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s}",
			 "name", config->name, "type", config->type,
			 "directory", config->directory, "user", config->user,
			 "start", config->external ? "external" : "agent",
			 "state", state, "detail", result.detail,
			 "separates_from_root", separates, "note", note);
}

int method_list_vaults(struct request *request)
{
	json_t *list;
	size_t i;
	int r;

	r = methods_unpack(request, "{}");
	if (r < 0)
		return r;
	list = json_array();
	for (i = 0; i < request->agent->config.vault_count; i++)
		json_array_append_new(
			list, view_vault(request->agent,
					 &request->agent->config.vaults[i]));
	return methods_reply(request, json_pack("{s:o}", "vaults", list));
}

static bool is_same(const struct svcenc_secret *plain, const void *what)
{
	return svcenc_secret_equal(plain, what);
}

static void did(json_t *steps, const char *step)
{
	(void)json_array_append_new(steps, json_string(step));
}

/* A key that wraps the test's number: the one named for that, or a made one. */
static int test_key(struct agent *agent,
		    const struct svcenc_vault_config *config,
		    struct svcenc_record_wrap *ret, json_t *steps,
		    struct svcenc_fault *fault)
{
	struct vault_result result;
	int r;

	if (config->test_key[0])
		r = vaults_use_key(agent, config->name, config->test_key, ret,
				   &result);
	else
		r = vaults_create_key(agent, config->name, SELFTEST_KEY, ret,
				      &result);
	if (r < 0) {
		vaults_fault(config->name, &result, fault);
		if (!config->test_key[0] &&
		    result.answer == SVCENC_ANSWER_DENIED)
			snprintf(fault->hint, sizeof(fault->hint),
				 "if this vault makes no keys, name one for "
				 "the test: 'test_key = KEY' in "
				 "vaults.d/%s.conf",
				 config->name);
		return r;
	}
	did(steps, config->test_key[0] ? "root key of 'test_key' found" :
					 "root key '" SELFTEST_KEY
					 "' found or made");
	return 0;
}

static int round_trip(struct agent *agent, const char *name, json_t *steps,
		      struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL;
	struct svcenc_record_wrap wrap = { .role = SVCENC_ROLE_A };
	struct vault_result result;
	struct unwrap_job job;

	if (svcenc_secret_random(SELFTEST_SIZE, &number) < 0)
		return svcenc_fault_memory(fault);
	if (test_key(agent, vaults_find(agent, name)->config, &wrap, steps,
		     fault) < 0)
		return -EREMOTEIO;
	if (vaults_wrap(agent, &wrap, number, &result) < 0)
		return vaults_fault(name, &result, fault);
	did(steps, "random number wrapped");
	memset(&job, 0, sizeof(job));
	job.vault = name;
	job.kid = wrap.kid;
	job.blob = wrap.blob;
	job.blob_len = wrap.blob_len;
	job.accept = is_same;
	job.what = number;
	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	job.plain = svcenc_secret_free(job.plain);
	if (job.result.answer != SVCENC_ANSWER_OK)
		return vaults_fault(name, &job.result, fault);
	did(steps, "unwrapped; it is the same number");
	return 0;
}

int method_test_vault(struct request *request)
{
	const int64_t start = agent_now_ms();
	struct vault *vault;
	const char *name;
	json_t *steps;
	int r;

	r = methods_unpack(request, "{s:s}", "name", &name);
	if (r < 0)
		return r;
	vault = vaults_find(request->agent, name);
	if (!vault) {
		svcenc_fault_set(&request->fault, SVCENC_FAULT_NOT_FOUND,
				 "there is no vault '%.64s'", name);
		return svcenc_fault_hint(&request->fault,
					 "'svcenc vault list' shows all");
	}
	vaults_try_in_earnest(vault);
	steps = json_array();
	r = round_trip(request->agent, vault->config->name, steps,
		       &request->fault);
	if (r < 0) {
		json_decref(steps);
		return r;
	}
	return methods_reply(
		request, json_pack("{s:o, s:o, s:I}", "vault",
				   view_vault(request->agent, vault->config),
				   "steps", steps, "took_ms",
				   (json_int_t)(agent_now_ms() - start)));
}
