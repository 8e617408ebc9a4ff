// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text and byte formats of core/ in the kernel: every input in a buffer of
 * exactly its size, so that KASAN sees a byte read or written beside it. What
 * is right and wrong, tests/unit asks at length; here is one case of each.
 *
 * Not in core/ itself: that is compiled for userspace, too.
 */
#include <linux/crc32.h>
#include <linux/random.h>

#include "core/crc32c.h"
#include "core/ident.h"
#include "core/keyfmt.h"
#include "core/line.h"
#include "env_kunit.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define KEY "svcenc:fedcba98-7654-3210-fedc-ba9876543210:12"

/* ------------------------------------------------------------------- ident */

struct keyid_text {
	const char *text;
	u32 version; /* 0: refused */
};

static const struct keyid_text keyid_texts[] = {
	{ "svcenc:" UUID ":1", 1 },
	{ "svcenc:" UUID ":4294967295", U32_MAX },
	{ "svcenc:" UUID ":4294967296", 0 },
	{ "svcenc:" UUID ":0", 0 },
	{ "svcenc:" UUID ":01", 0 },
	{ "svcenc:" UUID ":1x", 0 },
	{ "svcenc:" UUID ":99999999999999999999999", 0 },
	{ "svcenc:" UUID ";1", 0 },
	{ "svcenc;" UUID ":1", 0 },
	{ "svcenc:01234567-89AB-cdef-0123-456789abcdef:1", 0 },
	{ "svcenc:00000000-0000-0000-0000-000000000000:1", 0 },
	{ "logon", 0 },
	{ "", 0 },
};

