// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "log.h"
#include "withdraw.h"

/* XFS_IOC_GOINGDOWN, which ext4 and f2fs share; no header exports it to all. */
#define FS_SHUTDOWN _IOR('X', 125, unsigned int)
#define FS_SHUTDOWN_NOLOGFLUSH 2U

/* mountinfo writes blank, tab, newline and backslash as \ooo. */
static void unescape(char *path)
{
	char *out = path;

	while (*path) {
		if (path[0] == '\\' && path[1] && path[2] && path[3]) {
			*out++ = (char)(((path[1] - '0') << 6) |
					((path[2] - '0') << 3) |
					(path[3] - '0'));
			path += 4;
		} else {
			*out++ = *path++;
		}
	}
	*out = '\0';
}

static bool shut_down(const char *mountpoint)
{
	const int fd = open(mountpoint,
			    O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
	unsigned int how = FS_SHUTDOWN_NOLOGFLUSH;
	bool ok;

	if (fd < 0)
		return false;
	ok = !ioctl(fd, FS_SHUTDOWN, &how);
	close(fd);
	return ok;
}

/* Pages first: they are what is plaintext; then names. */
static void drop_once(void)
{
	static const char *const what[] = { "1\n", "2\n" };
	size_t i;
	int fd;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, what[i], 2) != 2)
			log_warning("cannot drop caches: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

/* Calls that wait; whoever raises it from 0 starts the thread. */
static atomic_uint wanted;

static void *drop_all(void *unused)
{
	unsigned int seen = atomic_load(&wanted);

	(void)unused;
	do
		drop_once();
	while (!atomic_compare_exchange_strong(&wanted, &seen, 0));
	log_info("caches are dropped");
	return NULL;
}

void withdraw_drop_caches(void)
{
	pthread_t thread;
	sigset_t all, before;
	int r;

	if (atomic_fetch_add(&wanted, 1))
		return;
	sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, drop_all, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		(void)pthread_detach(thread);
	else
		(void)drop_all(NULL);
}

int withdraw_shutdown(const char *devno)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int count = 0;

	if (!mounts)
		return 0;
	while (getline(&line, &size, mounts) > 0) {
		char on[32], *path = NULL;

		if (sscanf(line, "%*s %*s %31s %*s %ms", on, &path) == 2 &&
		    !strcmp(on, devno)) {
			unescape(path);
			if (shut_down(path))
				count++;
			else
				log_warning("filesystem on %s cannot be shut "
					    "down; cached pages may stay "
					    "readable",
					    path);
		}
		free(path);
	}
	free(line);
	fclose(mounts);
	return count;
}
