// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call that ends a key, with CLOCK_MONOTONIC nanoseconds right before and
 * right after it: "before=N after=N result='...'". The start of a program or a
 * shell is not in the figures. Exit status 0 if the call succeeded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

int main(int argc, char **argv)
{
	int64_t before, after;
	enum end_way way;
	int rc;

	if (argc != 4 || (way = end_way_parse(argv[1])) == END_WAY_COUNT ||
	    way == END_LEASE) {
		fputs("usage: svcenc-keycall revoke|unlink|clear|invalidate|timeout KEY KEYRING\n",
		      stderr);
		return 2;
	}
	before = now_ns();
	rc = key_end(way, atoi(argv[2]), atoi(argv[3]));
	after = now_ns();
	printf("before=%" PRId64 " after=%" PRId64 " result='%s'\n", before,
	       after, strerror(-rc));
	return rc != 0;
}
