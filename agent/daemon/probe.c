// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "access.h"
#include "hierarchy.h"
#include "kernel.h"
#include "lease_key.h"
#include "log.h"
#include "probe.h"
#include "step.h"
#include "verdict.h"

enum {
	ROOTS = 2, /* a, b */
	AVAILABILITY = SVCENC_ROLE_AVAILABILITY - 1,
	SOON_MS = 20,
};

struct round {
	struct lease *lease;
	struct policy policy; /* as it was when the vaults were asked */
	struct svcenc_policy_verdict verdict;
	struct unwrap_job jobs[ROOTS];
	unsigned int index[ROOTS]; /* of the root that a job asks */
	size_t count;
	struct asking *asking; /* NULL once it has answered: it is gone then */
};

/* --- the end -------------------------------------------------------------- */

static void drop_plain(struct round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		round->jobs[i].plain = svcenc_secret_free(round->jobs[i].plain);
}

void probe_stop(struct lease *lease)
{
	struct round *round = lease->round;

	if (!round)
		return;
	vaults_ask_stop(round->asking);
	drop_plain(round);
	free(round);
	lease->round = NULL;
}

/*
 * A tenth less than the interval, at random: policies that were opened
 * together drift apart, and none is later than its bound allows.
 */
static int64_t spread(int64_t ms)
{
	unsigned char byte = 0;

	(void)RAND_bytes(&byte, 1);
	return ms - ms * byte / 2560;
}

static void end_round(struct round *round, int64_t next_ms)
{
	struct lease *lease = round->lease;

	probe_stop(lease);
	if (lease->adopted)
		lease_tell_progress(lease);
	lease_schedule(lease, next_ms);
}

/* --- asking --------------------------------------------------------------- */

static bool is_right_number(const struct svcenc_secret *plain, const void *what)
{
	const struct probe *probe = what;
	u8 hash[32];

	return !svcenc_hierarchy_sha256(svcenc_secret_peek(plain),
					svcenc_secret_len(plain), hash) &&
	       !CRYPTO_memcmp(hash, probe->hash, sizeof(hash));
}

static void add_probe(struct round *round, unsigned int index)
{
	struct unwrap_job *job = &round->jobs[round->count];

	round->index[round->count++] = index;
	job->vault = round->policy.wraps[index].vault;
	job->kid = round->policy.wraps[index].kid;
	job->blob = round->policy.probes[index].blob;
	job->blob_len = round->policy.probes[index].blob_len;
	job->accept = is_right_number;
	job->what = &round->policy.probes[index];
}

static bool is_right_key(const struct svcenc_secret *plain, const void *what)
{
	const struct policy *policy = what;
	u8 check[SVCENC_CHECK_SIZE];

	return svcenc_secret_len(plain) == SVCENC_POLICYKEY_SIZE &&
	       !svcenc_hierarchy_check(plain, &policy->key, check) &&
	       !CRYPTO_memcmp(check, policy->check, sizeof(check));
}

static void add_key(struct round *round, unsigned int index)
{
	const struct svcenc_record_wrap *wrap = &round->policy.wraps[index];
	struct unwrap_job *job = &round->jobs[round->count];

	round->index[round->count++] = index;
	job->vault = wrap->vault;
	job->kid = wrap->kid;
	job->blob = wrap->blob;
	job->blob_len = wrap->blob_len;
	job->accept = is_right_key;
	job->what = &round->policy;
}

static void forget_jobs(struct round *round)
{
	drop_plain(round);
	memset(round->jobs, 0, sizeof(round->jobs));
	round->count = 0;
}

static void ask(struct round *round, enum vaults_mode mode,
		void (*done)(void *userdata))
{
	round->asking = vaults_ask(round->lease->agent, round->jobs,
				   round->count, mode, done, round);
	if (round->asking)
		return;
	log_error("no memory to ask the roots of policy '%s'",
		  policy_label(round->lease->agent, &round->policy));
	end_round(round, SVCENC_POLICY_RETRY_MS);
}

static void note_answers(struct round *round)
{
	size_t i;

	for (i = 0; i < round->count; i++)
		verdict_note(round->lease, round->index[i],
			     &round->jobs[i].result);
}

/* --- acting --------------------------------------------------------------- */

static void conclude(struct round *round)
{
	end_round(round, spread(round->verdict.next_probe_ms));
}

/*
 * The policy as the store has it now. False: it is gone or has other roots
 * than were asked, so that the answers tell nothing; the round is over.
 */
static bool read_anew(struct round *round, struct policy *ret)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct lease *lease = round->lease;
	int i;

	if (policy_find_key(lease->agent, &lease->key, ret, &fault) < 0 ||
	    !ret->ready) {
		probe_stop(lease);
		return false;
	}
	for (i = 0; i < MODEL_ROLES; i++) {
		if (!strcmp(ret->wraps[i].vault,
			    round->policy.wraps[i].vault) &&
		    !strcmp(ret->wraps[i].kid, round->policy.wraps[i].kid))
			continue;
		end_round(round, SOON_MS);
		return false;
	}
	return true;
}

