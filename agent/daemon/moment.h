/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A point in time that can be stored: how long ago it was is counted by
 * CLOCK_BOOTTIME within the boot it was taken in, whatever the wall clock
 * does, and by the wall clock across boots. A wall clock that stands before
 * the moment tells nothing: then it was "for ever" ago, so that nothing that
 * is bounded in time lasts longer because somebody sets clocks.
 */
#ifndef SVCENC_DAEMON_MOMENT_H
#define SVCENC_DAEMON_MOMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { MOMENT_BOOT_SIZE = 37 };

#define MOMENT_FOR_EVER_MS (INT64_C(1) << 52)

struct moment {
	int64_t wall_s; /* seconds since 1970; 0 = none */
	int64_t boot_ms;
	char boot[MOMENT_BOOT_SIZE]; /* id of the boot; "" = unknown */
};

void moment_now(struct moment *ret);
bool moment_equal(const struct moment *a, const struct moment *b);
/* At least 0. */
int64_t moment_ago_ms(const struct moment *moment);

json_t *moment_write(const struct moment *moment);
/* False if it is not one. */
bool moment_read(json_t *json, struct moment *ret);

#endif
