// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "control.h"
#include "load.h"

enum load_limits {
	BLOCK = 4096,
	BLOCK_WORDS = BLOCK / sizeof(uint64_t),
	/* One in so many writes is followed by a flush. */
	FLUSH_EVERY = 32,
	/* Failures in a row after which a thread takes breaths. */
	HASTY_FAILURES = 64,
};

/*
 * What may be on the disk in one block: the last write that succeeded, or any
 * later one, whose fate is unknown because it failed. 0 = never written.
 */
struct block_state {
	uint32_t sure;
	uint32_t newest;
};

struct worker {
	struct load *load;
	pthread_t thread;
	uint64_t first; /* its blocks of the device */
	uint64_t count;
	struct block_state *blocks;
	uint64_t random;
	uint64_t *buffer;
	unsigned int failures_in_row;
	/* Guarded by lock: read and reset by the owner of the load. */
	pthread_mutex_t lock;
	struct load_facts facts;
	int64_t mark_ns;
	bool busy;
};

struct load {
	struct load_plan plan;
	int fd;
	atomic_bool stop;
	struct worker *workers;
	unsigned int started;
};

static uint64_t next_random(struct worker *w)
{
	/* xorshift64*: cheap, and the same in each run */
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (w->random * 0x2545f4914f6cdd1dULL) >> 16;
}

static void note_begin(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->busy = true;
	pthread_mutex_unlock(&w->lock);
}

static void note_failure(struct load_facts *facts, int64_t end, int error)
{
	facts->failed++;
	facts->not_offline += error != ENODEV;
	if (!facts->first_failure_ns) {
		facts->first_failure_ns = end;
		facts->first_errno = error;
	}
}

static void note_end(struct worker *w, int64_t submit, int error, bool wrong)
{
	const int64_t end = now_ns();
	struct load_facts *facts = &w->facts;

	pthread_mutex_lock(&w->lock);
	w->busy = false;
	if (submit >= w->mark_ns) {
		facts->wrong += wrong;
		if (end - submit > facts->slowest_ns)
			facts->slowest_ns = end - submit;
		if (error) {
			note_failure(facts, end, error);
		} else {
			facts->ok++;
			facts->last_ok_submit_ns = submit;
			facts->last_ok_end_ns = end;
		}
	}
	pthread_mutex_unlock(&w->lock);
}

/* Tells block and write apart from every other on the device. */
static uint64_t pattern(uint64_t block, uint32_t generation)
{
	return (block << 32 | generation) * 0x9e3779b97f4a7c15ULL;
}

static void fill(uint64_t *words, uint64_t block, uint32_t generation)
{
	const uint64_t value = pattern(block, generation);
	unsigned int i;

	for (i = 0; i < BLOCK_WORDS; i++)
		words[i] = value + i;
}

static bool is_filled(const uint64_t *words, uint64_t block,
		      uint32_t generation)
{
	const uint64_t value = pattern(block, generation);
	unsigned int i;

	for (i = 0; i < BLOCK_WORDS; i++)
		if (words[i] != value + i)
			return false;
	return true;
}

static bool block_is_right(const struct worker *w, uint64_t block,
			   const uint64_t *words)
{
	const struct block_state *state = &w->blocks[block];
	uint32_t generation;

	if (!state->sure)
		return true;
	for (generation = state->newest; generation >= state->sure;
	     generation--)
		if (is_filled(words, w->first + block, generation))
			return true;
	return false;
}

static int result(ssize_t done, size_t wanted)
{
	if (done < 0)
		return errno;
	return (size_t)done == wanted ? 0 : EIO;
}

static int do_read(struct worker *w, uint64_t block, unsigned int count)
{
	const size_t bytes = (size_t)count * BLOCK;
	bool wrong = false;
	int64_t submit;
	unsigned int i;
	int error;

	note_begin(w);
	submit = now_ns();
	error = result(pread(w->load->fd, w->buffer, bytes,
			     (off_t)(w->first + block) * BLOCK),
		       bytes);
	for (i = 0; !error && i < count; i++)
		wrong |= !block_is_right(w, block + i,
					 w->buffer + i * BLOCK_WORDS);
	note_end(w, submit, error, wrong);
	return error;
}

static int do_write(struct worker *w, uint64_t block, unsigned int count)
{
	const size_t bytes = (size_t)count * BLOCK;
	int64_t submit;
	unsigned int i;
	int error;

	for (i = 0; i < count; i++)
		fill(w->buffer + i * BLOCK_WORDS, w->first + block + i,
		     ++w->blocks[block + i].newest);
	note_begin(w);
	submit = now_ns();
	error = result(pwrite(w->load->fd, w->buffer, bytes,
			      (off_t)(w->first + block) * BLOCK),
		       bytes);
	note_end(w, submit, error, false);
	for (i = 0; !error && i < count; i++)
		w->blocks[block + i].sure = w->blocks[block + i].newest;
	return error;
}

