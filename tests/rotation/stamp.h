/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the sectors of a crash test hold: bytes that say which sector, which
 * version, and are right as a whole. Also the random numbers of these tests.
 */
#ifndef SVCENC_TEST_STAMP_H
#define SVCENC_TEST_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills @size bytes (a multiple of 8, at least 24). */
void stamp_fill(void *to, size_t size, uint64_t sector, uint32_t version);

/* Every byte is that of some version of @sector: which one. */
bool stamp_read(const void *from, size_t size, uint64_t sector,
		uint32_t *ret_version);

/* The same numbers for the same start, everywhere. */
uint64_t stamp_random(uint64_t *state);

#endif