static void keyid_name(const struct keyid_text *keyid, char *desc)
{
	strscpy(desc, *keyid->text ? keyid->text : "(empty)",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(keyid, keyid_texts, keyid_name);

static void keyid_parses_or_is_refused(struct kunit *test)
{
	const struct keyid_text *keyid = test->param_value;
	const char *text = svcenc_kunit_text(test, keyid->text);
	struct svcenc_keyid *id = svcenc_kunit_zeroed(test, sizeof(*id));
	char *back;

	if (!keyid->version) {
		KUNIT_EXPECT_EQ(test, -EINVAL, svcenc_keyid_parse(text, id));
		return;
	}
	KUNIT_EXPECT_EQ(test, 0, svcenc_keyid_parse(text, id));
	KUNIT_EXPECT_EQ(test, keyid->version, id->version);
	back = svcenc_kunit_zeroed(test, SVCENC_KEYID_TEXT + 1);
	svcenc_keyid_print(id, back);
	KUNIT_EXPECT_STREQ(test, (const char *)back, text);
}

static void each_prefix_of_a_keyid_is_refused(struct kunit *test)
{
	static const char longest[] = "svcenc:" UUID ":4294967295";
	size_t len;

	for (len = 0; len < sizeof(longest) - 11; len++) {
		char *text = svcenc_kunit_copy(test, longest, len + 1);
		struct svcenc_keyid id;

		text[len] = '\0';
		KUNIT_EXPECT_EQ_MSG(test, -EINVAL,
				    svcenc_keyid_parse(text, &id), "%s", text);
	}
}

/* 36 characters and no NUL behind them. */
static void uuid_reads_36_characters_and_no_more(struct kunit *test)
{
	char *text = svcenc_kunit_copy(test, UUID, SVCENC_UUID_TEXT);
	char *back = svcenc_kunit_zeroed(test, SVCENC_UUID_TEXT + 1);
	struct svcenc_uuid uuid;
	size_t i;

	KUNIT_EXPECT_EQ(test, 0, svcenc_uuid_parse(text, &uuid));
	svcenc_uuid_print(&uuid, back);
	KUNIT_EXPECT_STREQ(test, (const char *)back, UUID);
	for (i = 0; i < SVCENC_UUID_TEXT; i++) {
		char *cut = svcenc_kunit_copy(test, UUID, i + 1);

		cut[i] = '\0';
		KUNIT_EXPECT_EQ(test, -EINVAL, svcenc_uuid_parse(cut, &uuid));
	}
}

static void hex_stays_in_its_buffers(struct kunit *test)
{
	size_t len, cut;

	for (len = 0; len <= 33; len++) {
		u8 *bytes = svcenc_kunit_zeroed(test, len + 1) + 1;
		char *hex = svcenc_kunit_zeroed(test, 2 * len + 1);
		u8 *back = svcenc_kunit_zeroed(test, len + 1) + 1;

		get_random_bytes(bytes, len);
		svcenc_hex_print(bytes, len, hex);
		KUNIT_EXPECT_EQ(test, 0, svcenc_hex_parse(hex, back, len));
		KUNIT_EXPECT_EQ(test, 0, memcmp(bytes, back, len));
		for (cut = 0; cut < 2 * len; cut++) {
			char *text = svcenc_kunit_copy(test, hex, cut + 1);

			text[cut] = '\0';
			KUNIT_EXPECT_EQ(test, -EINVAL,
					svcenc_hex_parse(text, back, len));
		}
	}
}

static void numbers_stop_at_their_end(struct kunit *test)
{
	static const struct {
		const char *text;
		u64 max;
		int wanted;
	} numbers[] = {
		{ "0", U64_MAX, 0 },
		{ "18446744073709551615", U64_MAX, 0 },
		{ "18446744073709551616", U64_MAX, -ERANGE },
		{ "184467440737095516150", U64_MAX, -ERANGE },
		{ "11", 10, -ERANGE },
		{ "10", 10, 0 },
		{ "", U64_MAX, -EINVAL },
		{ "00", U64_MAX, -EINVAL },
		{ "-1", U64_MAX, -EINVAL },
		{ "1 ", U64_MAX, -EINVAL },
	};
	size_t i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		KUNIT_EXPECT_EQ_MSG(test, numbers[i].wanted,
				    svcenc_u64_parse(svcenc_kunit_text(test,
								       numbers[i].text),
						     numbers[i].max, &value),
				    "'%s'", numbers[i].text);
}

static struct kunit_case ident_cases[] = {
	KUNIT_CASE_PARAM(keyid_parses_or_is_refused, keyid_gen_params),
	KUNIT_CASE(each_prefix_of_a_keyid_is_refused),
	KUNIT_CASE(uuid_reads_36_characters_and_no_more),
	KUNIT_CASE(hex_stays_in_its_buffers),
	KUNIT_CASE(numbers_stop_at_their_end),
	{}
};

static struct kunit_suite ident_suite = {
	.name = "svcenc_ident",
	.test_cases = ident_cases,
};

/* ------------------------------------------------------------------ crc32c */

/* The kernel has one of its own, which shares nothing with core/'s. */
static void crc32c_agrees_with_the_kernels(struct kunit *test)
{
	unsigned int len;

	for (len = 0; len < 300; len += 1 + len / 16) {
		u8 *bytes = svcenc_kunit_zeroed(test, len + 3) + 3;

		get_random_bytes(bytes, len);
		KUNIT_EXPECT_EQ(test, ~__crc32c_le(~0, bytes, len),
				svcenc_crc32c(0, bytes, len));
	}
}

static void crc32c_in_pieces_is_one(struct kunit *test)
{
	u8 *bytes = svcenc_kunit_zeroed(test, SVCENC_SB_SIZE);
	unsigned int cut;

	get_random_bytes(bytes, SVCENC_SB_SIZE);
	for (cut = 0; cut <= SVCENC_SB_SIZE; cut += 511) {
		const u32 first = svcenc_crc32c(0, bytes, cut);

		KUNIT_EXPECT_EQ(test, ~__crc32c_le(~0, bytes, SVCENC_SB_SIZE),
				svcenc_crc32c(first, bytes + cut,
					      SVCENC_SB_SIZE - cut));
	}
}

static struct kunit_case crc32c_cases[] = {
	KUNIT_CASE(crc32c_agrees_with_the_kernels),
	KUNIT_CASE(crc32c_in_pieces_is_one),
	{}
};

static struct kunit_suite crc32c_suite = {
	.name = "svcenc_crc32c",
	.test_cases = crc32c_cases,
};

/* ------------------------------------------------------------------ keyfmt */

static void kdf_input_has_the_length_it_says(struct kunit *test)
{
	static const char *const labels[] = {
		SVCENC_LABEL_WRAP,   SVCENC_LABEL_MAC,	 SVCENC_LABEL_REWRAP,
		SVCENC_LABEL_RECORD, SVCENC_LABEL_CHECK, "0123456789abcdef",
	};
	const struct svcenc_keyid id = svcenc_kunit_keyid(0, 7);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(labels); i++) {
		const size_t len = 4 + strlen(labels[i]) + 1 + 16 + 4 + 4;
		u8 *buf = svcenc_kunit_zeroed(test, len);

		KUNIT_EXPECT_LE(test, len, (size_t)SVCENC_KDF_INPUT_MAX);
		KUNIT_EXPECT_EQ(test, len,
				svcenc_kdf_input(labels[i], &id, buf));
		KUNIT_EXPECT_EQ(test, 0, memcmp(buf, "\0\0\0\1", 4));
		KUNIT_EXPECT_EQ(test, 0, memcmp(buf + len - 4, "\0\0\1\0", 4));
	}
}

static void messages_fill_their_buffers_exactly(struct kunit *test)
{
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));
	u8 *aad = svcenc_kunit_zeroed(test, SVCENC_WRAP_AAD_SIZE);
	u8 *rewrap_msg = svcenc_kunit_zeroed(test, SVCENC_REWRAP_MSG_SIZE);
	u8 *print_msg = svcenc_kunit_zeroed(test, SVCENC_FINGERPRINT_MSG_SIZE);
	struct svcenc_rewrap *rewrap =
		svcenc_kunit_zeroed(test, sizeof(*rewrap));

	svcenc_kunit_known_sb(test, sb);
	svcenc_wrap_aad(sb, 3, aad);
	KUNIT_EXPECT_EQ(test, 7, aad[SVCENC_WRAP_AAD_SIZE - 4]);
	rewrap->volume = sb->uuid;
	memset(rewrap->to_check, 0xcc, sizeof(rewrap->to_check));
	svcenc_rewrap_message(rewrap, rewrap_msg);
	KUNIT_EXPECT_EQ(test, 0xcc, rewrap_msg[SVCENC_REWRAP_MSG_SIZE - 1]);
	svcenc_fingerprint_message(&sb->uuid, print_msg);
	KUNIT_EXPECT_EQ(test, 0x1f, print_msg[SVCENC_FINGERPRINT_MSG_SIZE - 1]);
}

