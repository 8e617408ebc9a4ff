/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Roots as parameters of methods, for those that make or change a policy. */
#ifndef SVCENC_DAEMON_METHODS_ROOTS_H
#define SVCENC_DAEMON_METHODS_ROOTS_H

#include "methods.h"
#include "policies.h"

/*
 * "VAULT:KEY" of roots a and b, or NULL for both: into @specs, which @wish
 * points to then, and @wish.
 */
int methods_take_roots(struct request *request, const char *root_a,
		       const char *root_b, struct svcenc_rootspec specs[2],
		       struct policy_wish *wish);

#endif
