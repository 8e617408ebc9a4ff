// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the KMIP vault below its connection: TTLV written
 * DESCRIPTION: and read byte by byte as the specification has it, malformed TTLV
 * DESCRIPTION: refused, replies that answer something else, the envelope of blobs, and
 * DESCRIPTION: the class of every reason.
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
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.h"
#include "link.h"
#include "message.h"
#include "refusal.h"

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	unsigned int byte;

	for (; *hex; hex += *hex == ' ' ? 1 : 0) {
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		bytes[n++] = (uint8_t)byte;
		hex += 2;
	}
	return n;
}

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
	uint8_t want[1024];

	assert_int_equal(len, from_hex(hex, want));
	assert_memory_equal(bytes, want, len);
}

/* KMIP 1.4, 9.1.2, "Examples"; tag 0x420020, in a structure here. */
static void values_are_encoded_as_the_specification_has_them(void **state)
{
	uint8_t bytes[256];
	struct ttlv_writer writer = { .bytes = bytes, .room = sizeof(bytes) };
	const struct ttlv_view all = { bytes, 80 };
	struct ttlv_view inside, value;
	int64_t number;

	(void)state;
	ttlv_open(&writer, 0x420020);
	ttlv_put_integer(&writer, 0x420020, 8);
	ttlv_put_enum(&writer, 0x420021, 255);
	ttlv_put_text(&writer, 0x420020, "Hello World");
	ttlv_put_bytes(&writer, 0x420020, "\x01\x02\x03", 3);
	ttlv_close(&writer);
	assert_int_equal(ttlv_end(&writer), 80);
	assert_hex(bytes, 80,
		   "4200200100000048"
		   "42002002000000040000000800000000"
		   "4200210500000004000000ff00000000"
		   "420020070000000b48656c6c6f20576f726c640000000000"
		   "42002008000000030102030000000000");
	assert_int_equal(ttlv_check(bytes, 80), 0);
	assert_true(ttlv_find(all, 0x420020, TTLV_STRUCTURE, &inside));
	assert_true(ttlv_find_number(inside, 0x420020, TTLV_INTEGER, &number));
	assert_int_equal(number, 8);
	assert_true(ttlv_find_number(inside, 0x420021, TTLV_ENUM, &number));
	assert_int_equal(number, 255);
	assert_true(ttlv_find(inside, 0x420020, TTLV_TEXT, &value));
	assert_true(ttlv_is_text(value, "Hello World"));
	assert_false(ttlv_is_text(value, "Hello"));
	assert_false(ttlv_find(inside, 0x420022, TTLV_TEXT, &value));
	assert_false(ttlv_find_number(inside, 0x420020, TTLV_TEXT, &number));
}

static void numbers_are_read_with_sign_and_width(void **state)
{
	uint8_t bytes[64];
	struct ttlv_view inside = { bytes + 8, 48 };
	int64_t number;
	size_t len;

	(void)state;
	len = from_hex("4200200100000030"
		       "4200210200000004fffffffe00000000"
		       "42002209000000080000000047da67f8"
		       "42002306000000080000000000000001",
		       bytes);
	assert_int_equal(ttlv_check(bytes, len), 0);
	assert_true(ttlv_find_number(inside, 0x420021, TTLV_INTEGER, &number));
	assert_int_equal(number, -2);
	assert_true(ttlv_find_number(inside, 0x420022, TTLV_TIME, &number));
	assert_int_equal(number, 0x47da67f8); /* the specification's example */
	assert_true(ttlv_find_number(inside, 0x420023, TTLV_BOOL, &number));
	assert_int_equal(number, 1);
}

