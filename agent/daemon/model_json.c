// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "model_json.h"

bool model_read_uuid(const char *text, struct svcenc_uuid *ret)
{
	return strlen(text) == SVCENC_UUID_TEXT &&
	       !svcenc_uuid_parse(text, ret);
}

bool model_read_name(const char *text, char ret[SVCENC_NAME_SIZE])
{
	if (!svcenc_name_is_valid(text))
		return false;
	memset(ret, 0, SVCENC_NAME_SIZE);
	memcpy(ret, text, strlen(text));
	return true;
}

json_t *model_write_hex(const u8 *bytes, size_t len)
{
	char hex[2 * 64 + 1];

	svcenc_hex_print(bytes, len, hex);
	return json_string(hex);
}

json_t *model_write_root(const struct root_version *root)
{
	return json_pack("{s:s, s:s}", "vault", root->vault, "kid", root->kid);
}

bool model_read_root(const json_t *json, struct root_version *ret)
{
	const char *vault, *kid;

	if (json_unpack((json_t *)json, "{s:s, s:s !}", "vault", &vault, "kid",
			&kid) < 0 ||
	    !*kid || strlen(kid) >= sizeof(ret->kid))
		return false;
	memset(ret->kid, 0, sizeof(ret->kid));
	memcpy(ret->kid, kid, strlen(kid));
	return model_read_name(vault, ret->vault);
}

json_t *model_write_uuid(const struct svcenc_uuid *uuid)
{
	char text[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(uuid, text);
	return json_string(text);
}

json_t *model_write_keyid(const struct svcenc_keyid *key)
{
	char text[SVCENC_KEYID_TEXT + 1];

	svcenc_keyid_print(key, text);
	return json_string(text);
}

bool model_has_text(const json_t *json, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(json, member));

	return value && !strcmp(value, text);
}

int model_unreadable(struct svcenc_fault *fault, const char *kind)
{
	svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
			 "a %s in the store has a form that this svcencd does "
			 "not know",
			 kind);
	return svcenc_fault_hint(fault, "was the store written by a newer "
					"version? Run that version");
}
