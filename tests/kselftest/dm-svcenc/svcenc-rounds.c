// SPDX-License-Identifier: GPL-2.0-only
/*
 * Direct writes of 128 KiB, each read back and compared, from 32 threads. All
 * in one process that is locked into memory, so that where memory is short what
 * stalls is the device and not a page of a program. Knows nothing of what the
 * device is.
 *
 *   svcenc-rounds DEVICE SECONDS
 *
 * Prints the number of rounds (write and read) in each second.  Exit status
 * 1: an I/O failed, or what was read is not what was written.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	THREADS = 32,
	IO_BYTES = 128 << 10,
	SLOTS = 4, /* places of each thread on the device */
	STACK_BYTES = 64 << 10,
	SECONDS_MAX = 60,
};

static int device;
static atomic_bool stop, failed;
static atomic_uint rounds;

struct worker {
	pthread_t thread;
	unsigned int number;
	uint64_t *out; /* IO_BYTES each, page-aligned */
	uint64_t *in;
};

static bool one_round(struct worker *worker, uint64_t round)
{
	const off_t at =
		(off_t)(worker->number * SLOTS + round % SLOTS) * IO_BYTES;

	for (size_t i = 0; i < IO_BYTES / sizeof(uint64_t); i++)
		worker->out[i] = round << 32 ^ (uint64_t)worker->number << 24 ^
				 i;
	return pwrite(device, worker->out, IO_BYTES, at) == IO_BYTES &&
	       pread(device, worker->in, IO_BYTES, at) == IO_BYTES &&
	       !memcmp(worker->in, worker->out, IO_BYTES);
}

static void *work(void *context)
{
	for (uint64_t round = 1; !atomic_load(&stop); round++) {
		if (!one_round(context, round)) {
			atomic_store(&failed, true);
			break;
		}
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

static void need(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "svcenc-rounds: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void start(struct worker *worker, unsigned int number)
{
	pthread_attr_t attr;

	worker->number = number;
	worker->out = aligned_alloc(4096, IO_BYTES);
	worker->in = aligned_alloc(4096, IO_BYTES);
	need(worker->out && worker->in, "memory");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	need(!pthread_create(&worker->thread, &attr, work, worker), "thread");
	pthread_attr_destroy(&attr);
}

int main(int argc, char **argv)
{
	const int seconds = argc == 3 ? atoi(argv[2]) : 0;
	static struct worker workers[THREADS];

	if (seconds < 1 || seconds > SECONDS_MAX) {
		fputs("usage: svcenc-rounds DEVICE SECONDS (1 to 60)\n",
		      stderr);
		return 2;
	}
	device = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
	need(device >= 0, argv[1]);
	need(!mlockall(MCL_CURRENT | MCL_FUTURE), "mlockall");
	for (unsigned int i = 0; i < THREADS; i++)
		start(&workers[i], i);
	for (int i = 0; i < seconds; i++) {
		const unsigned int before = atomic_load(&rounds);

		sleep(1);
		printf("%u ", atomic_load(&rounds) - before);
	}
	printf("\n");
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	return atomic_load(&failed);
}
