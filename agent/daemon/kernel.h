/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module as the agent sees it: is it there, which keys live, which
 * volumes are mapped, what has it just said. Decides nothing; hands events of
 * keys on to lease.c, those of rotations to rotations.c.
 */
#ifndef SVCENC_DAEMON_KERNEL_H
#define SVCENC_DAEMON_KERNEL_H

#include "agent.h"
#include "dm.h"

/* Looks for the module now and then until it is there; keeps listening. */
int kernel_start(struct agent *agent);
void kernel_stop(struct agent *agent);
/* True if the module answers; (re)opens handles as needed. */
bool kernel_ready(struct agent *agent);

/* 1 = live, *@ret (may be NULL) is set; 0 = not live; negative errno. */
int kernel_find_key(struct agent *agent, const struct svcenc_keyid *id,
		    struct sys_genl_key *ret);
/* 1 = mapped, 0 = not, negative errno. */
int kernel_find_volume(struct agent *agent, const struct svcenc_uuid *uuid,
		       struct sys_genl_device *ret);
/* Calls @fn for each mapped volume under that key. */
int kernel_each_volume(struct agent *agent, const struct svcenc_keyid *id,
		       void (*fn)(struct agent *agent,
				  const struct sys_genl_device *device,
				  void *userdata),
		       void *userdata);

/*
 * The same from a look that is up to half a second old: for the watch, which
 * would otherwise read all keys and volumes for each of many policies.
 */
int kernel_glance_key(struct agent *agent, const struct svcenc_keyid *id,
		      struct sys_genl_key *ret);
int kernel_glance_volumes(struct agent *agent, const struct svcenc_keyid *id,
			  void (*fn)(struct agent *agent,
				     const struct sys_genl_device *device,
				     void *userdata),
			  void *userdata);
/* After a change that one has made, or heard of. */
void kernel_forget_glance(struct agent *agent);

/* Takes in events that have arrived. */
void kernel_read_events(struct agent *agent);
/* The same; afterwards why a volume was refused. */
const char *kernel_refusal(struct agent *agent,
			   const struct svcenc_uuid *volume);
/* Forgets older refusals; before a request that may be refused. */
void kernel_forget_refusal(struct agent *agent);

/* The kernel said @error when asked to @what. */
int kernel_fault(int error, const char *what, struct svcenc_fault *fault);

#endif
