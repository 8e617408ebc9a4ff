/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile tables, messages, ioctls, netlink messages and keys. A case is made
 * from its own seed alone and says whether the kernel took it; whether the
 * kernel still is in order, fuzz-check.c looks every now and then.
 *
 * The rule of the game: one volume, the steady one, is in use all the time.
 * Whatever may rightly end it (its key's end, its device's suspension or
 * removal) is not sent; anything else may be.
 */
#ifndef SVCENC_TEST_FUZZ_H
#define SVCENC_TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dmraw.h"
#include "volume.h"

#define FUZZ_STEADY_NAME "steady"

enum { FUZZ_NAMES = 3, FUZZ_TEXT = 16 << 10, FUZZ_PLAIN = 4096 };

/* x(number, name) */
#define FUZZ_KINDS(x)                                             \
	x(TABLE, "table") x(MESSAGE, "message") x(IOCTL, "ioctl") \
		x(NETLINK, "netlink") x(KEY, "key") x(STATE, "state")

enum fuzz_kind {
#define x(number, name) FUZZ_##number,
	FUZZ_KINDS(x)
#undef x
		FUZZ_KIND_COUNT
};

struct fuzz_volume {
	const char *device;
	struct volume id;
	struct volume_header header; /* to go back to */
};

struct fuzz_world {
	struct fuzz_volume steady, victim, fresh;
	struct volume next; /* key the victim may be rewrapped to */
	char auth[80];
	uint8_t plain[FUZZ_PLAIN]
		__attribute__((aligned(FUZZ_PLAIN))); /* of the victim */
	int keyring;
	int family;
	bool race; /* two processes: a device may be suspended any time */
};

/* ------------------------------------------------------------ fuzz-random.c */

void fuzz_seed(uint64_t seed, uint64_t number);
uint64_t fuzz_random(void);
uint32_t fuzz_below(uint32_t limit); /* @limit > 0 */
bool fuzz_chance(uint32_t one_in);

/* A number that parsers and counters may not like. */
uint64_t fuzz_number(void);

/* Changes @text in place, within @size bytes and the NUL. */
void fuzz_mutate(char *text, size_t size);

/* "fuzz0" ...: a static text. */
const char *fuzz_name(void);

/* ------------------------------------------------------------- fuzz-cases.c */

/* Words behind a target's name; now and then hostile. @ret_sectors fits. */
void fuzz_table(const struct fuzz_world *world, char text[FUZZ_TEXT],
		uint64_t *ret_sectors);
void fuzz_message(const struct fuzz_world *world, char text[FUZZ_TEXT]);

/* Runs one case of @kind; 0 or the negative errno the kernel said. */
int fuzz_case(const struct fuzz_world *world, enum fuzz_kind kind);

/* --------------------------------------------------------------- fuzz-raw.c */

int fuzz_raw_setup(void);
int fuzz_ioctl(const struct fuzz_world *world);

/* ----------------------------------------------------------- fuzz-netlink.c */

int fuzz_netlink(const struct fuzz_world *world);
int fuzz_key(const struct fuzz_world *world);

/* ------------------------------------------------------------- fuzz-check.c */

/* Opens the steady volume's device etc.; 0 or -errno. */
int fuzz_check_setup(struct fuzz_world *world);

/*
 * Clears away what the cases left and looks whether all is in order. False,
 * with words on stdout, if not.
 */
bool fuzz_check(struct fuzz_world *world);

/* ------------------------------------------------------------- fuzz-load.c */

/* A process with light, verified I/O on the steady volume. */
pid_t fuzz_load_start(void);
bool fuzz_load_alive(pid_t pid);

/* Ends it; it looks at every block. True if all were right. */
bool fuzz_load_end(pid_t pid);

#endif
