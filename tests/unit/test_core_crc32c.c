// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check core's CRC32C against the vectors of RFC 3720, and that
 * chained calls equal one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crc32c.h"

static void crc32c_agrees_with_rfc3720(void **state)
{
	u8 buf[32];
	int i;

	(void)state;
	memset(buf, 0, sizeof(buf));
	assert_int_equal(svcenc_crc32c(0, buf, 32), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(svcenc_crc32c(0, buf, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		buf[i] = (u8)i;
	assert_int_equal(svcenc_crc32c(0, buf, 32), 0x46dd794e);
	for (i = 0; i < 32; i++)
		buf[i] = (u8)(31 - i);
	assert_int_equal(svcenc_crc32c(0, buf, 32), 0x113fdb5c);
}

/* RFC 3720 B.4: an iSCSI read (10) command PDU. */
static void crc32c_agrees_with_the_rfc_pdu(void **state)
{
	static const u8 pdu[48] = {
		0x01, 0xc0, 0x00, 0x00, [16] = 0x14, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x04, 0x00, 0x00,	     0x00, 0x00, 0x14,
		0x00, 0x00, 0x00, 0x18, 0x28,	     0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x02,
	};

	(void)state;
	assert_int_equal(svcenc_crc32c(0, pdu, sizeof(pdu)), 0xd9963a56);
}

static void crc32c_of_nothing_is_the_seed(void **state)
{
	(void)state;
	assert_int_equal(svcenc_crc32c(0, "", 0), 0);
	assert_int_equal(svcenc_crc32c(0x12345678, "", 0), 0x12345678);
	assert_int_equal(svcenc_crc32c(0, "123456789", 9), 0xe3069283);
}

static void crc32c_in_pieces_equals_one_call(void **state)
{
	u8 buf[257];
	size_t cut;
	u32 whole;

	(void)state;
	for (cut = 0; cut < sizeof(buf); cut++)
		buf[cut] = (u8)(cut * 7 + 3);
	whole = svcenc_crc32c(0, buf, sizeof(buf));
	for (cut = 0; cut <= sizeof(buf); cut++) {
		u32 crc = svcenc_crc32c(0, buf, cut);

		crc = svcenc_crc32c(crc, buf + cut, sizeof(buf) - cut);
		assert_int_equal(crc, whole);
	}
}

static void crc32c_sees_each_flipped_bit(void **state)
{
	u8 buf[64] = { 0 };
	u32 clean = svcenc_crc32c(0, buf, sizeof(buf));
	size_t bit;

	(void)state;
	for (bit = 0; bit < 8 * sizeof(buf); bit++) {
		buf[bit / 8] ^= (u8)(1 << bit % 8);
		assert_int_not_equal(svcenc_crc32c(0, buf, sizeof(buf)), clean);
		buf[bit / 8] ^= (u8)(1 << bit % 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crc32c_agrees_with_rfc3720),
		cmocka_unit_test(crc32c_agrees_with_the_rfc_pdu),
		cmocka_unit_test(crc32c_of_nothing_is_the_seed),
		cmocka_unit_test(crc32c_in_pieces_equals_one_call),
		cmocka_unit_test(crc32c_sees_each_flipped_bit),
	};

	return cmocka_run_group_tests_name("core_crc32c", tests, NULL, NULL);
}
