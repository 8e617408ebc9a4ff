// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the byte strings that go into key derivation, wraps and
 * authorisations, against bytes written out by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keyfmt.h"

/* Bytes of uuid: first, first + 1, ... */
static struct svcenc_uuid uuid_from(u8 first)
{
	struct svcenc_uuid uuid;
	int i;

	for (i = 0; i < SVCENC_UUID_SIZE; i++)
		uuid.b[i] = (u8)(first + i);
	return uuid;
}

static struct svcenc_keyid keyid(u8 first, u32 version)
{
	return (struct svcenc_keyid){ uuid_from(first), version };
}

static void kdf_input_is_one_sp800_108_block(void **state)
{
	static const u8 wanted[] = {
		0,    0,    0,	  1,	's',  'v',  'c',  'e',	'n',  'c',
		' ',  'm',  'a',  'c',	0,    0x10, 0x11, 0x12, 0x13, 0x14,
		0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e,
		0x1f, 0x01, 0x02, 0x03, 0x04, 0,    0,	  1,	0,
	};
	const struct svcenc_keyid id = keyid(0x10, 0x01020304);
	u8 buf[SVCENC_KDF_INPUT_MAX];

	(void)state;
	assert_int_equal(svcenc_kdf_input(SVCENC_LABEL_MAC, &id, buf),
			 sizeof(wanted));
	assert_memory_equal(buf, wanted, sizeof(wanted));
}

static void kdf_inputs_of_all_labels_differ(void **state)
{
	static const char *const labels[] = {
		SVCENC_LABEL_WRAP,   SVCENC_LABEL_MAC,	 SVCENC_LABEL_REWRAP,
		SVCENC_LABEL_RECORD, SVCENC_LABEL_CHECK,
	};
	const struct svcenc_keyid id = keyid(1, 1);
	u8 a[SVCENC_KDF_INPUT_MAX], b[SVCENC_KDF_INPUT_MAX];
	size_t i, j;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_true(strlen(labels[i]) <= 16);
		for (j = 0; j < i; j++) {
			size_t la = svcenc_kdf_input(labels[i], &id, a);
			size_t lb = svcenc_kdf_input(labels[j], &id, b);

			assert_true(la <= sizeof(a));
			assert_true(la != lb || memcmp(a, b, la) != 0);
		}
	}
}

static void kdf_input_takes_a_label_of_16(void **state)
{
	const struct svcenc_keyid id = keyid(1, 1);
	u8 buf[SVCENC_KDF_INPUT_MAX];

	(void)state;
	assert_int_equal(svcenc_kdf_input("0123456789abcdef", &id, buf),
			 SVCENC_KDF_INPUT_MAX);
}

static void wrap_aad_binds_what_is_documented(void **state)
{
	struct svcenc_sb sb = {
		.uuid = uuid_from(0x20),
		.key = keyid(0x40, 0x0a0b0c0d),
		.cipher = 1,
		.sector_size = 4096,
		.epoch = 99, /* not used: epoch is given apart */
	};
	u8 aad[SVCENC_WRAP_AAD_SIZE];
	const u8 *at = aad;

	(void)state;
	svcenc_wrap_aad(&sb, 0x1122334455667788, aad);
	assert_memory_equal(at, "svcenc volume key", 17);
	assert_memory_equal(at + 17, sb.uuid.b, 16);
	assert_memory_equal(at + 33, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	assert_memory_equal(at + 41, "\1\0\0\0", 4);
	assert_memory_equal(at + 45, "\0\x10\0\0", 4);
	assert_memory_equal(at + 49, sb.key.policy.b, 16);
	assert_memory_equal(at + 65, "\x0d\x0c\x0b\x0a", 4);
	assert_int_equal(sizeof(aad), 69);
}

static void rewrap_message_binds_both_keys(void **state)
{
	const struct svcenc_rewrap rewrap = {
		.volume = uuid_from(0x20),
		.from = keyid(0x40, 5),
		.to = keyid(0x60, 6),
		.to_check = { 0xc0, [15] = 0xcf },
	};
	u8 buf[SVCENC_REWRAP_MSG_SIZE];

	(void)state;
	svcenc_rewrap_message(&rewrap, buf);
	assert_memory_equal(buf, "svcenc rewrap authorisation", 27);
	assert_memory_equal(buf + 27, rewrap.volume.b, 16);
	assert_memory_equal(buf + 43, rewrap.from.policy.b, 16);
	assert_memory_equal(buf + 59, "\0\0\0\5", 4);
	assert_memory_equal(buf + 63, rewrap.to.policy.b, 16);
	assert_memory_equal(buf + 79, "\0\0\0\6", 4);
	assert_memory_equal(buf + 83, rewrap.to_check, 16);
	assert_int_equal(sizeof(buf), 99);
}

static void fingerprint_message_binds_the_volume(void **state)
{
	const struct svcenc_uuid volume = uuid_from(0x20);
	u8 buf[SVCENC_FINGERPRINT_MSG_SIZE];

	(void)state;
	svcenc_fingerprint_message(&volume, buf);
	assert_memory_equal(buf, "svcenc fingerprint", 18);
	assert_memory_equal(buf + 18, volume.b, 16);
	assert_int_equal(sizeof(buf), 34);
}

static void payload_is_40_bytes_in_order(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct svcenc_key_payload), 40);
	assert_int_equal(offsetof(struct svcenc_key_payload, version), 0);
	assert_int_equal(offsetof(struct svcenc_key_payload, lease_s), 4);
	assert_int_equal(offsetof(struct svcenc_key_payload, key), 8);
	assert_int_equal(SVCENC_LEASE_MAX_S, 604800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kdf_input_is_one_sp800_108_block),
		cmocka_unit_test(kdf_inputs_of_all_labels_differ),
		cmocka_unit_test(kdf_input_takes_a_label_of_16),
		cmocka_unit_test(wrap_aad_binds_what_is_documented),
		cmocka_unit_test(rewrap_message_binds_both_keys),
		cmocka_unit_test(fingerprint_message_binds_the_volume),
		cmocka_unit_test(payload_is_40_bytes_in_order),
	};

	return cmocka_run_group_tests_name("core_keyfmt", tests, NULL, NULL);
}
