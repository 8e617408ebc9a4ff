// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check how long ago a stored moment was: by boot
 * DESCRIPTION: time within a boot, whatever the wall clock does, by the wall
 * DESCRIPTION: clock across boots, and for ever ago when that went back.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "agent.h"
#include "moment.h"

#define YEARS_S (10LL * 365 * 86400)

static int64_t boot_ms, wall_s;

int64_t agent_now_ms(void)
{
	return boot_ms;
}

/* Instead of the C library's. */
time_t time(time_t *ret)
{
	if (ret)
		*ret = wall_s;
	return wall_s;
}

static int set_up(void **state)
{
	(void)state;
	boot_ms = 5000;
	wall_s = 1700000000;
	return 0;
}

static void within_a_boot_the_wall_clock_does_not_count(void **state)
{
	struct moment moment;

	(void)state;
	moment_now(&moment);
	boot_ms += 2000;
	assert_int_equal(moment_ago_ms(&moment), 2000);
	wall_s += YEARS_S;
	assert_int_equal(moment_ago_ms(&moment), 2000);
	wall_s -= 2 * YEARS_S;
	assert_int_equal(moment_ago_ms(&moment), 2000);
}

static void across_boots_it_does(void **state)
{
	struct moment moment;

	(void)state;
	moment_now(&moment);
	moment.boot[0] = moment.boot[0] == '0' ? '1' : '0';
	wall_s += 60;
	boot_ms = 10;
	assert_int_equal(moment_ago_ms(&moment), 60000);
	wall_s += YEARS_S;
	assert_int_equal(moment_ago_ms(&moment), (60 + YEARS_S) * 1000);
	/* Back before it: nothing that is bounded goes on because of that. */
	wall_s -= 2 * YEARS_S;
	assert_true(moment_ago_ms(&moment) == MOMENT_FOR_EVER_MS);
	/* As older stores have it, and far off. */
	moment.boot[0] = '\0';
	assert_true(moment_ago_ms(&moment) == MOMENT_FOR_EVER_MS);
	moment.wall_s = INT64_MIN + wall_s + 1;
	assert_true(moment_ago_ms(&moment) == MOMENT_FOR_EVER_MS);
}

static void it_is_stored_as_it_is(void **state)
{
	struct moment moment, back;
	json_t *json;

	(void)state;
	moment_now(&moment);
	json = moment_write(&moment);
	assert_true(moment_read(json, &back));
	assert_true(moment_equal(&moment, &back));
	back.boot_ms++;
	assert_false(moment_equal(&moment, &back));
	json_object_set_new(json, "more", json_null());
	assert_false(moment_read(json, &back));
	json_object_del(json, "more");
	json_object_set_new(json, "boot",
			    json_string("longer than the id of any boot is"
					" ever"));
	assert_false(moment_read(json, &back));
	json_object_del(json, "wall_s");
	assert_false(moment_read(json, &back));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			within_a_boot_the_wall_clock_does_not_count, set_up),
		cmocka_unit_test_setup(across_boots_it_does, set_up),
		cmocka_unit_test_setup(it_is_stored_as_it_is, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
