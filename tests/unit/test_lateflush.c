// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that a flush of a recorded log that a later one
 * DESCRIPTION: has overtaken is put where it belongs, that a write which was
 * DESCRIPTION: acknowledged and never logged is not made up for, and that a log with
 * DESCRIPTION: many late writes is refused.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lateflush.h"

enum { LOW = 65536, HIGH = 81920, SECTOR = 4096, SECTORS = 2, ROOM = 128 };

static const struct crash_layout layout = { SECTORS, SECTOR, LOW, HIGH };

static struct writelog_entry entries[ROOM];
static struct writelog the_log;
static struct crash_fact fact[ROOM];
static struct crash_facts facts;
static char names[ROOM][8];

static int empty(void **state)
{
	(void)state;
	the_log = (struct writelog){ .entry = entries };
	facts = (struct crash_facts){ .fact = fact };
	return 0;
}

static void add(uint64_t at, uint64_t bytes, uint32_t flags, const char *text)
{
	assert_true(the_log.count < ROOM);
	entries[the_log.count++] =
		(struct writelog_entry){ at, bytes, flags,
					 (const unsigned char *)text };
}

static void add_write(uint64_t at)
{
	add(at, SECTOR, 0, NULL);
}

static void add_flush(void)
{
	add(0, 0, LOG_FLUSH, NULL);
}

/* From here on @version of @sector was durable. */
static void add_mark(uint64_t sector, uint32_t version)
{
	const unsigned int number = facts.count;

	snprintf(names[number], sizeof(names[number]), "f%u", number);
	add(0, 0, LOG_MARK, names[number]);
	fact[facts.count++] = (struct crash_fact){ sector, version, number };
}

/* One letter for each entry: write, flush, mark. */
static const char *order(void)
{
	static char letters[ROOM + 1];
	unsigned int i;

	for (i = 0; i < the_log.count; i++)
		letters[i] = entries[i].flags & LOG_MARK  ? 'm' :
			     entries[i].flags & LOG_FLUSH ? 'f' :
							    'w';
	letters[i] = 0;
	return letters;
}

static unsigned int put_right(void)
{
	return lateflush_put_right(&the_log, &facts, &layout);
}

static void stays_as_it_is(void **state)
{
	(void)state;
	add_write(LOW);
	add_flush();
	add_mark(0, 2);
	add_write(LOW + SECTOR);
	add_write(HIGH);
	add_flush();
	add_mark(0, 3);
	add_mark(1, 2);
	assert_int_equal(put_right(), 0);
	assert_string_equal(order(), "wfmwwfmm");
}

/* The mark speaks of a write whose flush was logged behind it. */
static void goes_before_the_flush(void **state)
{
	(void)state;
	add_write(LOW);
	add_flush();
	add_mark(0, 2);
	add_flush();
	add_mark(0, 3);
	add_write(HIGH);
	add_write(HIGH + SECTOR);
	add_flush();
	assert_int_equal(put_right(), 1);
	assert_string_equal(order(), "wfmwwfmf");
	assert_int_equal(entries[3].at, HIGH);
	assert_int_equal(entries[4].at, HIGH + SECTOR);
	assert_int_equal(put_right(), 0);
}

/* The next group is of another flush, and stays. */
static void only_the_group_with_the_sector_moves(void **state)
{
	(void)state;
	add_flush();
	add_mark(1, 2);
	add_write(LOW);
	add_flush();
	add_write(LOW + SECTOR);
	add_flush();
	assert_int_equal(put_right(), 1);
	assert_string_equal(order(), "wfmwff");
	assert_int_equal(entries[0].at, LOW + SECTOR);
	assert_int_equal(entries[3].at, LOW);
}

/* Whether such a state is lost is for the replay to see. */
static void nothing_is_made_up(void **state)
{
	(void)state;
	add_flush();
	add_mark(0, 2);
	add_write(LOW + SECTOR);
	add(LOW, SECTOR, LOG_FUA, NULL);
	add_flush();
	assert_int_equal(put_right(), 0);
	assert_string_equal(order(), "fmwwf");
}

static void a_few_are_put_right(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < LATE_MAX; i++) {
		add_flush();
		add_mark(0, i + 2);
		add_write(LOW);
		add_flush();
	}
	assert_int_equal(put_right(), LATE_MAX);
	assert_int_equal(put_right(), 0);
}

static void many_are_refused(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < LATE_MAX + 1; i++) {
		add_flush();
		add_mark(0, i + 2);
		add_write(LOW);
		add_flush();
	}
	assert_int_equal(put_right(), LATE_MAX + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stays_as_it_is, empty),
		cmocka_unit_test_setup(goes_before_the_flush, empty),
		cmocka_unit_test_setup(only_the_group_with_the_sector_moves,
				       empty),
		cmocka_unit_test_setup(nothing_is_made_up, empty),
		cmocka_unit_test_setup(a_few_are_put_right, empty),
		cmocka_unit_test_setup(many_are_refused, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
