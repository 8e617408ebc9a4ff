/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named points between which a crash must be survivable. In builds for tests
 * (-DSVCENC_TEST_STEPS) the process can count them and kill itself at the
 * N-th; in production builds nothing of it is compiled in.
 */
#ifndef SVCENC_LIB_STEP_H
#define SVCENC_LIB_STEP_H

#ifdef SVCENC_TEST_STEPS

#include <getopt.h>

/* For a getopt_long() table: two long options, each with an argument. */
enum { SVCENC_STEP_OPT_KILL = 0x5e01, SVCENC_STEP_OPT_COUNT = 0x5e02 };
#define SVCENC_STEP_LONGOPTS                                               \
	{ "kill-at-step", required_argument, NULL, SVCENC_STEP_OPT_KILL }, \
		{ "count-steps", required_argument, NULL,                  \
		  SVCENC_STEP_OPT_COUNT },

void svcenc_step(const char *name);
/* 1 if @opt was one of the two options and is taken, else 0. */
int svcenc_step_option(int opt, const char *argument);

#else

#define SVCENC_STEP_LONGOPTS
static inline void svcenc_step(const char *name)
{
	(void)name;
}
static inline int svcenc_step_option(int opt, const char *argument)
{
	(void)opt;
	(void)argument;
	return 0;
}

#endif
#endif
