/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's fault injection, switched from inside the program that is to
 * be hit: by number for this task, or for one device from some byte on.
 * Needs FAILSLAB, FAIL_PAGE_ALLOC, FAIL_MAKE_REQUEST and debugfs.
 */
#ifndef SVCENC_TEST_FAULT_H
#define SVCENC_TEST_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which faults a number counts. Allocations: with copies from and to
 * userspace, where the kernel has that. I/O: of @device alone.
 */
enum fault_kind { FAULT_ALLOCATION, FAULT_IO };

/* 0 or -errno, with a complaint on stderr. @loud: the log says where. */
int fault_setup(enum fault_kind kind, const char *device, bool loud);

/* From now on the @n-th fault of this task happens, once. */
void fault_arm(unsigned int n);

/* Ends it. Returns what is left of n: 0 if the fault happened. */
unsigned int fault_disarm(void);

/*
 * From now on I/O to the device fails, @times of them, after @bytes bytes of
 * I/O have passed; whoever submits it.
 */
void fault_arm_io(uint64_t bytes, unsigned int times);

/* Ends it. Returns how many of the @times did not happen. */
unsigned int fault_disarm_io(void);

#endif
