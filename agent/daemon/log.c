// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/*
 * Names and reasons in a line may come from others: control characters are
 * replaced, so that nobody can forge a second line.
 */
static void emit(const char *prefix, const char *format, va_list args)
{
	char line[1024];
	char *at;

	vsnprintf(line, sizeof(line), format, args);
	for (at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	fprintf(stderr, "%s%s\n", prefix, line);
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
