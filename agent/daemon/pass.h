/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a change of a policy: its headers, one volume after the other, for as
 * long as one call may take; the caller calls again behind the last name. What
 * cannot be reached is told and left to the next open. At the end the change
 * is done: keys that no volume is under any more are forgotten.
 */
#ifndef SVCENC_DAEMON_PASS_H
#define SVCENC_DAEMON_PASS_H

#include "model.h"
#include "secret.h"

struct pass {
	u32 rewrapped;
	u32 records;
	json_t *unreached; /* array of {volume, device, key, why, hint} */
	char next[SVCENC_NAME_SIZE]; /* go on behind it; "" = done */
};

/*
 * Takes @key, the policy's, which may be NULL. @after: name of a volume or "".
 * *@policy is brought up to date. Fails only as a whole; a volume that is not
 * reached is no failure.
 */
int pass_run(struct agent *agent, struct policy *policy,
	     struct svcenc_secret *key, const char *after, struct pass *ret,
	     struct svcenc_fault *fault);

/*
 * How many volumes the policy has, under all of its keys; the names of those
 * whose header is not what it should be.
 */
json_t *pass_survey(struct agent *agent, const struct policy *policy,
		    size_t *ret_volumes);

/* Superseded keys under which no volume is: ended and forgotten. */
int pass_forget_unused(struct agent *agent, const struct svcenc_uuid *policy,
		       struct svcenc_fault *fault);

#endif
