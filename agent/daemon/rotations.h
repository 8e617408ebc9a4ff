/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rotations as the agent follows them: from the kernel's events to journal
 * lines, to a speed, and to the store, which learns seq and epoch when a
 * rotation starts, stops and ends, and every 60 s of it. That bounds how far
 * a header can be rolled back unnoticed. Begins and steers none
 * (volume_rotate.c); one that was begun with dmsetup is followed the same.
 */
#ifndef SVCENC_DAEMON_ROTATIONS_H
#define SVCENC_DAEMON_ROTATIONS_H

#include "model.h"

/* True: it was a rotation's, and all that is to be said of it has been. */
bool rotations_on_event(struct agent *agent,
			const struct sys_genl_event *event);

/* After lost events, and at start: the store learns what is durable now. */
void rotations_look_anew(struct agent *agent);

/*
 * Bytes per second over the last 15 to 30 s, as of the last event; 0 if none
 * has said enough.
 */
u64 rotations_speed(const struct agent *agent, const struct svcenc_uuid *uuid);

void rotations_stop(struct agent *agent);

#endif
