// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lets the n-th failure hit one operation, for n = 1, 2, ... until there is
 * no n-th any more, and looks each time: is the error a clear one, is nothing
 * half-made, is the superblock whole, does the same work once the fault is
 * gone.
 *
 *   svcenc-nth [-n N | -s STEP] alloc|io|dead OPERATION DEVICE VOLUME
 *              [NEXT AUTHORISATION]
 *   svcenc-nth [-n N] alloc module-load MODULE_FILE VOLUME
 *
 * alloc: allocations (and copies from and to userspace) of this task fail;
 * io: the n-th I/O of a superblock's size to DEVICE; dead: all from then on.
 * -n: this one only, and the kernel log says where it hit; -s: every STEPth.
 * VOLUME and NEXT are the names of files whose companions (.uuid, .desc,
 * .sectors, .key) describe the volume and the key to rewrap to.
 *
 * Prints "OPERATION: points=N failed=N survived=N errors=..." and exits with 0
 * if all was well and points > 0 (= 0 for the end of a key, which promises to
 * allocate nothing); 1: something was not, 2: usage or set-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dmraw.h"
#include "fault.h"
#include "nth.h"

enum { MAX_POINTS = 20000, MAX_ERRNO = 200 };

struct tally {
	unsigned int points; /* faults that happened */
	unsigned int failed; /* of these, the operation failed */
	unsigned int done;   /* of those, it was done all the same */
	unsigned int of_errno[MAX_ERRNO];
};

static char complaint[512];

int nth_wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(complaint, sizeof(complaint), format, args);
	va_end(args);
	return -EUCLEAN;
}

/* ----------------------------------------------------------------- faults */

enum { COPY_BYTES = 4096, FOREVER = 1000000 };

static int kernel_log = -1;

static void arm(const struct nth *nth, unsigned int n)
{
	lseek(kernel_log, 0, SEEK_END);
	if (nth->io)
		fault_arm_io((uint64_t)(n - 1) * COPY_BYTES, nth->times);
	else
		fault_arm(n);
}

/* True if the fault happened. */
static bool disarm(const struct nth *nth)
{
	return nth->io ? fault_disarm_io() < nth->times : !fault_disarm();
}

/* Is there a record of the kernel log, since arm(), with both words? */
static bool log_has(const char *one, const char *other)
{
	char record[1024];
	bool found = false;
	ssize_t n;

	while ((n = read(kernel_log, record, sizeof(record) - 1)) > 0 ||
	       (n < 0 && errno == EPIPE)) {
		if (n < 0)
			continue;
		record[n] = '\0';
		found |= strstr(record, one) && strstr(record, other);
	}
	return found;
}

/* -------------------------------------------------------------- judgement */

/*
 * Where no copy could be read, what is wrong may be said of the superblock;
 * the log has the I/O error, and which copy.
 */
static int judge_io_error(int rc)
{
	if (rc != -EIO && rc != -EINVAL)
		return nth_wrong("fails with %s, which says nothing of I/O",
				 strerrorname_np(-rc));
	return log_has("superblock copy ", " failed (-5)") ?
		       0 :
		       nth_wrong("fails with %s, but the kernel log is silent",
				 strerrorname_np(-rc));
}

/*
 * EFAULT is a copy to or from userspace, ENOBUFS netlink's word for ENOMEM.
 * A disk whose name finds no memory is registered without one, which is
 * EINVAL: device-mapper's affair, after the target's constructor.
 */
static int judge_no_memory(int rc)
{
	if (rc == -ENOMEM || rc == -EFAULT || rc == -ENOBUFS ||
	    (rc == -EINVAL &&
	     log_has("device-mapper: ioctl:", "unable to set up device queue")))
		return 0;
	return nth_wrong("fails with %s, which says nothing of memory",
			 strerrorname_np(-rc));
}

