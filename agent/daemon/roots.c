// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hierarchy.h"
#include "rootcheck.h"
#include "roots.h"
#include "step.h"
#include "vaults.h"

enum { PROBE_SIZE = 32 };

const char *roots_key_name(const struct policy *policy, unsigned int index,
			   char buf[MODEL_KEY_NAME_SIZE])
{
	if (policy->root_names[index][0])
		return policy->root_names[index];
	svcenc_uuid_print(&policy->key.policy, buf);
	return buf;
}

/* --- versions ------------------------------------------------------------- */

int roots_newest(struct agent *agent, const struct policy *policy,
		 unsigned int index, struct svcenc_record_wrap *wrap,
		 struct svcenc_fault *fault)
{
	char buf[MODEL_KEY_NAME_SIZE], vault[SVCENC_NAME_SIZE];
	const char *name = roots_key_name(policy, index, buf);
	struct vault_result result;
	int r;

	memcpy(vault, wrap->vault, sizeof(vault));
	if (policy->root_names[index][0])
		r = vaults_use_key(agent, vault, name, wrap, &result);
	else
		r = vaults_create_key(agent, vault, name, wrap, &result);
	return r < 0 ? vaults_fault(vault, &result, fault) : 0;
}

static int renew(struct agent *agent, struct svcenc_record_wrap *wrap,
		 struct svcenc_fault *fault)
{
	char vault[SVCENC_NAME_SIZE];
	struct vault_result result;

	memcpy(vault, wrap->vault, sizeof(vault));
	if (vaults_renew_key(agent, vault, wrap, &result) < 0)
		return vaults_fault(vault, &result, fault);
	svcenc_step("root-renewed");
	return 0;
}

int roots_newer(struct agent *agent, const struct policy *policy,
		unsigned int index, struct svcenc_record_wrap *wrap,
		bool *ret_is_new, struct svcenc_fault *fault)
{
	const char *used = policy->wraps[index].kid;
	int r;

	r = roots_newest(agent, policy, index, wrap, fault);
	if (!r && !strcmp(wrap->kid, used) && !policy->root_names[index][0])
		r = renew(agent, wrap, fault);
	*ret_is_new = strcmp(wrap->kid, used);
	return r;
}

/* --- wraps ---------------------------------------------------------------- */

/* Opens @wrap's blob again and compares. */
static int prove(struct agent *agent, const struct svcenc_record_wrap *wrap,
		 const struct svcenc_secret *want, struct svcenc_fault *fault)
{
	struct unwrap_job job = {
		.vault = wrap->vault,
		.kid = wrap->kid,
		.blob = wrap->blob,
		.blob_len = wrap->blob_len,
	};
	bool same;

	vaults_unwrap(agent, &job, 1, VAULTS_ALL);
	if (!job.plain)
		return vaults_fault(wrap->vault, &job.result, fault);
	same = svcenc_secret_equal(job.plain, want);
	svcenc_secret_free(job.plain);
	if (same)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
			 "vault '%s' opens a wrap to something else than was "
			 "wrapped",
			 wrap->vault);
	return svcenc_fault_hint(fault, "'svcenc vault test %s'", wrap->vault);
}

int roots_wrap_proven(struct agent *agent, struct svcenc_record_wrap *wrap,
		      const struct svcenc_secret *plain,
		      struct svcenc_fault *fault)
{
	struct vault_result result;

	if (vaults_wrap(agent, wrap, plain, &result) < 0)
		return vaults_fault(wrap->vault, &result, fault);
	return prove(agent, wrap, plain, fault);
}

int roots_make_probe(struct agent *agent, const struct svcenc_record_wrap *wrap,
		     struct probe *ret, struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL;
	struct svcenc_record_wrap blob = *wrap;
	int r;

	if (svcenc_secret_random(PROBE_SIZE, &number) < 0 ||
	    svcenc_hierarchy_sha256(svcenc_secret_peek(number), PROBE_SIZE,
				    ret->hash) < 0)
		return svcenc_fault_memory(fault);
	r = roots_wrap_proven(agent, &blob, number, fault);
	if (r < 0)
		return r;
	if (blob.blob_len > MODEL_BLOB_MAX)
		return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
					"vault '%s' makes too long a wrap",
					wrap->vault);
	ret->blob_len = blob.blob_len;
	memcpy(ret->blob, blob.blob, blob.blob_len);
	return 0;
}

