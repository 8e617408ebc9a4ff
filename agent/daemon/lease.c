// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "grants.h"
#include "hierarchy.h"
#include "kernel.h"
#include "keyctl.h"
#include "lease_key.h"
#include "log.h"
#include "policies.h"
#include "probe.h"
#include "verdict.h"

enum {
	SOON_MS = 20,
	ADOPT_LOCKED_MS = 5000,
	ROOTS = 2, /* a, b */
	AVAILABILITY = SVCENC_ROLE_AVAILABILITY - 1,
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata);

/* --- the list ------------------------------------------------------------- */

static struct lease *find(struct agent *agent, const struct svcenc_keyid *key)
{
	struct lease *lease;

	for (lease = agent->leases; lease; lease = lease->next)
		if (svcenc_keyid_equal(&lease->key, key))
			return lease;
	return NULL;
}

static void recall(struct lease *lease, const struct policy *policy)
{
	int i;

	for (i = 0; i < ROOTS; i++)
		lease->roots[i].facts.denied = policy->denied[i];
	lease->state = policy->state;
	lease->in_fallback = policy->fallback.wall_s != 0;
	if (lease->in_fallback)
		lease->fallback_since_ms =
			agent_now_ms() - moment_ago_ms(&policy->fallback);
}

struct lease *lease_of(struct agent *agent, const struct policy *policy)
{
	struct lease *lease = find(agent, &policy->key);

	if (lease)
		return lease;
	lease = calloc(1, sizeof(*lease));
	if (!lease)
		return NULL;
	lease->agent = agent;
	lease->key = policy->key;
	recall(lease, policy);
	lease->next = agent->leases;
	agent->leases = lease;
	return lease;
}

