// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes a mapped device down with 64 reads and writes in flight, again and
 * again, by ioctls alone, in turn by
 *
 *   a deferred removal: the device goes when the last I/O lets go of it, so
 *   its target is destroyed right behind the last completion;
 *   a table of errors in its place, with and without waiting for the queue to
 *   be flushed: the target is destroyed under a device that is still open.
 *
 * Every I/O must end: well, or, after a table of errors, with EIO. Knows no
 * key; what else goes wrong, the kernel's log says.
 *
 *   svcenc-remove-race NAME UUID SECTORS '<arguments>' ROUNDS
 *
 * Prints how much was in flight when the end was asked for; exit status 1 when
 * an I/O did not end as it should, or when there was rarely any in flight.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "control.h"
#include "dmcall.h"

enum {
	DEPTH = 64,
	PIECE = 4096,
	LARGE_EVERY = 8, /* each so many'th I/O is of LARGE bytes */
	LARGE = 64 << 10,
	PLACES = 64, /* of LARGE bytes, on the device */
	PATIENCE_S = 30,
};

enum way { DEFERRED, FLUSHED, NOT_FLUSHED, WAYS };

static const char *const way_names[] = { "deferred removal", "table of errors",
					 "table of errors, no flush" };

static const char *name;
static char *buffer; /* LARGE bytes for each of DEPTH */
static struct dmcall_table table = { .type = "svcenc" };
static unsigned int round_number;
static unsigned int in_flight_sum[WAYS], rounds_of[WAYS], empty_of[WAYS];
static unsigned int eio_of[WAYS];

__attribute__((noreturn)) static void fail(const char *what, int rc)
{
	printf("FAILED in round %u (%s): %s: %s\n", round_number,
	       way_names[round_number % WAYS], what, strerror(-rc));
	exit(1);
}

static void must(int rc, const char *what)
{
	if (rc)
		fail(what, rc);
}

/*
 * A deferred removal takes the name away first, and only then the target: for
 * that moment the volume is still in use, and a second mapping is refused.
 */
static int resume_patiently(void)
{
	const int64_t deadline = now_ns() + PATIENCE_S * NS_PER_S;
	int rc;

	while ((rc = dmcall_resume(name)) == -EBUSY && now_ns() < deadline)
		sleep_ns(NS_PER_MS);
	return rc;
}

static int set_up(const char *uuid)
{
	unsigned int minor;
	char path[32];
	int fd;

	must(dmcall_create(name, uuid, &minor), "create");
	must(dmcall_load(name, &table, 0), "load");
	must(resume_patiently(), "resume");
	snprintf(path, sizeof(path), "/dev/dm-%u", minor);
	fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		fail(path, -errno);
	return fd;
}

static void submit(aio_context_t context, int fd)
{
	static struct iocb iocbs[DEPTH], *list[DEPTH];
	long taken = 0, rc;
	int i;

	memset(iocbs, 0, sizeof(iocbs));
	for (i = 0; i < DEPTH; i++) {
		iocbs[i].aio_lio_opcode = rand() & 1 ? IOCB_CMD_PREAD :
						       IOCB_CMD_PWRITE;
		iocbs[i].aio_fildes = (uint32_t)fd;
		iocbs[i].aio_buf = (uintptr_t)buffer + (uintptr_t)i * LARGE;
		iocbs[i].aio_nbytes = i % LARGE_EVERY ? PIECE : LARGE;
		iocbs[i].aio_offset = (long long)(rand() % PLACES) * LARGE;
		list[i] = &iocbs[i];
	}
	while (taken < DEPTH) {
		rc = syscall(SYS_io_submit, context, DEPTH - taken,
			     list + taken);
		if (rc <= 0)
			fail("io_submit", -errno);
		taken += rc;
	}
}

/* Takes up to @max ended I/Os, at least @min; how many. */
static unsigned int reap(aio_context_t context, long min, long max)
{
	struct timespec at_once = { 0, 0 }, patience = { PATIENCE_S, 0 };
	const enum way way = round_number % WAYS;
	struct io_event events[DEPTH];
	long got, i;

	got = syscall(SYS_io_getevents, context, min, max, events,
		      min ? &patience : &at_once);
	if (got < min)
		fail("an I/O does not end", -ETIME);
	for (i = 0; i < got; i++) {
		const struct iocb *iocb =
			(const struct iocb *)(uintptr_t)events[i].obj;

		if (events[i].res == -EIO && way != DEFERRED)
			eio_of[way]++;
		else if (events[i].res != (long long)iocb->aio_nbytes)
			fail("an I/O ended otherwise", (int)events[i].res);
	}
	return (unsigned int)got;
}

static void await_gone(void)
{
	const int64_t deadline = now_ns() + PATIENCE_S * NS_PER_S;
	int rc;

	while ((rc = dmcall_exists(name)) != -ENXIO) {
		if (rc || now_ns() > deadline)
			fail("the device does not go", rc ? rc : -EBUSY);
		sleep_ns(NS_PER_MS / 2);
	}
}

static void put_errors(uint32_t flags)
{
	const struct dmcall_table errors = { .type = "error",
					     .sectors = table.sectors,
					     .words = "" };

	must(dmcall_load(name, &errors, 0), "load errors");
	must(dmcall_suspend(name, flags), "suspend");
	must(dmcall_resume(name), "resume with errors");
}

static void one_round(aio_context_t context, const char *uuid)
{
	const enum way way = round_number % WAYS;
	const int fd = set_up(uuid);
	unsigned int ended;

	submit(context, fd);
	ended = reap(context, 0, DEPTH);
	rounds_of[way]++;
	in_flight_sum[way] += DEPTH - ended;
	empty_of[way] += ended == DEPTH;
	if (way == DEFERRED) {
		must(dmcall_remove(name, DM_DEFERRED_REMOVE), "remove");
		close(fd);
	} else {
		put_errors(way == FLUSHED ? 0 : DM_NOFLUSH_FLAG);
	}
	if (ended < DEPTH)
		reap(context, DEPTH - ended, DEPTH - ended);
	if (way != DEFERRED) {
		close(fd);
		must(dmcall_remove(name, 0), "remove");
	}
	await_gone();
}

/* 1 when the race was rarely there to be lost. */
static int judge(void)
{
	int bad = 0;
	int way;

	for (way = 0; way < WAYS; way++) {
		if (!rounds_of[way])
			continue;
		printf("%s: %u times, %u I/Os in flight on average, none %u times, %u ended with EIO\n",
		       way_names[way], rounds_of[way],
		       in_flight_sum[way] / rounds_of[way], empty_of[way],
		       eio_of[way]);
		bad |= empty_of[way] * 2 > rounds_of[way];
	}
	return bad;
}

int main(int argc, char **argv)
{
	aio_context_t context = 0;
	unsigned int rounds;
	int bad;

	if (argc != 6) {
		fputs("usage: svcenc-remove-race NAME UUID SECTORS '<arguments>' ROUNDS\n",
		      stderr);
		return 2;
	}
	name = argv[1];
	table.sectors = strtoull(argv[3], NULL, 10);
	table.words = argv[4];
	rounds = (unsigned int)atoi(argv[5]);
	buffer = mmap(NULL, (size_t)DEPTH * LARGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (buffer == MAP_FAILED || syscall(SYS_io_setup, DEPTH, &context)) {
		perror("svcenc-remove-race");
		return 2;
	}
	for (round_number = 0; round_number < rounds; round_number++)
		one_round(context, argv[2]);
	bad = judge();
	syscall(SYS_io_destroy, context);
	puts(bad ? "FAILED: too rarely in flight" : "pass");
	return bad;
}
