// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check which of two superblock copies is taken: every pair of
 * states in every order of sequence numbers, against a table written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ondisk.h"

/*
 * One character an answer:
 *   =  copy 1, nothing to repair      f  fresh
 *   1  copy 1, copy 2 is rewritten    t  never keyed, torn
 *   2  copy 2, copy 1 is rewritten    r  both rotten
 *   i  malformed                      b  forged
 *   o  other key                      c  conflict
 *   a  fresh above keyed
 * Four columns: seq of copy 1 is higher; equal, contents differ; equal,
 * contents equal ('-': copies of different state cannot be); lower.
 */
static const char *const answers[6][6] = {
	/*	 ROTTEN  INVALID FRESH   FOREIGN FORGED  GOOD */
	[SVCENC_COPY_ROTTEN] = { "rrrr", "ii-i", "tt-t", "oo-o", "bb-b",
				 "22-2" },
	[SVCENC_COPY_INVALID] = { "ii-i", "iiii", "ii-i", "ii-i", "bb-b",
				  "ii-i" },
	[SVCENC_COPY_FRESH] = { "tt-t", "ii-i", "ccfc", "aa-o", "bb-b",
				"aa-2" },
	[SVCENC_COPY_FOREIGN] = { "oo-o", "ii-i", "oa-a", "ocoo", "bb-b",
				  "oc-2" },
	[SVCENC_COPY_FORGED] = { "bb-b", "bb-b", "bb-b", "bb-b", "bbbb",
				 "bb-b" },
	[SVCENC_COPY_GOOD] = { "11-1", "ii-i", "1a-a", "1c-o", "bb-b", "1c=2" },
};

struct answer {
	enum svcenc_pick pick;
	bool repair;
};

static struct answer meaning(char c)
{
	switch (c) {
	case '=':
		return (struct answer){ SVCENC_PICK_FIRST, false };
	case '1':
		return (struct answer){ SVCENC_PICK_FIRST, true };
	case '2':
		return (struct answer){ SVCENC_PICK_SECOND, true };
	case 'f':
		return (struct answer){ SVCENC_PICK_FRESH, false };
	case 't':
		return (struct answer){ SVCENC_PICK_NEVER_KEYED_TORN, false };
	case 'r':
		return (struct answer){ SVCENC_PICK_ROTTEN, false };
	case 'i':
		return (struct answer){ SVCENC_PICK_INVALID, false };
	case 'b':
		return (struct answer){ SVCENC_PICK_FORGED, false };
	case 'o':
		return (struct answer){ SVCENC_PICK_OTHER_KEY, false };
	case 'c':
		return (struct answer){ SVCENC_PICK_CONFLICT, false };
	default:
		assert_int_equal(c, 'a');
		return (struct answer){ SVCENC_PICK_FRESH_ABOVE, false };
	}
}

static void check(int a, int b, u64 seq_a, u64 seq_b, bool same, char wanted)
{
	const struct svcenc_copy copy[] = {
		{ (enum svcenc_copy_state)a, seq_a },
		{ (enum svcenc_copy_state)b, seq_b }
	};
	const struct answer answer = meaning(wanted);
	bool repair = !answer.repair;
	enum svcenc_pick pick = svcenc_sb_pick(copy, same, &repair);

	if (pick != answer.pick || repair != answer.repair)
		fail_msg(
			"states %d %d, seq %llu %llu, same %d: got '%s' repair %d, wanted '%c'",
			a, b, (unsigned long long)seq_a,
			(unsigned long long)seq_b, same, svcenc_pick_text(pick),
			repair, wanted);
}

static void pick_answers_every_case_as_written(void **state)
{
	static const u64 pairs[][2] = { { 2, 1 },
					{ 1000, 1 },
					{ U64_MAX - 1, 1 },
					{ U64_MAX - 1, U64_MAX - 2 } };
	int a, b;
	size_t i;

	(void)state;
	for (a = 0; a < 6; a++) {
		for (b = 0; b < 6; b++) {
			const char *want = answers[a][b];

			for (i = 0; i < 4; i++) {
				u64 high = pairs[i][0], low = pairs[i][1];

				check(a, b, high, low, false, want[0]);
				check(a, b, high, high, false, want[1]);
				if (a == b)
					check(a, b, high, high, true, want[2]);
				check(a, b, low, high, false, want[3]);
			}
		}
	}
}

/* Whichever copy is which: swapping them swaps the answer. */
static void pick_table_is_symmetric(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a < 6; a++) {
		for (b = 0; b < 6; b++) {
			char x = answers[a][b][0], y = answers[b][a][3];

			if (x == '1' || x == '2')
				x ^= '1' ^ '2';
			assert_int_equal(x, y);
		}
	}
}

static void pick_never_repairs_what_it_refuses(void **state)
{
	int a, b, order;

	(void)state;
	for (a = 0; a < 6; a++) {
		for (b = 0; b < 6; b++) {
			for (order = 0; order < 3; order++) {
				const struct svcenc_copy copy[] = {
					{ (enum svcenc_copy_state)a,
					  order == 0 ? 2 : 1 },
					{ (enum svcenc_copy_state)b,
					  order == 2 ? 2 : 1 },
				};
				bool repair = true;
				enum svcenc_pick pick =
					svcenc_sb_pick(copy, false, &repair);

				if (repair)
					assert_true(pick <= SVCENC_PICK_SECOND);
				if (pick <= SVCENC_PICK_SECOND)
					assert_int_equal(copy[pick].state,
							 SVCENC_COPY_GOOD);
			}
		}
	}
}

static void pick_texts_are_all_there(void **state)
{
	enum svcenc_pick pick;

	(void)state;
	assert_string_equal(svcenc_pick_text(SVCENC_PICK_FIRST), "copy 1");
	for (pick = SVCENC_PICK_FIRST; pick <= SVCENC_PICK_FRESH_ABOVE; pick++)
		assert_true(strlen(svcenc_pick_text(pick)) > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pick_answers_every_case_as_written),
		cmocka_unit_test(pick_table_is_symmetric),
		cmocka_unit_test(pick_never_repairs_what_it_refuses),
		cmocka_unit_test(pick_texts_are_all_there),
	};

	return cmocka_run_group_tests_name("core_pick", tests, NULL, NULL);
}
