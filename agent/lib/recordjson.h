/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A decoded policy record as JSON and back: what passes between the process
 * that parses hostile records and svcencd. The reader checks every length,
 * name and number again, as if the writer were hostile too.
 */
#ifndef SVCENC_LIB_RECORDJSON_H
#define SVCENC_LIB_RECORDJSON_H

#include <jansson.h>

#include "policyrec.h"

/* NULL if memory is short. The MAC is left out: it belongs to the image. */
json_t *svcenc_recordjson_write(const struct svcenc_record *record);

/* 0, or -EBADMSG: not what the writer writes. */
int svcenc_recordjson_read(const json_t *json, struct svcenc_record *ret);

/* The wraps alone, [{role, alg, vault, kid, blob}]; the store has them too. */
json_t *svcenc_recordjson_write_wraps(const struct svcenc_record_wrap *wraps,
				      u32 count);
int svcenc_recordjson_read_wraps(const json_t *json,
				 struct svcenc_record_wrap *ret, u32 max,
				 u32 *ret_count);

/* "A256KW"; NULL outside the list; 0 for an unknown text. */
const char *svcenc_recordjson_alg_text(u32 alg);
u32 svcenc_recordjson_alg_parse(const char *text);
/* "a", "b", "availability" */
const char *svcenc_recordjson_role_text(u32 role);
u32 svcenc_recordjson_role_parse(const char *text);

#endif
