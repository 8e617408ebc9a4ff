// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>

#include "answer.h"

enum vault_class vault_say(struct vault_answer *answer, enum vault_class class,
			   const char *reason, const char *format, ...)
{
	va_list args;

	answer->class = class;
	answer->reason = reason ? reason : "";
	answer->retry_after_s = class == VAULT_THROTTLED ? 1 : 0;
	answer->detail[0] = '\0';
	if (format) {
		va_start(args, format);
		vsnprintf(answer->detail, sizeof(answer->detail), format, args);
		va_end(args);
	}
	return class;
}
