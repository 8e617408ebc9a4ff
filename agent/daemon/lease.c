// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "hierarchy.h"
#include "kernel.h"
#include "keyctl.h"
#include "lease.h"
#include "log.h"
#include "policies.h"
#include "step.h"
#include "verdict.h"
#include "withdraw.h"

enum {
	SOON_MS = 20,
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

/*
 * How long ago the fallback began is stored in wall-clock seconds, to outlive
 * a reboot; here it is turned into boot time.
 */
static void recall(struct lease *lease, const struct policy *policy)
{
	int64_t ago_s;
	int i;

	for (i = 0; i < ROOTS; i++)
		lease->roots[i].facts.denied = policy->denied[i];
	lease->in_fallback = policy->fallback_since != 0;
	ago_s = model_wall_s() - policy->fallback_since;
	lease->fallback_since_ms =
		agent_now_ms() - (ago_s > 0 ? ago_s * 1000 : 0);
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

static void schedule(struct lease *lease, int64_t delay_ms)
{
	const uint64_t delay_us =
		(uint64_t)(delay_ms > 0 ? delay_ms : 0) * 1000;

	if (!lease->timer) {
		(void)sd_event_add_time_relative(lease->agent->event,
						 &lease->timer, CLOCK_BOOTTIME,
						 delay_us, 1000, on_timer,
						 lease);
		return;
	}
	(void)sd_event_source_set_time_relative(lease->timer, delay_us);
	(void)sd_event_source_set_enabled(lease->timer, SD_EVENT_ONESHOT);
}

static void rest(struct lease *lease)
{
	lease->timer = sd_event_source_disable_unref(lease->timer);
}

/* --- the kernel's side ---------------------------------------------------- */

void lease_refresh(struct lease *lease)
{
	struct sys_genl_key key;

	lease->key_live = kernel_find_key(lease->agent, &lease->key, &key) == 1;
	if (lease->key_live)
		lease->lease_end_ms =
			agent_now_ms() + (int64_t)key.lease_left_ms;
}

static void count_volume(struct agent *agent,
			 const struct sys_genl_device *device, void *userdata)
{
	(void)agent;
	(void)device;
	++*(size_t *)userdata;
}

static size_t volumes_under(struct lease *lease)
{
	size_t count = 0;

	(void)kernel_each_volume(lease->agent, &lease->key, count_volume,
				 &count);
	return count;
}

/* Messages are sent by name, and the kernel's dump has device numbers. */
static void unlock_volume(struct agent *agent,
			  const struct sys_genl_device *device, void *userdata)
{
	char message[16 + SVCENC_KEYID_TEXT], key[SVCENC_KEYID_TEXT + 1];
	struct volume volume;
	int r;

	(void)userdata;
	if (device->state != SVCENC_STATE_LOCKED ||
	    !volume_by_uuid(agent, &device->uuid, &volume))
		return;
	svcenc_keyid_print(&device->key, key);
	snprintf(message, sizeof(message), "unlock %s", key);
	r = sys_dm_message(volume.name, message);
	if (r < 0)
		log_warning("volume '%s' cannot be unlocked: %s", volume.name,
			    strerror(-r));
	else
		log_audit("volume '%s' unlocked", volume.name);
}

static int install(struct lease *lease, const struct policy *policy,
		   const struct svcenc_secret *key, struct svcenc_fault *fault)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	struct svcenc_key_payload *payload;
	int r;

	room = svcenc_secret_new(sizeof(*payload));
	if (!room)
		return svcenc_fault_memory(fault);
	payload = (struct svcenc_key_payload *)svcenc_secret_bytes(room);
	memcpy(payload->key, svcenc_secret_peek(key), sizeof(payload->key));
	r = sys_key_add(&lease->key, policy->rules.lease_s, payload, NULL);
	if (r == -EKEYREJECTED) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "the kernel holds another key under the name "
				 "of policy '%s'",
				 policy_label(lease->agent, policy));
		return svcenc_fault_hint(fault,
					 "somebody added a foreign key: close "
					 "its volumes, then 'keyctl revoke' "
					 "it, see 'keyctl show'");
	}
	if (r < 0)
		return kernel_fault(r, "add the policy key to the kernel",
				    fault);
	svcenc_step("lease-key-added");
	lease->key_live = true;
	lease->lease_end_ms =
		agent_now_ms() + (int64_t)policy->rules.lease_s * 1000;
	(void)kernel_each_volume(lease->agent, &lease->key, unlock_volume,
				 NULL);
	return 0;
}

static void shut_down_volume(struct agent *agent,
			     const struct sys_genl_device *device,
			     void *userdata)
{
	(void)agent;
	(void)userdata;
	if (withdraw_shutdown(device->devno) > 0)
		log_audit("filesystem on mapping %s shut down: its key was "
			  "withdrawn",
			  device->devno);
}

