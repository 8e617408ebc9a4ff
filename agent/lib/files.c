// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * A temporary name and link(2), not O_TMPFILE: overlayfs of the kernels we
 * run on does not have the latter. What a crash leaves is "<name>.new", which
 * nobody reads and the next call replaces.
 */
int svcenc_files_create(int dirfd, const char *name, const void *bytes,
			size_t len)
{
	char temporary[300];
	int fd, r;

	if (faccessat(dirfd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	r = snprintf(temporary, sizeof(temporary), "%s.new", name);
	if (r < 0 || (size_t)r >= sizeof(temporary))
		return -ENAMETOOLONG;
	(void)unlinkat(dirfd, temporary, 0);
	fd = openat(dirfd, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, len);
	if (!r && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (!r && linkat(dirfd, temporary, dirfd, name, 0) < 0)
		r = -errno;
	(void)unlinkat(dirfd, temporary, 0);
	if (!r && fsync(dirfd) < 0)
		r = -errno;
	return r;
}

int svcenc_files_open_private(int dirfd, const char *name, mode_t *ret_mode,
			      uid_t *ret_uid)
{
	struct stat st;
	int fd;

	fd = openat(dirfd, name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		const int r = -errno;

		close(fd);
		return r;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 07177)) {
		*ret_mode = st.st_mode;
		*ret_uid = st.st_uid;
		close(fd);
		return -EPERM;
	}
	return fd;
}

ssize_t svcenc_files_read_all(int fd, void *buf, size_t len)
{
	char *at = buf;
	size_t got = 0;
	char beyond;
	ssize_t n;

	while (got < len) {
		n = read(fd, at + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return (ssize_t)got;
		got += (size_t)n;
	}
	do {
		n = read(fd, &beyond, 1);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n ? -EFBIG : (ssize_t)got;
}

int svcenc_files_open_private_dir(const char *path, mode_t *ret_mode,
				  uid_t *ret_uid)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		const int r = -errno;

		close(fd);
		return r;
	}
	if (st.st_uid != geteuid() || (st.st_mode & 07777) != 0700) {
		*ret_mode = st.st_mode;
		*ret_uid = st.st_uid;
		close(fd);
		return -EPERM;
	}
	return fd;
}

int svcenc_files_make_dir(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int fd, r = 1;

	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		r = -errno;
	close(fd);
	return r;
}

int svcenc_files_lock(const char *path)
{
	int fd;

	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		const int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}
