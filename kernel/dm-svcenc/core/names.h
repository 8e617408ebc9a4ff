/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * States and events as numbers and as text, from one list each. Used by the
 * status line, netlink, the agent and svcenc-dump.
 */
#ifndef SVCENC_CORE_NAMES_H
#define SVCENC_CORE_NAMES_H

#include "port.h"

/* State of an active mapping, the first word of its status line. */
#define SVCENC_STATES(x)                                                       \
	x(NEW, "new")	    /* table loaded, never resumed: no I/O yet */      \
	x(ACTIVE, "active") /* a live key; I/O flows */                        \
	x(LOCKED, "locked") /* no live key: every bio fails, BLK_STS_OFFLINE */

enum svcenc_state {
#define x(name, text) SVCENC_STATE_##name,
	SVCENC_STATES(x)
#undef x
	SVCENC_STATE_COUNT
};

/* What a rotation is doing; all but IDLE: the superblock says ROTATING. */
#define SVCENC_ROTATIONS(x)                                                    \
	x(IDLE, "idle")		      /* no rotation under way */              \
	x(RUNNING, "running")                                                  \
	x(PAUSED, "paused")	      /* asked for */                          \
	x(READ_ERROR, "read-error")   /* of the device below, in the window */ \
	x(WRITE_ERROR, "write-error") /* of the device below, in the window */ \
	x(SUPER_ERROR, "superblock-error") /* a commit of unknown fate */      \
	x(LOCKED, "locked")	      /* no live policy key */                 \
	x(HELD, "held")		      /* suspended, read-only, not yet begun */

enum svcenc_rotation_state {
#define x(name, text) SVCENC_ROTATION_##name,
	SVCENC_ROTATIONS(x)
#undef x
	SVCENC_ROTATION_COUNT
};

/* Events of the netlink group; the numbers are uAPI and never reused. */
#define SVCENC_EVENTS(x)                                                       \
	x(KEY_NEEDED, 1, "key-needed")	     /* a resume found no live key */  \
	x(KEY_LOST, 2, "key-lost")	     /* a key ended; volumes locked */ \
	x(KEY_BACK, 3, "key-back")	     /* unlock succeeded */            \
	x(ACTIVATED, 4, "activated")	     /* preresume succeeded; seq */    \
	x(SUPER_REPAIRED, 5, "superblock-repaired") /* stale copy rewritten */ \
	x(REFUSED, 6, "refused")	     /* preresume refused: reason */   \
	x(IO_ERROR, 7, "io-error")	     /* superblock I/O failed */       \
	x(REWRAPPED, 8, "rewrapped")	     /* policy key of a volume new */  \
	x(GROWN, 9, "grown")		     /* longer table committed */      \
	x(ROTATION_PROGRESS, 10, "rotation-progress")                          \
	x(ROTATION_PAUSED, 11, "rotation-paused")                              \
	x(ROTATION_DONE, 12, "rotation-done")

enum svcenc_event {
#define x(name, number, text) SVCENC_EVENT_##name = number,
	SVCENC_EVENTS(x)
#undef x
};

/* Text of a state, rotation state or event; NULL for a number outside the list. */
const char *svcenc_state_text(unsigned int state);
const char *svcenc_rotation_text(unsigned int state);
const char *svcenc_event_text(unsigned int event);

#endif
