// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmcall.h"
#include "matrix.h"

/* What nobody needs more than a second for, on a machine that others use. */
#define PATIENCE_NS (30 * NS_PER_S)

enum { LEASE_S = 7200, FLOW_MIN = 8, FAILURES_MIN = 8, THREADS = 2 };

const char *end_way_name(enum end_way way)
{
	static const char *const names[] = {
#define x(name, text) text,
		END_WAYS(x)
#undef x
	};

	return names[way];
}

void matrix_fail(const struct cell *cell, const char *format, ...)
{
	va_list args;

	printf("# %s while %s, racer at %+.1f ms: ", end_way_name(cell->way),
	       situation_name(cell->situation),
	       (double)cell->phase_ns / NS_PER_MS);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(OUTCOME_FAILED);
}

void matrix_must(const struct cell *cell, int rc, const char *what)
{
	if (rc)
		matrix_fail(cell, "%s: %s", what, strerror(-rc));
}

/* True while there is reason to look again. */
static bool wait_on(int64_t deadline)
{
	if (now_ns() > deadline)
		return false;
	sleep_ns(NS_PER_MS);
	return true;
}

/* --------------------------------------------------------------------- key */

void matrix_find_keyring(struct cell *cell)
{
	FILE *file = fopen("/sys/module/dm_svcenc/parameters/keyring", "re");

	if (!file || fscanf(file, "%d", &cell->keyring) != 1)
		matrix_fail(cell, "the module names no keyring");
	fclose(file);
}

void matrix_add_key(struct cell *cell)
{
	cell->serial = key_add(&cell->key, LEASE_S, cell->keyring);
	if (cell->serial < 0)
		matrix_must(cell, cell->serial, "add_key");
}

int matrix_end_key(const struct cell *cell)
{
	if (cell->way == END_LEASE)
		return lease_renew(&cell->lease, cell->key.description, 1);
	return key_end(cell->way, cell->serial, cell->keyring);
}

void matrix_await_gone(const struct cell *cell)
{
	const int64_t deadline = now_ns() + PATIENCE_NS;
	int live;

	while ((live = lease_is_live(&cell->lease, cell->key.description)))
		if (live < 0)
			matrix_must(cell, live, "list of keys");
		else if (!wait_on(deadline))
			matrix_fail(cell, "the key does not end");
}

/* ------------------------------------------------------------------ volume */

static void table_of(const struct cell *cell, struct dmcall_table *ret)
{
	ret->type = "svcenc";
	ret->sectors = cell->sectors;
	ret->words = cell->words;
}

int matrix_create_and_load(struct cell *cell)
{
	struct dmcall_table table;
	unsigned int minor;
	int rc;

	table_of(cell, &table);
	rc = dmcall_create(cell->name, cell->uuid, &minor);
	if (rc)
		return rc;
	snprintf(cell->path, sizeof(cell->path), "/dev/dm-%u", minor);
	return dmcall_load(cell->name, &table, 0);
}

void matrix_open(struct cell *cell)
{
	matrix_must(cell, matrix_create_and_load(cell), "create and load");
	matrix_must(cell, dmcall_resume(cell->name), "resume");
}

/* Whoever has just let go of it may not be gone quite yet. */
void matrix_close(struct cell *cell)
{
	const int64_t deadline = now_ns() + PATIENCE_NS;
	int rc;

	do
		rc = dmcall_remove(cell->name, 0);
	while (rc == -EBUSY && wait_on(deadline));
	matrix_must(cell, rc, "remove");
}

int matrix_unlock(const struct cell *cell)
{
	char message[128];

	snprintf(message, sizeof(message), "unlock %s", cell->key.description);
	return dm_message(cell->name, message);
}

static bool is_in_state(const struct cell *cell, const char *state)
{
	struct dmcall call;

	dmcall_prepare(&call, cell->name, 0);
	matrix_must(cell, dmcall_send(DM_TABLE_STATUS, &call), "status");
	return !strncmp(call.text, state, strlen(state));
}

void matrix_await_locked(const struct cell *cell)
{
	const int64_t deadline = now_ns() + PATIENCE_NS;

	while (!is_in_state(cell, "locked "))
		if (!wait_on(deadline))
			matrix_fail(cell, "the volume is not locked");
}

void matrix_swap_below(const struct cell *cell, const char *type)
{
	const struct volume_spec *volume = cell->volume;
	const bool linear = !strcmp(type, "linear");
	const struct dmcall_table table = {
		.type = type,
		.sectors = volume->below_sectors,
		.words = linear ? volume->below_words : "",
	};

	matrix_must(cell, dmcall_load(volume->below, &table, 0), "load below");
	matrix_must(cell,
		    dmcall_suspend(volume->below,
				   DM_NOFLUSH_FLAG | DM_SKIP_LOCKFS_FLAG),
		    "suspend below");
	matrix_must(cell, dmcall_resume(volume->below), "resume below");
}

/* --------------------------------------------------------------------- I/O */

