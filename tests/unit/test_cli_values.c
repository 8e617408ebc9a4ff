// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check sizes and durations as svcenc reads and
 * DESCRIPTION: writes them, at their limits.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli.h"

static void sizes_are_read(void **state)
{
	static const struct {
		const char *text;
		long long value;
	} good[] = {
		{ "0", 0 },
		{ "4096", 4096 },
		{ "64M", 64LL << 20 },
		{ "64MiB", 64LL << 20 },
		{ "1K", 1024 },
		{ "2G", 2LL << 30 },
		{ "3T", 3LL << 40 },
		{ "9223372036854775807", INT64_MAX },
	};
	static const char *const wrong[] = {
		"", "M", "-1", "+1", " 1", "1 ", "1m", "1MB", "0x10", "1.5G"
	};
	json_int_t value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(cli_parse_bytes(good[i].text, &value), 0);
		assert_true(value == good[i].value);
	}
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(cli_parse_bytes(wrong[i], &value), -EINVAL);
	assert_int_equal(cli_parse_bytes("9223372036854775808", &value),
			 -ERANGE);
	assert_int_equal(cli_parse_bytes("8388608T", &value), -ERANGE);
}

static void durations_are_read(void **state)
{
	json_int_t value;

	(void)state;
	assert_int_equal(cli_parse_duration("30", &value), 0);
	assert_int_equal(value, 30);
	assert_int_equal(cli_parse_duration("30s", &value), 0);
	assert_int_equal(value, 30);
	assert_int_equal(cli_parse_duration("10m", &value), 0);
	assert_int_equal(value, 600);
	assert_int_equal(cli_parse_duration("4h", &value), 0);
	assert_int_equal(value, 14400);
	assert_int_equal(cli_parse_duration("7d", &value), 0);
	assert_int_equal(value, 604800);
	assert_int_equal(cli_parse_duration("10min", &value), -EINVAL);
	assert_int_equal(cli_parse_duration("", &value), -EINVAL);
	assert_int_equal(cli_parse_duration("106751991167301d", &value),
			 -ERANGE);
}

static void rates_are_read(void **state)
{
	json_int_t value = -1;

	(void)state;
	assert_int_equal(cli_parse_rate("20", &value), 0);
	assert_int_equal(value, 20 << 20);
	assert_int_equal(cli_parse_rate("512K", &value), 0);
	assert_int_equal(value, 512 << 10);
	assert_int_equal(cli_parse_rate("1GiB/s", &value), 0);
	assert_int_equal(value, 1 << 30);
	assert_int_equal(cli_parse_rate("0", &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(cli_parse_rate("1T", &value), -EINVAL);
	assert_int_equal(cli_parse_rate("-1", &value), -EINVAL);
	assert_int_equal(cli_parse_rate("9999999999G", &value), -ERANGE);
}

static void values_are_written(void **state)
{
	char buf[CLI_VALUE_SIZE];

	(void)state;
	assert_string_equal(cli_format_bytes(0, buf), "0 B");
	assert_string_equal(cli_format_bytes(1023, buf), "1023 B");
	assert_string_equal(cli_format_bytes(64 << 20, buf), "64 MiB");
	assert_string_equal(cli_format_bytes((1LL << 30) + (1LL << 29), buf),
			    "1.5 GiB");
	assert_string_equal(cli_format_bytes(INT64_MAX, buf), "8 EiB");
	assert_string_equal(cli_format_duration_ms(-1, buf), "unknown");
	assert_string_equal(cli_format_duration_ms(1234, buf), "1.2 s");
	assert_string_equal(cli_format_duration_ms(59999, buf), "59.9 s");
	assert_string_equal(cli_format_duration_ms(600000, buf), "10 min 0 s");
	assert_string_equal(cli_format_duration_ms(14400000, buf), "4 h 0 min");
	assert_string_equal(cli_format_duration_ms(90000000, buf), "1 d 1 h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read),
		cmocka_unit_test(durations_are_read),
		cmocka_unit_test(rates_are_read),
		cmocka_unit_test(values_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
