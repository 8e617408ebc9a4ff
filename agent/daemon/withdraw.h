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

#endif
