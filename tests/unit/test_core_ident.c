// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check uuids, key descriptions, hex and numbers: one spelling
 * each is parsed and printed, every other one refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ident.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"

static void uuid_round_trips(void **state)
{
	static const u8 bytes[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
				    0xcd, 0xef, 0x01, 0x23, 0x45, 0x67,
				    0x89, 0xab, 0xcd, 0xef };
	char text[SVCENC_UUID_TEXT + 1];
	struct svcenc_uuid uuid;

	(void)state;
	assert_int_equal(svcenc_uuid_parse(UUID, &uuid), 0);
	assert_memory_equal(uuid.b, bytes, sizeof(bytes));
	svcenc_uuid_print(&uuid, text);
	assert_string_equal(text, UUID);
}

static void uuid_reads_36_characters_only(void **state)
{
	struct svcenc_uuid uuid;

	(void)state;
	assert_int_equal(svcenc_uuid_parse(UUID "trailing", &uuid), 0);
}

static void uuid_refuses_every_damaged_character(void **state)
{
	static const char bad[] = { 'A', 'F', 'g', ' ', '-',	   '\0',
				    '/', ':', '`', '@', (char)0x80 };
	struct svcenc_uuid uuid = { { 0x5a } };
	char text[] = UUID;
	size_t i, j;

	(void)state;
	for (i = 0; i < SVCENC_UUID_TEXT; i++) {
		for (j = 0; j < sizeof(bad); j++) {
			if (text[i] == bad[j])
				continue;
			text[i] = bad[j];
			assert_int_equal(svcenc_uuid_parse(text, &uuid),
					 -EINVAL);
			assert_int_equal(uuid.b[0], 0x5a);
			text[i] = UUID[i];
		}
	}
}

static void uuid_zero_and_equal(void **state)
{
	struct svcenc_uuid a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_true(svcenc_uuid_is_zero(&a));
	assert_true(svcenc_uuid_equal(&a, &b));
	b.b[15] = 1;
	assert_false(svcenc_uuid_is_zero(&b));
	assert_false(svcenc_uuid_equal(&a, &b));
}

static void keyid_round_trips(void **state)
{
	static const char *const texts[] = {
		"svcenc:" UUID ":1",
		"svcenc:" UUID ":42",
		"svcenc:" UUID ":4294967295",
	};
	static const u32 versions[] = { 1, 42, U32_MAX };
	char text[SVCENC_KEYID_TEXT + 1];
	struct svcenc_keyid id;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(svcenc_keyid_parse(texts[i], &id), 0);
		assert_int_equal(id.version, versions[i]);
		svcenc_keyid_print(&id, text);
		assert_string_equal(text, texts[i]);
	}
	/* the longest fills the buffer exactly */
	assert_int_equal(strlen(text), SVCENC_KEYID_TEXT);
}

static void keyid_refuses_other_spellings(void **state)
{
	static const char *const bad[] = {
		"",
		"svcenc",
		"svcenc:",
		"svcenc:" UUID,
		"svcenc:" UUID ":",
		"svcenc:" UUID ":0",
		"svcenc:" UUID ":01",
		"svcenc:" UUID ":+1",
		"svcenc:" UUID ":-1",
		"svcenc:" UUID ": 1",
		"svcenc:" UUID ":1 ",
		"svcenc:" UUID ":1x",
		"svcenc:" UUID ":1:1",
		"svcenc:" UUID ":4294967296",
		"svcenc:" UUID ":18446744073709551617",
		"svcenc:" UUID ";1",
		"Svcenc:" UUID ":1",
		" svcenc:" UUID ":1",
		"svcenc:01234567-89AB-cdef-0123-456789abcdef:1",
		"svcenc:00000000-0000-0000-0000-000000000000:1",
	};
	struct svcenc_keyid id;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(svcenc_keyid_parse(bad[i], &id), -EINVAL);
}

static void keyid_refuses_each_prefix_of_a_valid_one(void **state)
{
	const char *valid = "svcenc:" UUID ":7";
	char text[64];
	struct svcenc_keyid id;
	size_t len;

	(void)state;
	for (len = 0; len < strlen(valid); len++) {
		memcpy(text, valid, len);
		text[len] = '\0';
		assert_int_equal(svcenc_keyid_parse(text, &id), -EINVAL);
	}
}

static void keyid_equality_looks_at_both_parts(void **state)
{
	struct svcenc_keyid a = { .version = 1 }, b = { .version = 1 };

	(void)state;
	assert_true(svcenc_keyid_equal(&a, &b));
	b.version = 2;
	assert_false(svcenc_keyid_equal(&a, &b));
	b.version = 1;
	b.policy.b[3] = 1;
	assert_false(svcenc_keyid_equal(&a, &b));
}

static void hex_round_trips_and_refuses(void **state)
{
	static const char *const bad[] = { "",	   "0",	   "000",  "00ff0",
					   "0g00", "00FF", "00 f", "00ff00" };
	static const u8 bytes[] = { 0x00, 0x7f, 0x80, 0xff };
	char text[9];
	u8 back[4];
	size_t i;

	(void)state;
	svcenc_hex_print(bytes, 4, text);
	assert_string_equal(text, "007f80ff");
	assert_int_equal(svcenc_hex_parse(text, back, 4), 0);
	assert_memory_equal(back, bytes, 4);
	svcenc_hex_print(bytes, 0, text);
	assert_string_equal(text, "");
	assert_int_equal(svcenc_hex_parse("", back, 0), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(svcenc_hex_parse(bad[i], back, 2), -EINVAL);
}

static void u64_takes_decimal_up_to_max(void **state)
{
	u64 value;

	(void)state;
	assert_int_equal(svcenc_u64_parse("0", U64_MAX, &value), 0);
	assert_true(value == 0);
	assert_int_equal(
		svcenc_u64_parse("18446744073709551615", U64_MAX, &value), 0);
	assert_true(value == U64_MAX);
	assert_int_equal(svcenc_u64_parse("100", 100, &value), 0);
	assert_int_equal(svcenc_u64_parse("101", 100, &value), -ERANGE);
	assert_int_equal(svcenc_u64_parse("18446744073709551616", U64_MAX,
					  &value),
			 -ERANGE);
	assert_int_equal(svcenc_u64_parse("99999999999999999999999", U64_MAX,
					  &value),
			 -ERANGE);
}

static void u64_refuses_other_spellings(void **state)
{
	static const char *const bad[] = {
		"",   " ",  "00", "01",	 "-1",	"+1",
		"1 ", " 1", "1x", "0x1", "1.0", "1e3"
	};
	u64 value = 7;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(svcenc_u64_parse(bad[i], U64_MAX, &value),
				 -EINVAL);
		assert_true(value == 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_round_trips),
		cmocka_unit_test(uuid_reads_36_characters_only),
		cmocka_unit_test(uuid_refuses_every_damaged_character),
		cmocka_unit_test(uuid_zero_and_equal),
		cmocka_unit_test(keyid_round_trips),
		cmocka_unit_test(keyid_refuses_other_spellings),
		cmocka_unit_test(keyid_refuses_each_prefix_of_a_valid_one),
		cmocka_unit_test(keyid_equality_looks_at_both_parts),
		cmocka_unit_test(hex_round_trips_and_refuses),
		cmocka_unit_test(u64_takes_decimal_up_to_max),
		cmocka_unit_test(u64_refuses_other_spellings),
	};

	return cmocka_run_group_tests_name("core_ident", tests, NULL, NULL);
}
