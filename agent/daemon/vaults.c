// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "proto.h"
#include "recordjson.h"
#include "vault_call.h"
#include "watch.h"

#define INTERFACE "io.svcenc.Vault."

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

void vaults_try_in_earnest(struct vault *vault)
{
	vault->silent = false;
	vault->left_alone_until_ms = 0;
}

/* --- one call ------------------------------------------------------------- */

static void flag_done(struct vault_call *call)
{
	bool *done = call->userdata;

	*done = true;
}

/* Call and answer; *ret_reply is the caller's. Steals @parameters. */
static int call(struct agent *agent, const char *vault, const char *method,
		json_t *parameters, json_t **ret_reply,
		struct vault_result *result)
{
	const struct vault *known = vaults_find(agent, vault);
	bool done = false;
	struct vault_call one = {
		.agent = agent,
		.name = vault,
		.method = method,
		.parameters = parameters,
		.timeout_ms = known && known->silent ?
				      VAULTS_SILENT_TIMEOUT_MS :
				      VAULTS_TIMEOUT_MS,
		.done = flag_done,
		.userdata = &done,
	};
	int r = 0;

	vault_call_start(&one);
	while (!done && !r)
		r = watch_wait(agent);
	if (r < 0) {
		vault_call_stop(&one);
		return vault_say(result, SVCENC_ANSWER_UNREACHABLE, "",
				 "the event loop of svcencd fails");
	}
	*result = one.result;
	*ret_reply = one.reply;
	return result->answer == SVCENC_ANSWER_OK ? 0 : -EREMOTEIO;
}

static int malformed(const char *vault, const char *method,
		     struct vault_result *result)
{
	char detail[400];

	snprintf(detail, sizeof(detail),
		 "vault '%.64s' gives a malformed answer to %s", vault, method);
	return vault_say(result, SVCENC_ANSWER_CORRUPT, "", detail);
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
	    (!svcenc_recordjson_alg_parse(alg) && strcmp(alg, "none")))
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

int vaults_renew_key(struct agent *agent, const char *vault,
		     struct svcenc_record_wrap *wrap,
		     struct vault_result *result)
{
	return get_key(agent, vault, INTERFACE "RenewKey",
		       json_pack("{s:s}", "kid", wrap->kid), wrap, result);
}

static void take_fact(const json_t *reply, const char *name, char *ret,
		      size_t size)
{
	const char *text = json_string_value(json_object_get(reply, name));

	snprintf(ret, size, "%s", text ? text : "unknown");
}

static uint32_t take_number(const json_t *reply, const char *name)
{
	const json_int_t number =
		json_integer_value(json_object_get(reply, name));

	return number > 0 && number <= U32_MAX ? (uint32_t)number : 0;
}

/* What is not told, or in another way than agreed, is unknown. */
int vaults_describe_key(struct agent *agent, const char *vault, const char *kid,
			struct svcenc_root_facts *ret,
			struct vault_result *result)
{
	SVCENC_JSON_AUTO json_t *reply = NULL;
	int r;

	r = call(agent, vault, INTERFACE "DescribeKey",
		 json_pack("{s:s}", "kid", kid), &reply, result);
	if (r < 0)
		return r;
	memset(ret, 0, sizeof(*ret));
	take_fact(reply, "state", ret->state, sizeof(ret->state));
	take_fact(reply, "key_type", ret->key_type, sizeof(ret->key_type));
	take_fact(reply, "wrap", ret->wrap, sizeof(ret->wrap));
	take_fact(reply, "unwrap", ret->unwrap, sizeof(ret->unwrap));
	take_fact(reply, "expiry", ret->expiry, sizeof(ret->expiry));
	take_fact(reply, "recovery", ret->recovery, sizeof(ret->recovery));
	ret->size_bits = take_number(reply, "size_bits");
	ret->recovery_days = take_number(reply, "recovery_days");
	ret->expires_at =
		json_integer_value(json_object_get(reply, "expires_at"));
	return 0;
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
		return vault_say(result, SVCENC_ANSWER_UNREACHABLE, "",
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
