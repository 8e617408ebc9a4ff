// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fault.h"

static int fail_nth = -1;

static int write_text(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const ssize_t size = (ssize_t)strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, (size_t)size);
	close(fd);
	return n == size ? 0 : -EIO;
}

static void path_of(const char *name, const char *file, char path[128])
{
	snprintf(path, 128, "/sys/kernel/debug/%s/%s", name, file);
}

static int set(const char *name, const char *file, const char *text)
{
	char path[128];
	int rc;

	path_of(name, file, path);
	rc = write_text(path, text);
	if (rc)
		fprintf(stderr, "fault injection: %s: %s\n", path,
			strerror(-rc));
	return rc;
}

static void must_set(const char *name, const char *file, const char *text)
{
	if (set(name, file, text))
		exit(2);
}

static int make_it_fail(const char *device)
{
	char path[128];
	struct stat st;
	int rc = -ENOTBLK;

	if (!stat(device, &st) && S_ISBLK(st.st_mode)) {
		snprintf(path, sizeof(path),
			 "/sys/dev/block/%u:%u/make-it-fail", major(st.st_rdev),
			 minor(st.st_rdev));
		rc = write_text(path, "1");
	}
	if (rc)
		fprintf(stderr, "fault injection: %s: %s\n", device,
			strerror(-rc));
	return rc;
}

struct setting {
	const char *name;
	const char *file;
	const char *for_allocations;
	const char *for_io;
};

/* A numbered fault asks for no probability: that stays zero. */
static const struct setting settings[] = {
	/* with the filter and no cache marked, none counts */
	{ "failslab", "cache-filter", "N", "Y" },
	{ "failslab", "ignore-gfp-wait", "N", "N" },
	{ "fail_page_alloc", "ignore-gfp-wait", "N", "N" },
	{ "fail_page_alloc", "ignore-gfp-highmem", "N", "N" },
	/* no page is of that order */
	{ "fail_page_alloc", "min-order", "0", "20" },
};

static const char *const kinds[] = { "failslab", "fail_page_alloc",
				     "fail_make_request" };

static int choose(enum fault_kind kind, bool loud)
{
	size_t i;
	int rc = 0;

	for (i = 0; !rc && i < sizeof(settings) / sizeof(settings[0]); i++)
		rc = set(settings[i].name, settings[i].file,
			 kind == FAULT_IO ? settings[i].for_io :
					    settings[i].for_allocations);
	for (i = 0; !rc && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		rc = set(kinds[i], "verbose", loud ? "2" : "0");
	if (!rc && !access("/sys/kernel/debug/fail_usercopy", F_OK))
		rc = set("fail_usercopy", "verbose", loud ? "2" : "0");
	return rc;
}

int fault_setup(enum fault_kind kind, const char *device, bool loud)
{
	char path[64];
	int rc;

	rc = choose(kind, loud);
	if (!rc && kind == FAULT_IO)
		rc = make_it_fail(device);
	if (rc)
		return rc;
	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", gettid());
	fail_nth = open(path, O_RDWR | O_CLOEXEC);
	if (fail_nth < 0) {
		fprintf(stderr, "fault injection: %s: %m\n", path);
		return -errno;
	}
	return 0;
}

void fault_arm(unsigned int n)
{
	char text[16];
	const int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, (size_t)len, 0) != len) {
		perror("fault injection: fail-nth");
		exit(2);
	}
}

unsigned int fault_disarm(void)
{
	char text[16] = "";

	/*
	 * Copying the number out is a point, too: the last one left may hit
	 * here. Then it was not the operation's, and there was no n-th.
	 */
	if (pread(fail_nth, text, sizeof(text) - 1, 0) <= 0)
		strcpy(text, "1");
	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return (unsigned int)strtoul(text, NULL, 10);
}

void fault_arm_io(uint64_t bytes, unsigned int times)
{
	char text[32];

	/* what is as large as what is left of the space fails already */
	snprintf(text, sizeof(text), "%" PRIu64, bytes ? bytes + 1 : 0);
	must_set("fail_make_request", "space", text);
	snprintf(text, sizeof(text), "%u", times);
	must_set("fail_make_request", "times", text);
	must_set("fail_make_request", "interval", "1");
	must_set("fail_make_request", "probability", "100");
}

unsigned int fault_disarm_io(void)
{
	char path[128], text[32] = "";
	int fd;

	must_set("fail_make_request", "probability", "0");
	path_of("fail_make_request", "times", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0) {
		perror("fault injection: times");
		exit(2);
	}
	close(fd);
	return (unsigned int)strtoul(text, NULL, 10);
}
