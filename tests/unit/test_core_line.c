// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the table and status grammar: what is printed parses to
 * the same, and every bad table line gets its exact message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "line.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define KEY "svcenc:fedcba98-7654-3210-fedc-ba9876543210:12"
#define GOOD "/dev/vg/lv " UUID " " KEY

static const char too_few[] =
	"too few arguments (wanted: <device> <volume uuid> <policy key description> [<#opts> <opt>...])";
static const char bad_uuid[] =
	"volume uuid is malformed (wanted: 36 lower-case characters)";
static const char bad_key[] =
	"policy key description is malformed (wanted: svcenc:<policy uuid>:<version>)";
static const char bad_count[] = "number of options is not a number from 0 to 4";
static const char count_off[] =
	"number of options does not match the options given";
static const char unknown[] =
	"unknown option (wanted: allow_discards, initialize, grow, min_seq:<n>)";
static const char twice[] = "option given twice";
static const char bad_seq[] =
	"min_seq wants a number from 1 to 18446744073709551614";

/* Splits at blanks as device-mapper does, then parses. */
static int parse(const char *line, struct svcenc_table *ret,
		 const char **ret_error)
{
	static char words[8192];
	char *argv[64], *save = NULL, *word;
	unsigned int argc = 0;

	assert_true(strlen(line) < sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	for (word = strtok_r(words, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return svcenc_table_parse(argc, argv, ret, ret_error);
}

static void table_takes_all_options(void **state)
{
	struct svcenc_table t;
	const char *error;

	(void)state;
	assert_int_equal(parse(GOOD, &t, &error), 0);
	assert_null(error);
	assert_string_equal(t.device, "/dev/vg/lv");
	assert_int_equal(t.key.version, 12);
	assert_false(t.allow_discards || t.initialize || t.grow);
	assert_true(t.min_seq == 0);
	assert_int_equal(parse(GOOD " 0", &t, &error), 0);
	assert_int_equal(parse(GOOD " 1 initialize", &t, &error), 0);
	assert_true(t.initialize);
	assert_int_equal(
		parse(GOOD
		      " 3 grow min_seq:18446744073709551614 allow_discards",
		      &t, &error),
		0);
	assert_true(t.grow && t.allow_discards);
	assert_true(t.min_seq == U64_MAX - 1);
}

static void table_refuses_with_exact_words(void **state)
{
	static const struct {
		const char *line;
		const char *error;
	} bad[] = {
		{ "", too_few },
		{ "/dev/x", too_few },
		{ "/dev/x " UUID, too_few },
		{ "/dev/x short " KEY, bad_uuid },
		{ "/dev/x 0" UUID " " KEY, bad_uuid },
		{ "/dev/x 01234567-89AB-cdef-0123-456789abcdef " KEY,
		  bad_uuid },
		{ "/dev/x 00000000-0000-0000-0000-000000000000 " KEY,
		  bad_uuid },
		{ "/dev/x 0123456789abcdef0123456789abcdef0000 " KEY,
		  bad_uuid },
		{ "/dev/x " UUID " key", bad_key },
		{ "/dev/x " UUID " svcenc:" UUID, bad_key },
		{ "/dev/x " UUID " svcenc:" UUID ":0", bad_key },
		{ "/dev/x " UUID " svcenc:" UUID ":4294967296", bad_key },
		{ "/dev/x " UUID " logon:" UUID ":1", bad_key },
		{ GOOD " x", bad_count },
		{ GOOD " -1", bad_count },
		{ GOOD " 5 grow grow grow grow grow", bad_count },
		{ GOOD " 01 grow", bad_count },
		{ GOOD " allow_discards", bad_count },
		{ GOOD " 1", count_off },
		{ GOOD " 0 grow", count_off },
		{ GOOD " 2 grow", count_off },
		{ GOOD " 1 grow allow_discards", count_off },
		{ GOOD " 1 Grow", unknown },
		{ GOOD " 1 grow:1", unknown },
		{ GOOD " 1 min_seq", unknown },
		{ GOOD " 1 read_only", unknown },
		{ GOOD " 1 no_crypt", unknown },
		{ GOOD " 2 grow grow", twice },
		{ GOOD " 2 initialize initialize", twice },
		{ GOOD " 2 allow_discards allow_discards", twice },
		{ GOOD " 2 min_seq:1 min_seq:2", twice },
		{ GOOD " 1 min_seq:", bad_seq },
		{ GOOD " 1 min_seq:0", bad_seq },
		{ GOOD " 1 min_seq:-1", bad_seq },
		{ GOOD " 1 min_seq:0x1", bad_seq },
		{ GOOD " 1 min_seq:18446744073709551615", bad_seq },
		{ GOOD " 1 min_seq:99999999999999999999", bad_seq },
		{ GOOD " 2 initialize grow",
		  "initialize and grow exclude each other" },
		{ GOOD " 2 min_seq:1 initialize",
		  "initialize and min_seq exclude each other" },
	};
	struct svcenc_table t;
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].line, &t, &error), -EINVAL);
		assert_string_equal(error, bad[i].error);
	}
}

