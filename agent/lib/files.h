/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that hold secrets or locks: made whole or not at all, never open to
 * others for a moment, and used only with the right owner and mode. Knows
 * nothing of their contents.
 */
#ifndef SVCENC_LIB_FILES_H
#define SVCENC_LIB_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Makes @name in @dirfd, mode 0600, with these contents, durable on return.
 * -EEXIST: it is there already and is left as it is.
 */
int svcenc_files_create(int dirfd, const char *name, const void *bytes,
			size_t len);

/*
 * Opens @name for reading. -EPERM: not a regular file, not ours (effective
 * uid), or open to others; *ret_mode and *ret_uid then say what was found.
 */
int svcenc_files_open_private(int dirfd, const char *name, mode_t *ret_mode,
			      uid_t *ret_uid);

/* Reads at most @len bytes; returns how many, -EFBIG if there are more. */
ssize_t svcenc_files_read_all(int fd, void *buf, size_t len);

/*
 * Opens directory @path without following a link at its end; -EPERM as above
 * unless it is ours and mode 0700.
 */
int svcenc_files_open_private_dir(const char *path, mode_t *ret_mode,
				  uid_t *ret_uid);

/*
 * Makes directory @path (one level) with owner and mode, if it is missing.
 * An existing one is left as it is. 1 = made, 0 = was there.
 */
int svcenc_files_make_dir(const char *path, uid_t uid, gid_t gid, mode_t mode);

/* An exclusive lock for the life of the process; returns the descriptor,
 * -EWOULDBLOCK if another process holds it.
 */
int svcenc_files_lock(const char *path);

#endif
