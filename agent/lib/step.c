// SPDX-License-Identifier: GPL-2.0-or-later
#include "step.h"

#ifdef SVCENC_TEST_STEPS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long steps;
static unsigned long kill_at;
static int count_fd = -1;

/* The file has one line a step: its number and its name. */
void svcenc_step(const char *name)
{
	steps++;
	if (count_fd >= 0)
		dprintf(count_fd, "%lu %s\n", steps, name);
	if (steps == kill_at)
		kill(getpid(), SIGKILL);
}

int svcenc_step_option(int opt, const char *argument)
{
	if (opt == SVCENC_STEP_OPT_KILL) {
		kill_at = strtoul(argument, NULL, 10);
		return 1;
	}
	if (opt == SVCENC_STEP_OPT_COUNT) {
		count_fd = open(argument,
				O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		return 1;
	}
	return 0;
}

#else

/* A translation unit must not be empty. */
typedef int svcenc_step_is_not_compiled_in;

#endif
