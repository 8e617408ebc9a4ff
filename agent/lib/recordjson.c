// SPDX-License-Identifier: GPL-2.0-or-later
#include <openssl/evp.h>

#include "recordjson.h"
#include "secret.h"

static const char *const alg_texts[] = {
	[SVCENC_ALG_A256KW] = "A256KW",
	[SVCENC_ALG_A256KWP] = "A256KWP",
	[SVCENC_ALG_RSA_OAEP_256] = "RSA-OAEP-256",
	[SVCENC_ALG_RSA_OAEP_SHA1] = "RSA-OAEP",
	[SVCENC_ALG_OPAQUE] = "opaque",
};

static const char *const role_texts[] = {
	[SVCENC_ROLE_A] = "a",
	[SVCENC_ROLE_B] = "b",
	[SVCENC_ROLE_AVAILABILITY] = "availability",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static u32 number_of(const char *const *texts, size_t count, const char *text)
{
	size_t i;

	for (i = 1; i < count; i++)
		if (!strcmp(texts[i], text))
			return (u32)i;
	return 0;
}

const char *svcenc_recordjson_alg_text(u32 alg)
{
	return alg < COUNT(alg_texts) ? alg_texts[alg] : NULL;
}

u32 svcenc_recordjson_alg_parse(const char *text)
{
	return number_of(alg_texts, COUNT(alg_texts), text);
}

const char *svcenc_recordjson_role_text(u32 role)
{
	return role < COUNT(role_texts) ? role_texts[role] : NULL;
}

u32 svcenc_recordjson_role_parse(const char *text)
{
	return number_of(role_texts, COUNT(role_texts), text);
}

static json_t *write_wrap(const struct svcenc_record_wrap *wrap)
{
	char blob[4 * ((SVCENC_BLOB_MAX + 2) / 3) + 1];

	EVP_EncodeBlock((u8 *)blob, wrap->blob, (int)wrap->blob_len);
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "role",
			 svcenc_recordjson_role_text(wrap->role), "alg",
			 svcenc_recordjson_alg_text(wrap->alg), "vault",
			 wrap->vault, "kid", wrap->kid, "blob", blob);
}

json_t *svcenc_recordjson_write_wraps(const struct svcenc_record_wrap *wraps,
				      u32 count)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < count; i++) {
		if (json_array_append_new(list, write_wrap(&wraps[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static bool copy_name(const char *name, char ret[SVCENC_NAME_SIZE])
{
	if (!svcenc_name_is_valid(name))
		return false;
	memset(ret, 0, SVCENC_NAME_SIZE);
	memcpy(ret, name, strlen(name));
	return true;
}

static bool copy_kid(const char *kid, char ret[SVCENC_KID_MAX + 1])
{
	const size_t len = strlen(kid);
	size_t i;

	if (!len || len > SVCENC_KID_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (kid[i] <= ' ' || kid[i] > '~')
			return false;
	memset(ret, 0, SVCENC_KID_MAX + 1);
	memcpy(ret, kid, len);
	return true;
}

static bool copy_blob(const char *text, struct svcenc_record_wrap *ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *blob = NULL;

	if (svcenc_secret_from_base64(text, &blob) < 0 ||
	    svcenc_secret_len(blob) > SVCENC_BLOB_MAX)
		return false;
	memset(ret->blob, 0, sizeof(ret->blob));
	ret->blob_len = (u32)svcenc_secret_len(blob);
	memcpy(ret->blob, svcenc_secret_peek(blob), ret->blob_len);
	return true;
}

static bool read_wrap(json_t *json, struct svcenc_record_wrap *ret)
{
	const char *role, *alg, *vault, *kid, *blob;

	if (json_unpack(json, "{s:s, s:s, s:s, s:s, s:s !}", "role", &role,
			"alg", &alg, "vault", &vault, "kid", &kid, "blob",
			&blob) < 0)
		return false;
	ret->role = svcenc_recordjson_role_parse(role);
	ret->alg = svcenc_recordjson_alg_parse(alg);
	return ret->role && ret->alg && copy_name(vault, ret->vault) &&
	       copy_kid(kid, ret->kid) && copy_blob(blob, ret);
}

int svcenc_recordjson_read_wraps(const json_t *json,
				 struct svcenc_record_wrap *ret, u32 max,
				 u32 *ret_count)
{
	const size_t count = json_array_size(json);
	u32 roles = 0;
	size_t i;

	if (!count || count > max)
		return -EBADMSG;
	for (i = 0; i < count; i++) {
		if (!read_wrap(json_array_get(json, i), &ret[i]) ||
		    roles & (1U << ret[i].role))
			return -EBADMSG;
		roles |= 1U << ret[i].role;
	}
	*ret_count = (u32)count;
	return 0;
}

/* The whole text, where svcenc_uuid_parse() looks at 36 characters. */
static bool copy_uuid(const char *text, struct svcenc_uuid *ret)
{
	return strlen(text) == SVCENC_UUID_TEXT &&
	       !svcenc_uuid_parse(text, ret);
}

json_t *svcenc_recordjson_write(const struct svcenc_record *record)
{
	char volume[SVCENC_UUID_TEXT + 1], tenant[SVCENC_UUID_TEXT + 1];
	char key[SVCENC_KEYID_TEXT + 1];

	svcenc_uuid_print(&record->volume, volume);
	svcenc_uuid_print(&record->tenant, tenant);
	svcenc_keyid_print(&record->key, key);
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:o}", "volume",
			 volume, "key", key, "tenant", tenant, "generation",
			 (json_int_t)(record->generation & INT64_MAX),
			 "tenant_name", record->tenant_name, "policy_name",
			 record->policy_name, "volume_name",
			 record->volume_name, "wraps",
			 svcenc_recordjson_write_wraps(record->wraps,
						       record->wrap_count));
}

int svcenc_recordjson_read(const json_t *json, struct svcenc_record *ret)
{
	const char *volume, *key, *tenant, *tenant_name, *policy_name,
		*volume_name;
	json_int_t generation;
	json_t *wraps;

	memset(ret, 0, sizeof(*ret));
	if (json_unpack((json_t *)json,
			"{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:o !}", "volume",
			&volume, "key", &key, "tenant", &tenant, "generation",
			&generation, "tenant_name", &tenant_name, "policy_name",
			&policy_name, "volume_name", &volume_name, "wraps",
			&wraps) < 0)
		return -EBADMSG;
	if (!copy_uuid(volume, &ret->volume) ||
	    !copy_uuid(tenant, &ret->tenant) ||
	    svcenc_keyid_parse(key, &ret->key) < 0 || generation < 1 ||
	    !copy_name(tenant_name, ret->tenant_name) ||
	    !copy_name(policy_name, ret->policy_name) ||
	    !copy_name(volume_name, ret->volume_name))
		return -EBADMSG;
	ret->generation = (u64)generation;
	return svcenc_recordjson_read_wraps(
		wraps, ret->wraps, SVCENC_RECORD_WRAPS, &ret->wrap_count);
}
