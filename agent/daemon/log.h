/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's log: one line an event on standard error, with the priority
 * prefix that the journal understands. The audit trail is made of the lines
 * of log_audit(): who did what to which object, and how it ended. No key
 * byte, no blob and no path of a root key ever is an argument here.
 */
#ifndef SVCENC_DAEMON_LOG_H
#define SVCENC_DAEMON_LOG_H

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_audit(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
