// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "vaulttypes.h"

const char *const svcenc_vault_common_options[] = { "type", "user", "start",
						    "test_key", NULL };

static const char *const file_options[] = { "directory", NULL };
static const char *const kmip_options[] = { "server",	     "ca_file",
					    "certificate",   "key_file",
					    "calls_at_once", NULL };
static const char *const pkcs11_options[] = { "directory",   "module",
					      "token",	     "pin_file",
					      "environment", "key_type",
					      "oaep_hash",   NULL };

static const char *const akv_options[] = {
	"url",
	"tenant",
	"client_id",
	"client_secret_file",
	"certificate_file",
	"federated_token_file",
	"managed_identity",
	"authority",
	"identity_endpoint",
	"resource",
	"ca_file",
	"proxy",
	"wrap",
	"create_keys",
	"calls_at_once",
	NULL,
};

static const struct svcenc_vault_type types[] = {
	{ "file", false, file_options },
	{ "akv", true, akv_options },
	{ "kmip", true, kmip_options },
	{ "pkcs11", true, pkcs11_options },
};

static bool is_word(const char *text, const char *more, size_t size)
{
	const size_t len = strlen(text);
	size_t i;

	for (i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789", text[i]) &&
		    (!i || !strchr(more, text[i])))
			return false;
	return len && len < size;
}

bool svcenc_vault_type_is_valid(const char *name)
{
	return is_word(name, "-", SVCENC_VAULT_TYPE_MAX);
}

bool svcenc_vault_option_is_valid(const char *name)
{
	return is_word(name, "_", SVCENC_VAULT_OPTION_NAME);
}

const struct svcenc_vault_type *svcenc_vault_type_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}

bool svcenc_vault_type_takes(const struct svcenc_vault_type *type,
			     const char *option)
{
	const char *const *name;

	for (name = type->options; *name; name++)
		if (!strcmp(*name, option))
			return true;
	return false;
}
