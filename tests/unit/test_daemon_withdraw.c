// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check how the agent reads paths in mountinfo, and
 * DESCRIPTION: that a device that is mounted nowhere has nothing shut down.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../agent/daemon/withdraw.c" /* for what is static there */

void log_warning(const char *format, ...)
{
	(void)format;
	fail(); /* nothing here is mounted */
}

void log_info(const char *format, ...)
{
	(void)format;
}

static void paths_are_unescaped(void **state)
{
	static const struct {
		const char *escaped;
		const char *path;
	} cases[] = {
		{ "/", "/" },
		{ "/srv/data", "/srv/data" },
		{ "/with\\040blank", "/with blank" },
		{ "/tab\\011and\\012line", "/tab\tand\nline" },
		{ "/back\\134slash", "/back\\slash" },
		{ "\\040\\040", "  " },
		{ "/\\134040", "/\\040" }, /* is not unescaped twice */
		{ "/\\303\\251", "/\303\251" },
		/* What the kernel never writes stays as it is. */
		{ "/cut\\04", "/cut\\04" },
		{ "/cut\\0", "/cut\\0" },
		{ "/cut\\", "/cut\\" },
		{ "", "" },
	};
	char path[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(path, cases[i].escaped);
		unescape(path);
		assert_string_equal(path, cases[i].path);
	}
}

static void unmounted_device_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(withdraw_shutdown("4095:1048575"), 0);
	assert_int_equal(withdraw_shutdown(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_unescaped),
		cmocka_unit_test(unmounted_device_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
