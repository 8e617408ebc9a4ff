/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device below a volume, opened once: every question and every transfer
 * goes through that one descriptor, so nothing can be swapped in between.
 * Knows where header copies lie, not what they mean. Logs nothing.
 *
 * Transfers are O_DIRECT on block devices (and on regular files where the
 * filesystem can), in aligned buffers, so that no page cache lies between us
 * and an open volume. Regular files are for tests and the offline tools.
 *
 * Unless said otherwise a function returns 0 or a negative errno, and sets
 * its outputs only on 0.
 */
#ifndef SVCENC_SYS_DEVICE_H
#define SVCENC_SYS_DEVICE_H

#include <sys/types.h>

#include "ondisk.h"
#include "policyrec.h"

enum sys_device_flags {
	SYS_DEVICE_WRITE = 1 << 0,
	/*
	 * O_EXCL: -EBUSY if it is mounted, mapped, or held by anybody else.
	 * Close it before a table is loaded over it: the target claims it.
	 */
	SYS_DEVICE_EXCLUSIVE = 1 << 1,
	SYS_DEVICE_ALLOW_FILE = 1 << 2, /* regular files too */
};

struct sys_device {
	int fd;
	bool regular; /* a file, not a block device */
	bool writable;
	bool exclusive;
	bool direct;	     /* O_DIRECT is on */
	dev_t devno;	     /* of the block device; 0 for a file */
	char devno_text[24]; /* "major:minor", for a table line; "" for a file */
	u64 bytes;	     /* size */
	u32 logical_block;
	u32 physical_block;
	char *path; /* as given, for messages only */
};

/*
 * -ENOTBLK: neither a block device nor an allowed file; -EBUSY: in use
 * (EXCLUSIVE); -EROFS: read-only device (WRITE); -EINVAL: its blocks are
 * larger than 4096 bytes; else the errno of open(2).
 */
int sys_device_open(const char *path, unsigned int flags,
		    struct sys_device **ret);
/* NULL is fine; returns NULL. */
struct sys_device *sys_device_close(struct sys_device *device);

/* For __attribute__((cleanup(sys_device_closep))). */
static inline void sys_device_closep(struct sys_device **device)
{
	*device = sys_device_close(*device);
}

/*
 * What a volume cannot lie on: -EOPNOTSUPP with *@ret_reason = a static text
 * ("the device is zoned ...", "the device has an integrity profile ...").
 */
int sys_device_check_below(const struct sys_device *device,
			   const char **ret_reason);

/* Reads the size anew (after lvextend). */
int sys_device_refresh_size(struct sys_device *device);

/*
 * @offset and @len in bytes, multiples of 4096; @buf needs no alignment.
 * -ERANGE: beyond the end of the device. Writes are durable on return.
 */
int sys_device_read(const struct sys_device *device, u64 offset, void *buf,
		    size_t len);
int sys_device_write(const struct sys_device *device, u64 offset,
		     const void *buf, size_t len);
int sys_device_zero(const struct sys_device *device, u64 offset, u64 len);

/*
 * Superblock copy @copy, 0 or 1, undecoded. Writing is refused with -EPERM
 * unless the device is held EXCLUSIVE (or is a file): the superblocks of an
 * open volume belong to the kernel.
 */
int sys_device_read_superblock(const struct sys_device *device,
			       unsigned int copy,
			       u8 buf[static SVCENC_SB_SIZE]);
int sys_device_write_superblock(const struct sys_device *device,
				unsigned int copy,
				const u8 buf[static SVCENC_SB_SIZE]);

/* Policy record copy @copy, 0 or 1; allowed under an open volume too. */
int sys_device_read_record(const struct sys_device *device, unsigned int copy,
			   u8 buf[static SVCENC_RECORD_SIZE]);
int sys_device_write_record(const struct sys_device *device, unsigned int copy,
			    const u8 buf[static SVCENC_RECORD_SIZE]);

/* What blkid (or our own magic) finds, as lsblk -f would name it. */
struct sys_signature {
	char type[64];	/* "ext4", "crypto_LUKS", "gpt", "svcenc" ... */
	char usage[32]; /* "filesystem", "crypto", "raid", "partition table" */
	char label[64]; /* "" if it has none */
};

/* 1: *@ret is set; 0: nothing known is there; negative errno. */
int sys_device_signature(const struct sys_device *device,
			 struct sys_signature *ret);

/*
 * Wipes every known signature (first bytes, end of the device, backups), so
 * that what was there before is not found beside a new header. Needs WRITE
 * and EXCLUSIVE. Superblock copies of svcenc are not touched.
 */
int sys_device_wipe_signatures(const struct sys_device *device);

#endif
