/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a mapping tells and is told: target_type.status and .message. Prints
 * through core/line.h; does not know how any of it is done.
 */
#ifndef SVCENC_STATUS_H
#define SVCENC_STATUS_H

#include "device.h"

/* A consistent snapshot; process context, does not sleep. */
void svcenc_status_get(struct svcenc_dev *dev, struct svcenc_status *ret);

void svcenc_status(struct dm_target *ti, status_type_t type,
		   unsigned int flags, char *result, unsigned int maxlen);

/*
 * "unlock <key description>", "rewrap <key description> <authorisation>".
 * -EINVAL: unknown or malformed; -EBUSY: suspended (rewrap); else as
 * activate.h. The reason is in the kernel log.
 */
int svcenc_message(struct dm_target *ti, unsigned int argc, char **argv,
		   char *result, unsigned int maxlen);

#endif
