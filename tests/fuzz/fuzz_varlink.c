// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Varlink decoder: any stream of bytes, cut into reads of any size, gives
 * messages, refusals, or a wish for more; a message that parses as a call
 * encodes to a call again that parses the same; and the reader of records,
 * which takes its JSON from a process that parses hostile input, holds.
 * The first byte is the size of a read.
 */
#include <errno.h>

#include "fuzz.h"
#include "proto.h"
#include "recordjson.h"
#include "secret.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CLAIM(svcenc_secret_init() == 0);
	svcenc_proto_init();
	return 0;
}

static void check_call(json_t *message)
{
	struct svcenc_call call, again;
	json_t *copy = NULL;
	char *text = NULL;
	size_t len;
	struct svcenc_frame frame = { .bytes = NULL };

	if (svcenc_proto_parse_call(message, &call) < 0)
		return;
	CLAIM(json_is_object(call.parameters));
	CLAIM(strlen(call.method) <= SVCENC_PROTO_NAME_MAX);
	if (svcenc_proto_encode(message, &text, &len) < 0)
		return;
	CLAIM(text[len - 1] == '\0' && strlen(text) == len - 1);
	CLAIM(svcenc_frame_feed(&frame, text, len) == 0);
	CLAIM(svcenc_frame_next(&frame, &copy) == 0);
	CLAIM(!svcenc_frame_pending(&frame));
	CLAIM(svcenc_proto_parse_call(copy, &again) == 0);
	CLAIM(!strcmp(call.method, again.method));
	CLAIM(json_equal(call.parameters, again.parameters));
	json_decref(copy);
	svcenc_frame_clear(&frame);
	svcenc_secret_release(text);
}

static void check_record(json_t *message)
{
	static struct svcenc_record record;
	json_t *again;

	if (svcenc_recordjson_read(message, &record) < 0)
		return;
	CLAIM(record.wrap_count >= 1 &&
	      record.wrap_count <= SVCENC_RECORD_WRAPS);
	again = svcenc_recordjson_write(&record);
	CLAIM(json_equal(message, again));
	json_decref(again);
}

/* Takes out all whole messages. */
static void drain(struct svcenc_frame *frame)
{
	json_t *message;
	int r;

	do {
		message = NULL;
		r = svcenc_frame_next(frame, &message);
		CLAIM(r == 0 || r == -EAGAIN || r == -EBADMSG);
		CLAIM((r == 0) == (message != NULL));
		if (!r) {
			CLAIM(json_is_object(message));
			check_record(message);
			check_call(message);
			json_decref(message);
		}
	} while (r != -EAGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct svcenc_frame frame = { .bytes = NULL };
	size_t chunk;

	if (size < 2)
		return 0;
	chunk = 1 + *input++;
	size--;
	while (size) {
		const size_t now = size < chunk ? size : chunk;

		if (svcenc_frame_feed(&frame, input, now) < 0)
			break;
		input += now;
		size -= now;
		drain(&frame);
	}
	svcenc_frame_clear(&frame);
	return 0;
}
