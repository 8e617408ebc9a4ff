// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls about keys, without the start of a program for each:
 *
 *   svcenc-keycall add KEYRING LEASE_S FILE...   the policy key of each volume
 *                                                (FILE.desc, FILE.key)
 *   svcenc-keycall WAY KEY KEYRING               ends a key, with
 *        CLOCK_MONOTONIC nanoseconds right before and right after the call:
 *        "before=N after=N result='...'"
 *
 * Exit status 0 if all calls succeeded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"

static int add(int keyring, uint32_t lease_s, char **files)
{
	struct policy_key key;
	int rc;

	for (; *files; files++) {
		rc = policy_key_read(*files, &key);
		if (!rc)
			rc = key_add(&key, lease_s, keyring);
		explicit_bzero(&key, sizeof(key));
		if (rc < 0) {
			fprintf(stderr, "svcenc-keycall: %s: %s\n", *files,
				strerror(-rc));
			return 1;
		}
		printf("%d\n", rc);
	}
	return 0;
}

static int end(enum end_way way, int key, int keyring)
{
	int64_t before, after;
	int rc;

	before = now_ns();
	rc = key_end(way, key, keyring);
	after = now_ns();
	printf("before=%" PRId64 " after=%" PRId64 " result='%s'\n", before,
	       after, strerror(-rc));
	return rc != 0;
}

int main(int argc, char **argv)
{
	enum end_way way;

	if (argc > 4 && !strcmp(argv[1], "add"))
		return add(atoi(argv[2]), (uint32_t)atoi(argv[3]), argv + 4);
	if (argc == 4) {
		way = end_way_parse(argv[1]);
		if (way != END_WAY_COUNT && way != END_LEASE)
			return end(way, atoi(argv[2]), atoi(argv[3]));
	}
	fputs("usage: svcenc-keycall add KEYRING LEASE_S FILE...\n"
	      "       svcenc-keycall revoke|unlink|clear|invalidate|timeout KEY KEYRING\n",
	      stderr);
	return 2;
}
