/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random direct I/O on a block device by several threads, each on its own
 * part of the device, with every read compared to what was written there.
 * Takes down when each I/O was submitted and ended and how. Knows nothing of
 * keys; an error is a fact here, not a failure.
 */
#ifndef SVCENC_TEST_LOAD_H
#define SVCENC_TEST_LOAD_H

#include <stdint.h>

struct load_plan {
	const char *path;
	unsigned int threads;
	unsigned int read_percent;
	unsigned int max_bytes; /* of one I/O; a multiple of 4096 */
};

/* Of the I/O submitted since load_mark(); times are CLOCK_MONOTONIC. */
struct load_facts {
	uint64_t ok;
	uint64_t failed;
	uint64_t not_offline; /* failed with another errno than ENODEV */
	uint64_t wrong;	      /* reads that returned other bytes than written */
	int first_errno;
	int64_t first_failure_ns;  /* when it ended; 0 = none failed */
	int64_t last_ok_submit_ns; /* of those that succeeded; 0 = none */
	int64_t last_ok_end_ns;
	int64_t slowest_ns;
	unsigned int in_flight; /* at the moment of asking */
};

struct load;

/* NULL with errno set. */
struct load *load_start(const struct load_plan *plan);

/* Forgets: from now on only I/O submitted after this call counts. */
void load_mark(struct load *load);

void load_get(struct load *load, struct load_facts *ret);

void load_stop(struct load *load);

#endif
