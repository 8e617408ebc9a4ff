/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One cell of the matrix of ends: a key that ends in one way while its volume
 * is in one situation. svcenc-key-matrix.c has the order of cells and what
 * becomes of one that hangs; matrix.c the volume and the key; situations.c
 * what goes on and what must hold after it. A cell has a process of its own
 * and may leave it anywhere: matrix_fail() says why.
 */
#ifndef SVCENC_TEST_MATRIX_H
#define SVCENC_TEST_MATRIX_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "lease.h"
#include "load.h"

enum situation {
	SITUATION_IDLE,
	SITUATION_READS,
	SITUATION_WRITES,
	SITUATION_SUSPEND,
	SITUATION_RESUME,
	SITUATION_RELOAD,
	SITUATION_REMOVE,
	SITUATION_FAILING,
	SITUATION_UNLOCK,
	SITUATION_UNLOAD,
	SITUATION_COUNT
};

/* Exit status of a cell. Other: the racer was too late, and told so. */
enum outcome { OUTCOME_WELL = 0, OUTCOME_FAILED = 1, OUTCOME_OTHER = 10 };

enum { PLAIN_BYTES = 64 << 10 };

struct volume_spec {
	const char *file;     /* companions .uuid, .desc, .key, .sectors */
	const char *below;    /* mapped device that it lies on */
	char below_words[64]; /* of its linear table */
	uint64_t below_sectors;
};

struct cell {
	enum end_way way;
	enum situation situation;
	int64_t phase_ns; /* the racer starts so long after the end, or before */
	const struct volume_spec *volume;
	const char *module; /* its file */

	char name[32]; /* of the mapping */
	char uuid[64];
	char path[32];	 /* of its node, once it is there */
	char words[256]; /* of its table */
	uint64_t sectors;
	struct policy_key key;
	int keyring, serial;
	struct lease_socket lease;
	uint64_t *plain; /* PLAIN_BYTES that were written to its beginning */
	struct load *load;
};

/* ---------------------------------------------------------------- matrix.c */

__attribute__((noreturn, format(printf, 2, 3))) void
matrix_fail(const struct cell *cell, const char *format, ...);

/* Fails unless @rc is 0. */
void matrix_must(const struct cell *cell, int rc, const char *what);

/* Key added, volume open, its beginning written. */
void matrix_set_up(struct cell *cell);

/* The serial of ".svcenc" as it is now. */
void matrix_find_keyring(struct cell *cell);

/* Closed, without a key: as before matrix_set_up(). */
void matrix_tear_down(struct cell *cell);

/* The end itself; returns before it for those that come by the clock. */
int matrix_end_key(const struct cell *cell);
void matrix_add_key(struct cell *cell);

/* Waits until the kernel lists no such key any more. */
void matrix_await_gone(const struct cell *cell);

int matrix_create_and_load(struct cell *cell);
void matrix_open(struct cell *cell);
void matrix_close(struct cell *cell);
int matrix_unlock(const struct cell *cell);

/* Waits until the volume says that it is locked. */
void matrix_await_locked(const struct cell *cell);

/* A read, a write and a flush, each fails with ENODEV. */
void matrix_expect_offline(const struct cell *cell);
/* It holds what matrix_set_up() wrote. */
void matrix_expect_plain(const struct cell *cell);

/* Random I/O, with every byte compared; returns when it flows. */
void matrix_start_load(struct cell *cell, unsigned int read_percent);
void matrix_await_flow(const struct cell *cell);
/*
 * Nothing that is submitted from now on succeeds, and enough of it fails.
 * Returns when it has.
 */
void matrix_await_failures(const struct cell *cell);
void matrix_stop_load(struct cell *cell);

/* Replaces the table of the device below: "linear" or "error". */
void matrix_swap_below(const struct cell *cell, const char *type);

/* ------------------------------------------------------------ situations.c */

/* The cell from set-up to tear-down. */
enum outcome matrix_run(struct cell *cell);

/* It takes the module away: nothing else may use it. */
bool situation_is_alone(enum situation situation);

/* Two calls race: worth more than one round. */
bool situation_is_race(enum situation situation);

const char *situation_name(enum situation situation);
const char *end_way_name(enum end_way way);

#endif
