// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the agent's key hierarchy against values
 * DESCRIPTION: that Python's hmac module computed: subkeys, check value,
 * DESCRIPTION: authorisation to rewrap; and that a policy record's MAC covers
 * DESCRIPTION: every byte of it.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 30
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "hierarchy.h"

static const struct svcenc_keyid from = {
	.policy = { { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
		      0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff } },
	.version = 7,
};

static struct svcenc_secret *policy_key(void)
{
	struct svcenc_secret *key = svcenc_secret_new(SVCENC_POLICYKEY_SIZE);
	unsigned int i;

	assert_non_null(key);
	for (i = 0; i < SVCENC_POLICYKEY_SIZE; i++)
		svcenc_secret_bytes(key)[i] = (uint8_t)i;
	return key;
}

static void subkeys_are_the_reference_values(void **state)
{
	static const struct {
		const char *label;
		const char *hex;
	} wanted[] = {
		{ SVCENC_LABEL_WRAP,
		  "404b6a9a4787dedcfa8c621bbd999aa49e817602445eca4bd697269cda9b"
		  "6921" },
		{ SVCENC_LABEL_MAC,
		  "70832d5e22b7f2d0e10ef6f736e94232bd880cd05a4faf5c2d6e6002776a"
		  "f12f" },
		{ SVCENC_LABEL_REWRAP,
		  "a6b2e2ec1337f53b95549237fca8745e62e7b4006a4f96044fad77e08db8"
		  "cb30" },
		{ SVCENC_LABEL_RECORD,
		  "e24f58c46fd011d3b3e013cd3e3dfd44b5f7bd2b5bbf1d3312bfa1a1e894"
		  "c6bb" },
		{ SVCENC_LABEL_CHECK,
		  "06dda4353df5e211c78c2ccdbc3df7a76521e636db4dc084d815ac11d019"
		  "9782" },
	};
	SVCENC_SECRET_AUTO struct svcenc_secret *key = policy_key();
	u8 check[SVCENC_CHECK_SIZE];
	char hex[65];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;

		assert_int_equal(svcenc_hierarchy_subkey(
					 key, &from, wanted[i].label, &subkey),
				 0);
		svcenc_hex_print(svcenc_secret_peek(subkey), 32, hex);
		assert_string_equal(hex, wanted[i].hex);
	}
	assert_int_equal(svcenc_hierarchy_check(key, &from, check), 0);
	svcenc_hex_print(check, sizeof(check), hex);
	assert_string_equal(hex, "06dda4353df5e211c78c2ccdbc3df7a7");
}

static void only_a_whole_policy_key_is_taken(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *shorter =
		svcenc_secret_new(31);
	struct svcenc_secret *subkey = NULL;

	(void)state;
	assert_int_equal(svcenc_hierarchy_subkey(shorter, &from,
						 SVCENC_LABEL_MAC, &subkey),
			 -EINVAL);
}

static void authorisation_is_the_reference_value(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = policy_key();
	struct svcenc_rewrap rewrap = { .from = from, .to = { .version = 8 } };
	u8 auth[SVCENC_AUTH_SIZE];
	char hex[SVCENC_AUTH_TEXT + 1];
	unsigned int i;

	(void)state;
	memset(&rewrap.volume, 0x42, sizeof(rewrap.volume));
	memset(rewrap.to_check, 0x11, sizeof(rewrap.to_check));
	for (i = 0; i < 16; i++)
		rewrap.to.policy.b[i] = from.policy.b[15 - i];
	assert_int_equal(svcenc_hierarchy_authorise_rewrap(key, &rewrap, auth),
			 0);
	svcenc_hex_print(auth, sizeof(auth), hex);
	assert_string_equal(hex, "886fda70576442d4f60dde9781d32410f302262191df"
				 "b45066ce9f1f53263c2d");
	/* the new key's check value is covered: no other key can be slipped in */
	rewrap.to_check[0] ^= 1;
	assert_int_equal(svcenc_hierarchy_authorise_rewrap(key, &rewrap, auth),
			 0);
	svcenc_hex_print(auth, 2, hex);
	assert_string_not_equal(hex, "886f");
}

static void make_record(struct svcenc_record *record)
{
	memset(record, 0, sizeof(*record));
	memset(&record->volume, 1, sizeof(record->volume));
	memset(&record->tenant, 2, sizeof(record->tenant));
	record->key = from;
	record->generation = 1;
	strcpy(record->tenant_name, "t");
	strcpy(record->policy_name, "p");
	strcpy(record->volume_name, "v");
	record->wrap_count = 1;
	record->wraps[0].role = SVCENC_ROLE_A;
	record->wraps[0].alg = SVCENC_ALG_A256KW;
	strcpy(record->wraps[0].vault, "a");
	strcpy(record->wraps[0].kid, "file:a/x/1");
	record->wraps[0].blob_len = 40;
	memset(record->wraps[0].blob, 9, 40);
}

static void record_mac_covers_every_byte(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = policy_key();
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record record, again;
	size_t i;

	(void)state;
	make_record(&record);
	assert_int_equal(svcenc_hierarchy_seal_record(key, &record, image), 0);
	assert_int_equal(svcenc_record_decode(image, &again),
			 SVCENC_RECORD_DEFECT_NONE);
	assert_int_equal(svcenc_hierarchy_verify_record(key, &from, image), 0);
	for (i = 0; i < SVCENC_RECORD_SIZE; i += i < 600 ? 1 : 97) {
		if (i >= 8 && i < 12)
			continue; /* the CRC is not part of the span */
		image[i] ^= 0x80;
		assert_int_equal(svcenc_hierarchy_verify_record(key, &from,
								image),
				 -EBADMSG);
		image[i] ^= 0x80;
	}
	svcenc_secret_bytes(key)[0] ^= 1;
	assert_int_equal(svcenc_hierarchy_verify_record(key, &from, image),
			 -EBADMSG);
}

static void record_mac_is_bound_to_the_version(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = policy_key();
	struct svcenc_keyid other = from;
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record record;

	(void)state;
	make_record(&record);
	other.version++;
	assert_int_equal(svcenc_hierarchy_seal_record(key, &record, image), 0);
	assert_int_equal(svcenc_hierarchy_verify_record(key, &other, image),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subkeys_are_the_reference_values),
		cmocka_unit_test(only_a_whole_policy_key_is_taken),
		cmocka_unit_test(authorisation_is_the_reference_value),
		cmocka_unit_test(record_mac_covers_every_byte),
		cmocka_unit_test(record_mac_is_bound_to_the_version),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
