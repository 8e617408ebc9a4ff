/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume on a device of a crash test, opened with the real target, in raw
 * device-mapper calls. Knows stamps and the header's fields; not why the
 * device holds what it holds.
 *
 * Functions that return text return NULL, or what is wrong, in a static
 * buffer.
 */
#ifndef SVCENC_TEST_CRASHTARGET_H
#define SVCENC_TEST_CRASHTARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "volume.h"

struct crash_target {
	struct volume volume;
	const char *device; /* path of what lies below */
	int fd;		    /* the same, O_DIRECT */
	size_t bytes;	    /* of it */
	size_t sector_size;
	uint64_t sectors; /* of sector_size, of the volume */
	unsigned char *buffer;
};

/* What every sector must be, and what it was found to be. */
struct crash_versions {
	uint32_t *lowest;
	uint32_t *highest;
	uint32_t *found;
};

/* Counters of all that was done. */
struct crash_counts {
	uint64_t opened;
	uint64_t opened_rotating;
	uint64_t finished; /* rotations brought to their end */
	uint64_t lost;	   /* unflushed sector versions that a cut took */
};

extern struct crash_counts crash_counts;

void crash_target_start(struct crash_target *target, const char *device,
			const char *prefix, size_t sector_size);

/* The device holds @image from now on. */
const char *crash_put(struct crash_target *target, const unsigned char *image);

/*
 * Opens what lies on the device, straight or with a log-writes device to
 * @log_device between, reads all sectors, waits for the end of a rotation,
 * reads them again, closes, and looks at the header and the spare.
 */
const char *crash_try(struct crash_target *target, const char *log_device,
		      const unsigned char *image,
		      const struct crash_versions *versions);

#endif
