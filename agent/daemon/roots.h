/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root keys of a policy, as their vaults have them: found, made, made
 * anew, checked, and bound to a policy key by a wrap that has been opened
 * again. Stores nothing; knows no state of a policy.
 */
#ifndef SVCENC_DAEMON_ROOTS_H
#define SVCENC_DAEMON_ROOTS_H

#include "model.h"
#include "rootspec.h"
#include "secret.h"
#include "vaults.h"

/* What root @index (role - 1) is called in its vault. */
const char *roots_key_name(const struct policy *policy, unsigned int index,
			   char buf[MODEL_KEY_NAME_SIZE]);

/*
 * The newest version of root @index: of a key of ours, which is made if there
 * is none, or of one that somebody named. Fills vault, kid and alg of *@wrap,
 * whose vault says where; *@wrap may be the policy's own.
 */
int roots_newest(struct agent *agent, const struct policy *policy,
		 unsigned int index, struct svcenc_record_wrap *wrap,
		 struct svcenc_fault *fault);

/*
 * A version other than the one in use. Of a key of ours it is made, unless a
 * run that was cut short has made it; of a named one only its owner can make
 * it: *@ret_is_new is false if he has not.
 */
int roots_newer(struct agent *agent, const struct policy *policy,
		unsigned int index, struct svcenc_record_wrap *wrap,
		bool *ret_is_new, struct svcenc_fault *fault);

/* Wraps @plain with the root of @wrap, opens it again and compares. */
int roots_wrap_proven(struct agent *agent, struct svcenc_record_wrap *wrap,
		      const struct svcenc_secret *plain,
		      struct svcenc_fault *fault);
int roots_make_probe(struct agent *agent, const struct svcenc_record_wrap *wrap,
		     struct probe *ret, struct svcenc_fault *fault);
/*
 * The question whether root @index still opens something: its probe, or the
 * policy key's wrap where a recovered policy has no probe yet.
 */
void roots_fill_probe(const struct policy *policy, unsigned int index,
		      struct unwrap_job *job);
/* Both, for policy->wraps[index], which names the version. */
int roots_bind(struct agent *agent, struct policy *policy, unsigned int index,
	       const struct svcenc_secret *policy_key,
	       struct svcenc_fault *fault);

/*
 * Everything that can be said of a named key before a policy rests on it, and
 * a round trip with a random number. Appends to @checks. @root: "a", "b".
 */
int roots_check(struct agent *agent, const char *root,
		const struct svcenc_rootspec *spec, bool accept_unrecoverable,
		json_t *checks, struct svcenc_fault *fault);

#endif
