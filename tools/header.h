/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a volume as the offline tools see it: both superblock copies
 * and both policy records, read once, decoded by core/, and judged as far as
 * that can be done without a key (an HMAC cannot be checked here). Reads
 * only; knows no vault and no output format.
 */
#ifndef SVCENC_TOOLS_HEADER_H
#define SVCENC_TOOLS_HEADER_H

#include "policyrec.h"

enum svcenc_exit {
	SVCENC_EXIT_OK = 0,
	SVCENC_EXIT_USAGE = 1,
	SVCENC_EXIT_PERMISSION = 2,
	SVCENC_EXIT_MEMORY = 3,
	SVCENC_EXIT_DEVICE = 4,
	SVCENC_EXIT_BUSY = 5,
	SVCENC_EXIT_UNREACHABLE = 6,
	SVCENC_EXIT_DENIED = 7,
	SVCENC_EXIT_INTEGRITY = 9,
};

struct svcenc_header_sb {
	bool present; /* lies within the device */
	bool decoded; /* sb is set; the defect is NONE or UNSUPPORTED */
	enum svcenc_sb_defect defect; /* as the kernel target sees it */
	/* What else is wrong if all defined features were supported. */
	enum svcenc_sb_defect also;
	struct svcenc_sb sb;
	u8 raw[SVCENC_SB_SIZE];
};

struct svcenc_header_record {
	bool present;
	enum svcenc_record_defect defect;
	struct svcenc_record record; /* if the defect is NONE */
	u8 raw[SVCENC_RECORD_SIZE];
};

struct svcenc_header {
	u64 device_bytes;
	struct svcenc_header_sb copy[SVCENC_SB_COPIES];
	struct svcenc_header_record record[2];
};

/*
 * Reads device or image file @path, past the page cache where that is
 * possible, so that the header of an open volume is the true one. 0 or
 * -errno; -ENOTBLK: neither block device nor regular file. Free with free().
 */
int svcenc_header_read(const char *path, struct svcenc_header **ret);

/* State of a copy in words, "valid" included; a static string. */
const char *svcenc_header_sb_text(const struct svcenc_header_sb *copy);
const char *
svcenc_header_record_text(const struct svcenc_header_record *record);

struct svcenc_verdict {
	enum svcenc_pick pick;
	int winner;  /* copy that an opener takes, 0 or 1; -1: none */
	int shown;   /* copy worth describing: the winner, else any; -1 */
	bool repair; /* the other copy is stale or rotten */
	enum svcenc_exit exit;
	char text[256];
};

/*
 * Decides like the kernel target, taking for granted that the newest keyed
 * copy's HMAC is right under the key it names.
 */
void svcenc_header_judge(const struct svcenc_header *header,
			 struct svcenc_verdict *ret);

/* Opens @path for reading: O_DIRECT if @direct and possible; its size. */
int svcenc_header_open(const char *path, int flags, u64 *ret_bytes);

#endif