static int do_flush(struct worker *w)
{
	int64_t submit;
	int error;

	note_begin(w);
	submit = now_ns();
	error = fdatasync(w->load->fd) ? errno : 0;
	note_end(w, submit, error, false);
	return error;
}

static void do_one(struct worker *w)
{
	const struct load_plan *plan = &w->load->plan;
	unsigned int count = 1 + next_random(w) % (plan->max_bytes / BLOCK);
	uint64_t block;
	int error;

	if (count > w->count)
		count = w->count;
	block = next_random(w) % (w->count - count + 1);
	if (next_random(w) % 100 < plan->read_percent)
		error = do_read(w, block, count);
	else
		error = do_write(w, block, count);
	if (!error && !(next_random(w) % FLUSH_EVERY))
		error = do_flush(w);
	w->failures_in_row = error ? w->failures_in_row + 1 : 0;
	if (w->failures_in_row > HASTY_FAILURES)
		sleep_ns(NS_PER_MS);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load(&w->load->stop))
		do_one(w);
	return NULL;
}

static bool start_worker(struct load *load, unsigned int i, uint64_t blocks)
{
	struct worker *w = &load->workers[i];

	w->load = load;
	w->count = blocks / load->plan.threads;
	w->first = i * w->count;
	w->random = 88172645463325252ULL + i;
	pthread_mutex_init(&w->lock, NULL);
	w->blocks = calloc(w->count, sizeof(*w->blocks));
	w->buffer = aligned_alloc(BLOCK, load->plan.max_bytes);
	if (!w->blocks || !w->buffer)
		return false;
	errno = pthread_create(&w->thread, NULL, work, w);
	if (errno)
		return false;
	load->started++;
	return true;
}

static bool start_workers(struct load *load)
{
	uint64_t bytes;
	unsigned int i;

	load->fd = open(load->plan.path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (load->fd < 0 || ioctl(load->fd, BLKGETSIZE64, &bytes) < 0)
		return false;
	if (bytes / BLOCK < load->plan.threads) {
		errno = ENOSPC;
		return false;
	}
	for (i = 0; i < load->plan.threads; i++)
		if (!start_worker(load, i, bytes / BLOCK))
			return false;
	return true;
}

struct load *load_start(const struct load_plan *plan)
{
	struct load *load = calloc(1, sizeof(*load));
	int error;

	if (!load)
		return NULL;
	load->plan = *plan;
	load->fd = -1;
	load->workers = calloc(plan->threads, sizeof(*load->workers));
	if (load->workers && start_workers(load))
		return load;
	error = errno;
	load_stop(load);
	errno = error;
	return NULL;
}

void load_mark(struct load *load)
{
	unsigned int i;

	for (i = 0; i < load->started; i++) {
		struct worker *w = &load->workers[i];

		pthread_mutex_lock(&w->lock);
		memset(&w->facts, 0, sizeof(w->facts));
		w->mark_ns = now_ns();
		pthread_mutex_unlock(&w->lock);
	}
}

static void keep_later(int64_t *latest, int64_t ns)
{
	if (ns > *latest)
		*latest = ns;
}

static void merge(struct load_facts *sum, const struct load_facts *part)
{
	sum->ok += part->ok;
	sum->failed += part->failed;
	sum->not_offline += part->not_offline;
	sum->wrong += part->wrong;
	keep_later(&sum->last_ok_submit_ns, part->last_ok_submit_ns);
	keep_later(&sum->last_ok_end_ns, part->last_ok_end_ns);
	keep_later(&sum->slowest_ns, part->slowest_ns);
	if (part->first_failure_ns &&
	    (!sum->first_failure_ns ||
	     part->first_failure_ns < sum->first_failure_ns)) {
		sum->first_failure_ns = part->first_failure_ns;
		sum->first_errno = part->first_errno;
	}
}

void load_get(struct load *load, struct load_facts *ret)
{
	unsigned int i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < load->started; i++) {
		struct worker *w = &load->workers[i];

		pthread_mutex_lock(&w->lock);
		merge(ret, &w->facts);
		ret->in_flight += w->busy;
		pthread_mutex_unlock(&w->lock);
	}
}

void load_stop(struct load *load)
{
	unsigned int i;

	if (!load)
		return;
	atomic_store(&load->stop, true);
	for (i = 0; i < load->started; i++)
		pthread_join(load->workers[i].thread, NULL);
	for (i = 0; load->workers && i < load->plan.threads; i++) {
		free(load->workers[i].blocks);
		free(load->workers[i].buffer);
	}
	if (load->fd >= 0)
		close(load->fd);
	free(load->workers);
	free(load);
}
