// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What lies on a device already, by libblkid plus our own magic (which
 * libblkid does not know yet), and its removal. Part of device.h.
 */
#include <blkid.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "device.h"

enum { WIPE_ROUNDS_MAX = 64 };

struct probe {
	blkid_probe probe;
	int fd;
};

/*
 * libblkid reads into unaligned memory, so it gets a descriptor of its own
 * without O_DIRECT; /proc/self/fd opens the same inode, not the path.
 */
static int open_buffered(const struct sys_device *device, bool writable)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", device->fd);
	fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void probe_close(struct probe *probe)
{
	blkid_free_probe(probe->probe);
	if (probe->fd >= 0)
		close(probe->fd);
}

static int probe_open(const struct sys_device *device, bool writable,
		      struct probe *ret)
{
	struct probe probe = { .probe = blkid_new_probe(), .fd = -1 };
	int r = -ENOMEM;

	if (!probe.probe)
		goto err_close;
	r = open_buffered(device, writable);
	if (r < 0)
		goto err_close;
	probe.fd = r;
	r = -ENOMEM;
	if (blkid_probe_set_device(probe.probe, probe.fd, 0, 0) < 0 ||
	    blkid_probe_enable_superblocks(probe.probe, 1) < 0 ||
	    blkid_probe_set_superblocks_flags(
		    probe.probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
					 BLKID_SUBLKS_LABEL |
					 BLKID_SUBLKS_MAGIC) < 0 ||
	    blkid_probe_enable_partitions(probe.probe, 1) < 0 ||
	    blkid_probe_set_partitions_flags(probe.probe, BLKID_PARTS_MAGIC) <
		    0)
		goto err_close;
	*ret = probe;
	return 0;

err_close:
	probe_close(&probe);
	return r;
}

static void get_value(blkid_probe probe, const char *name, char *buf,
		      size_t size)
{
	const char *value = NULL;

	buf[0] = '\0';
	if (blkid_probe_lookup_value(probe, name, &value, NULL) == 0 && value)
		snprintf(buf, size, "%s", value);
}

/* Ours by its magic alone: a torn superblock is worth a question, too. */
static int find_own(const struct sys_device *device, struct sys_signature *ret)
{
	u8 image[SVCENC_SB_SIZE];
	unsigned int copy;
	int r;

	for (copy = 0; copy < SVCENC_SB_COPIES; copy++) {
		r = sys_device_read_superblock(device, copy, image);
		if (r == -ERANGE)
			continue;
		if (r < 0)
			return r;
		if (memcmp(image, SVCENC_SB_MAGIC, sizeof(SVCENC_SB_MAGIC) - 1))
			continue;
		memset(ret, 0, sizeof(*ret));
		snprintf(ret->type, sizeof(ret->type), "svcenc");
		snprintf(ret->usage, sizeof(ret->usage), "crypto");
		return 1;
	}
	return 0;
}

static int find_foreign(const struct sys_device *device,
			struct sys_signature *ret)
{
	struct sys_signature found = { 0 };
	struct probe probe;
	int r;

	r = probe_open(device, false, &probe);
	if (r < 0)
		return r;
	/* 0: found something; 1: nothing; negative: error. */
	r = blkid_do_probe(probe.probe);
	if (r != 0) {
		r = r == 1 ? 0 : -EIO;
		goto out;
	}
	get_value(probe.probe, "TYPE", found.type, sizeof(found.type));
	get_value(probe.probe, "USAGE", found.usage, sizeof(found.usage));
	get_value(probe.probe, "LABEL", found.label, sizeof(found.label));
	if (!*found.type) {
		get_value(probe.probe, "PTTYPE", found.type,
			  sizeof(found.type));
		snprintf(found.usage, sizeof(found.usage), "partition table");
	}
	*ret = found;
	r = 1;
out:
	probe_close(&probe);
	return r;
}

int sys_device_signature(const struct sys_device *device,
			 struct sys_signature *ret)
{
	const int r = find_own(device, ret);

	return r != 0 ? r : find_foreign(device, ret);
}

int sys_device_wipe_signatures(const struct sys_device *device)
{
	struct probe probe;
	unsigned int rounds;
	int r;

	if (!device->writable || (!device->exclusive && !device->regular))
		return -EPERM;
	r = probe_open(device, true, &probe);
	if (r < 0)
		return r;
	/* blkid_do_wipe() steps back, so what lies behind is found next. */
	for (rounds = 0; rounds < WIPE_ROUNDS_MAX; rounds++) {
		r = blkid_do_probe(probe.probe);
		if (r != 0)
			break;
		r = blkid_do_wipe(probe.probe, 0);
		if (r < 0)
			break;
	}
	r = r < 0 ? -EIO : 0;
	if (rounds == WIPE_ROUNDS_MAX)
		r = -ELOOP;
	if (r == 0 && fsync(probe.fd) < 0)
		r = -errno;
	probe_close(&probe);
	return r;
}