static void malformed_ttlv_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"42002001000000",		     /* cut */
		"4200200100000008",		     /* nothing inside */
		"420020010000000042002001 00000000", /* something behind */
		"4200200200000004 0000000800000000", /* no structure */
		"4200200100000008 4200210200000004", /* value missing */
		"4200200100000010 4200210200000003 0000000000000000",
		"4200200100000010 4200210200000004 0000000000000001",
		"4200200100000010 4200210700000003 6162630000000001",
		"4200200100000010 4200210700000003 6100630000000000",
		"4200200100000010 4200210600000008 0000000000000002",
		"4200200100000010 4200210600000008 0100000000000001",
		"4200200100000010 4200210300000004 0000000000000000",
		"4200200100000010 4200210b00000004 0000000000000000",
		"4200200100000010 4200210000000004 0000000000000000",
		"4200200100000010 4300210200000004 0000000000000000",
		"4200200100000008 4200210400000000",
		"4200200100000010 42002107fffffff8 0000000000000000",
		"4200200100000010 4200210700000009 0000000000000000",
		"42002001fffffff8 4200210200000004 0000000000000000",
		"4200200100000004 42002102",
		"5400200100000008 4200210700000000",
	};
	uint8_t bytes[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!ttlv_check(bytes, from_hex(wrong[i], bytes)))
			fail_msg("accepted: %s", wrong[i]);
	assert_int_equal(
		ttlv_check(bytes, from_hex("4200200100000008 5400210700000000",
					   bytes)),
		0);
}

/* Structures in structures, and rows of items, up to the limits. */
static void depth_and_number_of_items_have_limits(void **state)
{
	static uint8_t bytes[TTLV_MESSAGE_MAX];
	struct ttlv_writer writer = { .bytes = bytes, .room = sizeof(bytes) };
	uint8_t nested[8 * (TTLV_DEPTH_MAX + 1)];
	int i;

	(void)state;
	for (i = 0; i <= TTLV_DEPTH_MAX; i++) {
		memcpy(nested + 8 * i, "\x42\x00\x20\x01\0\0\0", 8);
		nested[8 * i + 7] = (uint8_t)(8 * (TTLV_DEPTH_MAX - i));
	}
	assert_int_equal(ttlv_check(nested, sizeof(nested)), -EBADMSG);
	nested[7 + 8] -= 8;
	assert_int_equal(ttlv_check(nested + 16, sizeof(nested) - 16), 0);
	ttlv_open(&writer, 0x420020);
	for (i = 1; i < TTLV_ITEMS_MAX; i++)
		ttlv_put_integer(&writer, 0x420021, i);
	ttlv_close(&writer);
	assert_int_equal(ttlv_check(bytes, writer.used), 0);
	writer.depth = 1;
	ttlv_put_integer(&writer, 0x420021, i);
	ttlv_close(&writer);
	assert_int_equal(ttlv_check(bytes, writer.used), -EBADMSG);
}

static void a_writer_without_room_fails(void **state)
{
	uint8_t bytes[24];
	struct ttlv_writer writer = { .bytes = bytes, .room = sizeof(bytes) };
	int i;

	(void)state;
	ttlv_open(&writer, 0x420020);
	ttlv_put_integer(&writer, 0x420021, 1);
	assert_int_equal(ttlv_end(&writer), -EMSGSIZE); /* still open */
	ttlv_put_integer(&writer, 0x420021, 1);
	ttlv_close(&writer);
	assert_int_equal(ttlv_end(&writer), -EMSGSIZE); /* no room */
	writer = (struct ttlv_writer){ .bytes = bytes, .room = sizeof(bytes) };
	ttlv_close(&writer);
	assert_int_equal(ttlv_end(&writer), -EMSGSIZE); /* nothing open */
	writer = (struct ttlv_writer){ .bytes = bytes, .room = sizeof(bytes) };
	for (i = 0; i < TTLV_DEPTH_MAX + 1; i++) {
		ttlv_open(&writer, 0x420020);
		writer.used = 0;
	}
	assert_int_equal(ttlv_end(&writer), -EMSGSIZE); /* too deep */
}

/* --- messages ------------------------------------------------------------- */

