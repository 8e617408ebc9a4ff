/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy key in the kernel: added, renewed, ended, and what follows for the
 * volumes under it: unlocked, or their filesystems shut down. Asks no vault
 * and decides nothing.
 */
#ifndef SVCENC_DAEMON_LEASE_KEY_H
#define SVCENC_DAEMON_LEASE_KEY_H

#include "lease.h"

/* Reads from the kernel whether the key lives. */
void lease_key_look(struct lease *lease);
/* The same from what was read a moment ago; for the many looks of probes. */
void lease_key_glance(struct lease *lease);

/* Mapped volumes under the key. */
size_t lease_key_volumes(struct lease *lease);

/* Adds it with the policy's lease; unlocks what waits for it. */
int lease_key_install(struct lease *lease, const struct policy *policy,
		      const struct svcenc_secret *key,
		      struct svcenc_fault *fault);
/* 0; -ENOKEY: it does not live. */
int lease_key_renew(struct lease *lease, const struct policy *policy);

/* Ends it now. @withdrawn: also what on_withdrawal wants. */
void lease_key_end(struct lease *lease, const struct policy *policy,
		   bool withdrawn);

#endif
