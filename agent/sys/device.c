// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <fcntl.h>
#include <linux/blkzoned.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	BLOCK_SIZE_MAX = 4096, /* a superblock copy is one block at most */
	TRANSFER_ALIGN = 4096,
	TRANSFER_MAX = 1 << 20, /* bytes per bounce buffer */
};

static const u64 superblock_offset[SVCENC_SB_COPIES] = { SVCENC_SB1_OFFSET,
							 SVCENC_SB2_OFFSET };
static const u64 record_offset[2] = { SVCENC_RECORD1_OFFSET,
				      SVCENC_RECORD2_OFFSET };

static int read_block_geometry(struct sys_device *device)
{
	unsigned int physical = 0;
	int logical = 0, readonly = 0;
	uint64_t bytes = 0;

	if (ioctl(device->fd, BLKGETSIZE64, &bytes) < 0 ||
	    ioctl(device->fd, BLKSSZGET, &logical) < 0 ||
	    ioctl(device->fd, BLKPBSZGET, &physical) < 0 ||
	    ioctl(device->fd, BLKROGET, &readonly) < 0)
		return -errno;
	/* open(2) lets writers in; only their writes would fail. */
	if (readonly && device->writable)
		return -EROFS;
	if (logical < 512 || logical > BLOCK_SIZE_MAX)
		return -EINVAL;
	device->bytes = bytes;
	device->logical_block = (u32)logical;
	device->physical_block = physical;
	return 0;
}

static int read_geometry(struct sys_device *device, const struct stat *st)
{
	if (!device->regular) {
		device->devno = st->st_rdev;
		snprintf(device->devno_text, sizeof(device->devno_text),
			 "%u:%u", major(st->st_rdev), minor(st->st_rdev));
		return read_block_geometry(device);
	}
	device->bytes = (u64)st->st_size;
	device->logical_block = 512;
	device->physical_block = 4096;
	return 0;
}