/* A reply to @operation with one text item, or a failure. */
static size_t reply_of(uint8_t *bytes, enum kmip_operation operation,
		       unsigned int status, uint32_t tag, const char *text)
{
	struct ttlv_writer w = { .bytes = bytes, .room = 1024 };

	ttlv_open(&w, 0x42007b);
	ttlv_open(&w, 0x42007a);
	ttlv_put_integer(&w, 0x42000d, 1);
	ttlv_close(&w);
	ttlv_open(&w, 0x42000f);
	ttlv_put_enum(&w, 0x42005c, operation);
	ttlv_put_enum(&w, 0x42007f, status);
	if (status) {
		ttlv_put_enum(&w, 0x42007e, KMIP_PERMISSION_DENIED);
		ttlv_put_text(&w, 0x42007d, text);
	} else {
		ttlv_open(&w, 0x42007c);
		ttlv_put_text(&w, tag, text);
		ttlv_close(&w);
	}
	ttlv_close(&w);
	ttlv_close(&w);
	assert_true(ttlv_end(&w) > 0);
	return w.used;
}

static void a_request_is_one_batch_item(void **state)
{
	uint8_t bytes[KMIP_REQUEST_MAX];
	struct ttlv_writer writer = { .bytes = bytes, .room = sizeof(bytes) };

	(void)state;
	assert_int_equal(kmip_activate(&writer, 4, "1"), 136);
	assert_hex(bytes, 136,
		   "4200780100000080"
		   "4200770100000048"
		   "4200690100000020"
		   "42006a02000000040000000100000000"
		   "42006b02000000040000000400000000"
		   "42005002000000040000100000000000"
		   "42000d020000000400000001 00000000"
		   "42000f0100000028"
		   "42005c05000000040000001200000000"
		   "4200790100000010"
		   "42009407000000013100000000000000");
}

static void replies_are_read(void **state)
{
	uint8_t bytes[1024];
	struct kmip_reply reply;
	char uid[KMIP_UID_MAX + 1];
	size_t len;

	(void)state;
	len = reply_of(bytes, KMIP_CREATE, 0, 0x420094, "the-id");
	assert_int_equal(kmip_read_reply(bytes, len, KMIP_CREATE, &reply), 0);
	assert_true(reply.success);
	assert_int_equal(kmip_read_uid(&reply, uid), 0);
	assert_string_equal(uid, "the-id");
	/* of another operation: an answer to another question */
	assert_int_equal(kmip_read_reply(bytes, len, KMIP_DECRYPT, &reply),
			 -EBADMSG);
	len = reply_of(bytes, KMIP_CREATE, 1, 0, "no\nway");
	assert_int_equal(kmip_read_reply(bytes, len, KMIP_CREATE, &reply), 0);
	assert_false(reply.success);
	assert_int_equal(reply.reason, KMIP_PERMISSION_DENIED);
	assert_string_equal(reply.message, "no?way");
	len = reply_of(bytes, KMIP_CREATE, 0, 0x420094, "an id");
	assert_int_equal(kmip_read_reply(bytes, len, KMIP_CREATE, &reply), 0);
	assert_int_equal(kmip_read_uid(&reply, uid), -EBADMSG);
	assert_int_equal(kmip_read_versions(&reply), -ENOENT);
	bytes[8 + 8 + 8 + 3] = 2; /* two batch items, it says */
	assert_int_equal(kmip_read_reply(bytes, len, KMIP_CREATE, &reply),
			 -EBADMSG);
}

static void put_time(struct ttlv_writer *w, uint32_t tag, uint32_t seconds)
{
	uint8_t bytes[8] = { 0 };

	/* the writer has no dates, as no request has one: a LONG of 8 bytes */
	bytes[4] = (uint8_t)(seconds >> 24);
	bytes[5] = (uint8_t)(seconds >> 16);
	bytes[6] = (uint8_t)(seconds >> 8);
	bytes[7] = (uint8_t)seconds;
	ttlv_put_bytes(w, tag, bytes, sizeof(bytes));
	w->bytes[w->used - 16 + 3] = TTLV_TIME;
}

static void put_date(struct ttlv_writer *w, const char *name, uint32_t seconds)
{
	ttlv_open(w, 0x420008);
	ttlv_put_text(w, 0x42000a, name);
	put_time(w, 0x42000b, seconds);
	ttlv_close(w);
}

