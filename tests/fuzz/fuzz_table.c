// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Table grammar. Claims: no words make it misbehave; a refusal names a
 * reason; an accepted table is printed to a line that is accepted again and
 * means the same, without the one-shot options.
 */
#include "fuzz.h"
#include "line.h"

enum { WORDS_MAX = 32 };

static int parse(char *line, struct svcenc_table *ret, const char **ret_error)
{
	char *argv[WORDS_MAX], *save = NULL, *word;
	unsigned int argc = 0;

	for (word = strtok_r(line, " ", &save); word && argc < WORDS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return svcenc_table_parse(argc, argv, ret, ret_error);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static char line[2 * SVCENC_DEVICE_PATH_MAX];
	static char text[2 * SVCENC_DEVICE_PATH_MAX], again[sizeof(text)];
	struct svcenc_table table, back;
	const char *error = NULL;
	int len;

	if (size >= sizeof(line))
		return 0;
	memcpy(line, input, size);
	line[size] = '\0';
	if (parse(line, &table, &error)) {
		CLAIM(error && *error);
		return 0;
	}
	CLAIM(!error && !(table.initialize && table.grow));
	CLAIM(!(table.initialize && table.min_seq));
	len = svcenc_table_print(&table, text, sizeof(text));
	CLAIM(len > 0 && (size_t)len < sizeof(text));
	CLAIM(!strstr(text, " initialize") && !strstr(text, " grow"));
	strcpy(line, text);
	CLAIM(!parse(line, &back, &error));
	CLAIM(back.min_seq == table.min_seq);
	CLAIM(back.allow_discards == table.allow_discards);
	CLAIM(svcenc_keyid_equal(&back.key, &table.key));
	CLAIM(svcenc_uuid_equal(&back.uuid, &table.uuid));
	svcenc_table_print(&back, again, sizeof(again));
	CLAIM(!strcmp(text, again));
	return 0;
}
