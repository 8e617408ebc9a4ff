/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites of dm-svcenc-kunit.ko share: the parts of the module
 * that they run with, exact-size buffers, known keys and a look through all
 * memory. The suites test core/, crypt.c, keycrypt.c, volumekey.c, policykey.c;
 * messages that those send are heard here instead of by netlink.c and registry.c.
 *
 * The module must not be loaded beside dm-svcenc.ko: tracepoints of one name.
 */
#ifndef SVCENC_ENV_KUNIT_H
#define SVCENC_ENV_KUNIT_H

#include <kunit/test.h>

#include "crypt.h"
#include "keycrypt.h"
#include "policykey.h"

/* For kunit_suite.suite_init and suite_exit: queues, xts(aes), policykey.c. */
int svcenc_kunit_start(struct kunit_suite *suite);
void svcenc_kunit_stop(struct kunit_suite *suite);

/* What policykey.c said of ended keys since svcenc_kunit_forget(). */
struct svcenc_kunit_heard {
	unsigned int events;  /* KEY_LOST messages */
	unsigned int volumes; /* calls to tell the volumes */
	struct svcenc_keyid id;
	char reason[32];
};

void svcenc_kunit_forget(void);
struct svcenc_kunit_heard svcenc_kunit_heard(void); /* waits for messages */

/*
 * A heap copy with not one byte to spare, so that KASAN sees every access
 * beside it. Freed with the test case. Asserts on failure.
 */
void *svcenc_kunit_copy(struct kunit *test, const void *from, size_t size);
char *svcenc_kunit_text(struct kunit *test, const char *text);
void *svcenc_kunit_zeroed(struct kunit *test, size_t size);

/* The bytes of a literal in hex. Asserts that there are @len. */
void svcenc_kunit_hex(struct kunit *test, const char *hex, void *ret,
		      size_t len);

/* Policy uuid 0xa0 + @which..., version @version. */
struct svcenc_keyid svcenc_kunit_keyid(u8 which, u32 version);

/*
 * Secrets that the suites use lie in the module only in this form, so that
 * svcenc_kunit_in_memory() finds copies that were made and nothing else.
 */
#define SVCENC_KUNIT_MASK 0x5a

/* 32 bytes each, hex, masked. */
extern const char svcenc_kunit_policy_key[];
extern const char svcenc_kunit_volume_key1[]; /* first half: data */
extern const char svcenc_kunit_volume_key2[]; /* second half: tweak */
extern const char svcenc_kunit_wrap_key[];    /* subkey "svcenc wrap" */

enum { SVCENC_KUNIT_SECRET = 32 };

/* The bytes themselves; the caller frees them by svcenc_kunit_wipe(). */
u8 *svcenc_kunit_secret(struct kunit *test, const char *masked_hex);
void svcenc_kunit_wipe(u8 *secret);

/*
 * True if the secret lies anywhere in the memory that the kernel has mapped,
 * 4-byte aligned as any key schedule is. Freed memory is looked at, too.
 */
bool svcenc_kunit_in_memory(struct kunit *test, const char *masked_hex);

/*
 * The superblock that tests/ref/svcenc_model.py makes of the known keys:
 * policy svcenc_kunit_keyid(0, 7), epoch 3, sectors of 4096 bytes.
 */
void svcenc_kunit_known_sb(struct kunit *test, struct svcenc_sb *ret);

/* A cipher with @key; @driver NULL: the one that volumes get. */
struct svcenc_cipher *svcenc_kunit_cipher(struct kunit *test,
					  const char *driver,
					  const u8 key[SVCENC_VOLKEY_SIZE]);

/* The same cipher behind a queue: every conversion is asynchronous. */
#define SVCENC_KUNIT_ASYNC "cryptd(xts(ecb(aes-generic)))"

/* One conversion between two buffers, in parts of any size. */
struct svcenc_kunit_run {
	struct svcenc_conv conv;
	struct bio src;
	struct bio dst;
	struct bio_vec src_vec[64];
	struct bio_vec dst_vec[64];
	struct completion resumed;
};

/* A buffer and the length of the parts that a bio shows it in. */
struct svcenc_kunit_side {
	void *buf;
	unsigned int part;
};

/* Prepares a conversion of @len bytes; @dst->buf NULL: in place. */
struct svcenc_kunit_run *
svcenc_kunit_prepare(struct kunit *test, struct svcenc_slot *slot,
		     const struct svcenc_kunit_side side[2], unsigned int len);

/* Runs it to its end, however often it goes asynchronous. */
int svcenc_kunit_convert(struct svcenc_kunit_run *run);

#endif
