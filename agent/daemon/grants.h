/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Grants: an officer's word that the availability key of a policy with
 * availability = ask may bridge an outage, why, and for how long. One per
 * policy; stored, so that a restart neither loses nor prolongs it. Knows no
 * vault and no lease; what a grant means is policy.c's business.
 */
#ifndef SVCENC_DAEMON_GRANTS_H
#define SVCENC_DAEMON_GRANTS_H

#include "model.h"
#include "moment.h"

enum {
	GRANT_REASON_MAX = 200, /* bytes */
	GRANT_MIN_S = 60,
};

struct grant {
	char reason[GRANT_REASON_MAX + 1];
	uint32_t uid; /* the officer's */
	uint32_t for_s;
	struct moment since;
};

/* Is there one, ended or not? One that does not read is none. */
bool grant_find(struct agent *agent, const struct policy *policy,
		struct grant *ret);
/* Milliseconds until it ends; 0: it has ended. */
int64_t grant_left_ms(const struct grant *grant);
/* The same of whatever the store has for @policy; 0: no grant. */
int64_t grants_left_ms(struct agent *agent, const struct policy *policy);

/* Replaces one that is there. Both are one durable transaction. */
int grant_save(struct agent *agent, const struct policy *policy,
	       const struct grant *grant, struct svcenc_fault *fault);
/* NOT_FOUND if there is none. */
int grant_delete(struct agent *agent, const struct policy *policy,
		 struct svcenc_fault *fault);

#endif
