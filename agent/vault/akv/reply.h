/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What answers of a key vault mean: HTTP status and error document to one
 * class, key documents to what io.svcenc.Vault tells of a key. Pure; every
 * field is a stranger's until it has been looked at here.
 */
#ifndef SVCENC_VAULT_AKV_REPLY_H
#define SVCENC_VAULT_AKV_REPLY_H

#include <jansson.h>

#include "kid.h"
#include "vault.h"

/* Words of an error document, printable, cut to size; "" where it has none. */
struct akv_error {
	char code[48];
	char inner[64];
	char message[192];
};

/* {"error": {"code", "message", "innererror": {"code"}}}; @json may be NULL. */
void akv_error_read(const json_t *json, struct akv_error *ret);

struct akv_meaning {
	enum vault_class class;
	const char *reason; /* of DENIED */
	const char *cure;   /* "" = the words of the vault say it all */
};

/* By status *and* inner code. 401 is BADAUTH: the caller has tried again. */
void akv_meaning_of(long status, const struct akv_error *error,
		    struct akv_meaning *ret);

struct akv_public {
	uint8_t n[512], e[8]; /* big-endian */
	size_t n_len, e_len;  /* 0 = no RSA key */
};

/*
 * A key document. False: it is malformed, or of another key than @vault's. A
 * key that cannot wrap (EC, odd sizes) gives alg NULL.
 */
bool akv_key_read(const json_t *json, const struct akv_url *vault,
		  struct vault_key *ret, struct akv_public *ret_public);

/* {"kid", "value"}: the value's bytes, if kid is @wanted. */
int akv_value_read(const json_t *json, const struct akv_url *vault,
		   const struct akv_kid *wanted, struct akv_kid *ret_kid,
		   struct svcenc_secret **ret);

/* Base64url without padding (RFC 4648 section 5), as a secret. */
int akv_base64url(const struct svcenc_secret *bytes,
		  struct svcenc_secret **ret_text);
int akv_base64url_decode(const char *text, struct svcenc_secret **ret);

#endif
