/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A signed statement of who we are (RFC 7523), made from a certificate and its
 * private key: what Entra ID takes instead of a client secret. Knows no
 * network.
 */
#ifndef SVCENC_VAULT_AKV_ASSERTION_H
#define SVCENC_VAULT_AKV_ASSERTION_H

#include <stdint.h>

#include "secret.h"

struct assertion {
	const char *audience; /* URL of the token endpoint */
	const char *client_id;
	int64_t now_s; /* seconds since 1970 */
};

/*
 * @pem: an RSA key without a passphrase, and its certificate. *ret: the JWT
 * (PS256, certificate named by its SHA-256), a text. -EINVAL: @pem has not
 * both, or they do not belong together; -ENOMEM; -EIO.
 */
int assertion_make(const struct assertion *assertion,
		   const struct svcenc_secret *pem, struct svcenc_secret **ret);

#endif
