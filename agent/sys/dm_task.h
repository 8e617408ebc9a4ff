/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What dm.c and dm_query.c share: one libdevmapper task, silent, with its
 * errno. Private to agent/sys.
 */
#ifndef SVCENC_SYS_DM_TASK_H
#define SVCENC_SYS_DM_TASK_H

#include <libdevmapper.h>

/* A task of DM_DEVICE_* @type; @name may be NULL. NULL: no memory. */
struct dm_task *sys_dm_task_new(int type, const char *name);

/* Runs @task. 0 or the negative errno of its ioctl. */
int sys_dm_task_run(struct dm_task *task);

static inline void sys_dm_task_freep(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

#define cleanup_dm_task __attribute__((cleanup(sys_dm_task_freep)))

#endif