static void table_refuses_a_path_of_4096(void **state)
{
	static char line[8192];
	struct svcenc_table t;
	const char *error;

	(void)state;
	memset(line, 'p', 4095);
	strcpy(line + 4095, " " UUID " " KEY);
	assert_int_equal(parse(line, &t, &error), 0);
	memset(line, 'p', 4096);
	strcpy(line + 4096, " " UUID " " KEY);
	assert_int_equal(parse(line, &t, &error), -EINVAL);
	assert_string_equal(error, "device path is too long");
}

static void table_prefixes_never_crash(void **state)
{
	const char *line = GOOD " 3 grow allow_discards min_seq:5";
	char prefix[256];
	struct svcenc_table t;
	const char *error;
	size_t len;

	(void)state;
	for (len = 0; len <= strlen(line); len++) {
		int r;

		memcpy(prefix, line, len);
		prefix[len] = '\0';
		r = parse(prefix, &t, &error);
		assert_true(r == 0 ? !error : r == -EINVAL && error);
	}
}

static void table_prints_without_one_shot_options(void **state)
{
	static const char *const pairs[][2] = {
		{ GOOD, GOOD },
		{ GOOD " 0", GOOD },
		{ GOOD " 1 initialize", GOOD },
		{ GOOD " 1 grow", GOOD },
		{ GOOD " 1 allow_discards", GOOD " 1 allow_discards" },
		{ GOOD " 2 min_seq:9 grow", GOOD " 1 min_seq:9" },
		{ GOOD " 3 min_seq:9 grow allow_discards",
		  GOOD " 2 allow_discards min_seq:9" },
	};
	struct svcenc_table t;
	char text[512];
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(parse(pairs[i][0], &t, &error), 0);
		assert_int_equal(svcenc_table_print(&t, text, sizeof(text)),
				 strlen(pairs[i][1]));
		assert_string_equal(text, pairs[i][1]);
		assert_int_equal(parse(text, &t, &error), 0);
	}
}

static struct svcenc_status full_status(void)
{
	struct svcenc_status s = {
		.state = SVCENC_STATE_ACTIVE,
		.epoch = U64_MAX,
		.seq = U64_MAX,
		.rotation_done = U64_MAX,
		.rotation_total = U64_MAX,
		.has_check = true,
	};

	svcenc_keyid_parse("svcenc:" UUID ":4294967295", &s.key);
	memset(s.check, 0xfe, sizeof(s.check));
	memset(&s.counters, 0xff, sizeof(s.counters));
	s.rotation = SVCENC_ROTATION_SUPER_ERROR;
	s.rate_kib_s = U64_MAX;
	s.longest_park_us = U64_MAX;
	s.unreadable = U64_MAX;
	return s;
}

