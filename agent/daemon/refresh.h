/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Brings the header of a volume to what its policy is now: the volume key
 * under the policy's current key (the kernel's rewrap), the policy record with
 * its current wraps. For open and for closed volumes; a closed one is mapped
 * for moments under a name of its own, hidden from udev. Each volume is a
 * sequence of steps between which the agent may be killed; done again, it
 * finishes. Knows nothing of why the policy has changed.
 *
 * Invariant: at each step at least one record copy in the header belongs to
 * the key that the superblock names, and the store still has that key's wraps.
 */
#ifndef SVCENC_DAEMON_REFRESH_H
#define SVCENC_DAEMON_REFRESH_H

#include "model.h"
#include "secret.h"

/* One policy, any number of its volumes. */
struct refresh {
	struct agent *agent;
	struct tenant tenant;
	struct policy policy; /* current */
	struct svcenc_secret *key;
	bool live;			/* the kernel has it */
	struct policy from;		/* the superseded version used last */
	struct svcenc_secret *from_key; /* NULL: none yet */
};

/* Takes @key, which may be NULL: then it is got by the rules when needed. */
int refresh_begin(struct agent *agent, const struct policy *policy,
		  struct svcenc_secret *key, struct refresh *ret,
		  struct svcenc_fault *fault);
/* Wipes, and ends keys in the kernel that no volume uses. */
void refresh_end(struct refresh *refresh);

enum refresh_outcome {
	REFRESH_NOTHING, /* was up to date */
	REFRESH_RECORD,
	REFRESH_REWRAPPED,
};

/* What would be done, as far as the store knows. */
enum refresh_outcome refresh_due(const struct volume *volume,
				 const struct policy *current);

/* Updates and saves *@volume. */
int refresh_volume(struct refresh *refresh, struct volume *volume,
		   enum refresh_outcome *ret, struct svcenc_fault *fault);

/* Removes mappings of moments that a killed agent has left. */
void refresh_clear_remains(struct agent *agent);

#endif
