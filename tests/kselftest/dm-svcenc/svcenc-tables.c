// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no table program sends: each beginning of a table line, and requests
 * for status and table with room for none, some or nearly all of the answer.
 *
 *   svcenc-tables prefixes NAME SECTORS '<arguments>'
 *   svcenc-tables answers NAME
 *
 * "prefixes" prints, for the beginnings of <arguments> that were taken, their
 * lengths, and how many were refused with which error; NAME, without a table,
 * must exist. "answers" wants, whatever the room, the whole answer or the flag
 * that says that it did not fit, and no byte behind the room; NAME is mapped.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmcall.h"

enum { ROOM_MAX = 1024, ERRORS_MAX = 134, GUARD = 0xa5 };

static int clear_table(const char *name)
{
	struct dmcall call;

	dmcall_prepare(&call, name, 0);
	return dmcall_send(DM_TABLE_CLEAR, &call);
}

static int prefixes(const char *name, uint64_t sectors, const char *words)
{
	static unsigned int refused[ERRORS_MAX];
	const size_t full = strlen(words);
	char *part = strdup(words);
	const struct dmcall_table table = { .type = "svcenc",
					    .sectors = sectors,
					    .words = part };
	size_t len;
	int rc;

	if (!part)
		return 2;
	printf("taken:");
	for (len = 0; len <= full; len++) {
		memcpy(part, words, len);
		part[len] = '\0';
		rc = dmcall_load(name, &table, 0);
		if (rc)
			refused[-rc < ERRORS_MAX ? -rc : 0]++;
		else
			printf(" %zu", len);
		if (!rc && clear_table(name))
			return 2;
	}
	putchar('\n');
	for (rc = 0; rc < ERRORS_MAX; rc++)
		if (refused[rc])
			printf("refused %u: %s\n", refused[rc], strerror(rc));
	free(part);
	return 0;
}

/* With room for @room bytes behind the head; the answer is in @call. */
static int ask(const char *name, uint32_t flags, size_t room,
	       struct dmcall *call)
{
	dmcall_prepare(call, name, flags);
	memset((char *)call + sizeof(call->head), GUARD,
	       sizeof(*call) - sizeof(call->head));
	call->head.data_size = (uint32_t)(sizeof(call->head) + room);
	return dmcall_send(DM_TABLE_STATUS, call);
}

static bool untouched(const struct dmcall *call, size_t room)
{
	const unsigned char *at = (const unsigned char *)(call + 1);
	const unsigned char *end =
		(const unsigned char *)call + sizeof(call->head) + room;

	while (at > end)
		if (*--at != GUARD)
			return false;
	return true;
}

static int answers(const char *name, uint32_t flags)
{
	struct dmcall whole, call;
	unsigned int did_not_fit = 0;
	size_t room;
	int rc;

	rc = ask(name, flags, ROOM_MAX, &whole);
	if (rc || whole.head.flags & DM_BUFFER_FULL_FLAG || !whole.text[0]) {
		printf("FAILED: no answer: %s\n", strerror(-rc));
		return 1;
	}
	for (room = 0; room < ROOM_MAX; room++) {
		rc = ask(name, flags, room, &call);
		if (!untouched(&call, room)) {
			printf("FAILED: room %zu: written behind it\n", room);
			return 1;
		}
		if (rc || call.head.flags & DM_BUFFER_FULL_FLAG) {
			did_not_fit++;
		} else if (strcmp(call.text, whole.text)) {
			printf("FAILED: room %zu: half an answer\n", room);
			return 1;
		}
	}
	printf("%s: did not fit %u times of %d, %zu characters\n",
	       flags ? "table" : "status", did_not_fit, ROOM_MAX,
	       strlen(whole.text));
	return did_not_fit < strlen(whole.text);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (argc == 5 && !strcmp(verb, "prefixes"))
		return prefixes(argv[2], strtoull(argv[3], NULL, 10), argv[4]);
	if (argc == 3 && !strcmp(verb, "answers"))
		return answers(argv[2], 0) |
		       answers(argv[2], DM_STATUS_TABLE_FLAG);
	fputs("usage: svcenc-tables prefixes NAME SECTORS '<arguments>'\n"
	      "       svcenc-tables answers NAME\n",
	      stderr);
	return 2;
}
