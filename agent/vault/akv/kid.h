/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names: URLs of vaults and their like, and identifiers of keys in a vault.
 * Pure text; decides what belongs to a vault and what is refused before
 * anything is sent anywhere.
 */
#ifndef SVCENC_VAULT_AKV_KID_H
#define SVCENC_VAULT_AKV_KID_H

#include <stdbool.h>

#include "policyrec.h"

enum akv_kid_limits {
	AKV_HOST_SIZE = 254,   /* with the NUL */
	AKV_NAME_SIZE = 128,   /* with the NUL */
	AKV_VERSION_SIZE = 64, /* with the NUL */
	AKV_PATH_SIZE = 256,   /* with the NUL; the longest key has room */
};

struct akv_url {
	bool https;
	char host[AKV_HOST_SIZE]; /* lower case; no brackets */
	char port[6];
	char path[AKV_PATH_SIZE]; /* "" or "/...", without a slash at the end */
};

struct akv_kid {
	char name[AKV_NAME_SIZE];
	char version[AKV_VERSION_SIZE]; /* "" = the newest */
};

/* "https://HOST[:PORT][/PATH]"; no user, query or fragment. http, too: the
 * caller looks at ret->https.
 */
bool akv_url_parse(const char *text, struct akv_url *ret);
bool akv_url_same_host(const struct akv_url *a, const struct akv_url *b);

/*
 * "NAME", "NAME/VERSION", or the URL of one of those in @vault; anything else,
 * another vault's URL above all, is false.
 */
bool akv_kid_parse(const struct akv_url *vault, const char *text,
		   struct akv_kid *ret);
/* "https://HOST[:PORT]/keys/NAME[/VERSION]" */
void akv_kid_print(const struct akv_url *vault, const struct akv_kid *kid,
		   char ret[SVCENC_KID_MAX + 1]);
/* True if they name the same version of the same key. */
bool akv_kid_same(const struct akv_kid *a, const struct akv_kid *b);

#endif
