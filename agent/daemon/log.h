/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's log: one line an event on standard error, with the priority
 * prefix that the journal understands. The audit trail is made of the lines
 * of log_audit(): who did what to which object, and how it ended. No key
 * byte, no blob and no path of a root key ever is an argument here.
 */
#ifndef SVCENC_DAEMON_LOG_H
#define SVCENC_DAEMON_LOG_H

#include <stddef.h>

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_audit(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * An audit line that programs wait for: to the journal with these fields
 * (svcencd(8) lists them) where standard error leads there, as a plain line
 * elsewhere. @priority as syslog(3) has it.
 */
struct log_field {
	const char *name;
	const char *value;
};

enum { LOG_FIELDS_MAX = 12 };

void log_fields(int priority, const struct log_field *fields, size_t count,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
