// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dmraw.h"

static const char control_path[] = "/dev/mapper/control";

static int control = -1;
static union {
	struct dm_ioctl io;
	char bytes[DMRAW_BUFFER];
} buffer;

/* The minor of the control device changes from boot to boot. */
static int make_control(void)
{
	unsigned int minor;
	char line[128];
	int rc = -ENOENT;
	FILE *misc = fopen("/proc/misc", "re");

	if (!misc)
		return -errno;
	while (rc && fgets(line, sizeof(line), misc))
		if (strstr(line, "device-mapper") &&
		    sscanf(line, "%u", &minor) == 1)
			rc = 0;
	fclose(misc);
	if (rc)
		return rc;
	mkdir("/dev/mapper", 0755);
	if (mknod(control_path, S_IFCHR | 0600, makedev(10, minor)) &&
	    errno != EEXIST)
		return -errno;
	return 0;
}

int dmraw_open(void)
{
	int rc;

	if (access(control_path, F_OK)) {
		rc = make_control();
		if (rc)
			return rc;
	}
	control = open(control_path, O_RDWR | O_CLOEXEC);
	return control < 0 ? -errno : 0;
}

struct dm_ioctl *dmraw_begin(const char *name)
{
	struct dm_ioctl *io = &buffer.io;

	memset(&buffer, 0, sizeof(buffer));
	io->version[0] = DM_VERSION_MAJOR;
	io->data_size = sizeof(buffer);
	io->data_start = sizeof(*io);
	if (name)
		snprintf(io->name, sizeof(io->name), "%s", name);
	return io;
}

void dmraw_target(struct dm_ioctl *io, uint64_t start, uint64_t sectors,
		  const char *type, const char *params)
{
	const uint32_t size = (uint32_t)(sizeof(struct dm_target_spec) +
					 ((strlen(params) + 8) & ~7U));
	struct dm_target_spec *spec = (void *)((char *)io + io->data_start);
	uint32_t i;

	/* next is relative to the first one */
	for (i = 0; i < io->target_count; i++)
		spec = (void *)((char *)io + io->data_start + spec->next);
	spec->sector_start = start;
	spec->length = sectors;
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", type);
	strcpy((char *)(spec + 1), params);
	spec->next =
		(uint32_t)((char *)spec + size - ((char *)io + io->data_start));
	io->target_count++;
}

void dmraw_message(struct dm_ioctl *io, const char *text)
{
	struct dm_target_msg *msg = (void *)((char *)io + io->data_start);

	strcpy(msg->message, text);
}

int dmraw_call(unsigned long command, struct dm_ioctl *io)
{
	return ioctl(control, command, io) ? -errno : 0;
}

static int call(unsigned long command, const char *name, uint32_t flags)
{
	struct dm_ioctl *io = dmraw_begin(name);

	io->flags = flags;
	return dmraw_call(command, io);
}

int dmraw_create(const char *name, const char *uuid, uint64_t *ret_dev)
{
	struct dm_ioctl *io = dmraw_begin(name);
	int rc;

	snprintf(io->uuid, sizeof(io->uuid), "%s", uuid);
	rc = dmraw_call(DM_DEV_CREATE, io);
	if (!rc && ret_dev)
		*ret_dev = io->dev;
	return rc;
}

int dmraw_load(const char *name, uint64_t sectors, const char *type,
	       const char *params)
{
	struct dm_ioctl *io = dmraw_begin(name);

	dmraw_target(io, 0, sectors, type, params);
	return dmraw_call(DM_TABLE_LOAD, io);
}

int dmraw_clear(const char *name)
{
	return call(DM_TABLE_CLEAR, name, 0);
}

int dmraw_suspend(const char *name)
{
	return call(DM_DEV_SUSPEND, name, DM_SUSPEND_FLAG);
}

int dmraw_resume(const char *name)
{
	return call(DM_DEV_SUSPEND, name, 0);
}

int dmraw_remove(const char *name)
{
	return call(DM_DEV_REMOVE, name, 0);
}

int dmraw_tell(const char *name, const char *message)
{
	struct dm_ioctl *io = dmraw_begin(name);

	dmraw_message(io, message);
	return dmraw_call(DM_TARGET_MSG, io);
}

int dmraw_flags(const char *name)
{
	const int rc = call(DM_DEV_STATUS, name, 0);

	return rc ? rc : (int)buffer.io.flags;
}

const char *dmraw_status(const char *name, uint32_t flags)
{
	struct dm_ioctl *io = dmraw_begin(name);
	const struct dm_target_spec *spec;

	io->flags = flags;
	if (dmraw_call(DM_TABLE_STATUS, io))
		return NULL;
	if (!io->target_count) {
		errno = ENODATA;
		return NULL;
	}
	spec = (void *)((char *)io + io->data_start);
	return (const char *)(spec + 1);
}

int dmraw_each(void (*use)(const struct dm_name_list *device, void *context),
	       void *context)
{
	const int rc = call(DM_LIST_DEVICES, NULL, 0);
	const struct dm_name_list *device =
		(void *)((char *)&buffer.io + buffer.io.data_start);

	if (rc || !device->dev)
		return rc;
	for (;;) {
		use(device, context);
		if (!device->next)
			return 0;
		device = (void *)((char *)device + device->next);
	}
}

bool dmraw_has_target(const char *type)
{
	const struct dm_target_versions *version;

	if (call(DM_LIST_VERSIONS, NULL, 0))
		return false;
	version = (void *)((char *)&buffer.io + buffer.io.data_start);
	for (;;) {
		if (!strcmp(version->name, type))
			return true;
		if (!version->next)
			return false;
		version = (void *)((char *)version + version->next);
	}
}

int dmraw_open_device(uint64_t dev, int flags)
{
	/* device-mapper packs as the kernel's new_encode_dev() */
	const unsigned int maj = (dev & 0xfff00) >> 8;
	const unsigned int min = (dev & 0xff) | ((dev >> 12) & 0xfff00);
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/.svcenc-test-%u-%u-%d", maj, min,
		 (int)getpid());
	if (mknod(path, S_IFBLK | 0600, makedev(maj, min)))
		return -errno;
	fd = open(path, flags | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	unlink(path);
	return fd;
}
