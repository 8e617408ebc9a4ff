/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The types of vault that are known here, and the names of the keys that
 * vaults.d/NAME.conf may have for each: one list for svcencd, which refuses
 * other names, and for the workers, which look their values up. What a value
 * means is the worker's business. A type that is not listed is a back end of
 * the site's own; its worker must refuse unknown keys itself.
 */
#ifndef SVCENC_LIB_VAULTTYPES_H
#define SVCENC_LIB_VAULTTYPES_H

#include <stdbool.h>
#include <stddef.h>

enum svcenc_vaulttypes_limits {
	SVCENC_VAULT_TYPE_MAX = 16,	 /* with the NUL */
	SVCENC_VAULT_OPTION_NAME = 32,	 /* with the NUL */
	SVCENC_VAULT_OPTION_VALUE = 256, /* with the NUL */
	SVCENC_VAULT_OPTIONS = 16,	 /* of one vault */
};

struct svcenc_vault_type {
	const char *name;
	/* Needs the network, which svcencd's unit does not have: its worker is
	 * a unit of its own unless told otherwise ("start = external").
	 */
	bool network;
	const char *const *options; /* NULL-terminated */
};

/* One key of vaults.d/NAME.conf; never a secret (those are in files). */
struct svcenc_vault_option {
	char name[SVCENC_VAULT_OPTION_NAME];
	char value[SVCENC_VAULT_OPTION_VALUE];
};

/* Lower-case letters, digits and '-', at most 15: part of a program's name. */
bool svcenc_vault_type_is_valid(const char *name);
/* Lower-case letters, digits and '_', at most 31. */
bool svcenc_vault_option_is_valid(const char *name);

/* Keys of every vault, which svcencd keeps to itself; NULL-terminated. */
extern const char *const svcenc_vault_common_options[];

/* NULL: a type of the site's own. */
const struct svcenc_vault_type *svcenc_vault_type_find(const char *name);
bool svcenc_vault_type_takes(const struct svcenc_vault_type *type,
			     const char *option);

#endif