static void status_is_in_the_documented_order(void **state)
{
	struct svcenc_status s = {
		.state = SVCENC_STATE_LOCKED,
		.epoch = 1,
		.seq = 5,
		.rotation_done = 6,
		.rotation_total = 66,
		.counters = { 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.rotation = SVCENC_ROTATION_PAUSED,
		.rate_kib_s = 18,
		.longest_park_us = 19,
		.unreadable = 20,
	};
	char text[SVCENC_STATUS_TEXT];

	(void)state;
	svcenc_keyid_parse(KEY, &s.key);
	svcenc_status_print(&s, text, sizeof(text));
	assert_string_equal(text, "locked 1 " KEY
				  " - 5 6/66 7 8 9 10 11 12 13 14 15 16"
				  " paused 18 19 20");
	s.has_check = true;
	s.check[0] = 0xab;
	s.state = SVCENC_STATE_NEW;
	s.rotation = SVCENC_ROTATION_IDLE;
	svcenc_status_print(&s, text, sizeof(text));
	assert_string_equal(
		text,
		"new 1 " KEY
		" ab000000000000000000000000000000 5 6/66 7 8 9 10 11 12 13 14 15 16 idle 18 19 20");
}

static void status_longest_line_fits_and_round_trips(void **state)
{
	struct svcenc_status s = full_status(), back;
	char text[SVCENC_STATUS_TEXT], again[SVCENC_STATUS_TEXT];
	int len;

	(void)state;
	len = svcenc_status_print(&s, text, sizeof(text));
	assert_true(len > 0 && len < SVCENC_STATUS_TEXT);
	assert_int_equal(strlen(text), len);
	assert_int_equal(svcenc_status_parse(text, &back), 0);
	svcenc_status_print(&back, again, sizeof(again));
	assert_string_equal(text, again);
}

/* As snprintf(): never writes behind the buffer, returns what it wanted. */
static void status_stays_within_any_buffer(void **state)
{
	struct svcenc_status s = full_status();
	char whole[SVCENC_STATUS_TEXT], text[SVCENC_STATUS_TEXT];
	int len = svcenc_status_print(&s, whole, sizeof(whole));
	size_t size;

	(void)state;
	for (size = 0; size <= (size_t)len + 1; size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(svcenc_status_print(&s, text, size), len);
		assert_int_equal(text[size], '#');
		if (!size)
			continue;
		assert_int_equal(text[size - 1], '\0');
		assert_memory_equal(text, whole, size - 1);
	}
}

/* All that follows the check value, of an idle volume. */
#define REST " 5 0/0 0 0 0 0 0 0 0 0 0 0 idle 0 0 0"

static void status_ignores_fields_of_later_versions(void **state)
{
	struct svcenc_status s;

	(void)state;
	assert_int_equal(svcenc_status_parse(
				 "active 1 " KEY " -" REST " 21 twentytwo", &s),
			 0);
	assert_int_equal(
		svcenc_status_parse("active 1 " KEY " -" REST "\n", &s), 0);
}

static void status_refuses_each_broken_field(void **state)
{
	static const char *const bad[] = {
		"",
		"active",
		"Active 1 " KEY " -" REST,
		"active -1 " KEY " -" REST,
		"active 18446744073709551616 " KEY " -" REST,
		"active 1 key -" REST,
		"active 1 " KEY " --" REST,
		"active 1 " KEY " abc" REST,
		"active 1 " KEY " - five 0/0 0 0 0 0 0 0 0 0 0 0 idle 0 0 0",
		"active 1 " KEY " - 5 0 0 0 0 0 0 0 0 0 0 0 idle 0 0 0",
		"active 1 " KEY " - 5 0/ 0 0 0 0 0 0 0 0 0 0 idle 0 0 0",
		"active 1 " KEY " - 5 /0 0 0 0 0 0 0 0 0 0 0 idle 0 0 0",
		"active 1 " KEY " - 5 0/0/0 0 0 0 0 0 0 0 0 0 0 idle 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 x 0 idle 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 x idle 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 Idle 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 17 0 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 idle -1 0 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 idle 0 x 0",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 idle 0 0 x",
		"active 1 " KEY " - 5 0/0 0 0 0 0 0 0 0 0 0 0 idle 0 0",
	};
	struct svcenc_status s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(svcenc_status_parse(bad[i], &s), -EINVAL);
}

/* Each word of a rotation's state is read as what it was printed from. */
static void status_knows_each_state_of_a_rotation(void **state)
{
	struct svcenc_status s = full_status(), back;
	char text[SVCENC_STATUS_TEXT];
	unsigned int i;

	(void)state;
	for (i = 0; i < SVCENC_ROTATION_COUNT; i++) {
		s.rotation = (enum svcenc_rotation_state)i;
		svcenc_status_print(&s, text, sizeof(text));
		assert_int_equal(svcenc_status_parse(text, &back), 0);
		assert_int_equal(back.rotation, i);
	}
}

static void names_cover_their_lists(void **state)
{
	unsigned int i;

	(void)state;
	assert_string_equal(svcenc_state_text(SVCENC_STATE_NEW), "new");
	assert_string_equal(svcenc_state_text(SVCENC_STATE_ACTIVE), "active");
	assert_string_equal(svcenc_state_text(SVCENC_STATE_LOCKED), "locked");
	assert_null(svcenc_state_text(SVCENC_STATE_COUNT));
	assert_string_equal(svcenc_rotation_text(SVCENC_ROTATION_IDLE), "idle");
	assert_string_equal(svcenc_rotation_text(SVCENC_ROTATION_SUPER_ERROR),
			    "superblock-error");
	assert_string_equal(svcenc_rotation_text(SVCENC_ROTATION_HELD), "held");
	assert_null(svcenc_rotation_text(SVCENC_ROTATION_COUNT));
	assert_null(svcenc_event_text(0));
	for (i = 1; i <= 12; i++)
		assert_non_null(svcenc_event_text(i));
	assert_null(svcenc_event_text(13));
	assert_string_equal(svcenc_event_text(6), "refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_takes_all_options),
		cmocka_unit_test(table_refuses_with_exact_words),
		cmocka_unit_test(table_refuses_a_path_of_4096),
		cmocka_unit_test(table_prefixes_never_crash),
		cmocka_unit_test(table_prints_without_one_shot_options),
		cmocka_unit_test(status_is_in_the_documented_order),
		cmocka_unit_test(status_longest_line_fits_and_round_trips),
		cmocka_unit_test(status_stays_within_any_buffer),
		cmocka_unit_test(status_ignores_fields_of_later_versions),
		cmocka_unit_test(status_refuses_each_broken_field),
		cmocka_unit_test(status_knows_each_state_of_a_rotation),
		cmocka_unit_test(names_cover_their_lists),
	};

	return cmocka_run_group_tests_name("core_line", tests, NULL, NULL);
}
