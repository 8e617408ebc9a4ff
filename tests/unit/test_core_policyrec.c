// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the policy record: documented offsets, round trips, and
 * that a hostile record yields a named defect and never an unterminated or
 * unprintable string.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crc32c.h"
#include "policyrec.h"

enum {
	AT_WRAPS = 512,
	WRAP = 1728,
	/* within a wrap */
	AT_ROLE = 0,
	AT_ALG = 4,
	AT_KID_LEN = 8,
	AT_BLOB_LEN = 12,
	AT_VAULT = 16,
	AT_KID = 80,
	AT_BLOB = 592,
	AT_RESERVED = 1616,
};

static struct svcenc_record two_wraps(void)
{
	struct svcenc_record r = {
		.key = { .version = 7 },
		.generation = 0x1122334455667788,
		.tenant_name = "alpha",
		.policy_name = "provider",
		.volume_name = "db-1.data",
		.wrap_count = 2,
		.wraps = {
			{ .role = SVCENC_ROLE_A, .alg = SVCENC_ALG_A256KW,
			  .vault = "a", .kid = "file:a/k/1", .blob_len = 40 },
			{ .role = SVCENC_ROLE_AVAILABILITY,
			  .alg = SVCENC_ALG_RSA_OAEP_SHA1, .vault = "hsm",
			  .kid = "pkcs11:id=%01;v=2", .blob_len = 1024 },
		},
	};

	memset(r.volume.b, 0xb1, sizeof(r.volume.b));
	memset(r.key.policy.b, 0xb2, sizeof(r.key.policy.b));
	memset(r.tenant.b, 0xb3, sizeof(r.tenant.b));
	memset(r.wraps[0].blob, 0xb4, 40);
	memset(r.wraps[1].blob, 0xb5, 1024);
	memset(r.mac, 0xb6, sizeof(r.mac));
	return r;
}

static void put32(u8 *at, u32 value)
{
	int i;

	for (i = 0; i < 4; i++)
		at[i] = (u8)(value >> 8 * i);
}

static void renew_crc(u8 *image)
{
	u8 mac[SVCENC_RECORD_MAC_SIZE];

	memcpy(mac, image + SVCENC_RECORD_MAC_SPAN, sizeof(mac));
	svcenc_record_set_mac(image, mac);
}

static void encode_puts_fields_where_documented(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE], wanted[SVCENC_RECORD_SIZE];
	struct svcenc_record r = two_wraps();
	u8 *second = wanted + AT_WRAPS + WRAP;

	(void)state;
	memset(wanted, 0, sizeof(wanted));
	memcpy(wanted, "svcencPR", 8);
	put32(wanted + 12, 1);
	memset(wanted + 16, 0xb1, 16);
	memset(wanted + 32, 0xb2, 16);
	put32(wanted + 48, 7);
	put32(wanted + 52, 2);
	memcpy(wanted + 56, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	memset(wanted + 64, 0xb3, 16);
	memcpy(wanted + 80, "alpha", 5);
	memcpy(wanted + 144, "provider", 8);
	memcpy(wanted + 208, "db-1.data", 9);
	put32(wanted + AT_WRAPS + AT_ROLE, 1);
	put32(wanted + AT_WRAPS + AT_ALG, 1);
	put32(wanted + AT_WRAPS + AT_KID_LEN, 10);
	put32(wanted + AT_WRAPS + AT_BLOB_LEN, 40);
	memcpy(wanted + AT_WRAPS + AT_VAULT, "a", 1);
	memcpy(wanted + AT_WRAPS + AT_KID, "file:a/k/1", 10);
	memset(wanted + AT_WRAPS + AT_BLOB, 0xb4, 40);
	put32(second + AT_ROLE, 3);
	put32(second + AT_ALG, 4);
	put32(second + AT_KID_LEN, 17);
	put32(second + AT_BLOB_LEN, 1024);
	memcpy(second + AT_VAULT, "hsm", 3);
	memcpy(second + AT_KID, "pkcs11:id=%01;v=2", 17);
	memset(second + AT_BLOB, 0xb5, 1024);
	memset(wanted + 16352, 0xb6, 32);
	put32(wanted + 8, svcenc_crc32c(0, wanted, sizeof(wanted)));
	svcenc_record_encode(&r, image);
	assert_memory_equal(image, wanted, sizeof(image));
}

static void decode_returns_what_was_encoded(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE], again[SVCENC_RECORD_SIZE];
	static struct svcenc_record back;
	struct svcenc_record r = two_wraps();

	(void)state;
	svcenc_record_encode(&r, image);
	memset(&back, 0x55, sizeof(back));
	assert_int_equal(svcenc_record_decode(image, &back),
			 SVCENC_RECORD_DEFECT_NONE);
	assert_string_equal(back.volume_name, "db-1.data");
	assert_string_equal(back.wraps[1].kid, "pkcs11:id=%01;v=2");
	assert_int_equal(back.wraps[1].blob_len, 1024);
	svcenc_record_encode(&back, again);
	assert_memory_equal(image, again, sizeof(image));
}

