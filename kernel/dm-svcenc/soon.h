/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Jobs that an interrupt leaves behind for the softirq that follows it: a
 * conversion may not run with interrupts off, and a workqueue costs a small
 * one more than the cipher does. Knows no bio.
 */
#ifndef SVCENC_SOON_H
#define SVCENC_SOON_H

#include <linux/llist.h>
#include <linux/types.h>

struct svcenc_soon {
	struct llist_node node;
	unsigned int bytes; /* of work */
	/*
	 * In softirq context. @late: there was too much before it, the job
	 * should go elsewhere. The job is its own again.
	 */
	void (*run)(struct svcenc_soon *job, bool late);
};

void svcenc_soon_init(void);
void svcenc_soon_exit(void); /* no job is left, none will come */

/*
 * The caller does not leave this CPU, because interrupts are off or it is a
 * softirq: runs @job here, in a softirq that begins later.
 */
void svcenc_soon(struct svcenc_soon *job);

#endif
