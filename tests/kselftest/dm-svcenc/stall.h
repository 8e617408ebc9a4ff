/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the processors of this (virtual) machine did not run at all,
 * because the host gave them to others: a real-time thread on each looks how
 * late it wakes up. A bound in seconds is meant in seconds that ran.
 */
#ifndef SVCENC_TEST_STALL_H
#define SVCENC_TEST_STALL_H

#include <stdint.h>

/* For the rest of the process. 0 or negative errno. */
int stall_watch(void);

/* Lost until now, summed over all processors; only differences mean much. */
int64_t stall_ns(void);

#endif
