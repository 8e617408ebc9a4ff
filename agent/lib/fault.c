// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "fault.h"

static const struct {
	const char *error;
	int exit_code;
	int error_number;
} kinds[] = {
#define x(kind, name, exit_code, error) \
	[SVCENC_FAULT_##kind] = { "io.svcenc.Agent." name, exit_code, error },
	SVCENC_FAULTS(x)
#undef x
};

int svcenc_fault_set(struct svcenc_fault *fault, enum svcenc_fault_kind kind,
		     const char *format, ...)
{
	va_list args;

	if (fault->kind == SVCENC_FAULT_NONE) {
		fault->kind = kind;
		fault->hint[0] = '\0';
		va_start(args, format);
		vsnprintf(fault->message, sizeof(fault->message), format, args);
		va_end(args);
	}
	return -kinds[fault->kind].error_number;
}

int svcenc_fault_hint(struct svcenc_fault *fault, const char *format, ...)
{
	va_list args;

	if (!fault->hint[0]) {
		va_start(args, format);
		vsnprintf(fault->hint, sizeof(fault->hint), format, args);
		va_end(args);
	}
	return -kinds[fault->kind].error_number;
}

int svcenc_fault_memory(struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, SVCENC_FAULT_MEMORY,
			 "the agent has no memory left for this");
	return svcenc_fault_hint(fault, "try again; see LimitMEMLOCK= and "
					"MemoryMax= of svcencd.service");
}

void svcenc_fault_clear(struct svcenc_fault *fault)
{
	fault->kind = SVCENC_FAULT_NONE;
	fault->message[0] = '\0';
	fault->hint[0] = '\0';
}

int svcenc_fault_exit(const struct svcenc_fault *fault)
{
	return kinds[fault->kind].exit_code;
}

const char *svcenc_fault_error(const struct svcenc_fault *fault)
{
	return kinds[fault->kind].error;
}

json_t *svcenc_fault_parameters(const struct svcenc_fault *fault)
{
	return json_pack("{s:s, s:s, s:i}", "message", fault->message, "hint",
			 fault->hint, "exit", svcenc_fault_exit(fault));
}