static bool opens_probe(const struct svcenc_secret *plain, const void *what)
{
	const struct probe *probe = what;
	u8 hash[32];

	return !svcenc_hierarchy_sha256(svcenc_secret_peek(plain),
					svcenc_secret_len(plain), hash) &&
	       !CRYPTO_memcmp(hash, probe->hash, sizeof(hash));
}

void roots_fill_probe(const struct policy *policy, unsigned int index,
		      struct unwrap_job *job)
{
	const struct probe *probe = &policy->probes[index];
	const struct svcenc_record_wrap *wrap = &policy->wraps[index];

	memset(job, 0, sizeof(*job));
	job->vault = wrap->vault;
	job->kid = wrap->kid;
	job->blob = probe->blob_len ? probe->blob : wrap->blob;
	job->blob_len = probe->blob_len ? probe->blob_len : wrap->blob_len;
	job->accept = probe->blob_len ? opens_probe : NULL;
	job->what = probe;
}

int roots_bind(struct agent *agent, struct policy *policy, unsigned int index,
	       const struct svcenc_secret *policy_key,
	       struct svcenc_fault *fault)
{
	int r;

	r = roots_wrap_proven(agent, &policy->wraps[index], policy_key, fault);
	if (r < 0)
		return r;
	svcenc_step("policy-root-wrapped");
	return roots_make_probe(agent, &policy->wraps[index],
				&policy->probes[index], fault);
}

/* --- checks --------------------------------------------------------------- */

static int round_trip(struct agent *agent, struct svcenc_record_wrap *wrap,
		      struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL;

	if (svcenc_secret_random(PROBE_SIZE, &number) < 0)
		return svcenc_fault_memory(fault);
	return roots_wrap_proven(agent, wrap, number, fault);
}

/*
 * A vault may let us unwrap and not look: then nothing is told, and the round
 * trip has to do.
 */
static int look(struct agent *agent, const struct svcenc_record_wrap *wrap,
		struct svcenc_root_facts *ret, struct svcenc_fault *fault)
{
	struct vault_result result;

	memset(ret, 0, sizeof(*ret));
	if (!vaults_describe_key(agent, wrap->vault, wrap->kid, ret, &result))
		return 0;
	if (result.answer == SVCENC_ANSWER_DENIED)
		return 0;
	return vaults_fault(wrap->vault, &result, fault);
}

static void note(json_t *checks, const char *root, const char *outcome,
		 const char *found)
{
	json_array_append_new(checks,
			      json_pack("{s:s, s:s, s:s, s:s}", "root", root,
					"check", "round-trip", "outcome",
					outcome, "found", found));
}

int roots_check(struct agent *agent, const char *root,
		const struct svcenc_rootspec *spec, bool accept_unrecoverable,
		json_t *checks, struct svcenc_fault *fault)
{
	struct svcenc_record_wrap wrap = { .role = 0 };
	struct svcenc_root_facts facts;
	struct vault_result result;
	int r;

	if (vaults_use_key(agent, spec->vault, spec->key, &wrap, &result) < 0)
		return vaults_fault(spec->vault, &result, fault);
	r = look(agent, &wrap, &facts, fault);
	if (r < 0)
		return r;
	if (accept_unrecoverable && !strcmp(facts.recovery, "none"))
		snprintf(facts.recovery, sizeof(facts.recovery), "accepted");
	r = svcenc_rootcheck_all(&facts, root, spec->vault, spec->key, checks,
				 fault);
	if (!r)
		r = round_trip(agent, &wrap, fault);
	note(checks, root, r < 0 ? "refused" : "ok",
	     r < 0 ? "not done" : wrap.kid);
	return r;
}
