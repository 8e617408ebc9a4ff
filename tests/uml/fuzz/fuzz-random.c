// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "fuzz.h"

static uint64_t state;

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void fuzz_seed(uint64_t seed, uint64_t number)
{
	state = mix(seed) ^ mix(number * 0x9e3779b97f4a7c15ULL + 1);
}

uint64_t fuzz_random(void)
{
	return mix(state += 0x9e3779b97f4a7c15ULL);
}

uint32_t fuzz_below(uint32_t limit)
{
	return (uint32_t)(fuzz_random() % limit);
}

bool fuzz_chance(uint32_t one_in)
{
	return !fuzz_below(one_in);
}

uint64_t fuzz_number(void)
{
	static const uint64_t edges[] = {
		0,	    1,		7,	    8,		 9,
		511,	    512,	4095,	    4096,	 65535,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 1ULL << 52,
		1ULL << 55, 1ULL << 62, 1ULL << 63, UINT64_MAX,	 UINT64_MAX - 7,
	};

	if (fuzz_chance(4))
		return fuzz_random() >> fuzz_below(64);
	return edges[fuzz_below(sizeof(edges) / sizeof(edges[0]))] +
	       (fuzz_chance(4) ? fuzz_random() % 17 - 8 : 0);
}

const char *fuzz_name(void)
{
	static const char *const names[FUZZ_NAMES] = { "fuzz0", "fuzz1",
						       "fuzz2" };

	return names[fuzz_below(FUZZ_NAMES)];
}

/* A stretch that begins at a word, and where it ends. */
static char *pick_word(char *text, size_t *ret_len)
{
	char *at = text + fuzz_below((uint32_t)strlen(text) + 1);

	while (at > text && at[-1] != ' ')
		at--;
	*ret_len = strcspn(at, " ");
	return at;
}

static void insert(char *text, size_t size, char *at, const char *what,
		   size_t len)
{
	const size_t used = strlen(text);

	if (used + len >= size)
		return;
	memmove(at + len, at, used - (size_t)(at - text) + 1);
	memcpy(at, what, len);
}

static void insert_long_word(char *text, size_t size, char *at)
{
	static char filler[6000];

	memset(filler, 'a' + (char)fuzz_below(26), sizeof(filler));
	insert(text, size, at, filler, 1 + fuzz_below(sizeof(filler)));
}

static void insert_token(char *text, size_t size, char *at)
{
	static const char *const tokens[] = {
		" ",	  "  ", "\t",	 "\\",		"\\ ",
		"-1",	  "0",	" 4",	 " 5",		"99999999999999999999",
		":",	  "/",	"..",	 "%s%n",	"\xff\xfe",
		"svcenc", "\n", " grow", " initialize", " min_seq:",
		"@",	  "\"", " 0 8 ", " 1 grow",	"\x01",
	};
	const char *token =
		tokens[fuzz_below(sizeof(tokens) / sizeof(tokens[0]))];

	insert(text, size, at, token, strlen(token));
}

void fuzz_mutate(char *text, size_t size)
{
	const size_t len = strlen(text);
	size_t word;
	char *at = text + fuzz_below((uint32_t)len + 1);

	switch (fuzz_below(8)) {
	case 0: /* every prefix */
		*at = '\0';
		break;
	case 1:
		if (*at)
			*at ^= (char)(1 << fuzz_below(8));
		break;
	case 2: /* without a word */
		at = pick_word(text, &word);
		memmove(at, at + word, strlen(at + word) + 1);
		break;
	case 3: /* a word twice */
		at = pick_word(text, &word);
		insert(text, size, at, at, word);
		break;
	case 4:
		insert_long_word(text, size, at);
		break;
	case 5:
		if (*at)
			*at = (char)fuzz_random();
		break;
	default:
		insert_token(text, size, at);
	}
}
