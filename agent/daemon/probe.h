/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at a policy's roots, without waiting: probe blobs to both roots,
 * a verdict, what follows from it (the availability root is asked, the lease
 * renewed, the key brought back or ended), and when to look again. Runs in
 * the watch (watch.h); one round per lease at a time.
 */
#ifndef SVCENC_DAEMON_PROBE_H
#define SVCENC_DAEMON_PROBE_H

#include "lease.h"

/* @policy is of the store; its key lives or a volume waits for it. */
void probe_begin(struct lease *lease, const struct policy *policy);
/* Ends a round that is under way without a verdict. */
void probe_stop(struct lease *lease);

#endif
