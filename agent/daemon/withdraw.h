/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * on_withdrawal = shutdown: what a mounted filesystem still has of the
 * plaintext. Shuts the filesystem down (its cached pages answer no read any
 * more) and drops clean caches. Knows only the device number of a mapping.
 */
#ifndef SVCENC_DAEMON_WITHDRAW_H
#define SVCENC_DAEMON_WITHDRAW_H

/* @devno: "major:minor". Number of mounts that were shut down. */
int withdraw_shutdown(const char *devno);

/*
 * Drops the host's clean caches, in a thread of its own: with much memory that
 * takes seconds, in which nothing else should wait. A call while one is at
 * work makes it start over.
 */
void withdraw_drop_caches(void);

#endif
