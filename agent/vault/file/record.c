// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "files.h"
#include "policyrec.h"
#include "record.h"
#include "recordjson.h"
#include "sandbox.h"
#include "secret.h"

static int write_all(const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int record_job(void)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record record;
	enum svcenc_record_defect defect;
	json_t *json;
	char *text;

	if (sandbox_parser() < 0)
		return EXIT_FAILURE;
	if (svcenc_files_read_all(STDIN_FILENO, image, sizeof(image)) !=
	    SVCENC_RECORD_SIZE)
		return EXIT_FAILURE;
	defect = svcenc_record_decode(image, &record);
	json = defect == SVCENC_RECORD_DEFECT_NONE ?
		       svcenc_recordjson_write(&record) :
		       json_pack("{s:s}", "defect",
				 svcenc_record_defect_text(defect));
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (!text || write_all(text, strlen(text)) < 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