static struct kunit_case keyfmt_cases[] = {
	KUNIT_CASE(kdf_input_has_the_length_it_says),
	KUNIT_CASE(messages_fill_their_buffers_exactly),
	{}
};

static struct kunit_suite keyfmt_suite = {
	.name = "svcenc_keyfmt",
	.test_cases = keyfmt_cases,
};

/* -------------------------------------------------------------------- line */

struct table_text {
	const char *words[8]; /* behind "svcenc", up to NULL */
	const char *error;    /* begins so; NULL: parses */
};

static const struct table_text tables[] = {
	{ { "/dev/x", UUID, KEY }, NULL },
	{ { "/dev/x", UUID, KEY, "0" }, NULL },
	{ { "/dev/x", UUID, KEY, "2", "grow", "min_seq:7" }, NULL },
	{ { "/dev/x", UUID, KEY, "1", "initialize" }, NULL },
	{ { NULL }, "too few" },
	{ { "/dev/x", UUID }, "too few" },
	{ { "/dev/x", "0123", KEY }, "volume uuid" },
	{ { "/dev/x", UUID, "" }, "policy key" },
	{ { "/dev/x", UUID, KEY, "5" }, "number of options is" },
	{ { "/dev/x", UUID, KEY, "2", "grow" }, "number of options does" },
	{ { "/dev/x", UUID, KEY, "1", "gro" }, "unknown" },
	{ { "/dev/x", UUID, KEY, "1", "growing" }, "unknown" },
	{ { "/dev/x", UUID, KEY, "1", "min_seq" }, "unknown" },
	{ { "/dev/x", UUID, KEY, "1", "min_seq:" }, "min_seq" },
	{ { "/dev/x", UUID, KEY, "2", "grow", "grow" }, "option given" },
	{ { "/dev/x", UUID, KEY, "2", "grow", "initialize" }, "initialize" },
};

static void table_name(const struct table_text *table, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%s: %s %s %s",
		 table->error ?: "parses", table->words[3] ?: "",
		 table->words[3] && table->words[4] ? table->words[4] : "",
		 table->words[3] && table->words[4] && table->words[5] ?
			 table->words[5] : "");
}

KUNIT_ARRAY_PARAM(table, tables, table_name);

/* Parses copies without a byte to spare, and not one pointer too many. */
static int parse_table(struct kunit *test, const struct table_text *text,
		       struct svcenc_table *ret, const char **ret_error)
{
	unsigned int argc = 0, i;
	char **argv;

	while (argc < ARRAY_SIZE(text->words) && text->words[argc])
		argc++;
	argv = svcenc_kunit_zeroed(test, max(argc, 1U) * sizeof(*argv));
	for (i = 0; i < argc; i++)
		argv[i] = svcenc_kunit_text(test, text->words[i]);
	return svcenc_table_parse(argc, argv, ret, ret_error);
}

