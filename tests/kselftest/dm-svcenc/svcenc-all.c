// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verified I/O on many block devices at once: a thread each writes pieces at
 * random places, and only when all have written, each reads its own back. A
 * device that answers with another's bytes, or with old ones, is found.
 *
 *   svcenc-all DEVICE...
 *
 * Exit status 0 if every byte was right.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PIECES = 16, PIECE_BYTES = 16 << 10, STACK_BYTES = 128 << 10 };

static pthread_barrier_t written;
static atomic_uint bad;
static uint64_t seed;

struct job {
	pthread_t thread;
	const char *path;
	unsigned int number;
	int fd;
	off_t places[PIECES];
};

static void complain(const struct job *job, const char *what)
{
	printf("%s: %s\n", job->path, what);
	atomic_fetch_add(&bad, 1);
}

static void fill(const struct job *job, unsigned int piece, uint64_t *buffer)
{
	size_t i;

	for (i = 0; i < PIECE_BYTES / sizeof(*buffer); i++)
		buffer[i] = seed ^ (uint64_t)job->number << 48 ^
			    (uint64_t)piece << 32 ^ i;
}

/* Distinct places: one in each of PIECES equal parts. */
static bool choose_places(struct job *job)
{
	unsigned int random = (unsigned int)seed + job->number;
	uint64_t bytes, part;
	unsigned int i;

	if (ioctl(job->fd, BLKGETSIZE64, &bytes) < 0)
		return false;
	part = bytes / PIECES / PIECE_BYTES;
	for (i = 0; part && i < PIECES; i++)
		job->places[i] =
			(off_t)(i * part + (uint64_t)rand_r(&random) % part) *
			PIECE_BYTES;
	return part;
}

static void write_all(struct job *job, uint64_t *buffer)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		fill(job, i, buffer);
		if (pwrite(job->fd, buffer, PIECE_BYTES, job->places[i]) !=
		    PIECE_BYTES)
			complain(job, strerror(errno));
	}
	if (fsync(job->fd))
		complain(job, strerror(errno));
}

static void read_all(struct job *job, uint64_t *buffer, uint64_t *wanted)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		fill(job, i, wanted);
		if (pread(job->fd, buffer, PIECE_BYTES, job->places[i]) !=
		    PIECE_BYTES)
			complain(job, strerror(errno));
		else if (memcmp(buffer, wanted, PIECE_BYTES))
			complain(job, "other bytes than written");
	}
}

static void *work(void *context)
{
	uint64_t *buffer = aligned_alloc(4096, PIECE_BYTES);
	uint64_t *wanted = malloc(PIECE_BYTES);
	struct job *job = context;
	const bool ready = buffer && wanted && choose_places(job);

	if (!ready)
		complain(job, "no memory, or too small a device");
	else
		write_all(job, buffer);
	pthread_barrier_wait(&written);
	if (ready)
		read_all(job, buffer, wanted);
	free(buffer);
	free(wanted);
	return NULL;
}

static bool start(struct job *job, const char *path, unsigned int number)
{
	pthread_attr_t attr;

	job->path = path;
	job->number = number;
	job->fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (job->fd < 0)
		return false;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	errno = pthread_create(&job->thread, &attr, work, job);
	pthread_attr_destroy(&attr);
	return !errno;
}

int main(int argc, char **argv)
{
	const unsigned int count = argc > 1 ? (unsigned int)argc - 1 : 0;
	struct job *jobs = calloc(count + 1, sizeof(*jobs));
	unsigned int i;

	if (!count || !jobs) {
		fputs("usage: svcenc-all DEVICE...\n", stderr);
		return 2;
	}
	seed = (uint64_t)getpid() * 0x9e3779b97f4a7c15ULL;
	pthread_barrier_init(&written, NULL, count);
	for (i = 0; i < count; i++) {
		if (!start(&jobs[i], argv[i + 1], i)) {
			fprintf(stderr, "svcenc-all: %s: %m\n", argv[i + 1]);
			return 2;
		}
	}
	for (i = 0; i < count; i++) {
		pthread_join(jobs[i].thread, NULL);
		close(jobs[i].fd);
	}
	printf("%u devices, %u KiB each, %u times wrong\n", count,
	       PIECES * PIECE_BYTES >> 10, bad);
	free(jobs);
	return bad > 0;
}