/* O_DIRECT, or -errno. */
static int open_path(const struct cell *cell)
{
	const int fd = open(cell->path, O_RDWR | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		matrix_fail(cell, "%s does not open: %s", cell->path,
			    strerror(errno));
	return fd;
}

static void *aligned(const struct cell *cell)
{
	void *bytes = aligned_alloc(4096, PLAIN_BYTES);

	if (!bytes)
		matrix_fail(cell, "out of memory");
	return bytes;
}

static void expect_enodev(const struct cell *cell, ssize_t n, const char *what)
{
	if (n >= 0)
		matrix_fail(cell, "a %s succeeds without a key", what);
	if (errno != ENODEV)
		matrix_fail(cell, "a %s fails with %s", what, strerror(errno));
}

void matrix_expect_offline(const struct cell *cell)
{
	const int fd = open_path(cell);
	void *bytes = aligned(cell);

	memset(bytes, 0, PLAIN_BYTES);
	expect_enodev(cell, pread(fd, bytes, 4096, 0), "read");
	expect_enodev(cell, pwrite(fd, bytes, 4096, 0), "write");
	expect_enodev(cell, fdatasync(fd), "flush");
	close(fd);
	free(bytes);
}

void matrix_expect_plain(const struct cell *cell)
{
	const int fd = open_path(cell);
	void *bytes = aligned(cell);

	if (pread(fd, bytes, PLAIN_BYTES, 0) != PLAIN_BYTES)
		matrix_fail(cell, "the volume does not read: %s",
			    strerror(errno));
	if (memcmp(bytes, cell->plain, PLAIN_BYTES))
		matrix_fail(cell, "the volume holds other bytes");
	close(fd);
	free(bytes);
}

static void write_plain(struct cell *cell)
{
	const int fd = open_path(cell);
	size_t i;

	cell->plain = aligned(cell);
	for (i = 0; i < PLAIN_BYTES / sizeof(*cell->plain); i++)
		cell->plain[i] = (uint64_t)now_ns() * (2 * i + 1);
	if (pwrite(fd, cell->plain, PLAIN_BYTES, 0) != PLAIN_BYTES)
		matrix_fail(cell, "the volume cannot be written: %s",
			    strerror(errno));
	close(fd);
}

/* -------------------------------------------------------------------- load */

void matrix_start_load(struct cell *cell, unsigned int read_percent)
{
	const struct load_plan plan = { .path = cell->path,
					.threads = THREADS,
					.read_percent = read_percent,
					.max_bytes = 16 << 10 };

	cell->load = load_start(&plan);
	if (!cell->load)
		matrix_fail(cell, "no load: %s", strerror(errno));
	matrix_await_flow(cell);
}

void matrix_await_flow(const struct cell *cell)
{
	const int64_t deadline = now_ns() + PATIENCE_NS;
	struct load_facts facts;

	load_mark(cell->load);
	do {
		load_get(cell->load, &facts);
		if (facts.failed)
			matrix_fail(cell, "I/O fails with a live key: %s",
				    strerror(facts.first_errno));
		if (facts.wrong)
			matrix_fail(cell, "a read returned other bytes");
		if (facts.ok >= FLOW_MIN)
			return;
	} while (wait_on(deadline));
	matrix_fail(cell, "I/O does not flow");
}

void matrix_await_failures(const struct cell *cell)
{
	const int64_t deadline = now_ns() + PATIENCE_NS;
	struct load_facts facts;

	load_mark(cell->load);
	do {
		load_get(cell->load, &facts);
		if (facts.ok)
			matrix_fail(cell, "an I/O succeeds after the end");
		if (facts.not_offline)
			matrix_fail(cell, "an I/O fails otherwise: %s",
				    strerror(facts.first_errno));
		if (facts.failed >= FAILURES_MIN)
			return;
	} while (wait_on(deadline));
	matrix_fail(cell, "I/O does not fail, it hangs");
}

void matrix_stop_load(struct cell *cell)
{
	load_stop(cell->load);
	cell->load = NULL;
}

/* ------------------------------------------------------------- way up, down */

/* The first line of the companion, without its end. */
static void read_word(const struct cell *cell, const char *suffix, char *word,
		      int size)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s.%s", cell->volume->file, suffix);
	file = fopen(path, "re");
	if (!file || !fgets(word, size, file))
		matrix_fail(cell, "%s: %s", path, strerror(errno));
	fclose(file);
	word[strcspn(word, "\n")] = '\0';
}

void matrix_set_up(struct cell *cell)
{
	char uuid[40], sectors[24];

	read_word(cell, "uuid", uuid, sizeof(uuid));
	read_word(cell, "sectors", sectors, sizeof(sectors));
	cell->sectors = strtoull(sectors, NULL, 10);
	matrix_must(cell, policy_key_read(cell->volume->file, &cell->key),
		    "companions of the key");
	snprintf(cell->name, sizeof(cell->name), "m-%s", cell->volume->below);
	snprintf(cell->uuid, sizeof(cell->uuid), "SVCENC-1-%s-m", uuid);
	snprintf(cell->words, sizeof(cell->words), "/dev/mapper/%s %s %s",
		 cell->volume->below, uuid, cell->key.description);
	matrix_must(cell, lease_connect(&cell->lease), "netlink");
	matrix_find_keyring(cell);
	matrix_add_key(cell);
	matrix_open(cell);
	write_plain(cell);
}

void matrix_tear_down(struct cell *cell)
{
	int rc;

	matrix_close(cell);
	matrix_must(cell, key_end(END_REVOKE, cell->serial, cell->keyring),
		    "revoke at the end");
	rc = key_end(END_UNLINK, cell->serial, cell->keyring);
	/* the kernel collects revoked keys, and may have been faster */
	if (rc != -ENOENT && rc != -ENOKEY)
		matrix_must(cell, rc, "unlink at the end");
	matrix_await_gone(cell);
	free(cell->plain);
}
