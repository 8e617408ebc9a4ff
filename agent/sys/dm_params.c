// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts of mapped devices: names, uuids, parameters. Pure part of dm.h. */
#include "dm.h"

#include <inttypes.h>

void sys_dm_uuid(const struct svcenc_uuid *volume, const char *name,
		 char ret_uuid[static SYS_DM_UUID_SIZE])
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(volume, text);
	snprintf(ret_uuid, SYS_DM_UUID_SIZE, SYS_DM_UUID_PREFIX "%s-%.*s", text,
		 SVCENC_NAME_SIZE - 1, name);
}

void sys_dm_path(const char *name, char ret_path[static SYS_DM_PATH_SIZE])
{
	snprintf(ret_path, SYS_DM_PATH_SIZE, "/dev/mapper/%.*s",
		 SVCENC_NAME_SIZE - 1, name);
}

const char *sys_dm_step_text(enum sys_dm_step step)
{
	switch (step) {
	case SYS_DM_STEP_CREATE:
		return "create the mapped device";
	case SYS_DM_STEP_LOAD:
		return "load its table";
	case SYS_DM_STEP_RESUME:
		return "activate it";
	}
	return "change the mapped device";
}

int sys_dm_params(const struct svcenc_table *table, char *buf, size_t size)
{
	const unsigned int opts = table->allow_discards + table->initialize +
				  table->grow + (table->min_seq != 0);
	struct svcenc_table plain = *table;
	char min_seq[40] = "";
	size_t used;
	int len;

	if (!table->device || !*table->device ||
	    table->device[strcspn(table->device, " \t\n\\")])
		return -EINVAL;
	plain.allow_discards = false;
	plain.min_seq = 0;
	len = svcenc_table_print(&plain, buf, size);
	if (len < 0 || (size_t)len >= size)
		return -ENOSPC;
	if (!opts)
		return 0;
	used = (size_t)len;
	if (table->min_seq)
		snprintf(min_seq, sizeof(min_seq), " min_seq:%" PRIu64,
			 table->min_seq);
	len = snprintf(buf + used, size - used, " %u%s%s%s%s", opts,
		       table->allow_discards ? " allow_discards" : "",
		       table->initialize ? " initialize" : "",
		       table->grow ? " grow" : "", min_seq);
	return len < 0 || (size_t)len >= size - used ? -ENOSPC : 0;
}

bool sys_dm_info_is_svcenc(const struct sys_dm_info *info,
			   struct svcenc_uuid *ret_volume)
{
	const size_t prefix = sizeof(SYS_DM_UUID_PREFIX) - 1;
	const char *at = info->dm_uuid;

	if (!info->exists || strncmp(at, SYS_DM_UUID_PREFIX, prefix))
		return false;
	at += prefix;
	if (strlen(at) <= SVCENC_UUID_TEXT || at[SVCENC_UUID_TEXT] != '-' ||
	    strcmp(at + SVCENC_UUID_TEXT + 1, info->name))
		return false;
	return svcenc_uuid_parse(at, ret_volume) == 0;
}
