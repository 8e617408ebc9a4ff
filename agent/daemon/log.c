// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "log.h"

enum { LINE_SIZE = 1024 };

/*
 * Names and reasons in a line may come from others: control characters are
 * replaced, so that nobody can forge a second line.
 */
static void print_line(char line[LINE_SIZE], const char *format, va_list args)
{
	char *at;

	vsnprintf(line, LINE_SIZE, format, args);
	for (at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
}

static void emit(const char *prefix, const char *format, va_list args)
{
	char line[LINE_SIZE];

	print_line(line, format, args);
	fprintf(stderr, "%s%s\n", prefix, line);
}

/* systemd says which stream of its own it has put there. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(fd, &st) && st.st_dev == device && st.st_ino == inode;
}

/* "NAME=value"; freed by the caller. */
static bool add_entry(struct iovec *entry, const char *name, const char *value)
{
	char *text = NULL;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		return false;
	entry->iov_base = text;
	entry->iov_len = strlen(text);
	return true;
}

static bool send_to_journal(int priority, const char *line,
			    const struct log_field *fields, size_t count)
{
	struct iovec entries[LOG_FIELDS_MAX + 3];
	char digit[2] = { (char)('0' + priority), '\0' };
	size_t used = 0, i;
	bool ok;

	ok = add_entry(&entries[used], "MESSAGE", line) && ++used &&
	     add_entry(&entries[used], "PRIORITY", digit) && ++used &&
	     add_entry(&entries[used], "SYSLOG_IDENTIFIER", "svcencd") &&
	     ++used;
	for (i = 0; ok && i < count && i < LOG_FIELDS_MAX; i++) {
		ok = add_entry(&entries[used], fields[i].name, fields[i].value);
		used += ok;
	}
	ok = ok && !sd_journal_sendv(entries, (int)used);
	for (i = 0; i < used; i++)
		free(entries[i].iov_base);
	return ok;
}

void log_fields(int priority, const struct log_field *fields, size_t count,
		const char *format, ...)
{
	char line[LINE_SIZE], message[LINE_SIZE + 32];
	va_list args;

	va_start(args, format);
	print_line(line, format, args);
	va_end(args);
	snprintf(message, sizeof(message), "svcencd: audit: %s", line);
	if (!is_journal(STDERR_FILENO) ||
	    !send_to_journal(priority, message, fields, count))
		fprintf(stderr, "<%d>%s\n", priority, message);
}

#define DEFINE_LOG(name, prefix)            \
	void name(const char *format, ...)  \
	{                                   \
		va_list args;               \
		va_start(args, format);     \
		emit(prefix, format, args); \
		va_end(args);               \
	}

DEFINE_LOG(log_error, "<3>svcencd: ")
DEFINE_LOG(log_warning, "<4>svcencd: ")
DEFINE_LOG(log_info, "<6>svcencd: ")
DEFINE_LOG(log_audit, "<5>svcencd: audit: ")
