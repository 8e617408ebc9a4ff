// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Status grammar. Claims: no text makes the parser misbehave; an accepted
 * status is printed to a line that parses to the same; printing into a short
 * buffer stays in it.
 */
#include "fuzz.h"
#include "line.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static char line[4096];
	char text[SVCENC_STATUS_TEXT], again[SVCENC_STATUS_TEXT];
	struct svcenc_status status, back;
	size_t room;
	int len;

	if (!size || size > sizeof(line))
		return 0;
	room = 2 * (size_t)*input++;
	size--;
	memcpy(line, input, size);
	line[size] = '\0';
	if (svcenc_status_parse(line, &status))
		return 0;
	len = svcenc_status_print(&status, text, sizeof(text));
	CLAIM(len > 0 && (size_t)len < sizeof(text));
	CLAIM(!svcenc_status_parse(text, &back));
	CLAIM(svcenc_status_print(&back, again, sizeof(again)) == len);
	CLAIM(!strcmp(text, again));
	memset(again, '#', sizeof(again));
	CLAIM(svcenc_status_print(&status, again, room) == len);
	CLAIM(room >= sizeof(again) || again[room] == '#');
	return 0;
}
