// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations on a mapped device: tables, resume in all its kinds, messages,
 * status. Each try begins with the same header and a mapped device of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dmraw.h"
#include "nth.h"

enum {
	GROWTH_SECTORS = 8192,
	ROTTEN_BYTE = 4000,
	SEQ_WORD = 5,
	ROTATION_WORD = 17,
	ROTATION_NAPS = 3000
};

/* ---------------------------------------------------------------- helpers */

static int load_table(struct nth *nth, uint64_t more, const char *options)
{
	char params[4096];

	snprintf(params, sizeof(params), "%s %s %s%s", nth->device,
		 nth->volume.uuid, nth->volume.desc, options);
	return dmraw_load(NTH_NAME, nth->volume.sectors + more, "svcenc",
			  params);
}

static int create(struct nth *nth)
{
	char uuid[DM_UUID_LEN];

	snprintf(uuid, sizeof(uuid), "SVCENC-1-%s-" NTH_NAME, nth->volume.uuid);
	return dmraw_create(NTH_NAME, uuid, &nth->dm_dev);
}

static int create_loaded(struct nth *nth)
{
	const int rc = create(nth);

	return rc ? rc : load_table(nth, 0, "");
}

static int create_open(struct nth *nth)
{
	const int rc = create_loaded(nth);

	return rc ? rc : dmraw_resume(NTH_NAME);
}

static int resume(struct nth *nth)
{
	(void)nth;
	return dmraw_resume(NTH_NAME);
}

/*
 * device-mapper drops a new table when it cannot swap it in (or its target
 * refuses the resume, once it is in): then loading it again is in order.
 */
static int reload_if_lost(struct nth *nth, uint64_t more, const char *options)
{
	const int flags = dmraw_flags(NTH_NAME);

	if (flags < 0)
		return flags;
	if (flags & (DM_INACTIVE_PRESENT_FLAG | DM_ACTIVE_PRESENT_FLAG))
		return 0;
	return load_table(nth, more, options);
}

static int remove_device(struct nth *nth)
{
	int rc = dmraw_remove(NTH_NAME);

	if (rc)
		return nth_wrong("the device cannot be removed: %s",
				 strerror(-rc));
	if (!volume_is_free(nth->device))
		return nth_wrong("the device below is still taken");
	return 0;
}

/* -------------------------------------------------------------- judgement */

static int expect_state(const char *state)
{
	const char *status = dmraw_status(NTH_NAME, 0);

	if (!status)
		return nth_wrong("no status: %s", strerror(errno));
	if (strncmp(status, state, strlen(state)))
		return nth_wrong("status is '%s', not %s", status, state);
	return 0;
}

/* The first bytes are those of always; of a volume just made: they hold. */
static int expect_plain(struct nth *nth)
{
	static uint8_t got[NTH_PLAIN_BYTES] __attribute__((aligned(4096)));
	const int fd = dmraw_open_device(nth->dm_dev, O_RDWR);
	ssize_t n = NTH_PLAIN_BYTES;

	if (fd < 0)
		return nth_wrong("volume does not open: %s", strerror(-fd));
	if (!nth->has_plain) {
		memset(nth->plain, 0x5a, sizeof(nth->plain));
		n = pwrite(fd, nth->plain, sizeof(nth->plain), 0);
	}
	if (n == NTH_PLAIN_BYTES)
		n = pread(fd, got, sizeof(got), 0);
	close(fd);
	if (n != NTH_PLAIN_BYTES)
		return nth_wrong("volume does not read: %s", strerror(errno));
	if (memcmp(got, nth->plain, sizeof(got)))
		return nth_wrong("volume holds other bytes");
	return 0;
}

static int verify_active(struct nth *nth)
{
	struct volume_header now;
	int rc = expect_state("active");

	if (!rc)
		rc = expect_plain(nth);
	if (rc)
		return rc;
	rc = volume_get_header(nth->device, &now);
	if (rc)
		return nth_wrong("header does not read: %s", strerror(-rc));
	if (!volume_copy_valid(&now, 0) || !volume_copies_equal(&now))
		return nth_wrong("superblock copies are not both new");
	return 0;
}

static int inspect_no_table(struct nth *nth)
{
	const int flags = dmraw_flags(NTH_NAME);

	if (flags < 0 ||
	    flags & (DM_ACTIVE_PRESENT_FLAG | DM_INACTIVE_PRESENT_FLAG))
		return nth_wrong("a refused table is there: flags %#x", flags);
	if (!volume_is_free(nth->device))
		return nth_wrong("a refused table holds the device below");
	return 0;
}

