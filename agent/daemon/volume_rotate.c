// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Begins and steers rotations: looks whether the wish fits what is, sends the
 * kernel its messages, stores what is durable then. Follows none
 * (rotations.c).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel.h"
#include "log.h"
#include "step.h"
#include "volume_look.h"
#include "volumes.h"

enum { SECTOR = 512, KIB = 1024 };

#define RATE_MAX (1LL << 40)

static const char *const actions[] = {
	[VOLUME_ROTATE_START] = "start",
	[VOLUME_ROTATE_PAUSE] = "pause",
	[VOLUME_ROTATE_RESUME] = "resume",
};

static int find_action(const char *text, enum volume_rotate *ret)
{
	size_t i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i], text))
			continue;
		*ret = (enum volume_rotate)i;
		return 0;
	}
	return -EINVAL;
}

int volumes_check_rotation(const char *action, struct volume_rotation *wish,
			   struct svcenc_fault *fault)
{
	if (find_action(action, &wish->action) < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"action '%.16s' is not one of start, "
					"pause, resume",
					action);
	if (wish->rate < -1 || wish->rate > RATE_MAX || wish->rate % KIB > 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"a rate is a multiple of 1024 bytes "
					"per second, at most 1 TiB, or 0 for "
					"no limit");
	if (wish->skip_unreadable && wish->action != VOLUME_ROTATE_RESUME)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"skip_unreadable goes with resume: "
					"what cannot be read is shown first");
	return 0;
}

/* --- what does not fit ---------------------------------------------------- */

static int refuse_second(const char *name, const struct svcenc_status *status,
			 struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
			 "volume '%s' is being rotated already: %llu of %llu "
			 "MiB done, %.1f%%, %s",
			 name,
			 (unsigned long long)(status->rotation_done * SECTOR /
					      SVCENC_MIB),
			 (unsigned long long)(status->rotation_total * SECTOR /
					      SVCENC_MIB),
			 100.0 * (double)status->rotation_done /
				 (double)status->rotation_total,
			 svcenc_rotation_text(status->rotation));
	return svcenc_fault_hint(fault,
				 "'svcenc rotate %s --resume --wait' goes on "
				 "with it and waits for its end; one more is "
				 "possible then",
				 name);
}

static int check(const struct volume_rotation *wish,
		 const struct sys_dm_info *info,
		 const struct svcenc_status *status, struct svcenc_fault *fault)
{
	const char *name = wish->name;

	if (status->state == SVCENC_STATE_LOCKED) {
		svcenc_fault_set(fault, SVCENC_FAULT_PERMISSION,
				 "volume '%s' is locked: no key is live for it",
				 name);
		return svcenc_fault_hint(fault,
					 "'svcenc open %s' brings it back, if "
					 "its vaults allow; 'svcenc status %s' "
					 "shows why it is gone",
					 name, name);
	}
	if (info->readonly) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "volume '%s' is open read-only", name);
		return svcenc_fault_hint(fault,
					 "'svcenc close %s' and 'svcenc open "
					 "%s'",
					 name, name);
	}
	if (wish->action == VOLUME_ROTATE_START && status->rotation_total)
		return refuse_second(name, status, fault);
	if (wish->action != VOLUME_ROTATE_START && !status->rotation_total) {
		svcenc_fault_set(
			fault, SVCENC_FAULT_USAGE,
			"volume '%s' is not being rotated (epoch %llu)", name,
			(unsigned long long)status->epoch);
		return svcenc_fault_hint(fault, "'svcenc rotate %s' starts it",
					 name);
	}
	return 0;
}

/* Sent and refused: somebody else was faster, or the kernel log has it. */
static int refused(const struct volume_rotation *wish, int error,
		   struct svcenc_fault *fault)
{
	char what[32 + SVCENC_NAME_SIZE];
	struct svcenc_status status;
	struct sys_dm_info info;

	if (!sys_dm_status(wish->name, &status) &&
	    !sys_dm_info(wish->name, &info) &&
	    check(wish, &info, &status, fault) < 0)
		return -EBUSY;
	snprintf(what, sizeof(what), "%s the rotation of '%s'",
		 actions[wish->action], wish->name);
	return kernel_fault(error, what, fault);
}

/* --- messages ------------------------------------------------------------- */

static int send(const struct volume_rotation *wish, const char *message,
		struct svcenc_fault *fault)
{
	const int r = sys_dm_message(wish->name, message);

	svcenc_step("rotate-sent");
	return r < 0 ? refused(wish, r, fault) : 0;
}

static int set_rate(const struct volume_rotation *wish,
		    const struct svcenc_status *status,
		    struct svcenc_fault *fault)
{
	const u64 wanted = wish->rate < 0 ? 0 : (u64)wish->rate / KIB;
	char message[48];

	/* one rotation's limit is not the next one's */
	if (wanted == status->rate_kib_s ||
	    (wish->rate < 0 && wish->action != VOLUME_ROTATE_START))
		return 0;
	snprintf(message, sizeof(message), "rotate rate %llu",
		 (unsigned long long)wanted);
	return send(wish, message, fault);
}

/*
 * Also what seems to be so already: a pause takes a moment to show in the
 * status, and a resume right behind it must not get lost.
 */
static int act(const struct volume_rotation *wish, struct svcenc_fault *fault)
{
	switch (wish->action) {
	case VOLUME_ROTATE_START:
		return send(wish, "rotate start", fault);
	case VOLUME_ROTATE_PAUSE:
		return send(wish, "rotate pause", fault);
	case VOLUME_ROTATE_RESUME:
		return send(wish,
			    wish->skip_unreadable ?
				    "rotate resume skip_unreadable" :
				    "rotate resume",
			    fault);
	}
	return -EINVAL;
}

static int find(struct agent *agent, const struct volume_rotation *wish,
		struct volume *ret, struct sys_dm_info *ret_info,
		struct svcenc_status *ret_status, struct svcenc_fault *fault)
{
	struct policy policy;
	int r;

	r = volume_find_ready(agent, wish->name, ret, &policy, fault);
	if (r < 0)
		return r;
	r = volume_find_mapping(ret, ret_info, fault);
	if (r < 0)
		return r;
	if (!r) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "volume '%s' is closed", wish->name);
		return svcenc_fault_hint(
			fault, "open it first: 'svcenc open %s'", wish->name);
	}
	r = sys_dm_status(wish->name, ret_status);
	return r < 0 ? kernel_fault(r, "read the volume's status", fault) : 0;
}

int volumes_rotate(struct agent *agent, const struct volume_rotation *wish,
		   struct volume *ret, struct svcenc_fault *fault)
{
	struct svcenc_status status;
	struct sys_dm_info info;
	int r;

	r = find(agent, wish, ret, &info, &status, fault);
	if (!r)
		r = check(wish, &info, &status, fault);
	if (!r)
		r = set_rate(wish, &status, fault);
	if (!r)
		r = act(wish, fault);
	if (r < 0)
		return r;
	log_audit("rotation of volume '%s': %s asked for%s", wish->name,
		  actions[wish->action],
		  wish->skip_unreadable ? ", skipping what cannot be read" :
					  "");
	r = sys_dm_status(wish->name, &status);
	if (r < 0)
		return kernel_fault(r, "read the volume's status", fault);
	r = volume_learn(agent, ret, &status, ret->data_len, fault);
	svcenc_step("rotate-stored");
	return r;
}
