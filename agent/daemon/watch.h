/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second event loop, agent->watch: timers of leases, and every call to a
 * vault. It runs within the first one, and goes on while a request waits in
 * the first one for an answer, so that no slow vault or long request delays
 * what the bounds of section "WHEN A KEY IS WITHDRAWN" of svcencd(8) promise.
 *
 * Rule: whoever runs in the watch never waits (watch_wait() is for requests),
 * and reads from the store what it is going to change and saves it without
 * anything in between.
 */
#ifndef SVCENC_DAEMON_WATCH_H
#define SVCENC_DAEMON_WATCH_H

#include "agent.h"

int watch_start(struct agent *agent);
void watch_stop(struct agent *agent);

/*
 * Lets the watch go on until it has handled something, however long that
 * takes; for whoever waits for one of its calls to set a flag. -EDEADLK:
 * called from within the watch.
 */
int watch_wait(struct agent *agent);

#endif
