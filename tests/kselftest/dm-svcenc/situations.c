// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmcall.h"
#include "matrix.h"

/* What is called at about the moment of the end, by another thread. */
struct racer {
	struct cell *cell;
	int (*call)(const struct cell *cell);
	pthread_t thread;
	pthread_barrier_t start;
	int64_t wait_ns; /* from the start on */
	int rc;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(&racer->start);
	if (racer->wait_ns > 0)
		sleep_ns(racer->wait_ns);
	racer->rc = racer->call(racer->cell);
	return NULL;
}

/* Those that come by the clock come a second after the call. */
static int64_t end_after_ns(const struct cell *cell)
{
	return cell->way == END_LEASE || cell->way == END_TIMEOUT ? NS_PER_S :
								    0;
}

/* Ends the key, and calls @call so much before or after that. */
static int end_racing(struct cell *cell, int (*call)(const struct cell *cell),
		      int *ret_end)
{
	struct racer racer = { .cell = cell, .call = call };
	const int64_t lead_ns = cell->phase_ns < 0 ? -cell->phase_ns : 0;

	racer.wait_ns = lead_ns + cell->phase_ns + end_after_ns(cell);
	pthread_barrier_init(&racer.start, NULL, 2);
	matrix_must(cell, -pthread_create(&racer.thread, NULL, race, &racer),
		    "thread");
	pthread_barrier_wait(&racer.start);
	if (lead_ns)
		sleep_ns(lead_ns);
	*ret_end = matrix_end_key(cell);
	pthread_join(racer.thread, NULL);
	return racer.rc;
}

static int race_with_end(struct cell *cell,
			 int (*call)(const struct cell *cell))
{
	int end;
	const int rc = end_racing(cell, call, &end);

	matrix_must(cell, end, "end of the key");
	return rc;
}

static void end_key(struct cell *cell)
{
	matrix_must(cell, matrix_end_key(cell), "end of the key");
}

/* With the key back, the volume is as it was. */
static void unlock_again(struct cell *cell)
{
	matrix_add_key(cell);
	matrix_must(cell, matrix_unlock(cell), "unlock with the key back");
}

/* ------------------------------------------------------------ nothing races */

static enum outcome idle(struct cell *cell)
{
	end_key(cell);
	matrix_await_locked(cell);
	matrix_expect_offline(cell);
	unlock_again(cell);
	matrix_expect_plain(cell);
	return OUTCOME_WELL;
}

/* The end under load, which flows again with the key back. */
static void load_ends_and_returns(struct cell *cell)
{
	/* revoke promises that nothing is left to happen when it returns */
	if (cell->way != END_REVOKE)
		matrix_await_locked(cell);
	matrix_await_failures(cell);
	unlock_again(cell);
	matrix_await_flow(cell);
	matrix_stop_load(cell);
}

static enum outcome reads(struct cell *cell)
{
	matrix_start_load(cell, 95);
	end_key(cell);
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

static enum outcome writes(struct cell *cell)
{
	matrix_start_load(cell, 5);
	end_key(cell);
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

/* I/O waits for the resume, and fails then. */
static enum outcome suspend(struct cell *cell)
{
	matrix_start_load(cell, 50);
	matrix_must(cell, dmcall_suspend(cell->name, 0), "suspend");
	end_key(cell);
	matrix_await_locked(cell);
	matrix_must(cell, dmcall_resume(cell->name), "resume without a key");
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

static enum outcome failing(struct cell *cell)
{
	matrix_start_load(cell, 50);
	matrix_swap_below(cell, "error");
	end_key(cell);
	matrix_await_locked(cell);
	matrix_expect_offline(cell);
	matrix_swap_below(cell, "linear");
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

/* ------------------------------------------------------------ two calls race */

static int call_resume(const struct cell *cell)
{
	return dmcall_resume(cell->name);
}

static int call_remove(const struct cell *cell)
{
	return dmcall_remove(cell->name, 0);
}

static int call_unload(const struct cell *cell)
{
	(void)cell;
	return syscall(SYS_delete_module, "dm_svcenc", O_NONBLOCK) ? -errno : 0;
}

/* Of a new table: it needs the key, so the end may have been first. */
static enum outcome resume(struct cell *cell)
{
	int rc;

	matrix_close(cell);
	matrix_must(cell, matrix_create_and_load(cell), "create and load");
	rc = race_with_end(cell, call_resume);
	if (!rc) {
		matrix_await_locked(cell);
		matrix_expect_offline(cell);
		unlock_again(cell);
		matrix_expect_plain(cell);
		return OUTCOME_WELL;
	}
	if (rc != -ENOKEY && rc != -EKEYREVOKED && rc != -EKEYEXPIRED)
		matrix_must(cell, rc, "resume");
	matrix_await_gone(cell);
	matrix_close(cell);
	matrix_add_key(cell);
	matrix_open(cell);
	matrix_expect_plain(cell);
	return OUTCOME_OTHER;
}

/* Of a volume in use: whoever is first, it goes on, locked. */
static enum outcome reload(struct cell *cell)
{
	struct dmcall_table table = { .type = "svcenc",
				      .sectors = cell->sectors };
	char words[sizeof(cell->words) + 32];

