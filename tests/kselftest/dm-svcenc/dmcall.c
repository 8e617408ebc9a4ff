// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dmcall.h"

void dmcall_prepare(struct dmcall *call, const char *name, uint32_t flags)
{
	memset(call, 0, sizeof(*call));
	call->head.version[0] = DM_VERSION_MAJOR;
	call->head.data_size = sizeof(*call);
	call->head.data_start = sizeof(call->head);
	call->head.flags = flags;
	snprintf(call->head.name, sizeof(call->head.name), "%s", name);
}

/* Opened each time: which thread asks, and in which order, is all open. */
int dmcall_send(unsigned long request, struct dmcall *call)
{
	const int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, request, call) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int dmcall_create(const char *name, const char *uuid, unsigned int *ret_minor)
{
	struct dmcall call;
	int rc;

	dmcall_prepare(&call, name, 0);
	if (uuid)
		snprintf(call.head.uuid, sizeof(call.head.uuid), "%s", uuid);
	rc = dmcall_send(DM_DEV_CREATE, &call);
	if (!rc && ret_minor)
		*ret_minor = (unsigned int)((call.head.dev & 0xff) |
					    (call.head.dev >> 12 & 0xfff00));
	return rc;
}

int dmcall_load(const char *name, const struct dmcall_table *table,
		uint32_t flags)
{
	struct dmcall call;

	dmcall_prepare(&call, name, flags);
	call.head.target_count = 1;
	call.spec.length = table->sectors;
	snprintf(call.spec.target_type, sizeof(call.spec.target_type), "%s",
		 table->type);
	if (strlen(table->words) >= sizeof(call.text))
		return -ENAMETOOLONG;
	strcpy(call.text, table->words);
	return dmcall_send(DM_TABLE_LOAD, &call);
}

int dmcall_suspend(const char *name, uint32_t flags)
{
	struct dmcall call;

	dmcall_prepare(&call, name, DM_SUSPEND_FLAG | flags);
	return dmcall_send(DM_DEV_SUSPEND, &call);
}

int dmcall_resume(const char *name)
{
	struct dmcall call;

	dmcall_prepare(&call, name, 0);
	return dmcall_send(DM_DEV_SUSPEND, &call);
}

int dmcall_status(const char *name, uint32_t flags)
{
	struct dmcall call;

	dmcall_prepare(&call, name, flags);
	return dmcall_send(DM_TABLE_STATUS, &call);
}

int dmcall_remove(const char *name, uint32_t flags)
{
	struct dmcall call;

	dmcall_prepare(&call, name, flags);
	return dmcall_send(DM_DEV_REMOVE, &call);
}

int dmcall_exists(const char *name)
{
	struct dmcall call;

	dmcall_prepare(&call, name, 0);
	return dmcall_send(DM_DEV_STATUS, &call);
}
