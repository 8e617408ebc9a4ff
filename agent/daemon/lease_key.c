// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "keyctl.h"
#include "lease_key.h"
#include "log.h"
#include "step.h"
#include "withdraw.h"

static void take_key(struct lease *lease, int found,
		     const struct sys_genl_key *key)
{
	lease->key_live = found == 1;
	if (lease->key_live)
		lease->lease_end_ms =
			agent_now_ms() + (int64_t)key->lease_left_ms;
}

void lease_key_look(struct lease *lease)
{
	struct sys_genl_key key;

	take_key(lease, kernel_find_key(lease->agent, &lease->key, &key), &key);
}

void lease_key_glance(struct lease *lease)
{
	struct sys_genl_key key;

	take_key(lease, kernel_glance_key(lease->agent, &lease->key, &key),
		 &key);
}

static void count_volume(struct agent *agent,
			 const struct sys_genl_device *device, void *userdata)
{
	(void)agent;
	(void)device;
	++*(size_t *)userdata;
}

size_t lease_key_volumes(struct lease *lease)
{
	size_t count = 0;

	(void)kernel_each_volume(lease->agent, &lease->key, count_volume,
				 &count);
	return count;
}

/* --- alive ---------------------------------------------------------------- */

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
	kernel_forget_glance(agent);
	if (r < 0)
		log_warning("volume '%s' cannot be unlocked: %s", volume.name,
			    strerror(-r));
	else
		log_audit("volume '%s' unlocked", volume.name);
}

int lease_key_install(struct lease *lease, const struct policy *policy,
		      const struct svcenc_secret *key,
		      struct svcenc_fault *fault)
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
	kernel_forget_glance(lease->agent);
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

int lease_key_renew(struct lease *lease, const struct policy *policy)
{
	int r = -ENOKEY;

	if (lease->key_live)
		r = sys_genl_lease(lease->agent->genl, &lease->key,
				   policy->rules.lease_s);
	if (r < 0)
		return r;
	lease->lease_end_ms =
		agent_now_ms() + (int64_t)policy->rules.lease_s * 1000;
	/* a mapping may have missed its unlock in a crash */
	if (!policy->held)
		(void)kernel_glance_volumes(lease->agent, &lease->key,
					    unlock_volume, NULL);
	return 0;
}

/* --- ended ---------------------------------------------------------------- */

struct shutting {
	const struct policy *policy;
	int mounts;
};

static bool is_to_shut_down(struct agent *agent,
			    const struct sys_genl_device *device,
			    const struct policy *policy)
{
	struct volume volume;

	if (volume_by_uuid(agent, &device->uuid, &volume) &&
	    volume.on_withdrawal)
		return volume.on_withdrawal ==
		       SVCENC_ON_WITHDRAWAL_SHUTDOWN + 1;
	return policy->rules.on_withdrawal == SVCENC_ON_WITHDRAWAL_SHUTDOWN;
}

static void shut_down_volume(struct agent *agent,
			     const struct sys_genl_device *device,
			     void *userdata)
{
	struct shutting *shutting = userdata;
	int count;

	if (!is_to_shut_down(agent, device, shutting->policy))
		return;
	count = withdraw_shutdown(device->devno);
	shutting->mounts += count;
	if (count)
		log_audit("filesystem on mapping %s shut down: its key was "
			  "withdrawn",
			  device->devno);
}

void lease_key_end(struct lease *lease, const struct policy *policy,
		   bool withdrawn)
{
	struct shutting shutting = { .policy = policy };
	int r;

	r = sys_key_revoke(&lease->key);
	kernel_forget_glance(lease->agent);
	if (!r)
		lease->own_ends++;
	else if (r != -ENOKEY && r != -ENOPKG)
		log_error("the key of policy '%s' cannot be ended: %s",
			  policy_label(lease->agent, policy), strerror(-r));
	lease->key_live = false;
	if (!withdrawn)
		return;
	(void)kernel_each_volume(lease->agent, &lease->key, shut_down_volume,
				 &shutting);
	if (shutting.mounts)
		withdraw_drop_caches();
}
