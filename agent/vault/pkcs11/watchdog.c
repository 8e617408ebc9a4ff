// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "watchdog.h"

enum { EXIT_HUNG = 75 };

static timer_t timer;

static void on_timer(int number)
{
	static const char words[] =
		"svcenc-vault-pkcs11: error: the PKCS#11 module does not "
		"return; the worker ends\n";
	ssize_t ignored;

	(void)number;
	ignored = write(STDERR_FILENO, words, sizeof(words) - 1);
	(void)ignored;
	_exit(EXIT_HUNG);
}

int watchdog_init(void)
{
	struct sigaction action = { .sa_handler = on_timer };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGRTMIN };

	if (sigaction(SIGRTMIN, &action, NULL) < 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &timer) < 0)
		return -errno;
	return 0;
}

void watchdog_start(unsigned int ms)
{
	const struct itimerspec at = {
		.it_value = { ms / 1000, (long)(ms % 1000) * 1000000 },
	};

	(void)timer_settime(timer, 0, &at, NULL);
}

void watchdog_stop(void)
{
	const struct itimerspec never = { .it_value = { 0, 0 } };

	(void)timer_settime(timer, 0, &never, NULL);
}
