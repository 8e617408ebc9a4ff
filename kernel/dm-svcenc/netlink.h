/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family: dumps, LEASE, events. Translates between
 * attributes (uapi/linux/dm-svcenc.h) and the functions of policykey.h and
 * registry.h; decides nothing.
 */
#ifndef SVCENC_NETLINK_H
#define SVCENC_NETLINK_H

#include "core/names.h"
#include "device.h"

int svcenc_netlink_init(void);
void svcenc_netlink_exit(void);

/*
 * Send an event to the group; @reason may be NULL. May sleep, may be lost
 * (nobody listens, no memory): events tell that something changed, dumps tell
 * what is true.
 */
void svcenc_netlink_dev_event(enum svcenc_event event, struct svcenc_dev *dev,
			      const char *reason);
void svcenc_netlink_key_event(enum svcenc_event event,
			      const struct svcenc_keyid *key,
			      const char *reason);

#endif
