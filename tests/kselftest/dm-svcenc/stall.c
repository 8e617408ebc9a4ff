// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "control.h"
#include "stall.h"

/* What a wake-up may be late on a machine of one's own. */
#define EVERY_NS (4 * NS_PER_MS)
#define NORMAL_NS (8 * NS_PER_MS)

static _Atomic int64_t lost_ns;

static void *watch(void *unused)
{
	int64_t before = now_ns();

	(void)unused;
	for (;;) {
		int64_t now, late;

		sleep_ns(EVERY_NS);
		now = now_ns();
		late = now - before - EVERY_NS;
		if (late > NORMAL_NS)
			atomic_fetch_add(&lost_ns, late);
		before = now;
	}
	return NULL;
}

static int watch_cpu(int cpu)
{
	const struct sched_param param = { .sched_priority = 50 };
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t set;
	int rc;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &param);
	rc = pthread_create(&thread, &attr, watch, NULL);
	pthread_attr_destroy(&attr);
	return -rc;
}

int stall_watch(void)
{
	const int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int cpu, rc = 0;

	for (cpu = 0; !rc && cpu < cpus; cpu++)
		rc = watch_cpu(cpu);
	return rc;
}

int64_t stall_ns(void)
{
	return atomic_load(&lost_ns);
}