static void decode_finds_every_flipped_byte(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record back;
	struct svcenc_record r = two_wraps();
	size_t i;

	(void)state;
	svcenc_record_encode(&r, image);
	for (i = 0; i < sizeof(image); i++) {
		image[i] ^= 0x10;
		assert_int_equal(svcenc_record_decode(image, &back),
				 i < 8 ? SVCENC_RECORD_DEFECT_MAGIC :
					 SVCENC_RECORD_DEFECT_CRC);
		image[i] ^= 0x10;
	}
}

struct poke {
	size_t at;
	size_t len;
	const char *bytes;
	enum svcenc_record_defect defect;
};

#define D(x) SVCENC_RECORD_DEFECT_##x
#define ZERO16 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define W0 AT_WRAPS
#define W2 (AT_WRAPS + 2 * WRAP)

static const struct poke pokes[] = {
	{ 12, 4, "\2\0\0\0", D(VERSION) },
	{ 16, 16, ZERO16, D(IDENTITY) },
	{ 32, 16, ZERO16, D(IDENTITY) },
	{ 48, 4, "\0\0\0\0", D(IDENTITY) },
	{ 56, 8, "\0\0\0\0\0\0\0\0", D(IDENTITY) },
	{ 64, 16, ZERO16, D(IDENTITY) },
	{ 52, 4, "\0\0\0\0", D(WRAP_COUNT) },
	{ 52, 4, "\11\0\0\0", D(WRAP_COUNT) },
	{ 52, 4, "\xff\xff\xff\xff", D(WRAP_COUNT) },
	{ 52, 4, "\1\0\0\0", D(RESERVED) }, /* second wrap behind the count */
	{ 52, 4, "\3\0\0\0", D(WRAP) },	    /* third is empty */
	{ 80, 1, "", D(NAME) },
	{ 80, 1, ".", D(NAME) },
	{ 80, 1, "-", D(NAME) },
	{ 144, 1, "/", D(NAME) },
	{ 144, 1, "\n", D(NAME) },
	{ 144, 1, "\x7f", D(NAME) },
	{ 144, 1, "\xc3", D(NAME) },
	{ 208 + 2, 1, " ", D(NAME) },
	{ 208 + 63, 1, "x", D(NAME) }, /* hidden behind the NUL */
	{ 272, 1, "\1", D(RESERVED) },
	{ 511, 1, "\1", D(RESERVED) },
	{ 14336, 1, "\1", D(RESERVED) },
	{ 16351, 1, "\1", D(RESERVED) },
	{ W2, 1, "\1", D(RESERVED) },
	{ W2 + WRAP * 6 - 1, 1, "\1", D(RESERVED) },
	{ W0 + AT_ROLE, 4, "\0\0\0\0", D(ROLE) },
	{ W0 + AT_ROLE, 4, "\3\0\0\0", D(ROLE) }, /* twice */
	{ W0 + AT_ROLE, 4, "\4\0\0\0", D(ROLE) },
	{ W0 + AT_ROLE, 4, "\0\0\0\x80", D(ROLE) },
	{ W0 + AT_ROLE, 4, "\2\0\0\0", D(NONE) },
	{ W0 + AT_ALG, 4, "\0\0\0\0", D(WRAP) },
	{ W0 + AT_ALG, 4, "\6\0\0\0", D(WRAP) },
	{ W0 + AT_KID_LEN, 4, "\0\0\0\0", D(WRAP) },
	{ W0 + AT_KID_LEN, 4, "\11\0\0\0", D(WRAP) }, /* a tail is hidden */
	{ W0 + AT_KID_LEN, 4, "\13\0\0\0", D(WRAP) }, /* a NUL inside */
	{ W0 + AT_KID_LEN, 4, "\1\2\0\0", D(WRAP) },  /* 513 */
	{ W0 + AT_KID_LEN, 4, "\xff\xff\xff\xff", D(WRAP) },
	{ W0 + AT_KID + 3, 1, "\n", D(WRAP) },
	{ W0 + AT_KID + 3, 1, " ", D(WRAP) },
	{ W0 + AT_KID + 3, 1, "\x7f", D(WRAP) },
	{ W0 + AT_KID + 3, 1, "\xff", D(WRAP) },
	{ W0 + AT_BLOB_LEN, 4, "\0\0\0\0", D(WRAP) },
	{ W0 + AT_BLOB_LEN, 4, "\47\0\0\0", D(WRAP) }, /* 39: tail hidden */
	{ W0 + AT_BLOB_LEN, 4, "\51\0\0\0", D(NONE) }, /* 41: zero at its end */
	{ W0 + AT_BLOB_LEN, 4, "\1\4\0\0", D(WRAP) },  /* 1025 */
	{ W0 + AT_BLOB_LEN, 4, "\xff\xff\xff\xff", D(WRAP) },
	{ W0 + AT_VAULT, 1, "", D(WRAP) },
	{ W0 + AT_VAULT, 1, "/", D(WRAP) },
	{ W0 + AT_RESERVED, 1, "\1", D(WRAP) },
	{ W0 + WRAP - 1, 1, "\1", D(WRAP) },
};