static void attributes_are_read(void **state)
{
	uint8_t bytes[1024];
	struct ttlv_writer w = { .bytes = bytes, .room = sizeof(bytes) };
	struct kmip_attributes attributes;
	struct kmip_reply reply = { .success = true };

	(void)state;
	put_date(&w, "Deactivation Date", 2000);
	put_date(&w, "Protect Stop Date", 1000);
	put_date(&w, "Initial Date", 77);
	reply.payload = (struct ttlv_view){ bytes, w.used };
	assert_int_equal(kmip_read_attributes(&reply, &attributes), -EBADMSG);
	ttlv_open(&w, 0x420008);
	ttlv_put_text(&w, 0x42000a, "State");
	ttlv_put_enum(&w, 0x42000b, KMIP_DEACTIVATED);
	ttlv_close(&w);
	ttlv_open(&w, 0x420008);
	ttlv_put_text(&w, 0x42000a, "Name");
	ttlv_open(&w, 0x42000b);
	ttlv_put_text(&w, 0x420055, "payroll/1");
	ttlv_close(&w);
	ttlv_close(&w);
	reply.payload.len = w.used;
	assert_int_equal(kmip_read_attributes(&reply, &attributes), 0);
	assert_int_equal(attributes.state, KMIP_DEACTIVATED);
	assert_string_equal(attributes.name, "payroll/1");
	assert_int_equal(attributes.stop_date, 1000); /* the earlier one */
	assert_int_equal(attributes.initial_date, 77);
	assert_int_equal(attributes.usage, 0);
}

/* --- reasons -------------------------------------------------------------- */

