/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy keys in the kernel: brought there, kept there while the policy's
 * rules allow it (a probe of its roots, then a renewed lease), ended when
 * they do not. Asks policy.c what to do and does it; the only place that
 * changes a policy's state, and the one that logs it.
 *
 * A policy is probed while its key lives or a volume of it is mapped. A
 * restarted agent finds both in the kernel and goes on from there: it renews,
 * and touches no mapping that works.
 */
#ifndef SVCENC_DAEMON_LEASE_H
#define SVCENC_DAEMON_LEASE_H

#include "access.h"

struct lease_root {
	struct svcenc_policy_root facts;
	struct vault_result last;
	int64_t answered_ms; /* 0 = never */
};

struct lease {
	struct lease *next;
	struct agent *agent;
	struct svcenc_keyid key;
	struct lease_root roots[MODEL_ROLES];
	bool in_doubt; /* no root has opened since doubt_since_ms */
	int64_t doubt_since_ms;
	bool in_fallback; /* cleared by the next OK of root a or b only */
	int64_t fallback_since_ms;
	bool key_live; /* as of the last look */
	int64_t lease_end_ms;
	unsigned int own_ends; /* events to come of ends that we caused */
	char why[192];
	sd_event_source *timer;
};

/* Finds what lives in the kernel; at start and when the module appears. */
void lease_adopt(struct agent *agent);
/* Probes all that are watched, soon; after lost events. */
void lease_look_anew(struct agent *agent);
void lease_stop(struct agent *agent);
void lease_on_event(struct agent *agent, const struct sys_genl_event *event);

/* Never fails but for memory: then NULL. */
struct lease *lease_of(struct agent *agent, const struct policy *policy);

/*
 * The policy key by the rules. Notes the answers; updates and saves *@policy.
 */
int lease_get_key(struct agent *agent, struct policy *policy,
		  struct svcenc_secret **ret, struct svcenc_fault *fault);

/*
 * Sees to it that the policy's key lives in the kernel and is watched; clears
 * "held": somebody has asked for it. Updates *@policy.
 */
int lease_need(struct agent *agent, struct policy *policy,
	       struct svcenc_fault *fault);

/* After a close: ends the key if no mapping uses it any more. */
void lease_settle(struct agent *agent, const struct svcenc_keyid *key);

/* Reads from the kernel whether the key lives. */
void lease_refresh(struct lease *lease);

#endif
