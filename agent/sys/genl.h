/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic netlink family "svcenc" (uapi/linux/dm-svcenc.h), through libnl:
 * dumps, leases, events. Decides nothing, logs nothing. Two handles: one for
 * requests (blocking, with a deadline of 5 s per answer), one for events
 * (non-blocking, for an event loop).
 *
 * Unless said otherwise a function returns 0 or a negative errno, and sets
 * its outputs only on 0. Errors of all requests: -ENOPKG: the family does not
 * exist (module dm-svcenc is not loaded); -EPERM: no CAP_SYS_ADMIN;
 * -ETIMEDOUT; -EBADMSG: an answer that does not parse; -ENOMEM.
 * When the module was unloaded and loaded again a handle resolves the family
 * anew by itself; the events handle must be opened anew.
 */
#ifndef SVCENC_SYS_GENL_H
#define SVCENC_SYS_GENL_H

#include "keyfmt.h"
#include "names.h"

enum sys_genl_limits {
	SYS_GENL_DEVNO_SIZE = 24,
	SYS_GENL_REASON_SIZE = 256, /* longer reasons are cut */
};

struct sys_genl;

int sys_genl_open(struct sys_genl **ret);
/* NULL is fine; returns NULL. */
struct sys_genl *sys_genl_close(struct sys_genl *genl);

struct sys_genl_device {
	char devno[SYS_GENL_DEVNO_SIZE]; /* "major:minor" of the mapping */
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	enum svcenc_state state;
	u64 epoch;
	u64 seq;
	u64 sectors;	    /* 512 bytes */
	u64 rotation_done;  /* 512 bytes */
	u64 rotation_total; /* 0 while idle */
	enum svcenc_rotation_state rotation;
};

struct sys_genl_key {
	struct svcenc_keyid key;
	u8 check[SVCENC_CHECK_SIZE];
	u32 lease_s;
	u64 lease_left_ms;
	u32 devices;
};

/*
 * All mapped devices; all live keys. *@ret is from malloc(), NULL if there
 * are none. A dump that the kernel reports as interrupted is repeated.
 */
int sys_genl_devices(struct sys_genl *genl, struct sys_genl_device **ret,
		     size_t *ret_count);
int sys_genl_keys(struct sys_genl *genl, struct sys_genl_key **ret,
		  size_t *ret_count);

/* Serial of keyring ".svcenc". */
int sys_genl_keyring(struct sys_genl *genl, int32_t *ret_serial);

/*
 * Renews the lease: it ends @lease_s seconds from now, whatever it was.
 * -ENOKEY: no live key of that name; -EINVAL: lease out of range.
 */
int sys_genl_lease(struct sys_genl *genl, const struct svcenc_keyid *id,
		   u32 lease_s);

/* An event; what it does not carry is zero or "". */
struct sys_genl_event {
	enum svcenc_event event; /* svcenc_event_text() is NULL if unknown */
	u64 time_ms;		 /* CLOCK_BOOTTIME */
	bool has_uuid;
	bool has_key;
	char devno[SYS_GENL_DEVNO_SIZE];
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	u64 seq;
	u64 epoch;
	u64 rotation_done;
	u64 rotation_total;
	enum svcenc_rotation_state rotation;
	char reason[SYS_GENL_REASON_SIZE];
};

typedef void (*sys_genl_event_fn)(const struct sys_genl_event *event,
				  void *userdata);

struct sys_genl_events;

/* Joins the group. @fn is called by sys_genl_events_read() only. */
int sys_genl_events_open(sys_genl_event_fn fn, void *userdata,
			 struct sys_genl_events **ret);
struct sys_genl_events *sys_genl_events_close(struct sys_genl_events *events);

/* Readable (EPOLLIN) when there is something to read. */
int sys_genl_events_fd(const struct sys_genl_events *events);

/*
 * Reads all that is there and calls @fn for each event; never blocks.
 * Returns the number of calls, or -ENOBUFS: events were lost, dump again
 * (those that were read have been delivered; keep on reading).
 */
int sys_genl_events_read(struct sys_genl_events *events);

#endif
