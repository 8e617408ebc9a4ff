/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a vault answers to a request without a token: whom to ask for one, and
 * for what. It is a stranger's text until it has been checked: a token that
 * is asked for at its word could be used against another vault, and a secret
 * could be sent to an authority that it made up. Pure text.
 */
#ifndef SVCENC_VAULT_AKV_CHALLENGE_H
#define SVCENC_VAULT_AKV_CHALLENGE_H

#include <stdbool.h>

#include "kid.h"

enum akv_challenge_limits {
	AKV_CHALLENGE_MAX = 8192, /* characters of the header field */
	AKV_TENANT_SIZE = 128,
	AKV_CLAIMS_SIZE = 4096,
};

struct akv_challenge {
	struct akv_url authority; /* path = "/TENANT" */
	char tenant[AKV_TENANT_SIZE];
	struct akv_url resource;
	char claims[AKV_CLAIMS_SIZE]; /* base64, "" = none: a further token */
};

/*
 * Value of a WWW-Authenticate field. Bearer authorization="URL/TENANT" (or
 * authorization_uri), resource="URL" (or scope="URL/.default"), with or
 * without quotes and commas.
 */
bool akv_challenge_parse(const char *field, struct akv_challenge *ret);

/* True if @vault's host lies under the resource's host. */
bool akv_challenge_covers(const struct akv_challenge *challenge,
			  const struct akv_url *vault);

#endif
