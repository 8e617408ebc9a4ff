// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes one mistake on request, as module parameter "mistake", so that
 * tests/uml/selftest can see who notices.  The mistakes are those that a
 * device-mapper target with keys can make; nothing here is of any other use.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *mistake = "none";
module_param(mistake, charp, 0400);
MODULE_PARM_DESC(mistake, "which one; none does the same without a mistake");

static noinline void use_after_free(void)
{
	u8 *bytes = kmalloc(64, GFP_KERNEL);

	if (!bytes)
		return;
	OPTIMIZER_HIDE_VAR(bytes);
	kfree(bytes);
	WRITE_ONCE(bytes[8], 1);
}

static noinline void beyond_the_end(void)
{
	u8 *bytes = kmalloc(64, GFP_KERNEL);

	if (!bytes)
		return;
	OPTIMIZER_HIDE_VAR(bytes);
	WRITE_ONCE(bytes[64], 1);
	kfree(bytes);
}

static noinline void free_page_twice(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return;
	__free_page(page);
	__free_page(page);
}

static noinline void lock_order(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

/* No lock is held, but there is an RCU section: lockdep and the count tell. */
static noinline void sleep_in_rcu(void)
{
	rcu_read_lock();
	might_sleep();
	rcu_read_unlock();
}

static noinline void leak(void)
{
	int i;

	/* many: an old pointer on a stack may hide one */
	for (i = 0; i < 16; i++) {
		void *bytes = kmalloc(100, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(bytes);
	}
}

static noinline void leak_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(page);
}

static noinline void list_corruption(void)
{
	LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static void never(struct timer_list *unused)
{
}

static noinline void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 600 * HZ);
	kfree(timer);
}

static noinline void locks_debug_off(void)
{
	debug_locks_off();
}

static int raced;

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		cond_resched();
	}
	return 0;
}

static noinline void race_for_data(void)
{
	struct task_struct *one = kthread_run(racer, NULL, "sees/1");
	struct task_struct *two = kthread_run(racer, NULL, "sees/2");

	msleep(5000);
	if (!IS_ERR(one))
		kthread_stop(one);
	if (!IS_ERR(two))
		kthread_stop(two);
}

static noinline void none(void)
{
	static DEFINE_MUTEX(lock);
	u8 *bytes;

	mutex_lock(&lock);
	bytes = kmalloc(64, GFP_KERNEL);
	kfree(bytes);
	mutex_unlock(&lock);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "none", none },
	{ "use_after_free", use_after_free },
	{ "beyond_the_end", beyond_the_end },
	{ "free_page_twice", free_page_twice },
	{ "lock_order", lock_order },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "sleep_in_rcu", sleep_in_rcu },
	{ "leak", leak },
	{ "leak_page", leak_page },
	{ "list_corruption", list_corruption },
	{ "free_active_timer", free_active_timer },
	{ "lockdep_off", locks_debug_off },
	{ "data_race", race_for_data },
};

static int __init sees_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(mistakes[i].name, mistake))
			continue;
		mistakes[i].make();
		return 0;
	}
	pr_err("no such mistake: %s\n", mistake);
	return -EINVAL;
}

static void __exit sees_exit(void)
{
}

module_init(sees_init);
module_exit(sees_exit);
MODULE_DESCRIPTION("Mistakes for a test of the test");
MODULE_LICENSE("GPL");