	snprintf(words, sizeof(words), "%s 1 allow_discards", cell->words);
	table.words = words;
	matrix_start_load(cell, 50);
	matrix_must(cell, dmcall_load(cell->name, &table, 0), "second table");
	matrix_must(cell, race_with_end(cell, call_resume), "reload");
	matrix_await_locked(cell);
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

static enum outcome remove_it(struct cell *cell)
{
	matrix_must(cell, race_with_end(cell, call_remove), "remove");
	if (dmcall_exists(cell->name) != -ENXIO)
		matrix_fail(cell, "the mapping is still there");
	matrix_await_gone(cell);
	matrix_add_key(cell);
	matrix_open(cell);
	matrix_expect_plain(cell);
	return OUTCOME_WELL;
}

static atomic_bool unlock_stop, unlock_must_fail;
static atomic_uint unlock_tries;

/* Tries without a break; 0, or what is wrong with the answers. */
static int call_unlock_forever(const struct cell *cell)
{
	while (!atomic_load(&unlock_stop)) {
		const bool must_fail = atomic_load(&unlock_must_fail);
		const int rc = matrix_unlock(cell);

		if (!rc && must_fail)
			return -EEXIST; /* it took a key that has ended */
		if (rc && rc != -ENOKEY && rc != -EKEYREVOKED &&
		    rc != -EKEYEXPIRED)
			return rc;
		atomic_fetch_add(&unlock_tries, 1);
		sleep_ns(NS_PER_MS / 10);
	}
	return 0;
}

static void *unlock_forever(void *arg)
{
	return (void *)(intptr_t)call_unlock_forever(arg);
}

static enum outcome unlock(struct cell *cell)
{
	const int64_t deadline = now_ns() + 30 * NS_PER_S;
	pthread_t thread;
	unsigned int tries;
	void *rc;

	matrix_start_load(cell, 50);
	matrix_must(cell, -pthread_create(&thread, NULL, unlock_forever, cell),
		    "thread");
	sleep_ns(cell->phase_ns < 0 ? -cell->phase_ns : cell->phase_ns);
	end_key(cell);
	matrix_await_gone(cell);
	atomic_store(&unlock_must_fail, true);
	tries = atomic_load(&unlock_tries);
	while (atomic_load(&unlock_tries) < tries + 4 && now_ns() < deadline)
		sleep_ns(NS_PER_MS);
	atomic_store(&unlock_stop, true);
	pthread_join(thread, &rc);
	matrix_must(cell, (int)(intptr_t)rc, "unlock during and after the end");
	if (atomic_load(&unlock_tries) < tries + 4)
		matrix_fail(cell, "too few tries to unlock after the end");
	matrix_await_locked(cell);
	load_ends_and_returns(cell);
	return OUTCOME_WELL;
}

/* A key that ends holds the module for a moment: then it stays that long. */
static void unload_now(const struct cell *cell)
{
	const int64_t deadline = now_ns() + 30 * NS_PER_S;
	int rc;

	while ((rc = call_unload(cell)) == -EAGAIN && now_ns() < deadline)
		sleep_ns(NS_PER_MS);
	matrix_must(cell, rc, "unload");
}

static void load_module(struct cell *cell)
{
	const int fd = open(cell->module, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		matrix_fail(cell, "%s: %s", cell->module, strerror(errno));
	close(fd);
	matrix_find_keyring(cell);
	close(cell->lease.fd);
	matrix_must(cell, lease_connect(&cell->lease), "netlink");
}

static enum outcome unload(struct cell *cell)
{
	int rc, end;

	matrix_close(cell);
	rc = end_racing(cell, call_unload, &end);
	if (rc && rc != -EAGAIN)
		matrix_must(cell, rc, "unload");
	if (rc)
		unload_now(cell);
	if (!access("/sys/module/dm_svcenc", F_OK))
		matrix_fail(cell, "the module is still there");
	if (key_add(&cell->key, 60, -2) != -ENODEV)
		matrix_fail(cell, "the key type is still there");
	load_module(cell);
	matrix_add_key(cell);
	matrix_open(cell);
	matrix_expect_plain(cell);
	return end || rc ? OUTCOME_OTHER : OUTCOME_WELL;
}

/* ---------------------------------------------------------------- the table */

static const struct {
	const char *name;
	enum outcome (*run)(struct cell *cell);
	bool race, alone;
} situations[] = {
	[SITUATION_IDLE] = { "idle", idle, false, false },
	[SITUATION_READS] = { "reads", reads, false, false },
	[SITUATION_WRITES] = { "writes", writes, false, false },
	[SITUATION_SUSPEND] = { "suspend", suspend, false, false },
	[SITUATION_RESUME] = { "resume", resume, true, false },
	[SITUATION_RELOAD] = { "reload", reload, true, false },
	[SITUATION_REMOVE] = { "remove", remove_it, true, false },
	[SITUATION_FAILING] = { "failing", failing, false, false },
	[SITUATION_UNLOCK] = { "unlock", unlock, true, false },
	[SITUATION_UNLOAD] = { "unload", unload, true, true },
};

const char *situation_name(enum situation situation)
{
	return situations[situation].name;
}

bool situation_is_alone(enum situation situation)
{
	return situations[situation].alone;
}

bool situation_is_race(enum situation situation)
{
	return situations[situation].race;
}

enum outcome matrix_run(struct cell *cell)
{
	enum outcome outcome;

	matrix_set_up(cell);
	outcome = situations[cell->situation].run(cell);
	matrix_tear_down(cell);
	return outcome;
}
