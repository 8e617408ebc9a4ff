/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mapped devices of target "svcenc", through libdevmapper: create, remove,
 * look, reload, message. Knows nothing of keys, headers, policies. Waits for
 * udev (cookies) where udev runs and DM_DISABLE_UDEV is not set, so that
 * /dev/mapper/NAME exists when a call returns. Logs nothing.
 *
 * Unless said otherwise a function returns 0 or a negative errno, and sets
 * its outputs only on 0. Errors of all functions: -ENOMEM; -EPERM: not root;
 * -ENOSYS: the kernel has no device-mapper (or /dev/mapper/control is
 * missing); -ENXIO: no mapped device of that name.
 * Not thread-safe: libdevmapper has global state.
 */
#ifndef SVCENC_SYS_DM_H
#define SVCENC_SYS_DM_H

#include <sys/types.h>

#include "line.h"
#include "policyrec.h"

#define SYS_DM_TARGET "svcenc"
#define SYS_DM_UUID_PREFIX "SVCENC-1-"

enum sys_dm_limits {
	/* prefix, volume uuid, '-', name; with the NUL; below DM_UUID_LEN */
	SYS_DM_UUID_SIZE = 9 + SVCENC_UUID_TEXT + 1 + SVCENC_NAME_SIZE,
	SYS_DM_PATH_SIZE = 12 + SVCENC_NAME_SIZE, /* "/dev/mapper/" + name */
	SYS_DM_DEVNO_SIZE = 24,			  /* "major:minor" */
};

/* "SVCENC-1-<volume uuid>-<name>"; @name is a valid svcenc name. */
void sys_dm_uuid(const struct svcenc_uuid *volume, const char *name,
		 char ret_uuid[static SYS_DM_UUID_SIZE]);

/* "/dev/mapper/<name>" */
void sys_dm_path(const char *name, char ret_path[static SYS_DM_PATH_SIZE]);

/*
 * The parameters of a table line (what follows "<start> <len> svcenc"),
 * one-shot options included, as svcenc_table_parse() takes them. 0, -EINVAL:
 * the device holds a blank or is empty; -ENOSPC: @size is too small.
 */
int sys_dm_params(const struct svcenc_table *table, char *buf, size_t size);

struct sys_dm_spec {
	const char *name;    /* a valid svcenc name */
	const char *dm_uuid; /* of sys_dm_uuid(); unused by sys_dm_reload() */
	/*
	 * table->device should be "major:minor" of a descriptor that the
	 * caller has verified, so that no path can change in between.
	 */
	const struct svcenc_table *table;
	u64 sectors; /* length, 512-byte sectors, > 0 */
	bool readonly;
	/*
	 * For a mapping of moments: udev makes no links for it and looks at
	 * nothing in it, so that nobody mounts or assembles what is there.
	 */
	bool hidden;
};

/* How far an operation of several kernel calls came, for the message. */
enum sys_dm_step {
	SYS_DM_STEP_CREATE, /* name or uuid: -EBUSY = one of them is taken */
	SYS_DM_STEP_LOAD,   /* constructor: -EINVAL table, -EBUSY device in use,
			     * -ENXIO/-ENODEV device gone; or no such target
			     */
	SYS_DM_STEP_RESUME, /* preresume refused; the reason is in event
			     * REFUSED and in the kernel log
			     */
};
const char *sys_dm_step_text(enum sys_dm_step step);

/*
 * Creates, loads and resumes. All or nothing: on an error the device is
 * removed again. @ret_step (may be NULL) is set on an error.
 */
int sys_dm_create(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step);

/*
 * Loads a new table and switches to it (suspend with flush, resume); for
 * grow. On an error the old table is put back and resumed. Should even that
 * fail, the device stays suspended (sys_dm_info()): the cure is
 * "dmsetup reload" and "dmsetup resume", or to close and open the volume.
 */
int sys_dm_reload(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step);

/* Suspends (flushes; freezes a mounted filesystem) or resumes. */
int sys_dm_suspend(const char *name);
int sys_dm_resume(const char *name);

enum sys_dm_remove_flags {
	/* if in use: removed by the kernel at the last close; returns 0 */
	SYS_DM_REMOVE_DEFERRED = 1 << 0,
	/*
	 * replaces the table by one that fails all I/O first; the device may
	 * still be -EBUSY afterwards, but holds no volume any more
	 */
	SYS_DM_REMOVE_FORCE = 1 << 1,
};

/*
 * -EBUSY: it is in use. Mounted or held by another device: at once; otherwise
 * it is tried again for up to 5 s, as udev's probing keeps a device open for
 * moments.
 */
int sys_dm_remove(const char *name, unsigned int flags);

struct sys_dm_info {
	bool exists; /* if not, nothing else is set */
	bool suspended;
	bool live_table;
	bool inactive_table;
	bool readonly;
	bool deferred_remove;
	u32 open_count;
	dev_t devno;
	char devno_text[SYS_DM_DEVNO_SIZE]; /* "major:minor" */
	char name[128];
	char dm_uuid[130]; /* "" if it has none */
};

/* A device that does not exist is no error: exists = false. */
int sys_dm_info(const char *name, struct sys_dm_info *ret);
/* The same, looked up by DM UUID. */
int sys_dm_info_by_uuid(const char *dm_uuid, struct sys_dm_info *ret);

/*
 * True, with *@ret_volume set, if the device's DM UUID is one of ours:
 * "SVCENC-1-<uuid>-<name>" with the device's own name.
 */
bool sys_dm_info_is_svcenc(const struct sys_dm_info *info,
			   struct svcenc_uuid *ret_volume);

/*
 * Status of the live table. -ENODATA: no table, more than one target, or not
 * target svcenc; -EBADMSG: a status line that does not parse.
 */
int sys_dm_status(const char *name, struct svcenc_status *ret);

struct sys_dm_table {
	u64 sectors;
	struct svcenc_table table; /* .device points into words */
	char words[SVCENC_DEVICE_PATH_MAX + 256]; /* private */
};

/* The live table. Errors as sys_dm_status(). @ret must not be copied. */
int sys_dm_table(const char *name, struct sys_dm_table *ret);

/*
 * Sends "unlock ...", "rewrap ...". Errors are the target's own. The message
 * holds no key bytes, but a rewrap authorisation: wiped inside libdevmapper.
 */
int sys_dm_message(const char *name, const char *message);

/*
 * All mapped devices whose DM UUID begins with SYS_DM_UUID_PREFIX. *@ret is
 * from malloc(), NULL if there are none.
 */
int sys_dm_list(struct sys_dm_info **ret, size_t *ret_count);

/*
 * Does the kernel know target svcenc? 0; -ENOENT: no ("modprobe dm-svcenc");
 * *@ret_version (may be NULL): major, minor, patch.
 */
int sys_dm_target_version(unsigned int ret_version[3]);

#endif