static void on_key(void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct round *round = userdata;
	struct lease *lease = round->lease;
	const struct svcenc_secret *key = NULL;
	struct policy policy;
	size_t i;

	round->asking = NULL;
	if (!read_anew(round, &policy))
		return;
	note_answers(round);
	for (i = 0; i < round->count && !key; i++)
		key = round->jobs[i].plain;
	if (!key)
		log_error("the key of policy '%s' cannot be brought back: "
			  "vault '%s': %s",
			  policy_label(lease->agent, &policy),
			  round->jobs[0].vault, round->jobs[0].result.detail);
	else if (lease_key_install(lease, &policy, key, &fault) < 0)
		log_error("the key of policy '%s' cannot be brought back: %s",
			  policy_label(lease->agent, &policy), fault.message);
	else
		log_audit("key of policy '%s' is back in the kernel",
			  policy_label(lease->agent, &policy));
	conclude(round);
}

/*
 * The key has ended though nobody asked for that: bring it back. Events are
 * read first: somebody may have ended it by hand a moment ago.
 */
static void bring_back(struct round *round)
{
	struct lease *lease = round->lease;
	unsigned char coin = 0;

	kernel_read_events(lease->agent);
	if (!read_anew(round, &round->policy))
		return;
	if (round->policy.held || !lease_key_volumes(lease) ||
	    !svcenc_keyid_equal(&round->policy.key, &lease->key)) {
		conclude(round);
		return;
	}
	forget_jobs(round);
	if (round->verdict.action == SVCENC_ACTION_FALLBACK) {
		add_key(round, AVAILABILITY);
	} else {
		(void)RAND_bytes(&coin, 1);
		add_key(round, coin & 1);
		add_key(round, !(coin & 1));
	}
	ask(round, VAULTS_FIRST, on_key);
}

static void drop(struct round *round, const struct policy *policy)
{
	struct lease *lease = round->lease;
	const bool withdrawn = round->verdict.step == SVCENC_STEP_WITHDRAWN;

	/* its end by lease has shut nothing down yet */
	if (!lease->key_live && !(withdrawn && !lease->withdrawn))
		return;
	svcenc_step("drop-remembered");
	lease_key_end(lease, policy, withdrawn);
	svcenc_step("drop-done");
	lease->withdrawn = withdrawn;
}

static void act(struct round *round)
{
	const struct svcenc_policy_verdict *verdict = &round->verdict;
	struct lease *lease = round->lease;
	struct policy policy, before;
	int r;

	if (!read_anew(round, &policy))
		return;
	before = policy;
	/* a denial is durable before it is acted upon: should we die in
	 * between, no outage turns it back into access
	 */
	verdict_enter_state(lease, &policy, verdict->step, verdict->why);
	verdict_remember(lease, &policy, &before);
	if (verdict->action == SVCENC_ACTION_DROP)
		drop(round, &policy);
	if (verdict->action != SVCENC_ACTION_RENEW &&
	    verdict->action != SVCENC_ACTION_FALLBACK) {
		conclude(round);
		return;
	}
	lease->withdrawn = false;
	r = lease_key_renew(lease, &policy);
	if (r == -ENOKEY) {
		bring_back(round);
		return;
	}
	if (r < 0)
		log_error("the lease of policy '%s' cannot be renewed: %s",
			  policy_label(lease->agent, &policy), strerror(-r));
	conclude(round);
}

static void on_availability(void *userdata)
{
	struct round *round = userdata;
	struct lease *lease = round->lease;

	round->asking = NULL;
	note_answers(round);
	if (round->jobs[0].result.answer == SVCENC_ANSWER_OK) {
		verdict_enter_fallback(lease);
	} else {
		round->verdict.action = SVCENC_ACTION_WAIT;
		round->verdict.step = lease->key_live ?
					      SVCENC_STEP_ROOT_MISSING :
					      SVCENC_STEP_LEASE_OVER;
		round->verdict.why =
			"no root answers, and the availability key does not "
			"open; the lease runs out";
	}
	act(round);
}

static void on_roots(void *userdata)
{
	struct round *round = userdata;
	struct lease *lease = round->lease;
	struct policy policy;

	round->asking = NULL;
	if (!read_anew(round, &policy))
		return; /* a root version of before tells nothing of its successor */
	note_answers(round);
	lease_key_glance(lease); /* it may have ended while they answered */
	lease_recall_grant(lease, &policy);
	verdict_weigh(lease);
	verdict_judge(lease, &policy, &round->verdict);
	if (round->verdict.action != SVCENC_ACTION_FALLBACK) {
		act(round);
		return;
	}
	forget_jobs(round);
	add_probe(round, AVAILABILITY);
	ask(round, VAULTS_ALL, on_availability);
}

void probe_begin(struct lease *lease, const struct policy *policy)
{
	static const struct vault_result no_probe = {
		.answer = SVCENC_ANSWER_UNREACHABLE,
		.detail = "the vault was out of reach when the policy was "
			  "recovered, and still is",
	};
	struct round *round;
	unsigned int i;

	if (lease->round)
		return;
	round = calloc(1, sizeof(*round));
	if (!round) {
		lease_schedule(lease, SVCENC_POLICY_RETRY_MS);
		return;
	}
	lease->round = round;
	round->lease = lease;
	round->policy = *policy;
	for (i = 0; i < ROOTS; i++)
		if (policy->probes[i].blob_len)
			add_probe(round, i);
		else
			verdict_note(lease, i, &no_probe);
	if (round->count)
		ask(round, VAULTS_ALL, on_roots);
	else
		on_roots(round);
}