/* Turned on after the look at what was opened; not every file can. */
static int turn_on_direct(struct sys_device *device)
{
	const int flags = fcntl(device->fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (fcntl(device->fd, F_SETFL, (flags | O_DIRECT) & ~O_NONBLOCK) == 0) {
		device->direct = true;
		return 0;
	}
	if (!device->regular)
		return -errno;
	return fcntl(device->fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

/*
 * O_NONBLOCK: a FIFO or a tape at that path must not make us wait. O_EXCL
 * without O_CREAT means "claim it" on block devices and nothing on files.
 */
static int open_fd(const char *path, unsigned int flags)
{
	int oflags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd;

	oflags |= flags & SYS_DEVICE_WRITE ? O_RDWR : O_RDONLY;
	if (flags & SYS_DEVICE_EXCLUSIVE)
		oflags |= O_EXCL;
	fd = open(path, oflags);
	return fd < 0 ? -errno : fd;
}

int sys_device_open(const char *path, unsigned int flags,
		    struct sys_device **ret)
{
	struct sys_device *device = calloc(1, sizeof(*device));
	struct stat st;
	int r;

	if (!device)
		return -ENOMEM;
	device->fd = -1;
	device->path = strdup(path);
	r = device->path ? open_fd(path, flags) : -ENOMEM;
	if (r < 0)
		goto err_close;
	device->fd = r;
	device->writable = flags & SYS_DEVICE_WRITE;
	device->exclusive = flags & SYS_DEVICE_EXCLUSIVE;
	if (fstat(device->fd, &st) < 0) {
		r = -errno;
		goto err_close;
	}
	device->regular = S_ISREG(st.st_mode);
	r = -ENOTBLK;
	if (!S_ISBLK(st.st_mode) &&
	    !(device->regular && (flags & SYS_DEVICE_ALLOW_FILE)))
		goto err_close;
	r = read_geometry(device, &st);
	if (r < 0)
		goto err_close;
	r = turn_on_direct(device);
	if (r < 0)
		goto err_close;
	*ret = device;
	return 0;

err_close:
	(void)sys_device_close(device);
	return r;
}

struct sys_device *sys_device_close(struct sys_device *device)
{
	if (!device)
		return NULL;
	if (device->fd >= 0)
		close(device->fd);
	free(device->path);
	free(device);
	return NULL;
}

/*
 * First word of a sysfs attribute of the device, or of the whole disk if it
 * is a partition; false if there is no such attribute.
 */
static bool read_attribute(const struct sys_device *device, const char *name,
			   char *word, size_t size)
{
	static const char *const above[] = { "", "../" };
	char path[128];
	size_t i;
	ssize_t len;
	int fd;

	for (i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%s/%s%s",
			 device->devno_text, above[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		len = read(fd, word, size - 1);
		close(fd);
		if (len < 0)
			continue;
		word[len] = '\0';
		word[strcspn(word, " \n")] = '\0';
		return true;
	}
	return false;
}

static bool is_zoned(const struct sys_device *device)
{
	char model[32];
	uint32_t zone_sectors = 0;

	if (ioctl(device->fd, BLKGETZONESZ, &zone_sectors) == 0 && zone_sectors)
		return true;
	return read_attribute(device, "queue/zoned", model, sizeof(model)) &&
	       strcmp(model, "none");
}

static bool has_integrity(const struct sys_device *device)
{
	char format[64];

	return read_attribute(device, "integrity/format", format,
			      sizeof(format)) &&
	       *format && strcmp(format, "none");
}

int sys_device_check_below(const struct sys_device *device,
			   const char **ret_reason)
{
	if (device->regular)
		return 0;
	if (is_zoned(device)) {
		*ret_reason =
			"the device is zoned: rotation has to rewrite sectors in place, which zones forbid";
		return -EOPNOTSUPP;
	}
	if (has_integrity(device)) {
		*ret_reason =
			"the device has an integrity profile (T10 PI or dm-integrity tags): svcenc does not pass tags through";
		return -EOPNOTSUPP;
	}
	return 0;
}

int sys_device_refresh_size(struct sys_device *device)
{
	struct stat st;

	if (fstat(device->fd, &st) < 0)
		return -errno;
	return read_geometry(device, &st);
}

static int check_range(const struct sys_device *device, u64 offset, u64 len)
{
	if (offset % TRANSFER_ALIGN || len % TRANSFER_ALIGN || !len)
		return -EINVAL;
	if (len > device->bytes || offset > device->bytes - len)
		return -ERANGE;
	return 0;
}

static int read_fully(int fd, u64 offset, void *buf, size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = pread(fd, (char *)buf + at, len - at, (off_t)(offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += (size_t)n;
	}
	return 0;
}

static int write_fully(int fd, u64 offset, const void *buf, size_t len)
{
	size_t at = 0;
	ssize_t n;

	while (at < len) {
		n = pwrite(fd, (const char *)buf + at, len - at,
			   (off_t)(offset + at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EIO;
		at += (size_t)n;
	}
	return 0;
}

static void *bounce_alloc(size_t len)
{
	const size_t size = len < TRANSFER_MAX ? len : TRANSFER_MAX;
	void *bounce;

	if (posix_memalign(&bounce, TRANSFER_ALIGN, size))
		return NULL;
	memset(bounce, 0, size);
	return bounce;
}

int sys_device_read(const struct sys_device *device, u64 offset, void *buf,
		    size_t len)
{
	void *bounce;
	size_t at, piece;
	int r;

	r = check_range(device, offset, len);
	if (r < 0)
		return r;
	bounce = bounce_alloc(len);
	if (!bounce)
		return -ENOMEM;
	for (at = 0; at < len && r == 0; at += piece) {
		piece = len - at < TRANSFER_MAX ? len - at : TRANSFER_MAX;
		r = read_fully(device->fd, offset + at, bounce, piece);
		if (r == 0)
			memcpy((char *)buf + at, bounce, piece);
	}
	free(bounce);
	return r;
}

/* @buf NULL: zeroes. */
static int write_pieces(const struct sys_device *device, u64 offset,
			const void *buf, u64 len)
{
	void *bounce;
	size_t piece;
	u64 at;
	int r = 0;

	bounce = bounce_alloc(len < TRANSFER_MAX ? (size_t)len : TRANSFER_MAX);
	if (!bounce)
		return -ENOMEM;
	for (at = 0; at < len && r == 0; at += piece) {
		piece = len - at < TRANSFER_MAX ? (size_t)(len - at) :
						  TRANSFER_MAX;
		if (buf)
			memcpy(bounce, (const char *)buf + at, piece);
		r = write_fully(device->fd, offset + at, bounce, piece);
	}
	free(bounce);
	if (r == 0 && fdatasync(device->fd) < 0)
		r = -errno;
	return r;
}

int sys_device_write(const struct sys_device *device, u64 offset,
		     const void *buf, size_t len)
{
	const int r = check_range(device, offset, len);

	return r < 0 ? r : write_pieces(device, offset, buf, len);
}

int sys_device_zero(const struct sys_device *device, u64 offset, u64 len)
{
	const int r = check_range(device, offset, len);

	return r < 0 ? r : write_pieces(device, offset, NULL, len);
}

int sys_device_read_superblock(const struct sys_device *device,
			       unsigned int copy, u8 buf[static SVCENC_SB_SIZE])
{
	if (copy >= SVCENC_SB_COPIES)
		return -EINVAL;
	return sys_device_read(device, superblock_offset[copy], buf,
			       SVCENC_SB_SIZE);
}

int sys_device_write_superblock(const struct sys_device *device,
				unsigned int copy,
				const u8 buf[static SVCENC_SB_SIZE])
{
	if (copy >= SVCENC_SB_COPIES)
		return -EINVAL;
	if (!device->exclusive && !device->regular)
		return -EPERM;
	return sys_device_write(device, superblock_offset[copy], buf,
				SVCENC_SB_SIZE);
}

int sys_device_read_record(const struct sys_device *device, unsigned int copy,
			   u8 buf[static SVCENC_RECORD_SIZE])
{
	if (copy >= sizeof(record_offset) / sizeof(record_offset[0]))
		return -EINVAL;
	return sys_device_read(device, record_offset[copy], buf,
			       SVCENC_RECORD_SIZE);
}

int sys_device_write_record(const struct sys_device *device, unsigned int copy,
			    const u8 buf[static SVCENC_RECORD_SIZE])
{
	if (copy >= sizeof(record_offset) / sizeof(record_offset[0]))
		return -EINVAL;
	return sys_device_write(device, record_offset[copy], buf,
				SVCENC_RECORD_SIZE);
}
