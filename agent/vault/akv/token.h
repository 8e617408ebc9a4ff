/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access tokens: from a client secret, a certificate, a federated token or the
 * host's managed identity, as the settings say. Kept until shortly before they
 * run out, credentials are read anew for each. A secret is sent to the
 * configured authority only, whatever a challenge says.
 */
#ifndef SVCENC_VAULT_AKV_TOKEN_H
#define SVCENC_VAULT_AKV_TOKEN_H

#include "challenge.h"
#include "http.h"
#include "identity.h"
#include "vault.h"

enum token_source {
	TOKEN_CLIENT_SECRET,
	TOKEN_CERTIFICATE,
	TOKEN_FEDERATED,
	TOKEN_MANAGED_IDENTITY,
};

struct token {
	enum token_source source;
	struct akv_url authority; /* without the tenant */
	struct identity identity; /* of managed identities */
	/* of the token that is held */
	struct svcenc_secret *bearer; /* a text; NULL = none */
	struct akv_url resource;
	/* http_now_ms(); renew_ms moves on when that fails */
	int64_t renew_ms, end_ms;
};

/* Checks the settings about it. */
enum vault_class token_init(const struct vault *vault, struct token *ret,
			    struct vault_answer *answer);

/*
 * *ret_bearer stays the token's. The challenge has been checked against the
 * vault by the caller; here it is checked against the settings.
 */
enum vault_class
token_get(const struct vault *vault, struct http *http, struct token *token,
	  const struct akv_challenge *challenge, int64_t deadline_ms,
	  const struct svcenc_secret **ret_bearer, struct vault_answer *answer);
/* It has not been accepted. */
void token_forget(struct token *token);

#endif
