// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads open one volume at the same moment, by two tables over the same
 * device, each time with one copy of the superblock torn: exactly one of them
 * may win, the torn copy must be whole again, byte for byte as it was, and
 * the winner must read what was read before. How often the kernel repaired, its
 * log says.
 *
 *   svcenc-open-race FILE UUID SECTORS '<arguments>' ROUNDS
 *
 * FILE is what the loop device of <arguments> is attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmcall.h"
#include "ondisk.h"

enum { OPENERS = 2, COPIES = 2, FIRST_BYTES = 4096, TORN_AT = 512 };

static const off_t copy_at[COPIES] = { SVCENC_SB1_OFFSET, SVCENC_SB2_OFFSET };

static struct dmcall_table table = { .type = "svcenc" };
static const char *uuid;
static unsigned int round_number;
static pthread_barrier_t start;

struct opener {
	pthread_t thread;
	char name[16];
	unsigned int minor;
	int rc;
};

static struct opener openers[OPENERS] = { { .name = "racer1" },
					  { .name = "racer2" } };

__attribute__((noreturn)) static void fail(const char *what, int error)
{
	printf("FAILED in round %u: %s%s%s\n", round_number, what,
	       error ? ": " : "", error ? strerror(error) : "");
	exit(1);
}

static void *open_one(void *context)
{
	struct opener *opener = context;
	char dm_uuid[128];

	snprintf(dm_uuid, sizeof(dm_uuid), "SVCENC-1-%s-%s", uuid,
		 opener->name);
	opener->rc = dmcall_create(opener->name, dm_uuid, &opener->minor);
	if (opener->rc)
		fail("create", -opener->rc);
	pthread_barrier_wait(&start);
	opener->rc = dmcall_load(opener->name, &table, 0);
	if (!opener->rc)
		opener->rc = dmcall_resume(opener->name);
	return NULL;
}

static void tear(int file, int copy)
{
	char garbage[512];

	memset(garbage, 0xa5, sizeof(garbage));
	if (pwrite(file, garbage, sizeof(garbage), copy_at[copy] + TORN_AT) !=
	    sizeof(garbage))
		fail("tear", errno);
}

static void read_copy(int file, int copy, char *bytes)
{
	if (pread(file, bytes, SVCENC_SB_SIZE, copy_at[copy]) != SVCENC_SB_SIZE)
		fail("read header", errno);
}

static void read_first(const struct opener *winner, char *bytes)
{
	static char page[FIRST_BYTES] __attribute__((aligned(4096)));
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/dm-%u", winner->minor);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || read(fd, page, sizeof(page)) != sizeof(page))
		fail(path, errno);
	close(fd);
	memcpy(bytes, page, sizeof(page));
}

static const struct opener *race(void)
{
	const struct opener *winner = NULL;
	int i;

	for (i = 0; i < OPENERS; i++)
		if (pthread_create(&openers[i].thread, NULL, open_one,
				   &openers[i]))
			fail("thread", EAGAIN);
	for (i = 0; i < OPENERS; i++)
		pthread_join(openers[i].thread, NULL);
	for (i = 0; i < OPENERS; i++) {
		if (openers[i].rc)
			continue;
		if (winner)
			fail("both have opened it", 0);
		winner = &openers[i];
	}
	if (!winner)
		fail("nobody could open it", -openers[0].rc);
	return winner;
}

static void one_round(int file, const char *good, char *first)
{
	char now[SVCENC_SB_SIZE], bytes[FIRST_BYTES];
	const struct opener *winner;
	int i;

	tear(file, round_number % COPIES);
	winner = race();
	read_first(winner, bytes);
	if (!round_number)
		memcpy(first, bytes, sizeof(bytes));
	if (memcmp(first, bytes, sizeof(bytes)))
		fail("the winner reads something else", 0);
	for (i = 0; i < OPENERS; i++)
		if (dmcall_remove(openers[i].name, 0))
			fail("remove", EBUSY);
	for (i = 0; i < COPIES; i++) {
		read_copy(file, i, now);
		if (memcmp(good, now, sizeof(now)))
			fail("a superblock copy is not as it was", 0);
	}
}

int main(int argc, char **argv)
{
	static char good[SVCENC_SB_SIZE], first[FIRST_BYTES];
	unsigned int rounds, won[OPENERS] = { 0, 0 };
	int file, i;

	if (argc != 6) {
		fputs("usage: svcenc-open-race FILE UUID SECTORS '<arguments>' ROUNDS\n",
		      stderr);
		return 2;
	}
	uuid = argv[2];
	table.sectors = strtoull(argv[3], NULL, 10);
	table.words = argv[4];
	rounds = (unsigned int)atoi(argv[5]);
	file = open(argv[1], O_RDWR | O_CLOEXEC);
	if (file < 0)
		fail(argv[1], errno);
	read_copy(file, 0, good);
	pthread_barrier_init(&start, NULL, OPENERS);
	for (; round_number < rounds; round_number++) {
		one_round(file, good, first);
		for (i = 0; i < OPENERS; i++)
			won[i] += !openers[i].rc;
	}
	printf("pass: %u rounds, the first won %u, the second %u\n", rounds,
	       won[0], won[1]);
	close(file);
	return 0;
}
