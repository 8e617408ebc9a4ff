/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One operation of the target as svcenc-nth repeats it: prepare, act with the
 * n-th fault, look what is left, act again without, see that it worked, undo.
 * svcenc-nth.c has the loop and the judgement, nth-*.c the operations.
 *
 * All functions return 0 or a negative errno.
 */
#ifndef SVCENC_TEST_NTH_H
#define SVCENC_TEST_NTH_H

#include <stdbool.h>

#include "volume.h"

enum { NTH_PLAIN_BYTES = 4096 };

struct nth {
	const char *device; /* lower block device */
	struct volume volume;
	struct volume next; /* to rewrap to; .desc empty if not given */
	char auth[80];	    /* of that rewrap */
	const char *module; /* file of the module, for module-load */
	int keyring;
	bool io;	    /* faults are I/O errors, else failed allocations */
	unsigned int times; /* of I/O errors: how many in a row */

	struct volume_header pristine; /* at the start of each try */
	uint8_t plain[NTH_PLAIN_BYTES]
		__attribute__((aligned(4096))); /* first bytes of the volume */
	bool has_plain;

	uint64_t dm_dev; /* of the mapped device of this try */
	int file;	 /* scratch of an operation */
};

struct nth_operation {
	const char *name;
	bool writes; /* may change the superblock */
	bool silent; /* promises to allocate nothing */
	/* State before the fault; a failure here is one of the test. */
	int (*prepare)(struct nth *nth);
	/* What the fault meets: as little else as possible. */
	int (*act)(struct nth *nth);
	/* After a failed act: nothing half-made? NULL: nothing to look for. */
	int (*inspect)(struct nth *nth);
	/* As act where act's failure asks for more than the same again. */
	int (*again)(struct nth *nth);
	/* After success: is it as it should be? NULL: nothing to look for. */
	int (*verify)(struct nth *nth);
	int (*undo)(struct nth *nth);
};

extern const struct nth_operation nth_device_operations[];
extern const struct nth_operation nth_other_operations[];

#define NTH_NAME "svcenc-nth"

/* Takes down what does not fit, for the report; returns -EUCLEAN. */
__attribute__((format(printf, 1, 2))) int nth_wrong(const char *format, ...);

#endif
