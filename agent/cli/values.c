// SPDX-License-Identifier: GPL-2.0-or-later
/* Sizes, durations and dates as people write and read them. Pure. */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"

struct unit {
	const char *suffix;
	json_int_t factor;
};

static const struct unit byte_units[] = {
	{ "", 1 },
	{ "K", 1LL << 10 },
	{ "M", 1LL << 20 },
	{ "G", 1LL << 30 },
	{ "T", 1LL << 40 },
	{ "KiB", 1LL << 10 },
	{ "MiB", 1LL << 20 },
	{ "GiB", 1LL << 30 },
	{ "TiB", 1LL << 40 },
	{ NULL, 0 },
};

/* Without a suffix MiB per second, as rates are spoken of. */
static const struct unit rate_units[] = {
	{ "", 1LL << 20 },	{ "K", 1LL << 10 },
	{ "M", 1LL << 20 },	{ "G", 1LL << 30 },
	{ "KiB/s", 1LL << 10 }, { "MiB/s", 1LL << 20 },
	{ "GiB/s", 1LL << 30 }, { NULL, 0 },
};

static const struct unit second_units[] = {
	{ "", 1 },     { "s", 1 },     { "m", 60 },
	{ "h", 3600 }, { "d", 86400 }, { NULL, 0 },
};

/* Decimal digits, then a suffix of the list; nothing else. */
static int parse_with_unit(const char *text, const struct unit *units,
			   json_int_t *ret)
{
	json_int_t value = 0;
	const char *at = text;

	if (!isdigit((unsigned char)*at))
		return -EINVAL;
	for (; isdigit((unsigned char)*at); at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			return -ERANGE;
	for (; units->suffix; units++) {
		if (strcmp(at, units->suffix))
			continue;
		if (__builtin_mul_overflow(value, units->factor, &value))
			return -ERANGE;
		*ret = value;
		return 0;
	}
	return -EINVAL;
}

int cli_parse_bytes(const char *text, json_int_t *ret)
{
	return parse_with_unit(text, byte_units, ret);
}

int cli_parse_rate(const char *text, json_int_t *ret_per_second)
{
	return parse_with_unit(text, rate_units, ret_per_second);
}

int cli_parse_duration(const char *text, json_int_t *ret_seconds)
{
	return parse_with_unit(text, second_units, ret_seconds);
}

const char *cli_format_bytes(json_int_t bytes, char buf[CLI_VALUE_SIZE])
{
	static const char *const names[] = { "B",   "KiB", "MiB", "GiB",
					     "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t i = 0;

	while (value >= 1024 && i + 1 < sizeof(names) / sizeof(names[0])) {
		value /= 1024;
		i++;
	}
	if (value == (double)(json_int_t)value)
		snprintf(buf, CLI_VALUE_SIZE, "%lld %s", (long long)value,
			 names[i]);
	else
		snprintf(buf, CLI_VALUE_SIZE, "%.1f %s", value, names[i]);
	return buf;
}

const char *cli_format_duration_ms(json_int_t ms, char buf[CLI_VALUE_SIZE])
{
	const long long seconds = ms / 1000;

	if (ms < 0)
		snprintf(buf, CLI_VALUE_SIZE, "unknown");
	else if (seconds < 60)
		snprintf(buf, CLI_VALUE_SIZE, "%lld.%lld s", seconds,
			 (long long)ms % 1000 / 100);
	else if (seconds < 3600)
		snprintf(buf, CLI_VALUE_SIZE, "%lld min %lld s", seconds / 60,
			 seconds % 60);
	else if (seconds < 86400)
		snprintf(buf, CLI_VALUE_SIZE, "%lld h %lld min", seconds / 3600,
			 seconds % 3600 / 60);
	else
		snprintf(buf, CLI_VALUE_SIZE, "%lld d %lld h", seconds / 86400,
			 seconds % 86400 / 3600);
	return buf;
}

const char *cli_format_date(json_int_t seconds, char buf[CLI_VALUE_SIZE])
{
	const time_t when = (time_t)seconds;
	struct tm local;

	if (!localtime_r(&when, &local) ||
	    !strftime(buf, CLI_VALUE_SIZE, "%Y-%m-%d %H:%M:%S %z", &local))
		snprintf(buf, CLI_VALUE_SIZE, "unknown");
	return buf;
}
