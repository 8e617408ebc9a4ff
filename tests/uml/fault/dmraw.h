/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device-mapper's ioctls, one system call each: no libdevmapper, no udev, no
 * retry, so that a fault or a hostile byte meets exactly what is tested. Knows
 * nothing of svcenc. One caller per process: there is one buffer.
 *
 * All functions return 0 or a negative errno unless said otherwise.
 */
#ifndef SVCENC_TEST_DMRAW_H
#define SVCENC_TEST_DMRAW_H

#include <linux/dm-ioctl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

enum { DMRAW_BUFFER = 64 << 10 };

/* Opens the control device, making its node if nobody did. */
int dmraw_open(void);

/* The buffer, zeroed, with version, size and @name filled in. */
struct dm_ioctl *dmraw_begin(const char *name);

/* Appends one target to the buffer of dmraw_begin(). */
void dmraw_target(struct dm_ioctl *io, uint64_t start, uint64_t sectors,
		  const char *type, const char *params);

/* Appends a message for the target at sector 0. */
void dmraw_message(struct dm_ioctl *io, const char *text);

/* The system call on whatever is in @io. */
int dmraw_call(unsigned long command, struct dm_ioctl *io);

/* @ret_dev: major:minor as device-mapper packs it; NULL: not wanted. */
int dmraw_create(const char *name, const char *uuid, uint64_t *ret_dev);
int dmraw_load(const char *name, uint64_t sectors, const char *type,
	       const char *params);
int dmraw_clear(const char *name);
int dmraw_suspend(const char *name);
int dmraw_resume(const char *name);
int dmraw_remove(const char *name);
int dmraw_tell(const char *name, const char *message);

/* Flags of DM_DEV_STATUS; negative errno, -ENXIO if there is no device. */
int dmraw_flags(const char *name);

/*
 * Words of the first target: of the status line, or with DM_STATUS_TABLE_FLAG
 * or DM_IMA_MEASUREMENT_FLAG in @flags of those. Points into the buffer; NULL
 * with errno set.
 */
const char *dmraw_status(const char *name, uint32_t flags);

/* Calls @use for each mapped device. */
int dmraw_each(void (*use)(const struct dm_name_list *device, void *context),
	       void *context);

/* True if a target type of that name is registered. */
bool dmraw_has_target(const char *type);

/* Opens the block device of @dev (as dmraw_create() returned it), O_DIRECT. */
int dmraw_open_device(uint64_t dev, int flags);

#endif
