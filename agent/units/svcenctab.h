/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/svcenctab: its grammar, and names of systemd units made from it.
 * Pure: reads no file, writes none.
 *
 *   NAME  DEVICE  [POLICY  [OPTION,OPTION...]]      '#' begins a comment line
 *
 * Strict: a line that is not understood is an error, never half a volume.
 */
#ifndef SVCENC_UNITS_SVCENCTAB_H
#define SVCENC_UNITS_SVCENCTAB_H

#include <stdbool.h>
#include <stddef.h>

#include "policyrec.h"

enum svcenctab_limits {
	SVCENCTAB_DEVICE_MAX = 1024,
	SVCENCTAB_TIMEOUT_MAX = 32,
	SVCENCTAB_LINE_MAX = 4096,
	/* every byte may become \xNN */
	SVCENCTAB_UNIT_MAX = 4 * SVCENCTAB_DEVICE_MAX + 16,
};

struct svcenctab_entry {
	char name[SVCENC_NAME_SIZE];
	char device[SVCENCTAB_DEVICE_MAX];   /* a path below /dev */
	char policy[2 * SVCENC_NAME_SIZE];   /* "tenant/policy"; "" = any */
	char timeout[SVCENCTAB_TIMEOUT_MAX]; /* for the device; "" = default */
	bool nofail;
	bool noauto;
	bool discard;
	bool readonly;
	bool netdev;
};

/*
 * Parses @line, which it takes apart. 1: *@ret is set; 0: a comment or an
 * empty line; -EINVAL: *@ret_error says what is wrong (a static text).
 */
int svcenctab_parse(char *line, struct svcenctab_entry *ret,
		    const char **ret_error);

/* As systemd-escape(1): of a name, and of a path (--path). */
void svcenctab_escape(const char *name,
		      char ret_unit[static SVCENCTAB_UNIT_MAX]);
void svcenctab_escape_path(const char *path,
			   char ret_unit[static SVCENCTAB_UNIT_MAX]);

/* @text for a quoted word of ExecStart=; @size as above. */
void svcenctab_quote(const char *text,
		     char ret_word[static SVCENCTAB_UNIT_MAX]);

#endif