/* One copy must be whole; without a write both are as they were. */
static int judge_header(const struct nth *nth,
			const struct nth_operation *operation)
{
	struct volume_header now;
	int copy, valid = 0;
	int rc;

	if (nth->module)
		return 0;
	rc = volume_get_header(nth->device, &now);
	if (rc)
		return nth_wrong("header does not read: %s", strerror(-rc));
	if (!operation->writes)
		return memcmp(&now, &nth->pristine, sizeof(now)) ?
			       nth_wrong("header has changed") :
			       0;
	for (copy = 0; copy < VOLUME_COPIES; copy++) {
		const bool same = !memcmp(now.copy[copy],
					  nth->pristine.copy[copy],
					  VOLUME_COPY_BYTES);

		if (volume_copy_valid(&now, copy))
			valid++;
		else if (!same)
			return nth_wrong("copy %d is torn", copy + 1);
	}
	return valid ? 0 : nth_wrong("no copy of the superblock is whole");
}

/* ------------------------------------------------------------------- loop */

static int verify(struct nth *nth, const struct nth_operation *operation)
{
	return operation->verify ? operation->verify(nth) : 0;
}

static int recover(struct nth *nth, const struct nth_operation *operation,
		   struct tally *tally)
{
	int rc = operation->again ? operation->again(nth) : operation->act(nth);

	if (!rc)
		return verify(nth, operation);
	/* Failed on its way back to userspace: then it is done already. */
	if (verify(nth, operation))
		return nth_wrong("fails again, without a fault: %s",
				 strerrorname_np(-rc));
	tally->done++;
	return 0;
}

static int after_failure(struct nth *nth, const struct nth_operation *operation,
			 int error, struct tally *tally)
{
	int rc;

	tally->failed++;
	tally->of_errno[-error < MAX_ERRNO ? -error : 0]++;
	rc = nth->io ? judge_io_error(error) : judge_no_memory(error);
	if (!rc)
		rc = judge_header(nth, operation);
	/* Done, but for telling so: nothing is half-made. */
	if (!rc && operation->inspect && error != -EFAULT)
		rc = operation->inspect(nth);
	return rc ? rc : recover(nth, operation, tally);
}

/* 1: there is no n-th fault; 0: there was, and all is well. */
static int try_point(struct nth *nth, const struct nth_operation *operation,
		     unsigned int n, struct tally *tally)
{
	int rc, error;
	bool hit;

	rc = nth->module ? 0 : volume_put_header(nth->device, &nth->pristine);
	if (!rc)
		rc = operation->prepare(nth);
	if (rc)
		return nth_wrong("set-up: %s", strerror(-rc));
	arm(nth, n);
	error = operation->act(nth);
	hit = disarm(nth);
	tally->points += hit;
	if (error && !hit)
		rc = nth_wrong("fails without a fault: %s",
			       strerrorname_np(-error));
	else
		rc = error ? after_failure(nth, operation, error, tally) :
			     verify(nth, operation);
	if (!rc)
		rc = operation->undo(nth);
	return rc ? rc : !hit;
}

static void report(const char *name, const struct tally *tally)
{
	int i;

	printf("%s: points=%u failed=%u survived=%u done=%u errors=", name,
	       tally->points, tally->failed, tally->points - tally->failed,
	       tally->done);
	for (i = 0; i < MAX_ERRNO; i++)
		if (tally->of_errno[i])
			printf("%s:%u,", strerrorname_np(i),
			       tally->of_errno[i]);
	putchar('\n');
}

static int run(struct nth *nth, const struct nth_operation *operation,
	       unsigned int only, unsigned int step)
{
	const unsigned int last = only ? only : MAX_POINTS;
	static struct tally tally;
	unsigned int n;
	int rc = 0;

	for (n = only ? only : 1; !rc && n <= last; n += step) {
		rc = try_point(nth, operation, n, &tally);
		if (rc < 0)
			printf("%s: point %u: %s\n", operation->name, n,
			       complaint);
	}
	/* For whoever comes next. */
	if (!nth->module)
		volume_put_header(nth->device, &nth->pristine);
	report(operation->name, &tally);
	if (only)
		return rc < 0;
	if (!rc)
		printf("%s: no end after %u points\n", operation->name, last);
	if (rc == 1 && operation->silent == !!tally.points) {
		printf("%s: %s\n", operation->name,
		       tally.points ? "promises to allocate nothing" :
				      "not one fault happened");
		return 1;
	}
	return rc != 1;
}

