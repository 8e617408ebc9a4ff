/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume as a request finds it: in the store, below /dev/mapper, in the
 * kernel. Changes nothing but what a killed agent has left half done, and the
 * store's knowledge of what is durable.
 */
#ifndef SVCENC_DAEMON_VOLUME_LOOK_H
#define SVCENC_DAEMON_VOLUME_LOOK_H

#include "dm.h"
#include "model.h"

/* A volume whose format is complete, and its policy. */
int volume_find_ready(struct agent *agent, const char *name, struct volume *ret,
		      struct policy *ret_policy, struct svcenc_fault *fault);

/*
 * What is under /dev/mapper/NAME: 1 = our volume, with a live table; 0 =
 * nothing (the remains of a killed open are cleared away); negative = not
 * ours.
 */
int volume_find_mapping(const struct volume *volume, struct sys_dm_info *info,
			struct svcenc_fault *fault);

/* Saves durable facts that the kernel knows better than the store. */
int volume_learn(struct agent *agent, struct volume *volume,
		 const struct svcenc_status *status, u64 data_len,
		 struct svcenc_fault *fault);

#endif
