// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that lines of /etc/svcenctab are read
 * DESCRIPTION: strictly, and that names and paths become the unit names that
 * DESCRIPTION: systemd itself would make.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "svcenctab.h"

#define WANTED_NAME                                                                              \
	"the name is malformed (wanted: 1 to 63 characters of A-Z a-z 0-9 . _ -, not beginning " \
	"with . or -)"
#define WANTED_OPTION                                                                           \
	"unknown option (wanted: nofail, noauto, discard, readonly, _netdev, x-systemd.device-" \
	"timeout=TIME)"
#define WANTED_DEVICE                                                                        \
	"the device is neither a path below /dev nor UUID=, LABEL=, PARTUUID=, PARTLABEL=, " \
	"ID="
#define WANTED_TIMEOUT \
	"x-systemd.device-timeout= wants a time span: 30s, 2min, infinity"

static int parse(const char *text, struct svcenctab_entry *ret,
		 const char **ret_error)
{
	char line[SVCENCTAB_LINE_MAX];

	snprintf(line, sizeof(line), "%s", text);
	return svcenctab_parse(line, ret, ret_error);
}

static void good_lines(void **state)
{
	struct svcenctab_entry entry;
	const char *error;

	(void)state;
	assert_int_equal(parse("data /dev/vg/data", &entry, &error), 1);
	assert_string_equal(entry.name, "data");
	assert_string_equal(entry.device, "/dev/vg/data");
	assert_string_equal(entry.policy, "");
	assert_false(entry.nofail || entry.noauto || entry.discard ||
		     entry.readonly || entry.netdev);
	assert_int_equal(
		parse("\t a.b-c \t UUID=12-ab  alpha/strict "
		      "nofail,noauto,discard,readonly,_netdev,x-systemd.device-timeout=2min\n",
		      &entry, &error),
		1);
	assert_string_equal(entry.name, "a.b-c");
	assert_string_equal(entry.device, "/dev/disk/by-uuid/12-ab");
	assert_string_equal(entry.policy, "alpha/strict");
	assert_string_equal(entry.timeout, "2min");
	assert_true(entry.nofail && entry.noauto && entry.discard &&
		    entry.readonly && entry.netdev);
	assert_int_equal(parse("d PARTLABEL=x - -\n", &entry, &error), 1);
	assert_string_equal(entry.device, "/dev/disk/by-partlabel/x");
	assert_int_equal(parse("d /dev/x none defaults", &entry, &error), 1);
}

static void comments_and_empty_lines(void **state)
{
	struct svcenctab_entry entry;
	const char *error;

	(void)state;
	assert_int_equal(parse("", &entry, &error), 0);
	assert_int_equal(parse(" \t\n", &entry, &error), 0);
	assert_int_equal(parse("# a b c d e f", &entry, &error), 0);
	assert_int_equal(parse("  #x", &entry, &error), 0);
}

static void bad_lines_name_their_defect(void **state)
{
	static const struct {
		const char *line, *error;
	} cases[] = {
		{ "data",
		  "the device is missing (NAME DEVICE [POLICY [OPTIONS]])" },
		{ "a b c d e",
		  "more than four fields (NAME DEVICE [POLICY [OPTIONS]])" },
		{ "-a /dev/x", WANTED_NAME },
		{ ".a /dev/x", WANTED_NAME },
		{ "a/b /dev/x", WANTED_NAME },
		{ "a%i /dev/x", WANTED_NAME },
		{ "a123456789012345678901234567890123456789012345678901234567890123 /dev/x",
		  WANTED_NAME },
		{ "a /etc/passwd", WANTED_DEVICE },
		{ "a /dev/", WANTED_DEVICE },
		{ "a /dev/../etc/x", WANTED_DEVICE },
		{ "a UID=x", WANTED_DEVICE },
		{ "a UUID=",
		  "the tag of the device is empty or holds a slash" },
		{ "a UUID=../x",
		  "the tag of the device is empty or holds a slash" },
		{ "a /dev/x\001", "the device holds control characters" },
		{ "a /dev/x provider",
		  "the policy is neither TENANT/POLICY nor -" },
		{ "a /dev/x a/", "the policy is neither TENANT/POLICY nor -" },
		{ "a /dev/x /p", "the policy is neither TENANT/POLICY nor -" },
		{ "a /dev/x a/b/c",
		  "the policy is neither TENANT/POLICY nor -" },
		{ "a /dev/x - luks", WANTED_OPTION },
		{ "a /dev/x - nofail,Discard", WANTED_OPTION },
		{ "a /dev/x - discard=1", WANTED_OPTION },
		{ "a /dev/x - x-systemd.device-timeout=", WANTED_TIMEOUT },
		{ "a /dev/x - x-systemd.device-timeout=1;rm", WANTED_TIMEOUT },
	};
	struct svcenctab_entry entry;
	const char *error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("'%s'\n", cases[i].line);
		assert_int_equal(parse(cases[i].line, &entry, &error), -EINVAL);
		assert_string_equal(error, cases[i].error);
	}
}

static void a_long_device_is_refused(void **state)
{
	char line[SVCENCTAB_LINE_MAX];
	struct svcenctab_entry entry;
	const char *error;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "a /dev/", 7);
	line[2 + SVCENCTAB_DEVICE_MAX] = '\0';
	assert_int_equal(parse(line, &entry, &error), -EINVAL);
	assert_string_equal(error, "the device's path is too long");
	line[2 + SVCENCTAB_DEVICE_MAX - 1] = '\0';
	assert_int_equal(parse(line, &entry, &error), 1);
}

/* The right sides are what systemd-escape(1) 252 prints. */
static void unit_names(void **state)
{
	char unit[SVCENCTAB_UNIT_MAX];

	(void)state;
	svcenctab_escape("my-vol_1.x", unit);
	assert_string_equal(unit, "my\\x2dvol_1.x");
	svcenctab_escape(".hid:den", unit);
	assert_string_equal(unit, "\\x2ehid:den");
	svcenctab_escape_path("/dev/vg/my-vol", unit);
	assert_string_equal(unit, "dev-vg-my\\x2dvol");
	svcenctab_escape_path("//dev///mapper/a\\b%c/", unit);
	assert_string_equal(unit, "dev-mapper-a\\x5cb\\x25c");
	svcenctab_escape_path("/", unit);
	assert_string_equal(unit, "-");
	svcenctab_escape_path("/dev/\xc3\xa4", unit);
	assert_string_equal(unit, "dev-\\xc3\\xa4");
}

static void quoted_words(void **state)
{
	char word[SVCENCTAB_UNIT_MAX];

	(void)state;
	svcenctab_quote("/dev/a", word);
	assert_string_equal(word, "\"/dev/a\"");
	svcenctab_quote("a\"b\\c%d$e", word);
	assert_string_equal(word, "\"a\\\"b\\\\c%%d$$e\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines),
		cmocka_unit_test(comments_and_empty_lines),
		cmocka_unit_test(bad_lines_name_their_defect),
		cmocka_unit_test(a_long_device_is_refused),
		cmocka_unit_test(unit_names),
		cmocka_unit_test(quoted_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
