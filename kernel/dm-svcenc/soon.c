// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list and a tasklet for each CPU. The tasklet is not part of a job: it is
 * looked at after its function has returned, when a job may be gone.
 */
#include <linux/interrupt.h>
#include <linux/percpu.h>

#include "soon.h"

enum soon_limits {
	/* So long may a softirq keep the CPU: tens of microseconds. */
	BUDGET = 128 << 10,
};

struct line {
	struct llist_head jobs;
	struct tasklet_struct tasklet;
};

static DEFINE_PER_CPU(struct line, lines);

/*
 * Takes all at once: who comes later finds the list empty and schedules the
 * tasklet again, which may be marked so while it runs.
 */
static void run_jobs(struct tasklet_struct *tasklet)
{
	struct line *line = from_tasklet(line, tasklet, tasklet);
	struct svcenc_soon *job, *next;
	struct llist_node *jobs;
	unsigned int spent = 0;

	jobs = llist_reverse_order(llist_del_all(&line->jobs));
	llist_for_each_entry_safe(job, next, jobs, node) {
		const bool late = spent >= BUDGET;

		spent += job->bytes;
		job->run(job, late);
	}
}

void svcenc_soon(struct svcenc_soon *job)
{
	struct line *line = this_cpu_ptr(&lines);

	if (llist_add(&job->node, &line->jobs))
		tasklet_schedule(&line->tasklet);
}

void svcenc_soon_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct line *line = per_cpu_ptr(&lines, cpu);

		init_llist_head(&line->jobs);
		tasklet_setup(&line->tasklet, run_jobs);
	}
}

void svcenc_soon_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		tasklet_kill(&per_cpu_ptr(&lines, cpu)->tasklet);
}
