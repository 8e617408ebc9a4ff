// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "assertion.h"
#include "proto.h"
#include "reply.h"

enum {
	VALID_S = 600,
	EARLIER_S = 60, /* for clocks that are a little apart */
	SIGNATURE_MAX = 1024,
	JTI_BYTES = 16,
};

/* No passphrase can be asked for: an encrypted key is not usable here. */
static int no_passphrase(char *buffer, int size, int writing, void *userdata)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)userdata;
	return -1;
}

static int read_pem(const struct svcenc_secret *pem, X509 **ret_certificate,
		    EVP_PKEY **ret_key)
{
	const int len = (int)svcenc_secret_len(pem);
	BIO *bio = BIO_new_mem_buf(svcenc_secret_peek(pem), len);

	if (bio)
		*ret_certificate =
			PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(svcenc_secret_peek(pem), len);
	if (bio)
		*ret_key =
			PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return *ret_certificate && *ret_key && EVP_PKEY_is_a(*ret_key, "RSA") &&
			       X509_check_private_key(*ret_certificate,
						      *ret_key) == 1 ?
		       0 :
		       -EINVAL;
}

static int base64url_of(const void *bytes, size_t len,
			struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *copy = svcenc_secret_new(len);

	if (!copy)
		return -ENOMEM;
	memcpy(svcenc_secret_bytes(copy), bytes, len);
	return akv_base64url(copy, ret);
}

/* Base64url of a JSON object, which is freed; NULL = memory was short. */
static int encode(json_t *json, struct svcenc_secret **ret)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r = -ENOMEM;

	json_decref(json);
	if (text)
		r = base64url_of(text, strlen(text), ret);
	svcenc_secret_release(text);
	return r;
}

static int make_header(X509 *certificate, struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *print = NULL;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	int r;

	if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
		return -EIO;
	r = base64url_of(digest, len, &print);
	if (r < 0)
		return r;
	return encode(json_pack("{s:s, s:s, s:s}", "alg", "PS256", "typ", "JWT",
				"x5t#S256",
				(const char *)svcenc_secret_peek(print)),
		      ret);
}

static int make_claims(const struct assertion *assertion,
		       struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL, *jti = NULL;
	const json_int_t now = assertion->now_s;
	int r;

	r = svcenc_secret_random(JTI_BYTES, &number);
	if (!r)
		r = akv_base64url(number, &jti);
	if (r < 0)
		return r;
	return encode(
		json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud",
			  assertion->audience, "iss", assertion->client_id,
			  "sub", assertion->client_id, "jti",
			  (const char *)svcenc_secret_peek(jti), "nbf",
			  now - EARLIER_S, "iat", now, "exp", now + VALID_S),
		ret);
}

static int sign(EVP_PKEY *key, const struct svcenc_secret *text,
		struct svcenc_secret **ret)
{
	uint8_t signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx = NULL;
	bool ok;

	ok = ctx &&
	     EVP_DigestSignInit(ctx, &key_ctx, EVP_sha256(), NULL, key) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, RSA_PSS_SALTLEN_DIGEST) >
		     0 &&
	     EVP_DigestSign(ctx, signature, &len, svcenc_secret_peek(text),
			    strlen((const char *)svcenc_secret_peek(text))) ==
		     1;
	EVP_MD_CTX_free(ctx);
	return ok ? base64url_of(signature, len, ret) : -EIO;
}

static int join(const struct svcenc_secret *a, const struct svcenc_secret *b,
		struct svcenc_secret **ret)
{
	const size_t size = svcenc_secret_len(a) + svcenc_secret_len(b) + 1;

	*ret = svcenc_secret_new(size);
	if (!*ret)
		return -ENOMEM;
	snprintf((char *)svcenc_secret_bytes(*ret), size, "%s.%s",
		 (const char *)svcenc_secret_peek(a),
		 (const char *)svcenc_secret_peek(b));
	return 0;
}

static int make_jwt(const struct assertion *assertion, X509 *certificate,
		    EVP_PKEY *key, struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *header = NULL, *claims = NULL,
						*text = NULL, *signature = NULL;
	int r;

	r = make_header(certificate, &header);
	if (!r)
		r = make_claims(assertion, &claims);
	if (!r)
		r = join(header, claims, &text);
	if (!r)
		r = sign(key, text, &signature);
	return r ? r : join(text, signature, ret);
}

int assertion_make(const struct assertion *assertion,
		   const struct svcenc_secret *pem, struct svcenc_secret **ret)
{
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;
	int r;

	r = read_pem(pem, &certificate, &key);
	if (!r)
		r = make_jwt(assertion, certificate, key, ret);
	EVP_PKEY_free(key);
	X509_free(certificate);
	return r;
}
