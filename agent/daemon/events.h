/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has happened to policies, for people and programs: each event is told
 * to the journal with fields, and the last ones are kept in memory for
 * ListEvents. Decides nothing, and knows no key.
 */
#ifndef SVCENC_DAEMON_EVENTS_H
#define SVCENC_DAEMON_EVENTS_H

#include "vaults.h"

enum {
	EVENTS_KEPT = 256,
	EVENTS_WHY_SIZE = 256,
};

/* MESSAGE_ID of the journal: journalctl MESSAGE_ID=... */
#define EVENTS_ID_STATE "6b1c7f0e8d5a4c0f9a2f4f6c1d7be9a3"
#define EVENTS_ID_GRANT "c3f2a8d45e7b4d1c8b60a97e2f1d8c54"

struct policy_change {
	const struct policy *policy; /* in its new state */
	enum svcenc_policy_state before;
	const struct vault_result *a, *b; /* the last answers of its roots */
	const char *why;
};

void events_policy_state(struct agent *agent,
			 const struct policy_change *change);

/* @what: "grant" or "grant-revoked"; @why: the officer's reason. */
void events_grant(struct agent *agent, const struct policy *policy,
		  const char *what, const char *why, uid_t uid);

/* Those after number @after, the oldest first; *@ret_last: the last number. */
json_t *events_list(json_int_t after, json_int_t *ret_last);

#endif
