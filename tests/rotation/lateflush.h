/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts right what dm-log-writes has in the wrong order: it hands what is
 * unflushed to a flush when that is sent, and logs it when that has completed.
 * Whoever sent it may lose the processor in between: a later flush finds
 * nothing, completes first, and the mark behind it speaks of writes that the log
 * has only afterwards, in the group of the late flush. On the device the later
 * flush has made them durable, so that is where the group belongs. It is seen by
 * a fact whose versions are more than there were writes.
 *
 * More than a few of them would be writes that were acknowledged too early: then
 * nobody may put them right.
 */
#ifndef SVCENC_TEST_LATEFLUSH_H
#define SVCENC_TEST_LATEFLUSH_H

#include <stdint.h>

#include "writelog.h"

/* When mark @number ("f12" is 12) was set, @version of @sector was durable. */
struct crash_fact {
	uint64_t sector;
	uint32_t version; /* 1 is from before the log; each write is one more */
	uint32_t number;
};

/* In the order of their marks. */
struct crash_facts {
	struct crash_fact *fact;
	unsigned int count;
};

/* Where sector 0 of the volume may lie, bytes. */
struct crash_layout {
	uint64_t sectors;
	uint64_t sector_size; /* bytes */
	uint64_t low, high;   /* before and after a rotation upwards */
};

enum { LATE_MAX = 10 };

/*
 * Sorts the entries of @log. How many groups were moved; LATE_MAX + 1: there are
 * too many, and the log is good for nothing. Exits when there is no memory.
 */
unsigned int lateflush_put_right(struct writelog *log,
				 const struct crash_facts *facts,
				 const struct crash_layout *layout);

#endif
