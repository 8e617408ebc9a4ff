/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Getting at a policy key through three wraps: roots a and b hedged, the
 * availability root only where the rules allow it. Returns the key; where it
 * goes is the caller's business. Knows no store and no kernel.
 */
#ifndef SVCENC_DAEMON_ACCESS_H
#define SVCENC_DAEMON_ACCESS_H

#include "model.h"
#include "vaults.h"

struct access {
	const struct svcenc_record_wrap *wraps; /* indexed by role - 1 */
	bool (*accept)(const struct svcenc_secret *plain, const void *what);
	const void *what;
	bool denied; /* a root's owner had said no, and not yes since */
	struct vault_result results[MODEL_ROLES]; /* out */
};

/*
 * Roots a and b, in random order. 0: *@ret is the policy key; -EREMOTEIO:
 * neither opened, see results.
 */
int access_by_roots(struct agent *agent, struct access *access,
		    struct svcenc_secret **ret);
/* The availability root. Only after the rules have said so. */
int access_by_availability(struct agent *agent, struct access *access,
			   struct svcenc_secret **ret);

/*
 * Why nothing opened, as one fault: DENIED weighs most, then what must be
 * corrected, an outage least. A denial from before an outage is still one.
 */
int access_fault(const struct access *access, const char *object,
		 struct svcenc_fault *fault);

#endif
