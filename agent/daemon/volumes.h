/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done with a volume: format, open, close, resize, rotate,
 * recover. Each
 * is a sequence of steps between which the agent may be killed; the same
 * request made again then finishes it. Brings policy keys into the kernel
 * through lease.h only.
 */
#ifndef SVCENC_DAEMON_VOLUMES_H
#define SVCENC_DAEMON_VOLUMES_H

#include "header.h"

struct volume_wish {
	const char *name;
	const char *device;
	const char *tenant; /* NULL: "default", made on first use */
	const char *policy; /* NULL: "provider" */
	u32 sector_size;
	u64 size;  /* 0: all that fits */
	u64 spare; /* 0: the default */
	bool allow_discards;
	bool force;
};

/* @notes: an array that sentences for people are appended to. */
int volumes_format(struct agent *agent, const struct volume_wish *wish,
		   struct volume *ret, bool *ret_created, json_t *notes,
		   struct svcenc_fault *fault);

struct volume_opening {
	const char *name;
	const char *device; /* NULL: as stored */
	int allow_discards; /* -1: as stored */
	int on_withdrawal;  /* the same; else as in struct volume */
	bool accept_rollback;
	bool readonly;
};

int volumes_open(struct agent *agent, const struct volume_opening *opening,
		 struct volume *ret, bool *ret_already, json_t *notes,
		 struct svcenc_fault *fault);
int volumes_close(struct agent *agent, const char *name, struct volume *ret,
		  bool *ret_already, struct svcenc_fault *fault);
int volumes_resize(struct agent *agent, const char *name, struct volume *ret,
		   u64 *ret_old, struct svcenc_fault *fault);

enum volume_rotate {
	VOLUME_ROTATE_START,
	VOLUME_ROTATE_PAUSE,
	VOLUME_ROTATE_RESUME,
};

struct volume_rotation {
	const char *name;
	enum volume_rotate action;
	int64_t rate; /* bytes per second, whole KiB; 0 = no limit; -1: as is,
		       * but none at a start
		       */
	bool skip_unreadable; /* with RESUME */
};

/*
 * Fills the action in from its word, "start", "pause" or "resume"; USAGE if
 * that, the rate or a skip does not fit.
 */
int volumes_check_rotation(const char *action, struct volume_rotation *wish,
			   struct svcenc_fault *fault);
/* Returns once the kernel has taken it; the work goes on in the kernel. */
int volumes_rotate(struct agent *agent, const struct volume_rotation *wish,
		   struct volume *ret, struct svcenc_fault *fault);

/* One device of RecoverStore; fills the strings of a RecoverResult. */
struct recovery {
	const char *outcome; /* "recovered", "known", "refused" */
	char volume[SVCENC_NAME_SIZE];
	char policy[SVCENC_NAME_SIZE];
	char tenant[SVCENC_NAME_SIZE];
	struct svcenc_fault why;
	unsigned int tenants, policies, volumes; /* made */
};
void volumes_recover(struct agent *agent, const char *device,
		     struct recovery *ret);

#endif