static void table_parses_or_says_why(struct kunit *test)
{
	const struct table_text *text = test->param_value;
	struct svcenc_table *table = svcenc_kunit_zeroed(test, sizeof(*table));
	const char *error;

	if (!text->error) {
		KUNIT_EXPECT_EQ(test, 0, parse_table(test, text, table, &error));
		KUNIT_EXPECT_NULL(test, error);
		return;
	}
	KUNIT_EXPECT_EQ(test, -EINVAL, parse_table(test, text, table, &error));
	KUNIT_ASSERT_NOT_NULL(test, error);
	KUNIT_EXPECT_EQ_MSG(test, 0,
			    strncmp(error, text->error, strlen(text->error)),
			    "%s", error);
}

/* Prints into a buffer of every size, from none to more than enough. */
static void print_everywhere(struct kunit *test, const void *what,
			     int (*print)(const void *what, char *buf,
					  size_t size))
{
	const int wanted = print(what, NULL, 0);
	char *whole = svcenc_kunit_zeroed(test, wanted + 1);
	int size;

	KUNIT_EXPECT_EQ(test, wanted, print(what, whole, wanted + 1));
	KUNIT_EXPECT_EQ(test, (size_t)wanted, strlen(whole));
	for (size = 1; size <= wanted + 1; size++) {
		char *buf = svcenc_kunit_zeroed(test, size);

		KUNIT_EXPECT_EQ(test, wanted, print(what, buf, size));
		KUNIT_EXPECT_EQ(test, (size_t)size - 1, strnlen(buf, size));
		KUNIT_EXPECT_EQ(test, 0, memcmp(buf, whole, size - 1));
	}
}

static int print_table(const void *what, char *buf, size_t size)
{
	return svcenc_table_print(what, buf, size);
}

static int print_status(const void *what, char *buf, size_t size)
{
	return svcenc_status_print(what, buf, size);
}

static void lines_fit_buffers_of_every_size(struct kunit *test)
{
	struct svcenc_status *status = svcenc_kunit_zeroed(test, sizeof(*status));
	struct svcenc_table *table = svcenc_kunit_zeroed(test, sizeof(*table));
	const char *error;

	KUNIT_ASSERT_EQ(test, 0, parse_table(test, &tables[2], table, &error));
	table->allow_discards = true;
	print_everywhere(test, table, print_table);
	/* the longest that there is */
	memset(status, 0xff, sizeof(*status));
	status->state = SVCENC_STATE_ACTIVE;
	status->has_check = true;
	status->rotation = SVCENC_ROTATION_SUPER_ERROR;
	print_everywhere(test, status, print_status);
	KUNIT_EXPECT_LT(test, svcenc_status_print(status, NULL, 0),
			(int)SVCENC_STATUS_TEXT);
}

static void status_prints_and_parses(struct kunit *test)
{
	struct svcenc_status *status = svcenc_kunit_zeroed(test, sizeof(*status));
	struct svcenc_status *back = svcenc_kunit_zeroed(test, sizeof(*back));
	char *line = svcenc_kunit_zeroed(test, SVCENC_STATUS_TEXT);
	int len, cut, refused = 0;

	status->key = svcenc_kunit_keyid(0, 7);
	status->state = SVCENC_STATE_LOCKED;
	status->seq = U64_MAX;
	status->counters.parked = 16;
	status->rotation = SVCENC_ROTATION_READ_ERROR;
	status->unreadable = 20;
	len = svcenc_status_print(status, line, SVCENC_STATUS_TEXT);
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_status_parse(svcenc_kunit_text(test, line), back));
	KUNIT_EXPECT_EQ(test, 16ULL, back->counters.parked);
	KUNIT_EXPECT_EQ(test, SVCENC_ROTATION_READ_ERROR, (int)back->rotation);
	KUNIT_EXPECT_EQ(test, 20ULL, back->unreadable);
	KUNIT_EXPECT_EQ(test, SVCENC_STATE_LOCKED, (int)back->state);
	for (cut = 0; cut < len; cut++) {
		char *text = svcenc_kunit_copy(test, line, cut + 1);

		text[cut] = '\0';
		refused += svcenc_status_parse(text, back) == -EINVAL;
	}
	/* but for the prefix that only lost the last digit of "20" */
	KUNIT_EXPECT_EQ(test, len - 1, refused);
}

static struct kunit_case line_cases[] = {
	KUNIT_CASE_PARAM(table_parses_or_says_why, table_gen_params),
	KUNIT_CASE(lines_fit_buffers_of_every_size),
	KUNIT_CASE(status_prints_and_parses),
	{}
};

static struct kunit_suite line_suite = {
	.name = "svcenc_line",
	.test_cases = line_cases,
};

kunit_test_suites(&ident_suite, &crc32c_suite, &keyfmt_suite, &line_suite);
