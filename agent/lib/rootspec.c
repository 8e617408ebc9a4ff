// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "rootspec.h"

static bool is_key(const char *text)
{
	const char *c;

	for (c = text; *c; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return c > text && c - text <= SVCENC_ROOT_KEY_MAX;
}

/* The vault that @text begins with, up to a colon; *@ret_rest is behind it. */
static const struct svcenc_vault_config *
take_vault(const struct svcenc_config *config, const char *text,
	   const char **ret_rest)
{
	const char *colon = strchr(text, ':');
	char name[SVCENC_NAME_SIZE];
	size_t len;

	if (!colon || colon == text || colon - text >= SVCENC_NAME_SIZE)
		return NULL;
	len = (size_t)(colon - text);
	memcpy(name, text, len);
	name[len] = '\0';
	*ret_rest = colon + 1;
	return svcenc_config_vault(config, name);
}

/* True if @text is "<type>:...". */
static bool begins_with_type(const char *text, const char *type)
{
	const size_t len = strlen(type);

	return !strncmp(text, type, len) && text[len] == ':';
}

/*
 * A vault may be called like a type. "akv:akv:key" is then the key of vault
 * "akv" all the same, and "akv:key" too, as there is no vault "key".
 */
static const struct svcenc_vault_config *
find_vault(const struct svcenc_config *config, const char *text,
	   const char **ret_key)
{
	const struct svcenc_vault_config *vault = NULL;
	const char *colon = strchr(text, ':');

	if (colon)
		vault = take_vault(config, colon + 1, ret_key);
	if (vault && begins_with_type(text, vault->type))
		return vault;
	return take_vault(config, text, ret_key);
}

static int refuse_vault(const struct svcenc_config *config, const char *text,
			struct svcenc_fault *fault)
{
	const char *colon = strchr(text, ':'), *rest;
	const struct svcenc_vault_config *vault =
		colon ? take_vault(config, colon + 1, &rest) : NULL;

	if (!colon) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.100s' is not a root key", text);
		return svcenc_fault_hint(fault, "wanted is VAULT:KEY, as in "
						"customer-a:payroll; 'svcenc "
						"vault list' shows vaults");
	}
	if (vault) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.100s': vault '%s' is of type %s", text,
				 vault->name, vault->type);
		return svcenc_fault_hint(fault, "leave the type out: "
						"VAULT:KEY");
	}
	svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
			 "there is no vault '%.*s'",
			 (int)(colon - text > 64 ? 64 : colon - text), text);
	return svcenc_fault_hint(fault, "'svcenc vault list' shows all; a file "
					"NAME.conf in vaults.d makes one");
}

int svcenc_rootspec_parse(const struct svcenc_config *config, const char *text,
			  struct svcenc_rootspec *ret,
			  struct svcenc_fault *fault)
{
	const struct svcenc_vault_config *vault;
	const char *key = "";

	vault = find_vault(config, text, &key);
	if (!vault)
		return refuse_vault(config, text, fault);
	if (!is_key(key)) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "'%.100s' names no key of vault '%s'", text,
				 vault->name);
		return svcenc_fault_hint(fault,
					 "the key's name behind the colon, 1 "
					 "to %d printable characters without "
					 "blanks",
					 SVCENC_ROOT_KEY_MAX);
	}
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->vault, vault->name, strlen(vault->name));
	memcpy(ret->key, key, strlen(key));
	return 0;
}

/*
 * "file:VAULT/NAME/VERSION", "https://HOST/keys/NAME/VERSION"; "kmip:VAULT/ID",
 * which has no versions.
 */
void svcenc_rootspec_from_kid(const char *kid,
			      char ret[SVCENC_ROOT_KEY_MAX + 1])
{
	const char *version = strrchr(kid, '/'), *name = version;

	if (version && !strncmp(kid, "kmip:", 5)) {
		snprintf(ret, SVCENC_ROOT_KEY_MAX + 1, "%s", version + 1);
		return;
	}
	while (name && name > kid && name[-1] != '/')
		name--;
	if (!name || name == kid || version == name ||
	    (strncmp(kid, "file:", 5) && strncmp(kid, "https://", 8))) {
		snprintf(ret, SVCENC_ROOT_KEY_MAX + 1, "%s", kid);
		return;
	}
	snprintf(ret, SVCENC_ROOT_KEY_MAX + 1, "%.*s", (int)(version - name),
		 name);
}