/* Never in use: no netlink state, no data, not active. */
static int inspect_not_active(struct nth *nth)
{
	const char *status;

	(void)nth;
	status = dmraw_status(NTH_NAME, 0);
	if (status && !strncmp(status, "active", 6) &&
	    !(dmraw_flags(NTH_NAME) & DM_SUSPEND_FLAG))
		return nth_wrong("resume failed, but the volume is active");
	return 0;
}

/* In use before: must still be, whatever failed. */
static int inspect_still_active(struct nth *nth)
{
	const int rc = expect_state("active");

	return rc ? rc : expect_plain(nth);
}

/* The status from its @number-th word on, from 1; NULL: there is none. */
static const char *status_word(int number)
{
	const char *at = dmraw_status(NTH_NAME, 0);

	while (at && --number) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at;
}

/*
 * Neither copy may be left under the new key, which whoever asked may forget
 * now; only where nothing can be written any more is there no cure.
 */
static int inspect_not_rewrapped(struct nth *nth)
{
	int rc = inspect_still_active(nth);
	struct volume_header now;
	const char *seq;

	if (rc || nth->times > 1)
		return rc;
	rc = volume_get_header(nth->device, &now);
	if (rc)
		return nth_wrong("header does not read: %s", strerror(-rc));
	if (!volume_copies_equal(&now))
		return nth_wrong("rewrap failed, but one copy may have it");
	seq = status_word(SEQ_WORD);
	if (!seq || strtoull(seq, NULL, 10) != volume_copy_seq(&now, 0))
		return nth_wrong("the status has another seq than the header");
	return 0;
}

static int inspect_locked(struct nth *nth)
{
	(void)nth;
	return expect_state("locked");
}

/* ------------------------------------------------------------- operations */

static int act_load(struct nth *nth)
{
	return load_table(nth, 0, "");
}

/*
 * As dmsetup create: with a new mapped device. The one whose first table
 * failed late in device-mapper itself (dm_setup_md_queue() after add_disk())
 * takes a table again, but no I/O: its disk has been deleted.
 */
static int again_load(struct nth *nth)
{
	int rc = dmraw_remove(NTH_NAME);

	if (!rc)
		rc = create(nth);
	return rc ? rc : act_load(nth);
}

static int verify_loaded(struct nth *nth)
{
	const int rc = dmraw_resume(NTH_NAME);

	return rc ? nth_wrong("resume: %s", strerror(-rc)) : verify_active(nth);
}

static int again_resume(struct nth *nth)
{
	const int rc = reload_if_lost(nth, 0, "");

	return rc ? rc : dmraw_resume(NTH_NAME);
}

/* A second table for a volume in use. */
static int act_reload(struct nth *nth)
{
	return load_table(nth, 0, " 1 allow_discards");
}

static int prepare_reload_resume(struct nth *nth)
{
	const int rc = create_open(nth);

	return rc ? rc : act_reload(nth);
}

static int again_reload(struct nth *nth)
{
	int rc = act_reload(nth);

	/* Suspended on the way: it resumes with the new one. */
	return rc ? rc : dmraw_resume(NTH_NAME);
}

static int prepare_initialize(struct nth *nth)
{
	const int rc = create(nth);

	return rc ? rc : load_table(nth, 0, " 1 initialize");
}

/*
 * The same again; once copy 1 has the key, the documented answer is that the
 * volume opens without the option.
 */
static int again_initialize(struct nth *nth)
{
	int rc = reload_if_lost(nth, 0, " 1 initialize");

	if (!rc)
		rc = dmraw_resume(NTH_NAME);
	if (rc == -EEXIST)
		rc = load_table(nth, 0, "");
	else
		return rc;
	return rc ? rc : dmraw_resume(NTH_NAME);
}

/* Copy 2 as rot leaves it. */
static int prepare_repair(struct nth *nth)
{
	struct volume_header stale = nth->pristine;
	int rc;

	stale.copy[1][ROTTEN_BYTE] ^= 0xff;
	rc = volume_put_header(nth->device, &stale);
	nth->pristine = stale;
	return rc ? rc : create_loaded(nth);
}

static int undo_repair(struct nth *nth)
{
	nth->pristine.copy[1][ROTTEN_BYTE] ^= 0xff;
	return remove_device(nth);
}

static int prepare_grow(struct nth *nth)
{
	const int rc = create_open(nth);

	return rc ? rc : load_table(nth, GROWTH_SECTORS, " 1 grow");
}

static int again_grow(struct nth *nth)
{
	const int rc = load_table(nth, GROWTH_SECTORS, " 1 grow");

	return rc ? rc : dmraw_resume(NTH_NAME);
}

static int act_suspend(struct nth *nth)
{
	(void)nth;
	return dmraw_suspend(NTH_NAME);
}

