// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes of mapped devices: create, reload, suspend, resume, remove,
 * message. create and reload run their kernel calls one by one, not as
 * libdevmapper's compound task, because that loses which of them failed and
 * why.
 */
#include "dm.h"

#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm_task.h"

enum {
	REMOVE_TRIES = 50,
	REMOVE_PAUSE_US = 100 * 1000,
};

/* As cryptsetup hides its temporary devices. */
enum {
	HIDDEN = DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |
		 DM_UDEV_DISABLE_DISK_RULES_FLAG |
		 DM_UDEV_DISABLE_OTHER_RULES_FLAG,
};

/* Runs @task and waits until udev has acted on its uevent. */
static int run_with_udev(struct dm_task *task, uint16_t flags)
{
	uint32_t cookie = 0;
	int r;

	if (!dm_task_set_cookie(task, &cookie, flags))
		return -ENOMEM;
	r = sys_dm_task_run(task);
	/* On an error too: the cookie is a semaphore that must go away. */
	(void)dm_udev_wait(cookie);
	dm_task_update_nodes();
	return r;
}

static int create_empty(const struct sys_dm_spec *spec)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_CREATE, spec->name);

	if (!task || !dm_task_set_uuid(task, spec->dm_uuid))
		return -ENOMEM;
	if (spec->readonly && !dm_task_set_ro(task))
		return -ENOMEM;
	return sys_dm_task_run(task);
}

struct load {
	const char *name;
	const char *target;
	const char *params;
	u64 sectors;
	bool readonly;
};

static int load_table(const struct load *load)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_RELOAD, load->name);

	if (!task || !dm_task_add_target(task, 0, load->sectors, load->target,
					 load->params))
		return -ENOMEM;
	if (load->readonly && !dm_task_set_ro(task))
		return -ENOMEM;
	return sys_dm_task_run(task);
}

static int load_spec(const struct sys_dm_spec *spec)
{
	char params[SVCENC_DEVICE_PATH_MAX + 256];
	struct load load = {
		.name = spec->name,
		.target = SYS_DM_TARGET,
		.params = params,
		.sectors = spec->sectors,
		.readonly = spec->readonly,
	};
	int r;

	r = sys_dm_params(spec->table, params, sizeof(params));
	if (r < 0)
		return r;
	return load_table(&load);
}

static int drop_inactive_table(const char *name)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_CLEAR, name);

	return task ? sys_dm_task_run(task) : -ENOMEM;
}

static int remove_once(const char *name, bool deferred)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_REMOVE, name);

	if (!task || (deferred && !dm_task_deferred_remove(task)))
		return -ENOMEM;
	return run_with_udev(task, 0);
}

static int resume(const char *name, uint16_t flags)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_RESUME, name);

	return task ? run_with_udev(task, flags) : -ENOMEM;
}

int sys_dm_resume(const char *name)
{
	return resume(name, 0);
}

int sys_dm_suspend(const char *name)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_SUSPEND, name);

	return task ? sys_dm_task_run(task) : -ENOMEM;
}

int sys_dm_create(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step)
{
	enum sys_dm_step step = SYS_DM_STEP_CREATE;
	int r;

	r = create_empty(spec);
	if (r < 0)
		goto out;
	step = SYS_DM_STEP_LOAD;
	r = load_spec(spec);
	if (r < 0)
		goto out_remove;
	step = SYS_DM_STEP_RESUME;
	r = resume(spec->name, spec->hidden ? HIDDEN : 0);
	if (r < 0)
		goto out_remove;
	return 0;

out_remove:
	(void)sys_dm_remove(spec->name, 0);
out:
	if (ret_step)
		*ret_step = step;
	return r;
}

/*
 * A refused resume leaves the new table in place, suspended, and the old one
 * is gone (dm swaps before preresume): load the old line again.
 */
static void put_back(const struct sys_dm_table *old, const char *name,
		     bool readonly)
{
	const struct sys_dm_spec spec = {
		.name = name,
		.table = &old->table,
		.sectors = old->sectors,
		.readonly = readonly,
	};

	if (load_spec(&spec) < 0)
		return;
	(void)sys_dm_resume(name);
}

int sys_dm_reload(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step)
{
	enum sys_dm_step step = SYS_DM_STEP_LOAD;
	struct sys_dm_table old;
	int r;

	r = sys_dm_table(spec->name, &old);
	if (r < 0)
		goto out;
	r = load_spec(spec);
	if (r < 0)
		goto out;
	step = SYS_DM_STEP_RESUME;
	r = sys_dm_suspend(spec->name);
	if (r < 0) {
		(void)drop_inactive_table(spec->name);
		goto out;
	}
	r = sys_dm_resume(spec->name);
	if (r < 0)
		put_back(&old, spec->name, spec->readonly);
out:
	if (r < 0 && ret_step)
		*ret_step = step;
	return r;
}

/* Held by a mount or another device: waiting for udev would not help. */
static bool is_held(const struct sys_dm_info *info)
{
	const uint32_t major_number = major(info->devno);
	const uint32_t minor_number = minor(info->devno);

	return dm_device_has_holders(major_number, minor_number) ||
	       dm_device_has_mounted_fs(major_number, minor_number);
}

/*
 * Without flush or freeze: the volume may be unable to do either. What is
 * under way ends with the old table, all later I/O fails.
 */
static int replace_by_error(const struct sys_dm_info *info, u64 sectors)
{
	const struct load load = {
		.name = info->name,
		.target = "error",
		.params = "",
		.sectors = sectors,
		.readonly = info->readonly,
	};
	cleanup_dm_task struct dm_task *task = NULL;
	int r;

	r = load_table(&load);
	if (r < 0)
		return r;
	task = sys_dm_task_new(DM_DEVICE_SUSPEND, info->name);
	if (!task || !dm_task_no_flush(task) || !dm_task_skip_lockfs(task))
		return -ENOMEM;
	r = sys_dm_task_run(task);
	if (r < 0)
		return r;
	return sys_dm_resume(info->name);
}

int sys_dm_remove(const char *name, unsigned int flags)
{
	const bool deferred = flags & SYS_DM_REMOVE_DEFERRED;
	struct sys_dm_table table;
	struct sys_dm_info info;
	unsigned int i;
	int r;

	r = sys_dm_info(name, &info);
	if (r < 0)
		return r;
	if (!info.exists)
		return -ENXIO;
	if ((flags & SYS_DM_REMOVE_FORCE) && sys_dm_table(name, &table) == 0) {
		r = replace_by_error(&info, table.sectors);
		if (r < 0)
			return r;
	}
	for (i = 0; i < REMOVE_TRIES; i++) {
		r = remove_once(name, deferred);
		if (r != -EBUSY || is_held(&info))
			return r;
		usleep(REMOVE_PAUSE_US);
	}
	return r;
}

int sys_dm_message(const char *name, const char *message)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_TARGET_MSG, name);

	if (!task || !dm_task_set_sector(task, 0) ||
	    !dm_task_set_message(task, message) || !dm_task_secure_data(task))
		return -ENOMEM;
	return sys_dm_task_run(task);
}
