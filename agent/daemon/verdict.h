/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From answers to a state: what a lease remembers of its roots' answers, the
 * question to policy.c, the change of state and what of it is stored. Asks no
 * vault and touches no key: lease.c does.
 */
#ifndef SVCENC_DAEMON_VERDICT_H
#define SVCENC_DAEMON_VERDICT_H

#include "lease.h"

/* Takes in one answer of root @index (role - 1). */
void verdict_note(struct lease *lease, unsigned int index,
		  const struct vault_result *result);

/* After new answers of a and b: does the doubt begin, go on, or end? */
void verdict_weigh(struct lease *lease);

void verdict_judge(struct lease *lease, const struct policy *policy,
		   struct svcenc_policy_verdict *ret);

/* The availability root has opened in an outage. */
void verdict_enter_fallback(struct lease *lease);

/* The one place where a policy changes its state; logs it. */
void verdict_enter_state(struct lease *lease, struct policy *policy,
			 enum svcenc_policy_step step, const char *why);

/* Stores what must outlive the agent, if it differs from @before. */
void verdict_remember(struct lease *lease, struct policy *policy,
		      const struct policy *before);

#endif
