/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device-mapper by raw ioctl: no library checks the arguments, no program has
 * to start, and threads may call at the same time. Knows neither svcenc nor
 * udev; who calls judges what comes back. All return 0 or negative errno.
 */
#ifndef SVCENC_TEST_DMCALL_H
#define SVCENC_TEST_DMCALL_H

#include <linux/dm-ioctl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h> /* the numbers of the calls */

/* One call with one table line at most; for calls of one's own shape. */
struct dmcall {
	struct dm_ioctl head;
	struct dm_target_spec spec;
	char text[8192];
} __attribute__((packed));

/* A table of one line. */
struct dmcall_table {
	const char *type;
	uint64_t sectors;
	const char *words;
};

/* An empty call about the mapped device @name. */
void dmcall_prepare(struct dmcall *call, const char *name, uint32_t flags);
int dmcall_send(unsigned long request, struct dmcall *call);

/* @uuid may be NULL. @ret_minor may be NULL; the node is /dev/dm-<minor>. */
int dmcall_create(const char *name, const char *uuid, unsigned int *ret_minor);
int dmcall_load(const char *name, const struct dmcall_table *table,
		uint32_t flags);
int dmcall_suspend(const char *name, uint32_t flags);
int dmcall_resume(const char *name);
/* The status line, or the table with DM_STATUS_TABLE_FLAG; thrown away. */
int dmcall_status(const char *name, uint32_t flags);
int dmcall_remove(const char *name, uint32_t flags);
/* -ENXIO when there is no such device. */
int dmcall_exists(const char *name);

#endif
