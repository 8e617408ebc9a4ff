// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gets a kernel into trouble, for the test of what tests/vm/run says then.
 * The parameter "what" picks the kind; loading does it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/reboot.h>
#include <linux/sched.h>

enum { SECONDS = 100 };

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "oops, hung_task, soft_lockup or power_off");

static void oops(void)
{
	int *volatile nowhere = NULL;

	*nowhere = 1;
}

static void hung_task(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
	schedule_timeout(SECONDS * HZ);
}

static void soft_lockup(void)
{
	const unsigned long end = jiffies + SECONDS * HZ;

	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

static int complain(struct notifier_block *block, unsigned long action,
		    void *data)
{
	WARN(1, "on the way down\n");
	return NOTIFY_DONE;
}

static struct notifier_block complainer = { .notifier_call = complain };

static int __init trouble_init(void)
{
	/* Stays loaded: there is no way back from a power off. */
	if (!strcmp(what, "power_off"))
		return register_reboot_notifier(&complainer);
	if (!strcmp(what, "oops"))
		oops();
	else if (!strcmp(what, "hung_task"))
		hung_task();
	else if (!strcmp(what, "soft_lockup"))
		soft_lockup();
	else
		pr_err("no such trouble: '%s'\n", what);
	return -EINVAL;
}
module_init(trouble_init);

MODULE_DESCRIPTION("Trouble on demand, for a test of the test harness");
MODULE_LICENSE("GPL");
