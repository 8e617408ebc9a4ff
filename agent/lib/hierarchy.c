// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "hierarchy.h"

static_assert(SVCENC_SUBKEY_SIZE == 32);

int svcenc_hierarchy_hmac(const struct svcenc_secret *key, const void *text,
			  size_t len, u8 ret[32])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t out = 0;
	int r = -EIO;

	if (ctx &&
	    EVP_MAC_init(ctx, svcenc_secret_peek(key), svcenc_secret_len(key),
			 params) == 1 &&
	    EVP_MAC_update(ctx, text, len) == 1 &&
	    EVP_MAC_final(ctx, ret, &out, 32) == 1 && out == 32)
		r = 0;
	EVP_MAC_CTX_free(ctx); /* wipes its copy of the key */
	EVP_MAC_free(mac);
	return r;
}

int svcenc_hierarchy_sha256(const void *text, size_t len, u8 ret[32])
{
	size_t out = 0;

	if (EVP_Q_digest(NULL, "SHA256", NULL, text, len, ret, &out) != 1 ||
	    out != 32)
		return -EIO;
	return 0;
}

int svcenc_hierarchy_subkey(const struct svcenc_secret *policy_key,
			    const struct svcenc_keyid *id, const char *label,
			    struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;
	u8 input[SVCENC_KDF_INPUT_MAX];
	size_t len;
	int r;

	if (svcenc_secret_len(policy_key) != SVCENC_POLICYKEY_SIZE)
		return -EINVAL;
	subkey = svcenc_secret_new(SVCENC_SUBKEY_SIZE);
	if (!subkey)
		return -ENOMEM;
	len = svcenc_kdf_input(label, id, input);
	r = svcenc_hierarchy_hmac(policy_key, input, len,
				  svcenc_secret_bytes(subkey));
	if (r < 0)
		return r;
	*ret = subkey;
	subkey = NULL;
	return 0;
}

int svcenc_hierarchy_check(const struct svcenc_secret *policy_key,
			   const struct svcenc_keyid *id,
			   u8 ret[SVCENC_CHECK_SIZE])
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;
	int r;

	r = svcenc_hierarchy_subkey(policy_key, id, SVCENC_LABEL_CHECK,
				    &subkey);
	if (r < 0)
		return r;
	memcpy(ret, svcenc_secret_peek(subkey), SVCENC_CHECK_SIZE);
	return 0;
}

static int record_mac(const struct svcenc_secret *policy_key,
		      const struct svcenc_keyid *id,
		      const u8 buf[SVCENC_RECORD_SIZE],
		      u8 ret[SVCENC_RECORD_MAC_SIZE])
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;
	u8 span[SVCENC_RECORD_MAC_SPAN];
	int r;

	r = svcenc_hierarchy_subkey(policy_key, id, SVCENC_LABEL_RECORD,
				    &subkey);
	if (r < 0)
		return r;
	svcenc_record_for_mac(buf, span);
	return svcenc_hierarchy_hmac(subkey, span, sizeof(span), ret);
}

int svcenc_hierarchy_seal_record(const struct svcenc_secret *policy_key,
				 const struct svcenc_record *record,
				 u8 buf[SVCENC_RECORD_SIZE])
{
	u8 mac[SVCENC_RECORD_MAC_SIZE];
	int r;

	svcenc_record_encode(record, buf);
	r = record_mac(policy_key, &record->key, buf, mac);
	if (r < 0)
		return r;
	svcenc_record_set_mac(buf, mac);
	return 0;
}

int svcenc_hierarchy_verify_record(const struct svcenc_secret *policy_key,
				   const struct svcenc_keyid *id,
				   const u8 buf[SVCENC_RECORD_SIZE])
{
	u8 mac[SVCENC_RECORD_MAC_SIZE];
	int r;

	r = record_mac(policy_key, id, buf, mac);
	if (r < 0)
		return r;
	if (CRYPTO_memcmp(mac, buf + SVCENC_RECORD_MAC_SPAN, sizeof(mac)))
		return -EBADMSG;
	return 0;
}

int svcenc_hierarchy_authorise_rewrap(const struct svcenc_secret *policy_key,
				      const struct svcenc_rewrap *rewrap,
				      u8 ret[SVCENC_AUTH_SIZE])
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;
	u8 message[SVCENC_REWRAP_MSG_SIZE];
	int r;

	r = svcenc_hierarchy_subkey(policy_key, &rewrap->from,
				    SVCENC_LABEL_REWRAP, &subkey);
	if (r < 0)
		return r;
	svcenc_rewrap_message(rewrap, message);
	return svcenc_hierarchy_hmac(subkey, message, sizeof(message), ret);
}