static void end_key(struct lease *lease, const struct policy *policy,
		    bool withdrawn)
{
	int r;

	r = sys_key_revoke(&lease->key);
	if (!r)
		lease->own_ends++;
	else if (r != -ENOKEY && r != -ENOPKG)
		log_error("the key of policy '%s' cannot be ended: %s",
			  policy_label(lease->agent, policy), strerror(-r));
	lease->key_live = false;
	if (withdrawn &&
	    policy->rules.on_withdrawal == SVCENC_ON_WITHDRAWAL_SHUTDOWN)
		(void)kernel_each_volume(lease->agent, &lease->key,
					 shut_down_volume, NULL);
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

static void enter_fallback(struct lease *lease)
{
	if (!lease->in_fallback) {
		lease->in_fallback = true;
		lease->fallback_since_ms = agent_now_ms();
	}
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
	verdict_judge(lease, policy, &verdict);
	if (verdict.action != SVCENC_ACTION_FALLBACK) {
		verdict_enter_state(lease, policy, verdict.step, verdict.why);
		if (verdict.action == SVCENC_ACTION_DROP)
			end_key(lease, policy,
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
	enter_fallback(lease);
	verdict_enter_state(lease, policy, verdict.step, verdict.why);
	return 0;
}

int lease_get_key(struct agent *agent, struct policy *policy,
		  struct svcenc_secret **ret, struct svcenc_fault *fault)
{
	const struct right_key right = { &policy->key, policy->check };
	const struct policy before = *policy;
	struct access access = { .wraps = policy->wraps,
				 .accept = is_right_key,
				 .what = &right };
	struct lease *lease = lease_of(agent, policy);
	unsigned int i;
	int r;

	if (!lease)
		return svcenc_fault_memory(fault);
	lease_refresh(lease);
	r = access_by_roots(agent, &access, ret);
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

/* --- probing -------------------------------------------------------------- */

static bool is_right_number(const struct svcenc_secret *plain, const void *what)
{
	const struct probe *probe = what;
	u8 hash[32];

	return !svcenc_hierarchy_sha256(svcenc_secret_peek(plain),
					svcenc_secret_len(plain), hash) &&
	       !CRYPTO_memcmp(hash, probe->hash, sizeof(hash));
}

static void fill_probe(const struct policy *policy, unsigned int index,
		       struct unwrap_job *job)
{
	job->vault = policy->wraps[index].vault;
	job->kid = policy->wraps[index].kid;
	job->blob = policy->probes[index].blob;
	job->blob_len = policy->probes[index].blob_len;
	job->accept = is_right_number;
	job->what = &policy->probes[index];
}

/* A recovered policy may lack a probe of a root that was out of reach. */
static void mend_probes(struct lease *lease, struct policy *policy)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	if (policies_mend_probes(lease->agent, policy) &&
	    policy_save(lease->agent, policy, &fault) < 0)
		log_error("probes of policy '%s' are not stored: %s",
			  policy_label(lease->agent, policy), fault.message);
}

static void ask_roots(struct lease *lease, const struct policy *policy)
{
	static const struct vault_result no_probe = {
		.answer = SVCENC_ANSWER_UNREACHABLE,
		.detail = "the vault was out of reach when the policy was "
			  "recovered, and still is",
	};
	struct unwrap_job jobs[ROOTS];
	unsigned int i, index[ROOTS], count = 0;

	for (i = 0; i < ROOTS; i++) {
		if (policy->probes[i].blob_len) {
			index[count] = i;
			fill_probe(policy, i, &jobs[count++]);
		} else {
			verdict_note(lease, i, &no_probe);
		}
	}
	vaults_unwrap(lease->agent, jobs, count, VAULTS_ALL);
	for (i = 0; i < count; i++) {
		jobs[i].plain = svcenc_secret_free(jobs[i].plain);
		verdict_note(lease, index[i], &jobs[i].result);
	}
	verdict_weigh(lease);
}

static bool ask_availability(struct lease *lease, const struct policy *policy)
{
	struct unwrap_job job;

	fill_probe(policy, AVAILABILITY, &job);
	vaults_unwrap(lease->agent, &job, 1, VAULTS_ALL);
	job.plain = svcenc_secret_free(job.plain);
	verdict_note(lease, AVAILABILITY, &job.result);
	return job.result.answer == SVCENC_ANSWER_OK;
}

/* The key has ended though nobody asked for that: bring it back. */
static void bring_back(struct lease *lease, struct policy *policy)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };

	if (policy->held || !volumes_under(lease))
		return;
	if (lease_get_key(lease->agent, policy, &key, &fault) < 0 ||
	    install(lease, policy, key, &fault) < 0)
		log_error("the key of policy '%s' cannot be brought back: %s",
			  policy_label(lease->agent, policy), fault.message);
	else
		log_audit("key of policy '%s' is back in the kernel",
			  policy_label(lease->agent, policy));
}

static void renew(struct lease *lease, struct policy *policy)
{
	int r = -ENOKEY;

	if (lease->key_live)
		r = sys_genl_lease(lease->agent->genl, &lease->key,
				   policy->rules.lease_s);
	if (!r) {
		lease->lease_end_ms =
			agent_now_ms() + (int64_t)policy->rules.lease_s * 1000;
		/* a mapping may have missed its unlock in a crash */
		if (!policy->held)
			(void)kernel_each_volume(lease->agent, &lease->key,
						 unlock_volume, NULL);
		return;
	}
	if (r == -ENOKEY)
		bring_back(lease, policy);
	else
		log_error("the lease of policy '%s' cannot be renewed: %s",
			  policy_label(lease->agent, policy), strerror(-r));
}

static void act(struct lease *lease, struct policy *policy,
		struct svcenc_policy_verdict *verdict)
{
	if (verdict->action == SVCENC_ACTION_DROP && lease->key_live)
		end_key(lease, policy, verdict->step == SVCENC_STEP_WITHDRAWN);
	if (verdict->action == SVCENC_ACTION_FALLBACK) {
		if (ask_availability(lease, policy)) {
			enter_fallback(lease);
		} else {
			verdict->action = SVCENC_ACTION_WAIT;
			verdict->step = lease->key_live ?
						SVCENC_STEP_ROOT_MISSING :
						SVCENC_STEP_LEASE_OVER;
			verdict->why = "no root answers, and the availability "
				       "key does not open; the lease runs out";
		}
	}
	verdict_enter_state(lease, policy, verdict->step, verdict->why);
	if (verdict->action == SVCENC_ACTION_RENEW ||
	    verdict->action == SVCENC_ACTION_FALLBACK)
		renew(lease, policy);
}

/* *@policy is of the store and is brought up to date. */
static void probe(struct lease *lease, struct policy *policy)
{
	struct policy before = *policy;
	struct svcenc_policy_verdict verdict;

	lease_refresh(lease);
	mend_probes(lease, policy);
	ask_roots(lease, policy);
	verdict_judge(lease, policy, &verdict);
	act(lease, policy, &verdict);
	verdict_remember(lease, policy, &before);
	schedule(lease, verdict.next_probe_ms);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct lease *lease = userdata;
	struct policy policy;

	(void)source;
	(void)usec;
	if (policy_find_key(lease->agent, &lease->key, &policy, &fault) < 0 ||
	    !policy.ready) {
		rest(lease);
		return 0;
	}
	lease_refresh(lease);
	if (!lease->key_live && !volumes_under(lease)) {
		rest(lease);
		return 0;
	}
	probe(lease, &policy);
	return 0;
}

/* --- what others ask for -------------------------------------------------- */

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
	lease_refresh(lease);
	if (!lease->key_live) {
		r = lease_get_key(agent, policy, &key, fault);
		if (r < 0)
			return r;
		r = install(lease, policy, key, fault);
		if (r < 0)
			return r;
	}
	probe(lease, policy);
	if (lease->key_live)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_VAULT_DENIED,
			 "policy '%s' is %s: %s",
			 policy_label(lease->agent, policy),
			 svcenc_policy_state_text(policy->state), lease->why);
	return svcenc_fault_hint(fault, "'svcenc policy show' shows the state "
					"of its roots");
}

void lease_settle(struct agent *agent, const struct svcenc_keyid *key)
{
	struct lease *lease = find(agent, key);
	int r;

	if (!lease || volumes_under(lease))
		return;
	r = sys_key_revoke(key);
	if (!r)
		lease->own_ends++;
	else if (r != -ENOKEY && r != -ENOPKG)
		log_warning("an unused policy key cannot be ended: %s",
			    strerror(-r));
	lease->key_live = false;
	rest(lease);
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
	lease_refresh(lease);
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
	if (volumes_under(lease))
		schedule(lease, SOON_MS);
}

/* --- start and end -------------------------------------------------------- */

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
	if (lease)
		schedule(lease, 0);
}

void lease_adopt(struct agent *agent)
{
	(void)kernel_each_volume(agent, NULL, adopt_volume, NULL);
}

void lease_look_anew(struct agent *agent)
{
	struct lease *lease;

	for (lease = agent->leases; lease; lease = lease->next) {
		lease->own_ends = 0; /* their events may be among the lost */
		schedule(lease, 0);
	}
}

void lease_stop(struct agent *agent)
{
	struct lease *lease;

	while ((lease = agent->leases)) {
		agent->leases = lease->next;
		rest(lease);
		free(lease);
	}
}
