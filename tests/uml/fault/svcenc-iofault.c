// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Direct I/O on a volume while single bios fail below it, picked one by one:
 * exactly the I/O that one of them belonged to must fail, with EIO; all others
 * succeed with the bytes written before. Blocks of a failed write may be old
 * or new, nothing else.
 *
 *   svcenc-iofault VOLUME_DEVICE LOWER_DEVICE OPERATIONS SEED
 *
 * Prints "operations=N faults=N ..." and exits with 0, or 1 with what was
 * wrong; 2: usage or set-up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

enum {
	BLOCK = 4096,
	BLOCKS = 1024, /* of the volume: its first 4 MiB */
	SMALL = 16,    /* blocks; up to here this task submits the bio */
	LARGE = 256,   /* blocks; cut into bios of BIO_BYTES */
	BIO_BYTES = 128 << 10,
};

enum kind { READ, WRITE, FLUSH };

static uint8_t buffer[LARGE * BLOCK] __attribute__((aligned(BLOCK)));
/* Generation of each block, and the other one it may have. */
static uint32_t is_now[BLOCKS], may_be[BLOCKS];
static uint32_t generation;
static uint64_t random_state;

struct tally {
	unsigned long reads, writes, flushes, faults;
};

static uint32_t below(uint32_t limit)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ (z >> 31)) % limit);
}

/* A block says where it belongs and when it was written, all over. */
static void fill(uint8_t *at, uint32_t block, uint32_t when)
{
	uint32_t *word = (uint32_t *)(void *)at;
	uint32_t i;

	for (i = 0; i < BLOCK / sizeof(*word); i++)
		word[i] = i % 2 ? block * 2654435761U + i : when;
}

static bool block_is(const uint8_t *at, uint32_t block, uint32_t when)
{
	uint8_t wanted[BLOCK] __attribute__((aligned(8)));

	fill(wanted, block, when);
	return !memcmp(at, wanted, BLOCK);
}

static bool check_read(uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		const uint8_t *at = buffer + (size_t)i * BLOCK;
		const uint32_t block = first + i;

		if (block_is(at, block, may_be[block]))
			is_now[block] = may_be[block];
		else if (!block_is(at, block, is_now[block])) {
			printf("block %u holds other bytes than generation %u or %u\n",
			       block, is_now[block], may_be[block]);
			return false;
		}
		may_be[block] = is_now[block];
	}
	return true;
}

static ssize_t perform(int fd, enum kind kind, uint32_t first, uint32_t count)
{
	const size_t bytes = (size_t)count * BLOCK;
	const off_t at = (off_t)first * BLOCK;

	switch (kind) {
	case READ:
		return pread(fd, buffer, bytes, at);
	case WRITE:
		return pwrite(fd, buffer, bytes, at);
	default:
		return fsync(fd) ? -1 : (ssize_t)bytes;
	}
}

static void fill_write(uint32_t first, uint32_t count)
{
	uint32_t i;

	generation++;
	for (i = 0; i < count; i++) {
		fill(buffer + (size_t)i * BLOCK, first + i, generation);
		may_be[first + i] = generation;
	}
}

static void settle_write(uint32_t first, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		is_now[first + i] = may_be[first + i];
}

/* A fault in one of the bios of this I/O. */
static void arm(uint32_t count)
{
	const uint32_t bios = (count * BLOCK + BIO_BYTES - 1) / BIO_BYTES;

	fault_arm_io((uint64_t)below(bios) * BIO_BYTES, 1);
}

/* One I/O, with a fault or without: true if it did what it must. */
static bool step(int fd, struct tally *tally)
{
	const enum kind kind = below(16) ? below(2) : FLUSH;
	const bool small = kind == FLUSH || below(4);
	const bool fault = !below(4);
	const uint32_t count =
		small ? 1 + below(SMALL) :
			(uint32_t)(BIO_BYTES / BLOCK) * (1 + below(8));
	const uint32_t first = below(BLOCKS - count + 1);
	bool hit = false;
	ssize_t n;
	int error;

	if (kind == WRITE)
		fill_write(first, count);
	if (fault)
		arm(count);
	errno = 0;
	n = perform(fd, kind, first, count);
	error = errno;
	if (fault)
		hit = !fault_disarm_io();
	tally->faults += hit;
	tally->reads += kind == READ;
	tally->writes += kind == WRITE;
	tally->flushes += kind == FLUSH;
	if (fault != hit || (n != (ssize_t)count * BLOCK) != fault ||
	    (n < 0 && error != EIO)) {
		printf("I/O of kind %d at block %u, %u blocks: fault wanted %d, happened %d, result %zd (%s)\n",
		       kind, first, count, fault, hit, n, strerror(error));
		return false;
	}
	if (kind == WRITE && !fault)
		settle_write(first, count);
	/* What a failed write left is looked at before the next one. */
	if (kind == WRITE && fault &&
	    perform(fd, READ, first, count) != (ssize_t)count * BLOCK) {
		printf("block %u, %u blocks: no read after a failed write\n",
		       first, count);
		return false;
	}
	return kind == FLUSH || kind == (fault ? READ : WRITE) ||
	       check_read(first, count);
}

static bool whole_device(int fd, bool write)
{
	uint32_t first;

	for (first = 0; first < BLOCKS; first += LARGE) {
		if (write) {
			fill_write(first, LARGE);
			settle_write(first, LARGE);
		}
		if (perform(fd, write ? WRITE : READ, first, LARGE) !=
		    LARGE * BLOCK) {
			perror("svcenc-iofault");
			return false;
		}
		if (!write && !check_read(first, LARGE))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	unsigned long i, operations;
	struct tally tally = { 0 };
	bool good;
	int fd;

	if (argc != 5) {
		fputs("usage: svcenc-iofault VOLUME_DEVICE LOWER_DEVICE OPERATIONS SEED\n",
		      stderr);
		return 2;
	}
	operations = strtoul(argv[3], NULL, 10);
	random_state = strtoull(argv[4], NULL, 10);
	fd = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || fault_setup(FAULT_IO, argv[2], false)) {
		fprintf(stderr, "svcenc-iofault: set-up: %m\n");
		return 2;
	}
	good = whole_device(fd, true);
	for (i = 0; good && i < operations; i++)
		good = step(fd, &tally);
	good = good && whole_device(fd, false);
	printf("operations=%lu reads=%lu writes=%lu flushes=%lu faults=%lu seed=%s\n",
	       i, tally.reads, tally.writes, tally.flushes, tally.faults,
	       argv[4]);
	return good && tally.faults ? 0 : 1;
}
