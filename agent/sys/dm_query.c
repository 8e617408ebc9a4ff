// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions about mapped devices; changes nothing. */
#include "dm.h"

#include <stdlib.h>
#include <sys/sysmacros.h>

#include "dm_task.h"

__attribute__((format(printf, 5, 6))) static void
log_nothing(int level, const char *file, int line, int dm_errno,
	    const char *format, ...)
{
	(void)level;
	(void)file;
	(void)line;
	(void)dm_errno;
	(void)format;
}

struct dm_task *sys_dm_task_new(int type, const char *name)
{
	struct dm_task *task;

	dm_log_with_errno_init(log_nothing);
	task = dm_task_create(type);
	if (task && name && !dm_task_set_name(task, name)) {
		dm_task_destroy(task);
		return NULL;
	}
	return task;
}

int sys_dm_task_run(struct dm_task *task)
{
	int error;

	if (dm_task_run(task))
		return 0;
	error = dm_task_get_errno(task);
	/* No ioctl was made: the control node could not be opened. */
	return error > 0 ? -error : -ENOSYS;
}

static int read_info(struct dm_task *task, struct sys_dm_info *ret)
{
	struct sys_dm_info info = { 0 };
	struct dm_info dmi;
	int r;

	r = sys_dm_task_run(task);
	if (r == -ENXIO) {
		*ret = info;
		return 0;
	}
	if (r < 0)
		return r;
	if (!dm_task_get_info(task, &dmi))
		return -EIO;
	if (dmi.exists) {
		info.exists = true;
		info.suspended = dmi.suspended;
		info.live_table = dmi.live_table;
		info.inactive_table = dmi.inactive_table;
		info.readonly = dmi.read_only;
		info.deferred_remove = dmi.deferred_remove;
		info.open_count = (u32)dmi.open_count;
		info.devno = makedev(dmi.major, dmi.minor);
		snprintf(info.devno_text, sizeof(info.devno_text), "%u:%u",
			 dmi.major, dmi.minor);
		snprintf(info.name, sizeof(info.name), "%s",
			 dm_task_get_name(task));
		snprintf(info.dm_uuid, sizeof(info.dm_uuid), "%s",
			 dm_task_get_uuid(task));
	}
	*ret = info;
	return 0;
}

int sys_dm_info(const char *name, struct sys_dm_info *ret)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_INFO, name);

	return task ? read_info(task, ret) : -ENOMEM;
}

int sys_dm_info_by_uuid(const char *dm_uuid, struct sys_dm_info *ret)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_INFO, NULL);

	if (!task || !dm_task_set_uuid(task, dm_uuid))
		return -ENOMEM;
	return read_info(task, ret);
}

struct line {
	u64 sectors;
	const char *params; /* lives as long as the task */
};

/* The one target of the live table, which must be ours. */
static int read_line(struct dm_task *task, struct line *ret)
{
	char *target = NULL, *params = NULL;
	u64 start = 0, sectors = 0;
	struct dm_info dmi;
	void *next;
	int r;

	if (!dm_task_no_open_count(task) || !dm_task_no_flush(task))
		return -ENOMEM;
	r = sys_dm_task_run(task);
	if (r < 0)
		return r;
	if (!dm_task_get_info(task, &dmi))
		return -EIO;
	if (!dmi.exists)
		return -ENXIO;
	next = dm_get_next_target(task, NULL, &start, &sectors, &target,
				  &params);
	if (next || start || !sectors || !target || !params ||
	    strcmp(target, SYS_DM_TARGET))
		return -ENODATA;
	ret->sectors = sectors;
	ret->params = params;
	return 0;
}

int sys_dm_status(const char *name, struct svcenc_status *ret)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_STATUS, name);
	struct line line;
	int r;

	if (!task)
		return -ENOMEM;
	r = read_line(task, &line);
	if (r < 0)
		return r;
	return svcenc_status_parse(line.params, ret) ? -EBADMSG : 0;
}

int sys_dm_table(const char *name, struct sys_dm_table *ret)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_TABLE, name);
	char *argv[SVCENC_TABLE_ARGS_MIN + 1 + SVCENC_TABLE_OPTS_MAX + 1];
	const char *reason;
	char *word, *rest;
	unsigned int argc = 0;
	struct line line;
	int r;

	if (!task)
		return -ENOMEM;
	r = read_line(task, &line);
	if (r < 0)
		return r;
	if (strlen(line.params) >= sizeof(ret->words))
		return -EBADMSG;
	memcpy(ret->words, line.params, strlen(line.params) + 1);
	for (word = strtok_r(ret->words, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		if (argc == sizeof(argv) / sizeof(argv[0]))
			return -EBADMSG;
		argv[argc++] = word;
	}
	if (svcenc_table_parse(argc, argv, &ret->table, &reason))
		return -EBADMSG;
	ret->sectors = line.sectors;
	return 0;
}

/* Appends @name to the list if it is one of ours; gone meanwhile: skipped. */
static int list_add(const char *name, struct sys_dm_info **list, size_t *count)
{
	struct sys_dm_info info, *larger;
	int r;

	r = sys_dm_info(name, &info);
	if (r < 0)
		return r;
	if (!info.exists || strncmp(info.dm_uuid, SYS_DM_UUID_PREFIX,
				    sizeof(SYS_DM_UUID_PREFIX) - 1))
		return 0;
	larger = reallocarray(*list, *count + 1, sizeof(**list));
	if (!larger)
		return -ENOMEM;
	larger[*count] = info;
	*list = larger;
	*count += 1;
	return 0;
}

int sys_dm_list(struct sys_dm_info **ret, size_t *ret_count)
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_LIST, NULL);
	struct sys_dm_info *list = NULL;
	const struct dm_names *names;
	size_t count = 0;
	int r;

	if (!task)
		return -ENOMEM;
	r = sys_dm_task_run(task);
	if (r < 0)
		return r;
	names = dm_task_get_names(task);
	while (names && names->dev) {
		r = list_add(names->name, &list, &count);
		if (r < 0) {
			free(list);
			return r;
		}
		if (!names->next)
			break;
		names = (const void *)((const char *)names + names->next);
	}
	*ret = list;
	*ret_count = count;
	return 0;
}

int sys_dm_target_version(unsigned int ret_version[3])
{
	cleanup_dm_task struct dm_task *task =
		sys_dm_task_new(DM_DEVICE_LIST_VERSIONS, NULL);
	const struct dm_versions *at;
	int r;

	if (!task)
		return -ENOMEM;
	r = sys_dm_task_run(task);
	if (r < 0)
		return r;
	at = dm_task_get_versions(task);
	while (at) {
		if (!strcmp(at->name, SYS_DM_TARGET)) {
			if (ret_version)
				memcpy(ret_version, at->version,
				       3 * sizeof(*ret_version));
			return 0;
		}
		if (!at->next)
			break;
		at = (const void *)((const char *)at + at->next);
	}
	return -ENOENT;
}
