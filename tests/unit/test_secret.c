// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that key bytes live in locked memory that
 * DESCRIPTION: no core file holds, are wiped when freed or moved, and that
 * DESCRIPTION: base64 has one spelling for one value.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 20
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "secret.h"

/* The VmFlags of the mapping that holds @address. */
static void flags_at(const void *address, char *flags, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	unsigned long begin, end;
	bool inside = false;
	char line[512];

	assert_non_null(smaps);
	flags[0] = '\0';
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			inside = (unsigned long)address >= begin &&
				 (unsigned long)address < end;
		else if (inside && !strncmp(line, "VmFlags:", 8))
			snprintf(flags, size, "%s", line);
	}
	fclose(smaps);
}

static void memory_is_locked_and_not_dumped(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *secret = svcenc_secret_new(32);
	char flags[512];

	(void)state;
	assert_non_null(secret);
	flags_at(svcenc_secret_peek(secret), flags, sizeof(flags));
	assert_non_null(strstr(flags, " lo")); /* locked */
	assert_non_null(strstr(flags, " dd")); /* not in a core file */
}

static void process_makes_no_core(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_max, 0);
}

static void free_wipes(void **state)
{
	struct svcenc_secret *secret = svcenc_secret_new(64);
	const uint8_t *at = svcenc_secret_peek(secret);
	size_t i;

	(void)state;
	memset(svcenc_secret_bytes(secret), 0xa5, 64);
	assert_null(svcenc_secret_free(secret));
	/* the heap's own list may use the first bytes of a free block */
	for (i = 16; i < 64; i++)
		assert_int_not_equal(at[i], 0xa5);
}

static void move_wipes_its_source(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *secret = NULL;
	static const uint8_t zero[16];
	uint8_t bytes[16];

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(svcenc_secret_move_bytes(bytes, 16, &secret), 0);
	assert_memory_equal(bytes, zero, 16);
	assert_int_equal(svcenc_secret_peek(secret)[15], 7);
	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(svcenc_secret_move_bytes(bytes, 0, &secret), -ENOMEM);
}

static void sizes_have_limits(void **state)
{
	(void)state;
	assert_null(svcenc_secret_new(0));
	assert_null(svcenc_secret_new(16385));
}

static void exhaustion_is_an_error(void **state)
{
	struct svcenc_secret *held[1024];
	struct svcenc_secret *more = NULL;
	size_t n = 0;

	(void)state;
	while (n < 1024 && (held[n] = svcenc_secret_new(4096)))
		n++;
	assert_in_range(n, 64, 1023);
	assert_int_equal(svcenc_secret_random(4096, &more), -ENOMEM);
	while (n)
		svcenc_secret_free(held[--n]);
	assert_int_equal(svcenc_secret_random(4096, &more), 0);
	svcenc_secret_free(more);
}

static void equal_looks_at_length_and_bytes(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *a = svcenc_secret_new(8);
	SVCENC_SECRET_AUTO struct svcenc_secret *b = svcenc_secret_new(8);
	SVCENC_SECRET_AUTO struct svcenc_secret *c = svcenc_secret_new(9);

	(void)state;
	assert_true(svcenc_secret_equal(a, b));
	assert_false(svcenc_secret_equal(a, c));
	svcenc_secret_bytes(b)[7] = 1;
	assert_false(svcenc_secret_equal(a, b));
}

static void base64_round_trip(void **state)
{
	size_t len;

	(void)state;
	for (len = 1; len < 70; len++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *in = NULL,
							*text = NULL,
							*out = NULL;

		assert_int_equal(svcenc_secret_random(len, &in), 0);
		assert_int_equal(svcenc_secret_to_base64(in, &text), 0);
		assert_int_equal(svcenc_secret_from_base64(
					 (const char *)svcenc_secret_peek(text),
					 &out),
				 0);
		assert_true(svcenc_secret_equal(in, out));
	}
}

static void base64_refuses_other_spellings(void **state)
{
	static const char *const bad[] = {
		"",	  "A",	      "AA",    "AAA",	 "A===",
		"====",	  "AA=A",     "AAA=A", "AA==\n", " AAA",
		"AA A",	  "AB==",     "AAB=",  "-_AA",	 "AAAA=",
		"AAAAAA", "AA==AAAA", "A\0AA", "AAAA ",	 "\xff\xff\xff\xff",
	};
	struct svcenc_secret *secret = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(svcenc_secret_from_base64(bad[i], &secret),
				 -EINVAL);
}

static void scopes_choose_the_heap(void **state)
{
	void *outside, *inside, *nested;

	(void)state;
	outside = svcenc_secret_alloc(100);
	svcenc_secret_scope_enter();
	inside = svcenc_secret_alloc(100);
	svcenc_secret_scope_enter();
	svcenc_secret_scope_leave();
	nested = svcenc_secret_alloc(100);
	svcenc_secret_scope_leave();
	assert_false(CRYPTO_secure_allocated(outside));
	assert_true(CRYPTO_secure_allocated(inside));
	assert_true(CRYPTO_secure_allocated(nested));
	svcenc_secret_release(outside);
	svcenc_secret_release(inside);
	svcenc_secret_release(nested);
	svcenc_secret_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_locked_and_not_dumped),
		cmocka_unit_test(process_makes_no_core),
		cmocka_unit_test(free_wipes),
		cmocka_unit_test(move_wipes_its_source),
		cmocka_unit_test(sizes_have_limits),
		cmocka_unit_test(exhaustion_is_an_error),
		cmocka_unit_test(equal_looks_at_length_and_bytes),
		cmocka_unit_test(base64_round_trip),
		cmocka_unit_test(base64_refuses_other_spellings),
		cmocka_unit_test(scopes_choose_the_heap),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