static void reasons_have_classes(void **state)
{
	static const struct {
		unsigned int reason;
		enum kmip_operation operation;
		enum vault_class class;
		const char *words;
		enum refusal_next next;
	} cases[] = {
		{ 0x01, KMIP_DECRYPT, VAULT_DENIED, "deleted", REFUSAL_FINAL },
		{ 0x37, KMIP_DECRYPT, VAULT_DENIED, "deleted", REFUSAL_FINAL },
		{ 0x0c, KMIP_DECRYPT, VAULT_DENIED, "permission",
		  REFUSAL_ASK_STATE },
		{ 0x0b, KMIP_DECRYPT, VAULT_DENIED, "permission",
		  REFUSAL_ASK_STATE },
		{ 0x43, KMIP_DECRYPT, VAULT_DENIED, "permission",
		  REFUSAL_ASK_STATE },
		{ 0x0d, KMIP_DECRYPT, VAULT_DENIED, "disabled", REFUSAL_FINAL },
		{ 0x03, KMIP_LOCATE, VAULT_BADAUTH, NULL, REFUSAL_FINAL },
		{ 0x3a, KMIP_LOCATE, VAULT_THROTTLED, NULL, REFUSAL_FINAL },
		{ 0x09, KMIP_LOCATE, VAULT_UNREACHABLE, NULL, REFUSAL_FINAL },
		{ 0x100, KMIP_LOCATE, VAULT_UNREACHABLE, NULL, REFUSAL_FINAL },
		{ 0x100, KMIP_DECRYPT, VAULT_UNREACHABLE, NULL,
		  REFUSAL_ASK_ROUND_TRIP },
		{ 0x0a, KMIP_DECRYPT, VAULT_CORRUPT, NULL, REFUSAL_FINAL },
		{ 0x07, KMIP_DECRYPT, VAULT_CORRUPT, NULL, REFUSAL_FINAL },
		{ 0, KMIP_DECRYPT, VAULT_CORRUPT, NULL, REFUSAL_FINAL },
		{ 0xffff, KMIP_DECRYPT, VAULT_CORRUPT, NULL, REFUSAL_FINAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct refusal got =
			refusal_of(cases[i].reason, cases[i].operation);

		if (got.class != cases[i].class || got.next != cases[i].next ||
		    strcmp(got.reason ? got.reason : "",
			   cases[i].words ? cases[i].words : ""))
			fail_msg("reason 0x%x", cases[i].reason);
	}
	assert_string_equal(refusal_state_text(KMIP_ACTIVE), "enabled");
	assert_string_equal(refusal_state_text(KMIP_COMPROMISED), "disabled");
	assert_string_equal(refusal_state_text(KMIP_DESTROYED), "deleted");
	assert_string_equal(refusal_state_text(77), "unknown");
}

/* --- envelope ------------------------------------------------------------- */

static void an_envelope_opens_with_its_key_only(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL, *other = NULL;
	const uint8_t iv[ENVELOPE_IV_SIZE] = { 1 };
	const uint8_t sealed[ENVELOPE_SEALED_SIZE] = { 2 };
	size_t len, i;

	(void)state;
	assert_int_equal(svcenc_secret_random(ENVELOPE_KEY_SIZE, &key), 0);
	assert_int_equal(svcenc_secret_random(ENVELOPE_KEY_SIZE, &other), 0);
	for (len = 1; len <= ENVELOPE_PLAIN_MAX; len += len < 20 ? 1 : 59) {
		SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL,
							*blob = NULL,
							*again = NULL;

		assert_int_equal(svcenc_secret_random(len, &plain), 0);
		assert_int_equal(envelope_close(key, iv, sealed, plain, &blob),
				 0);
		assert_true(envelope_has_size(blob));
		assert_memory_equal(envelope_iv(blob), iv, sizeof(iv));
		assert_memory_equal(envelope_sealed(blob), sealed,
				    sizeof(sealed));
		assert_int_equal(envelope_open(other, blob, &again), -EBADMSG);
		assert_int_equal(envelope_open(key, blob, &again), 0);
		assert_true(svcenc_secret_equal(plain, again));
		i = ENVELOPE_HEAD_SIZE + len / 2;
		svcenc_secret_bytes(blob)[i] ^= 1;
		again = svcenc_secret_free(again);
		assert_int_equal(envelope_open(key, blob, &again), -EBADMSG);
	}
}

static void blobs_of_odd_sizes_are_not_looked_at(void **state)
{
	static const size_t sizes[] = { 1, ENVELOPE_HEAD_SIZE,
					ENVELOPE_HEAD_SIZE + 8,
					ENVELOPE_HEAD_SIZE + 17,
					ENVELOPE_HEAD_SIZE + 272 };
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL, *again = NULL;
	size_t i;

	(void)state;
	assert_int_equal(svcenc_secret_random(ENVELOPE_KEY_SIZE, &key), 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *blob =
			svcenc_secret_new(sizes[i]);

		assert_false(envelope_has_size(blob));
		assert_int_equal(envelope_open(key, blob, &again), -EBADMSG);
	}
}

static void servers_are_named_in_three_ways(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} cases[] = {
		{ "kms.example", "kms.example", "5696" },
		{ "kms.example:9000", "kms.example", "9000" },
		{ "192.0.2.1:1", "192.0.2.1", "1" },
		{ "[2001:db8::1]", "2001:db8::1", "5696" },
		{ "[2001:db8::1]:77", "2001:db8::1", "77" },
	};
	static const char *const wrong[] = { "",	   ":5696", "host:",
					     "host:kmip",  "[::1",  "[::1]5696",
					     "h:123456789" };
	struct link link;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(link_set_server(&link, cases[i].text), 0);
		assert_string_equal(link.host, cases[i].host);
		assert_string_equal(link.port, cases[i].port);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(link_set_server(&link, wrong[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			values_are_encoded_as_the_specification_has_them),
		cmocka_unit_test(numbers_are_read_with_sign_and_width),
		cmocka_unit_test(malformed_ttlv_is_refused),
		cmocka_unit_test(depth_and_number_of_items_have_limits),
		cmocka_unit_test(a_writer_without_room_fails),
		cmocka_unit_test(a_request_is_one_batch_item),
		cmocka_unit_test(replies_are_read),
		cmocka_unit_test(attributes_are_read),
		cmocka_unit_test(reasons_have_classes),
		cmocka_unit_test(an_envelope_opens_with_its_key_only),
		cmocka_unit_test(blobs_of_odd_sizes_are_not_looked_at),
		cmocka_unit_test(servers_are_named_in_three_ways),
	};

	if (svcenc_secret_init() < 0 || envelope_init() < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
