/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls whose moment a test measures: add_key(2), keyctl(2) and messages
 * to a mapped device. Straight system calls, so that no library and no start
 * of a program lies between a time stamp and the kernel. Judges nothing.
 */
#ifndef SVCENC_TEST_CONTROL_H
#define SVCENC_TEST_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* How a key ends; the names are the arguments of the programs. */
#define END_WAYS(x)                                               \
	x(REVOKE, "revoke") x(UNLINK, "unlink") x(CLEAR, "clear") \
		x(INVALIDATE, "invalidate") x(LEASE, "lease")     \
			x(TIMEOUT, "timeout")

enum end_way {
#define x(name, text) END_##name,
	END_WAYS(x)
#undef x
		END_WAY_COUNT
};

/* One policy key as tests/ref/svcenc_model.py leaves it beside a volume. */
struct policy_key {
	char description[64];
	uint8_t bytes[32];
};

/* CLOCK_MONOTONIC. */
int64_t now_ns(void);
void sleep_ns(int64_t ns);

/* END_WAY_COUNT if there is no such way. */
enum end_way end_way_parse(const char *text);

/* Reads FILE.desc and FILE.key. 0 or negative errno. */
int policy_key_read(const char *file, struct policy_key *ret);

/* Serial of the new key, or negative errno. */
int key_add(const struct policy_key *key, uint32_t lease_s, int keyring);

/*
 * Ends a key the given way; LEASE does nothing (it ends by itself), TIMEOUT
 * gives it one second. 0 or negative errno.
 */
int key_end(enum end_way way, int serial, int keyring);

/* Sends @message to the mapped device @name. 0 or negative errno. */
int dm_message(const char *name, const char *message);

#endif
