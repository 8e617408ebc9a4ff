/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SVCENC_TARGET_H
#define SVCENC_TARGET_H

/* Registers the target with device-mapper; the last step of module init. */
int svcenc_target_init(void);
void svcenc_target_exit(void);

#endif
