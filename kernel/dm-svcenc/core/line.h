/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The grammar of table and status lines: printing and parsing, so that a
 * printed line always parses. Knows no device and looks nothing up.
 *
 * Table (after "<start> <len> svcenc"):
 *   <device> <volume uuid> <policy key description> [<#opts> <opt>...]
 *   opt: allow_discards | initialize | grow | min_seq:<n>
 *
 * Status (INFO), fields in this order, later versions append only:
 *   1 state            new | active | locked
 *   2 epoch            number of the volume key
 *   3 key description  svcenc:<policy uuid>:<version>
 *   4 check value      of the live policy key, 32 hex digits; "-" if locked
 *   5 seq              of the superblock, durable in both copies
 *   6 <done>/<total>   rotation, 512-byte sectors; 0/0 while idle
 *   7 reads            8 writes   9 flushes   10 discards   (bios begun)
 *  11 offline          bios failed because no key was live
 *  12 read errors      13 write errors   (bios failed by the device below)
 *  14 crypto errors    conversions that the crypto API refused
 *  15 queued           conversions handed to a workqueue
 *  16 parked           writes and discards that waited for a rotation to
 *                      decide their place
 *  17 rotation         a word of names.h: idle | running | paused | ...
 *  18 rate             limit of the rotation in KiB/s, 0 = none
 *  19 longest park     microseconds, since the table was loaded
 *  20 unreadable       extents in the superblock's list
 */
#ifndef SVCENC_CORE_LINE_H
#define SVCENC_CORE_LINE_H

#include "keyfmt.h"
#include "names.h"

enum svcenc_line_limits {
	SVCENC_TABLE_ARGS_MIN = 3,
	SVCENC_TABLE_OPTS_MAX = 4,
	SVCENC_DEVICE_PATH_MAX = 4096,
	SVCENC_STATUS_TEXT = 512, /* enough for any status line */
};

struct svcenc_table {
	const char *device; /* points into the parsed words */
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	bool allow_discards;
	bool initialize;
	bool grow;
	u64 min_seq; /* 0 = not given */
};

/*
 * Parses @argc words. Returns 0, or -EINVAL with *@ret_error = what is wrong
 * and what is wanted (a static string).
 */
int svcenc_table_parse(unsigned int argc, char **argv,
		       struct svcenc_table *ret, const char **ret_error);

/*
 * Prints what svcenc_table_parse() takes, with min_seq but never with the
 * one-shot options initialize and grow. As snprintf(): returns the length
 * wanted.
 */
int svcenc_table_print(const struct svcenc_table *table, char *buf,
		       size_t size);

#define SVCENC_COUNTERS(x) \
	x(reads)           \
	x(writes)          \
	x(flushes)         \
	x(discards)        \
	x(offline)         \
	x(read_errors)     \
	x(write_errors)    \
	x(crypto_errors)   \
	x(queued)          \
	x(parked)

struct svcenc_counters {
#define x(name) u64 name;
	SVCENC_COUNTERS(x)
#undef x
};

struct svcenc_status {
	enum svcenc_state state;
	u64 epoch;
	struct svcenc_keyid key;
	bool has_check;
	u8 check[SVCENC_CHECK_SIZE];
	u64 seq;
	u64 rotation_done;
	u64 rotation_total;
	struct svcenc_counters counters;
	enum svcenc_rotation_state rotation;
	u64 rate_kib_s; /* 0 = no limit */
	u64 longest_park_us;
	u64 unreadable; /* extents */
};

int svcenc_status_print(const struct svcenc_status *status, char *buf,
			size_t size);

/* Parses a NUL-terminated status line; ignores fields behind the 20th. */
int svcenc_status_parse(const char *text, struct svcenc_status *ret);

#endif
