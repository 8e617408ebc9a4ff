/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root versions that a policy has used before: which may go, and what still
 * refers to the others. A version that a volume's header or a record of the
 * store names is never forgotten: somebody would disable it, and lose data.
 */
#ifndef SVCENC_DAEMON_RETIRE_H
#define SVCENC_DAEMON_RETIRE_H

#include "model.h"

/*
 * Array of {role, vault, kid, state, referenced_by}: state is "current",
 * "referenced", or "retired" (forgotten just now: its owner may disable it).
 * *@ret_roots is the caller's, also on failure.
 */
int retire_roots(struct agent *agent, const struct policy *policy,
		 json_t **ret_roots, struct svcenc_fault *fault);

#endif
