/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a policy after it was made: roll, rekey, other roots, a lost
 * root replaced. Each is one shape: new wraps are made and each is opened
 * again, then one transaction puts them into the store, then (pass.h) the
 * headers follow. Killed before the transaction, nothing has changed; after
 * it, policy->task says what is to be gone on with, and the same verb does.
 *
 * Invariant: a policy key that any header names has wraps in the store that
 * were opened once; none is dropped before the last volume has left it.
 */
#ifndef SVCENC_DAEMON_CHANGE_H
#define SVCENC_DAEMON_CHANGE_H

#include "policies.h"
#include "secret.h"

struct change {
	bool changed; /* false: it was so already, or is being gone on with */
	struct svcenc_secret *key; /* of the policy as it is now; the caller's */
	json_t *checks;		   /* array; borrowed */
	json_t *notes;		   /* array; borrowed */
};

/* Bits of roots: 1 << (role - 1). */
enum { CHANGE_ROOTS_AB = 3, CHANGE_ROOTS_ALL = 7 };

/* All update *@policy to what is stored. */

/* New versions of root keys; the policy key stays. */
int change_roll(struct agent *agent, struct policy *policy, unsigned int roots,
		struct change *ret, struct svcenc_fault *fault);
/* A new policy key, under the newest versions of the same roots. */
int change_rekey(struct agent *agent, struct policy *policy, struct change *ret,
		 struct svcenc_fault *fault);
/* A new policy key under other roots; @wish->name and ->rules do not count. */
int change_roots(struct agent *agent, struct policy *policy,
		 const struct policy_wish *wish, struct change *ret,
		 struct svcenc_fault *fault);
/*
 * Root @index is lost for good: another takes its place, or its vault's new
 * one (@spec NULL).
 */
int change_recover(struct agent *agent, struct policy *policy,
		   unsigned int index, const struct svcenc_rootspec *spec,
		   bool accept_unrecoverable, struct change *ret,
		   struct svcenc_fault *fault);

#endif