static int verify_suspended(struct nth *nth)
{
	const int flags = dmraw_flags(NTH_NAME);

	if (flags < 0 || !(flags & DM_SUSPEND_FLAG))
		return nth_wrong("not suspended: flags %#x", flags);
	return dmraw_resume(NTH_NAME) ? nth_wrong("does not resume") :
					verify_active(nth);
}

static int prepare_unlock(struct nth *nth)
{
	int rc = create_open(nth);

	if (!rc)
		rc = key_revoke(key_search(nth->volume.desc, nth->keyring));
	if (!rc)
		rc = key_add(&nth->volume, nth->keyring);
	return rc < 0 ? rc : expect_state("locked");
}

static int act_unlock(struct nth *nth)
{
	char message[128];

	snprintf(message, sizeof(message), "unlock %s", nth->volume.desc);
	return dmraw_tell(NTH_NAME, message);
}

static int act_rewrap(struct nth *nth)
{
	char message[256];

	snprintf(message, sizeof(message), "rewrap %s %s", nth->next.desc,
		 nth->auth);
	return dmraw_tell(NTH_NAME, message);
}

static int act_rotate(struct nth *nth)
{
	(void)nth;
	return dmraw_tell(NTH_NAME, "rotate start");
}

static bool rotation_is(const char *state)
{
	const char *at = status_word(ROTATION_WORD);

	return at && !strncmp(at, state, strlen(state));
}

/* Whatever it had for memory, it comes to its end. */
static int verify_rotated(struct nth *nth)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int i;

	for (i = 0; i < ROTATION_NAPS && !rotation_is("idle"); i++)
		nanosleep(&nap, NULL);
	return i < ROTATION_NAPS ? verify_active(nth) :
				   nth_wrong("the rotation does not end: %s",
					     dmraw_status(NTH_NAME, 0));
}

/* The data lies elsewhere, and under another key, than the old header says. */
static int undo_rotate(struct nth *nth)
{
	const int rc = remove_device(nth);

	return rc ? rc : volume_get_header(nth->device, &nth->pristine);
}

static int act_status(struct nth *nth)
{
	(void)nth;
	return dmraw_status(NTH_NAME, 0) ? 0 : -errno;
}

static int act_table(struct nth *nth)
{
	(void)nth;
	return dmraw_status(NTH_NAME, DM_STATUS_TABLE_FLAG) ? 0 : -errno;
}

static int act_remove(struct nth *nth)
{
	(void)nth;
	return dmraw_remove(NTH_NAME);
}

static int verify_removed(struct nth *nth)
{
	if (dmraw_flags(NTH_NAME) != -ENXIO)
		return nth_wrong("the device is still there");
	if (!volume_is_free(nth->device))
		return nth_wrong("the device below is still taken");
	return 0;
}

static int undo_removed(struct nth *nth)
{
	(void)nth;
	return 0;
}

const struct nth_operation nth_device_operations[] = {
	{ "load", false, false, create, act_load, inspect_no_table, again_load,
	  verify_loaded, remove_device },
	{ "resume", false, false, create_loaded, resume, inspect_not_active,
	  again_resume, verify_active, remove_device },
	{ "initialize", true, false, prepare_initialize, resume,
	  inspect_not_active, again_initialize, verify_active, remove_device },
	{ "repair", true, false, prepare_repair, resume, inspect_not_active,
	  again_resume, verify_active, undo_repair },
	{ "reload", false, false, create_open, act_reload, inspect_still_active,
	  NULL, verify_loaded, remove_device },
	{ "reload-resume", false, false, prepare_reload_resume, resume, NULL,
	  again_reload, verify_active, remove_device },
	{ "grow", true, false, prepare_grow, resume, NULL, again_grow,
	  verify_active, remove_device },
	{ "suspend", false, false, create_open, act_suspend, NULL, NULL,
	  verify_suspended, remove_device },
	{ "unlock", false, false, prepare_unlock, act_unlock, inspect_locked,
	  NULL, verify_active, remove_device },
	{ "rewrap", true, false, create_open, act_rewrap, inspect_not_rewrapped,
	  NULL, verify_active, remove_device },
	{ "rotate", true, false, create_open, act_rotate, inspect_still_active,
	  NULL, verify_rotated, undo_rotate },
	{ "status", false, false, create_open, act_status, inspect_still_active,
	  NULL, verify_active, remove_device },
	{ "table", false, false, create_open, act_table, inspect_still_active,
	  NULL, verify_active, remove_device },
	{ "remove", false, false, create_open, act_remove, inspect_still_active,
	  NULL, verify_removed, undo_removed },
	{ .name = NULL },
};