/* ----------------------------------------------------------------- set-up */

static const struct nth_operation *find(const char *name)
{
	const struct nth_operation *at;

	for (at = nth_device_operations; at->name; at++)
		if (!strcmp(at->name, name))
			return at;
	for (at = nth_other_operations; at->name; at++)
		if (!strcmp(at->name, name))
			return at;
	return NULL;
}

/* What the volume holds now, if it opens. */
static void learn_plain(struct nth *nth)
{
	const struct nth_operation *open_it = find("resume");
	int fd;

	if (open_it->prepare(nth) || open_it->act(nth))
		goto out;
	fd = dmraw_open_device(nth->dm_dev, O_RDONLY);
	if (fd >= 0) {
		nth->has_plain = pread(fd, nth->plain, sizeof(nth->plain), 0) ==
				 NTH_PLAIN_BYTES;
		close(fd);
	}
out:
	dmraw_remove(NTH_NAME);
}

static int set_up(struct nth *nth, int argc, char **argv)
{
	int rc;

	rc = volume_read(argv[4], &nth->volume);
	if (!rc && argc > 6) {
		rc = volume_read(argv[5], &nth->next);
		snprintf(nth->auth, sizeof(nth->auth), "%s", argv[6]);
	}
	if (!rc)
		rc = dmraw_open();
	if (rc || nth->module)
		return rc;
	nth->keyring = key_keyring();
	rc = key_add(&nth->volume, nth->keyring);
	if (rc >= 0 && nth->next.desc[0])
		rc = key_add(&nth->next, nth->keyring);
	if (rc < 0)
		return rc;
	rc = volume_get_header(nth->device, &nth->pristine);
	if (!rc)
		learn_plain(nth);
	return rc;
}

static int usage(void)
{
	fputs("usage: svcenc-nth [-n POINT | -s STEP] alloc|io|dead OPERATION DEVICE VOLUME [NEXT AUTHORISATION]\n"
	      "       svcenc-nth [-n POINT] alloc module-load MODULE_FILE VOLUME\n",
	      stderr);
	return 2;
}

static int prepare_faults(const struct nth *nth, bool loud)
{
	int rc;

	rc = fault_setup(nth->io ? FAULT_IO : FAULT_ALLOCATION, nth->device,
			 loud);
	if (rc)
		return rc;
	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	/* No page fault of ours shall be among the points. */
	if (kernel_log < 0 || mlockall(MCL_CURRENT | MCL_FUTURE))
		return -errno;
	return 0;
}

int main(int argc, char **argv)
{
	static struct nth nth;
	const struct nth_operation *operation;
	unsigned int only = 0, step = 1;
	int rc;

	if (argc > 2 && (!strcmp(argv[1], "-n") || !strcmp(argv[1], "-s"))) {
		*(argv[1][1] == 'n' ? &only : &step) =
			(unsigned int)strtoul(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	operation = argc > 4 && step ? find(argv[2]) : NULL;
	if (operation && !strcmp(argv[1], "dead"))
		nth.times = FOREVER;
	else if (operation && !strcmp(argv[1], "io"))
		nth.times = 1;
	else if (!operation || strcmp(argv[1], "alloc"))
		return usage();
	nth.io = nth.times > 0;
	nth.device = argv[3];
	if (!strcmp(operation->name, "module-load"))
		nth.module = argv[3];
	rc = set_up(&nth, argc, argv);
	if (!rc)
		rc = prepare_faults(&nth, only > 0);
	if (rc) {
		fprintf(stderr, "svcenc-nth: set-up: %s\n", strerror(-rc));
		return 2;
	}
	return run(&nth, operation, only, step);
}
