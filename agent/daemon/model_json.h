/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What records of the store have in common, from and to JSON. Knows neither a
 * whole record nor the store. For model*.c only.
 *
 * model_read_*: false if the text is not one, *ret is undefined then.
 * model_write_*: a reference that the caller owns, NULL without memory.
 */
#ifndef SVCENC_DAEMON_MODEL_JSON_H
#define SVCENC_DAEMON_MODEL_JSON_H

#include "model.h"

bool model_read_uuid(const char *text, struct svcenc_uuid *ret);
bool model_read_name(const char *text, char ret[SVCENC_NAME_SIZE]);
bool model_read_root(const json_t *json, struct root_version *ret);

json_t *model_write_uuid(const struct svcenc_uuid *uuid);
json_t *model_write_keyid(const struct svcenc_keyid *key);
/* @len: at most 64. */
json_t *model_write_hex(const u8 *bytes, size_t len);
json_t *model_write_root(const struct root_version *root);

/* Does @member hold just this text? */
bool model_has_text(const json_t *json, const char *member, const char *text);

/* A record of @kind that this svcencd does not know the form of; -EBADMSG. */
int model_unreadable(struct svcenc_fault *fault, const char *kind);

#endif
