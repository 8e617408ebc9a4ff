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

struct round;

struct lease {
	struct lease *next;
	struct agent *agent;
	struct svcenc_keyid key;
	enum svcenc_policy_state state; /* as of the last look */
	struct round *round; /* probe.h: a look at the roots is under way */
	bool adopted;	     /* found at our start, and not probed yet */
	bool withdrawn;	     /* what on_withdrawal wants is done */
	struct lease_root roots[MODEL_ROLES];
	bool in_doubt; /* no root has opened since doubt_since_ms */
	int64_t doubt_since_ms;
	bool in_fallback; /* cleared by the next OK of root a or b only */
	int64_t fallback_since_ms;
	int64_t granted_until_ms; /* as of the last look; 0 = no grant */
	bool key_live;		  /* as of the last look */
	int64_t lease_end_ms;
	unsigned int own_ends; /* events to come of ends that we caused */
	char why[192];
	sd_event_source *timer;	  /* in the watch; NULL: nobody looks */
	sd_event_source *mending; /* in the first loop: missing probes */
};

/*
 * Finds what lives in the kernel; at start and when the module appears. Its
 * probes are spread over the probe interval, so that a restart with many
 * policies does not run into a vault that throttles.
 */
void lease_adopt(struct agent *agent);
/* Of those found at the start: how many there were, how many are probed. */
struct lease_progress {
	size_t found;
	size_t probed;
};
void lease_progress(const struct agent *agent, struct lease_progress *ret);
/* This one is probed now; tells the service manager. */
void lease_tell_progress(struct lease *lease);
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

/* For probe.c: the next look, @delay_ms from now; or none. */
void lease_schedule(struct lease *lease, int64_t delay_ms);
void lease_rest(struct lease *lease);
/* Reads what of the store counts for the next verdict. */
void lease_recall_grant(struct lease *lease, const struct policy *policy);

/* After a change of its rules or grant: looks at once, by all of its keys. */
void lease_look(struct agent *agent, const struct policy *policy);

/* The earliest end of a live key, ms from now; -1: none lives. */
int64_t lease_next_end_ms(const struct agent *agent);

#endif