void lease_schedule(struct lease *lease, int64_t delay_ms)
{
	const uint64_t delay_us =
		(uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000;

	if (!lease->timer) {
		(void)sd_event_add_time_relative(lease->agent->watch,
						 &lease->timer, CLOCK_BOOTTIME,
						 delay_us, 1000, on_timer,
						 lease);
		return;
	}
	(void)sd_event_source_set_time_relative(lease->timer, delay_us);
	(void)sd_event_source_set_enabled(lease->timer, SD_EVENT_ONESHOT);
}

void lease_rest(struct lease *lease)
{
	probe_stop(lease);
	lease->timer = sd_event_source_disable_unref(lease->timer);
}

void lease_recall_grant(struct lease *lease, const struct policy *policy)
{
	const int64_t left = grants_left_ms(lease->agent, policy);

	lease->granted_until_ms = left ? agent_now_ms() + left : 0;
}

/* --- getting the policy key ----------------------------------------------- */

struct right_key {
	const struct svcenc_keyid *id;
	const u8 *check;
};

static bool is_right_key(const struct svcenc_secret *plain, const void *what)
{
	const struct right_key *right = what;
	u8 check[SVCENC_CHECK_SIZE];

	return svcenc_secret_len(plain) == SVCENC_POLICYKEY_SIZE &&
	       !svcenc_hierarchy_check(plain, right->id, check) &&
	       !CRYPTO_memcmp(check, right->check, sizeof(check));
}

/* Neither root opened: what do the rules say? */
static int get_key_in_outage(struct lease *lease, struct policy *policy,
			     struct access *access, struct svcenc_secret **ret,
			     struct svcenc_fault *fault)
{
	struct svcenc_policy_verdict verdict;
	char object[2 * SVCENC_NAME_SIZE];

	snprintf(object, sizeof(object), "policy '%s'",
		 policy_label(lease->agent, policy));
	lease_recall_grant(lease, policy);
	verdict_judge(lease, policy, &verdict);
	if (verdict.action != SVCENC_ACTION_FALLBACK) {
		verdict_enter_state(lease, policy, verdict.step, verdict.why);
		if (verdict.action == SVCENC_ACTION_DROP)
			lease_key_end(lease, policy,
				      verdict.step == SVCENC_STEP_WITHDRAWN);
		access->denied = lease->roots[0].facts.denied ||
				 lease->roots[1].facts.denied;
		return access_fault(access, object, fault);
	}
	if (access_by_availability(lease->agent, access, ret) < 0) {
		verdict_note(lease, AVAILABILITY,
			     &access->results[AVAILABILITY]);
		return access_fault(access, object, fault);
	}
	verdict_note(lease, AVAILABILITY, &access->results[AVAILABILITY]);
	verdict_enter_fallback(lease);
	verdict_enter_state(lease, policy, verdict.step, verdict.why);
	return 0;
}

int lease_get_key(struct agent *agent, struct policy *policy,
		  struct svcenc_secret **ret, struct svcenc_fault *fault)
{
	const struct right_key right = { &policy->key, policy->check };
	struct policy before;
	struct access access = { .wraps = policy->wraps,
				 .accept = is_right_key,
				 .what = &right };
	struct lease *lease = lease_of(agent, policy);
	unsigned int i;
	int r;

	if (!lease)
		return svcenc_fault_memory(fault);
	lease_key_look(lease);
	r = access_by_roots(agent, &access, ret);
	policy_catch_up(agent, policy); /* that may have taken seconds */
	before = *policy;
	for (i = 0; i < ROOTS; i++)
		verdict_note(lease, i, &access.results[i]);
	verdict_weigh(lease);
	if (r < 0)
		r = get_key_in_outage(lease, policy, &access, ret, fault);
	else if (policy->state == SVCENC_POLICY_LOCKED ||
		 policy->state == SVCENC_POLICY_FALLBACK)
		verdict_enter_state(
			lease, policy, SVCENC_STEP_ROOT_MISSING,
			"a root opens again; the next probe asks both");
	verdict_remember(lease, policy, &before);
	if (!r)
		log_audit("policy key of '%s' version %u unwrapped",
			  policy_label(lease->agent, policy),
			  policy->key.version);
	return r;
}

/* --- looking again and again ---------------------------------------------- */

/* Runs in the first loop, as a request would: it waits for vaults. */
static int on_mend(sd_event_source *source, void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct lease *lease = userdata;
	struct policy policy;

	(void)sd_event_source_set_enabled(source, SD_EVENT_OFF);
	if (policy_find_key(lease->agent, &lease->key, &policy, &fault) < 0 ||
	    !policies_mend_probes(lease->agent, &policy))
		return 0;
	if (policy_save(lease->agent, &policy, &fault) < 0)
		log_error("probes of policy '%s' are not stored: %s",
			  policy_label(lease->agent, &policy), fault.message);
	return 0;
}

/* A recovered policy may lack a probe of a root that was out of reach. */
static void mend_probes(struct lease *lease, const struct policy *policy)
{
	unsigned int i;

	for (i = 0; i < MODEL_ROLES && policy->probes[i].blob_len; i++)
		;
	if (i == MODEL_ROLES)
		return;
	if (!lease->mending)
		(void)sd_event_add_defer(lease->agent->event, &lease->mending,
					 on_mend, lease);
	else
		(void)sd_event_source_set_enabled(lease->mending,
						  SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct lease *lease = userdata;
	struct policy policy;

	(void)source;
	(void)usec;
	lease_key_glance(lease);
	if (policy_find_key(lease->agent, &lease->key, &policy, &fault) < 0 ||
	    !policy.ready || (!lease->key_live && !lease_key_volumes(lease))) {
		lease_rest(lease);
		return 0;
	}
	lease->state = policy.state;
	mend_probes(lease, &policy);
	probe_begin(lease, &policy);
	return 0;
}

/* --- what others ask for -------------------------------------------------- */

/* It lives and is looked at: one unwrap serves all volumes of a policy. */
static bool is_watched(const struct lease *lease)
{
	return lease->key_live && (lease->round || lease->timer);
}

int lease_need(struct agent *agent, struct policy *policy,
	       struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct lease *lease = lease_of(agent, policy);
	int r;

	if (!lease)
		return svcenc_fault_memory(fault);
	if (!kernel_ready(agent))
		return kernel_fault(-ENOPKG, "use a policy key", fault);
	if (policy->held) {
		policy->held = false;
		r = policy_save(agent, policy, fault);
		if (r < 0)
			return r;
	}
	lease_key_look(lease);
	if (is_watched(lease))
		return 0;
	r = lease_get_key(agent, policy, &key, fault);
	if (!r)
		r = lease_key_install(lease, policy, key, fault);
	if (!r)
		lease_schedule(lease, 0);
	return r;
}

void lease_settle(struct agent *agent, const struct svcenc_keyid *key)
{
	struct lease *lease = find(agent, key);
	int r;

	if (!lease || lease_key_volumes(lease))
		return;
	r = sys_key_revoke(key);
	kernel_forget_glance(agent);
	if (!r)
		lease->own_ends++;
	else if (r != -ENOKEY && r != -ENOPKG)
		log_warning("an unused policy key cannot be ended: %s",
			    strerror(-r));
	lease->key_live = false;
	lease_rest(lease);
}

void lease_look(struct agent *agent, const struct policy *policy)
{
	struct lease *lease;

	for (lease = agent->leases; lease; lease = lease->next)
		if (svcenc_uuid_equal(&lease->key.policy,
				      &policy->key.policy) &&
		    (lease->timer || lease->round))
			lease_schedule(lease, 0);
}

int64_t lease_next_end_ms(const struct agent *agent)
{
	const struct lease *lease;
	int64_t least = -1, left;

	for (lease = agent->leases; lease; lease = lease->next) {
		left = lease->lease_end_ms - agent_now_ms();
		if (lease->key_live && (least < 0 || left < least))
			least = left > 0 ? left : 0;
	}
	return least;
}

/* Ended by hand: an administrator's word, until a volume is opened again. */
static bool is_by_hand(const char *reason)
{
	return !strcmp(reason, "revoked") || !strcmp(reason, "unlinked") ||
	       !strcmp(reason, "timeout");
}

void lease_on_event(struct agent *agent, const struct sys_genl_event *event)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct lease *lease = find(agent, &event->key);
	struct policy policy;

	/* each volume that a key's end locks has an event of its own, too */
	if (event->event != SVCENC_EVENT_KEY_LOST || event->has_uuid || !lease)
		return;
	if (lease->own_ends) {
		lease->own_ends--;
		return;
	}
	lease_key_look(lease);
	if (lease->key_live)
		return; /* an older key of that name; a new one lives */
	if (policy_find_key(agent, &lease->key, &policy, &fault) < 0)
		return;
	log_audit("key of policy '%s' ended in the kernel: %s",
		  policy_label(agent, &policy), event->reason);
	if (is_by_hand(event->reason) && !policy.held) {
		policy.held = true;
		if (policy_save(agent, &policy, &fault) < 0)
			log_error("%s", fault.message);
		snprintf(
			lease->why, sizeof(lease->why),
			"the key was ended by hand (%.32s); 'svcenc open' brings "
			"it back",
			event->reason);
	}
	if (lease_key_volumes(lease))
		lease_schedule(lease, SOON_MS);
}

/* --- start and end -------------------------------------------------------- */

/*
 * Somewhere within the probe interval; at once when half of the lease is over,
 * as we may be started again and again; and soon if the key does not live, as
 * somebody waits for it.
 */
static int64_t adopt_delay_ms(const struct lease *lease,
			      const struct policy *policy)
{
	const int64_t to_spare = lease->lease_end_ms - agent_now_ms() -
				 (int64_t)policy->rules.lease_s * 500;
	int64_t most = (int64_t)policy->rules.probe_s * 1000;
	unsigned short part = 0;

	if (!lease->key_live && most > ADOPT_LOCKED_MS)
		most = ADOPT_LOCKED_MS;
	if (lease->key_live && to_spare < most)
		most = to_spare;
	(void)RAND_bytes((unsigned char *)&part, sizeof(part));
	return most > 0 ? most * part / 65536 : 0;
}

static void adopt_volume(struct agent *agent,
			 const struct sys_genl_device *device, void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct volume volume;
	struct policy policy;
	struct lease *lease;

	(void)userdata;
	if (policy_find_key(agent, &device->key, &policy, &fault) < 0)
		return;
	/* freshness: the newest durable seq, in case we died before saving */
	if (volume_by_uuid(agent, &device->uuid, &volume) &&
	    device->seq > volume.seq) {
		volume.seq = device->seq;
		volume.epoch = device->epoch;
		if (volume_save(agent, &volume, &fault) < 0)
			log_error("%s", fault.message);
	}
	lease = lease_of(agent, &policy);
	if (!lease || lease->timer)
		return; /* by another of its volumes */
	lease->adopted = true;
	agent->leases_found++;
	lease_key_glance(lease);
	lease_schedule(lease, adopt_delay_ms(lease, &policy));
}

void lease_adopt(struct agent *agent)
{
	(void)kernel_each_volume(agent, NULL, adopt_volume, NULL);
}

void lease_progress(const struct agent *agent, struct lease_progress *ret)
{
	const struct lease *lease;
	size_t waiting = 0;

	for (lease = agent->leases; lease; lease = lease->next)
		waiting += lease->adopted;
	ret->found = agent->leases_found;
	ret->probed = agent->leases_found - waiting;
}

void lease_tell_progress(struct lease *lease)
{
	struct lease_progress progress;

	lease->adopted = false;
	lease_progress(lease->agent, &progress);
	(void)sd_notifyf(0, "STATUS=%zu of %zu policies in use probed",
			 progress.probed, progress.found);
}

void lease_look_anew(struct agent *agent)
{
	struct lease *lease;

	for (lease = agent->leases; lease; lease = lease->next) {
		lease->own_ends = 0; /* their events may be among the lost */
		lease_schedule(lease, 0);
	}
}

void lease_stop(struct agent *agent)
{
	struct lease *lease;

	while ((lease = agent->leases)) {
		agent->leases = lease->next;
		lease_rest(lease);
		lease->mending = sd_event_source_disable_unref(lease->mending);
		free(lease);
	}
}
