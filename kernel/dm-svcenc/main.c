// SPDX-License-Identifier: GPL-2.0-only
/* Module init and exit, in order and in reverse; nothing else. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "bounce.h"
#include "crypt.h"
#include "device.h"
#include "keyring.h"
#include "netlink.h"
#include "soon.h"
#include "target.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct workqueue_struct *svcenc_wq;
struct workqueue_struct *svcenc_small_wq;
struct workqueue_struct *svcenc_submit_wq[SVCENC_LEVELS];
struct workqueue_struct *svcenc_heal_wq;
struct workqueue_struct *svcenc_event_wq;

static int keyring_get(char *buffer, const struct kernel_param *unused)
{
	return sysfs_emit(buffer, "%d\n", svcenc_keyring_serial());
}

static const struct kernel_param_ops keyring_ops = {
	.get = keyring_get,
};

module_param_cb(keyring, &keyring_ops, NULL, 0444);
MODULE_PARM_DESC(keyring, "serial of the keyring .svcenc (read-only)");

static void destroy_queues(void)
{
	unsigned int i;

	if (svcenc_event_wq)
		destroy_workqueue(svcenc_event_wq);
	if (svcenc_heal_wq)
		destroy_workqueue(svcenc_heal_wq);
	for (i = 0; i < SVCENC_LEVELS; i++)
		if (svcenc_submit_wq[i])
			destroy_workqueue(svcenc_submit_wq[i]);
	if (svcenc_small_wq)
		destroy_workqueue(svcenc_small_wq);
	if (svcenc_wq)
		destroy_workqueue(svcenc_wq);
}

/*
 * One for the volumes of each level. Where there is no memory for a worker, the
 * rescuer of a queue does its jobs one after the other; and a job of a volume on
 * top of another one waits, when all I/Os of that one are taken, for the other
 * one's job: it must not be in its line.
 *
 * They come before further conversions, while the ciphertext is in a cache and
 * few pages hold any: in one line with them it would go down last.
 */
static bool __init create_submit_queues(void)
{
	unsigned int i;

	for (i = 0; i < SVCENC_LEVELS; i++) {
		svcenc_submit_wq[i] = alloc_workqueue("svcenc_submit/%u",
						      WQ_MEM_RECLAIM |
							      WQ_UNBOUND |
							      WQ_HIGHPRI,
						      WQ_MAX_ACTIVE, i);
		if (!svcenc_submit_wq[i])
			return false;
	}
	return true;
}

static int __init create_queues(void)
{
	/*
	 * A job never waits, so more of them at once than processors bring
	 * nothing, and each would be a thread more that others have to share
	 * these with.
	 */
	svcenc_wq = alloc_workqueue("svcenc", WQ_MEM_RECLAIM | WQ_UNBOUND,
				    num_possible_cpus());
	svcenc_small_wq = alloc_workqueue("svcenc_small",
					  WQ_MEM_RECLAIM | WQ_UNBOUND,
					  num_possible_cpus());
	svcenc_heal_wq = alloc_workqueue("svcenc_heal",
					 WQ_MEM_RECLAIM | WQ_UNBOUND,
					 WQ_MAX_ACTIVE);
	svcenc_event_wq = alloc_workqueue("svcenc_event", WQ_UNBOUND, 0);
	if (svcenc_wq && svcenc_small_wq && create_submit_queues() &&
	    svcenc_heal_wq && svcenc_event_wq)
		return 0;
	destroy_queues();
	return -ENOMEM;
}

static int __init svcenc_init(void)
{
	int rc;

	rc = create_queues();
	if (rc)
		return rc;
	svcenc_soon_init();
	rc = svcenc_bounce_init();
	if (rc)
		goto err_destroy_queues;
	rc = svcenc_crypt_init();
	if (rc) {
		pr_err("the crypto API has no xts(aes) (%d)\n", rc);
		goto err_exit_bounce;
	}
	rc = svcenc_netlink_init();
	if (rc)
		goto err_exit_crypt;
	rc = svcenc_keyring_init();
	if (rc)
		goto err_exit_netlink;
	rc = svcenc_target_init();
	if (rc)
		goto err_exit_keyring;
	return 0;

err_exit_keyring:
	svcenc_keyring_exit();
	flush_workqueue(svcenc_event_wq);
err_exit_netlink:
	svcenc_netlink_exit();
err_exit_crypt:
	svcenc_crypt_exit();
err_exit_bounce:
	svcenc_bounce_exit();
err_destroy_queues:
	destroy_queues();
	return rc;
}

static void __exit svcenc_exit(void)
{
	svcenc_target_exit();
	svcenc_keyring_exit();
	/* Keys that ended just now still have events to send. */
	flush_workqueue(svcenc_event_wq);
	svcenc_netlink_exit();
	svcenc_crypt_exit();
	svcenc_soon_exit();
	svcenc_bounce_exit();
	destroy_queues();
	rcu_barrier();
}

module_init(svcenc_init);
module_exit(svcenc_exit);

MODULE_DESCRIPTION("device-mapper target: service encryption with customer keys");
MODULE_AUTHOR("dm-svcenc maintainers");
MODULE_LICENSE("GPL");
/* Not reachable by name from a table or a key otherwise. */
MODULE_ALIAS("dm-svcenc");
