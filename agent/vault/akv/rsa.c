// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "rsa.h"

enum {
	KNOWN_MAX = 64,
	OAEP_OVERHEAD = 2 * 32 + 2, /* SHA-256 */
	BLOB_MAX = 512,
	N_MIN = 256,
};

static struct {
	struct akv_kid kid;
	EVP_PKEY *key; /* NULL = free */
} known[KNOWN_MAX];
static unsigned int next_place;

static EVP_PKEY *find(const struct akv_kid *kid)
{
	size_t i;

	for (i = 0; i < KNOWN_MAX; i++)
		if (known[i].key && akv_kid_same(&known[i].kid, kid))
			return known[i].key;
	return NULL;
}

bool rsa_knows(const struct akv_kid *kid)
{
	return find(kid) != NULL;
}

static EVP_PKEY *from_parameters(OSSL_PARAM *parameters)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, parameters) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *make_key(const struct akv_public *public)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(public->n, (int)public->n_len, NULL);
	BIGNUM *e = BN_bin2bn(public->e, (int)public->e_len, NULL);
	OSSL_PARAM *parameters = NULL;
	EVP_PKEY *key = NULL;

	if (build && n && e &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e))
		parameters = OSSL_PARAM_BLD_to_param(build);
	if (parameters)
		key = from_parameters(parameters);
	OSSL_PARAM_free(parameters);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	return key;
}

/* Odd numbers, and an exponent that does something. */
static bool is_rsa(const struct akv_public *public)
{
	return public->n_len >= N_MIN && public->e_len &&
	       public->n[public->n_len - 1] & 1 &&
	       public->e[public->e_len - 1] & 1 &&
	       (public->e_len > 1 || public->e[0] > 1);
}

int rsa_learn(const struct akv_kid *kid, const struct akv_public *public)
{
	EVP_PKEY *key = is_rsa(public) ? make_key(public) : NULL;
	unsigned int place;

	if (!key)
		return -EINVAL;
	place = next_place++ % KNOWN_MAX;
	EVP_PKEY_free(known[place].key);
	known[place].kid = *kid;
	known[place].key = key;
	return 0;
}

static bool encrypt(EVP_PKEY *key, const struct svcenc_secret *plain,
		    uint8_t *blob, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool ok;

	ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 &&
	     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
	     EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) > 0 &&
	     EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) > 0 &&
	     EVP_PKEY_encrypt(ctx, blob, len, svcenc_secret_peek(plain),
			      svcenc_secret_len(plain)) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

int rsa_wrap(const struct akv_kid *kid, const struct svcenc_secret *plain,
	     struct svcenc_secret **ret)
{
	EVP_PKEY *key = find(kid);
	uint8_t blob[BLOB_MAX];
	size_t len = sizeof(blob);

	if (!key)
		return -ENOENT;
	if (svcenc_secret_len(plain) + OAEP_OVERHEAD >
	    (size_t)EVP_PKEY_get_size(key))
		return -EINVAL;
	if (!encrypt(key, plain, blob, &len))
		return -EIO;
	return svcenc_secret_move_bytes(blob, len, ret);
}