static void decode_names_each_defect(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record back;
	struct svcenc_record r = two_wraps();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		const struct poke *p = &pokes[i];
		enum svcenc_record_defect got;

		svcenc_record_encode(&r, image);
		memcpy(image + p->at, p->bytes, p->len);
		renew_crc(image);
		got = svcenc_record_decode(image, &back);
		if (got != p->defect)
			fail_msg("poke %zu at %zu: got '%s', wanted '%s'", i,
				 p->at, svcenc_record_defect_text(got),
				 svcenc_record_defect_text(p->defect));
	}
}

static void longest_strings_fit(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record back;
	struct svcenc_record r = two_wraps();

	(void)state;
	memset(r.tenant_name, 'n', SVCENC_NAME_SIZE - 1);
	memset(r.wraps[0].kid, 'k', SVCENC_KID_MAX);
	svcenc_record_encode(&r, image);
	assert_int_equal(svcenc_record_decode(image, &back),
			 SVCENC_RECORD_DEFECT_NONE);
	assert_int_equal(strlen(back.tenant_name), 63);
	assert_int_equal(strlen(back.wraps[0].kid), 512);
	/* one more and there is no NUL */
	image[80 + 63] = 'n';
	renew_crc(image);
	assert_int_equal(svcenc_record_decode(image, &back),
			 SVCENC_RECORD_DEFECT_NAME);
}

static void all_roles_fill_three_wraps_at_most(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record back;
	struct svcenc_record r = two_wraps();

	(void)state;
	r.wraps[2] = r.wraps[0];
	r.wraps[2].role = SVCENC_ROLE_B;
	r.wrap_count = 3;
	svcenc_record_encode(&r, image);
	assert_int_equal(svcenc_record_decode(image, &back),
			 SVCENC_RECORD_DEFECT_NONE);
	r.wraps[3] = r.wraps[0];
	r.wrap_count = 4;
	svcenc_record_encode(&r, image);
	assert_int_equal(svcenc_record_decode(image, &back),
			 SVCENC_RECORD_DEFECT_ROLE);
}

static void mac_span_is_independent_of_crc_and_mac(void **state)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static u8 a[SVCENC_RECORD_MAC_SPAN], b[SVCENC_RECORD_MAC_SPAN];
	struct svcenc_record r = two_wraps();
	u8 mac[SVCENC_RECORD_MAC_SIZE] = { 9 };
	size_t i;

	(void)state;
	svcenc_record_encode(&r, image);
	svcenc_record_for_mac(image, a);
	svcenc_record_set_mac(image, mac);
	svcenc_record_for_mac(image, b);
	assert_memory_equal(a, b, sizeof(a));
	for (i = 0; i < sizeof(a); i++)
		assert_int_equal(a[i], i / 4 == 2 ? 0 : image[i]);
}

static void names_are_plain(void **state)
{
	static const char *const good[] = { "a",       "A9", "_x",
					    "a.b-c_d", "0",  "x..y" };
	static const char *const bad[] = { "",	       ".",   "..",  ".x",
					   "-x",       "a b", "a/b", "a\n",
					   "\xc3\xa4", "a:b" };
	char name[SVCENC_NAME_SIZE + 1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(svcenc_name_is_valid(good[i]));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(svcenc_name_is_valid(bad[i]));
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_true(svcenc_name_is_valid(name));
	name[63] = 'a';
	name[64] = '\0';
	assert_false(svcenc_name_is_valid(name));
}

static void defect_texts_are_all_there(void **state)
{
	int defect;

	(void)state;
	for (defect = 0; defect <= SVCENC_RECORD_DEFECT_ROLE; defect++)
		assert_true(strlen(svcenc_record_defect_text(
				    (enum svcenc_record_defect)defect)) > 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encode_puts_fields_where_documented),
		cmocka_unit_test(decode_returns_what_was_encoded),
		cmocka_unit_test(decode_finds_every_flipped_byte),
		cmocka_unit_test(decode_names_each_defect),
		cmocka_unit_test(longest_strings_fit),
		cmocka_unit_test(all_roles_fill_three_wraps_at_most),
		cmocka_unit_test(mac_span_is_independent_of_crc_and_mac),
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(defect_texts_are_all_there),
	};

	return cmocka_run_group_tests_name("core_policyrec", tests, NULL, NULL);
}
