// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <openssl/rsa.h>

#include "crypt.h"

/* Of PKCS#11 3.0, which the header does not have: RFC 5649 and nothing else. */
#ifndef CKM_AES_KEY_WRAP_KWP
#define CKM_AES_KEY_WRAP_KWP 0x210bUL
#endif

enum { RSA_MIN_BITS = 2048, BLOCK = 8, UNWRAPPED_MAX = 512 };

/* --- RSA-OAEP ------------------------------------------------------------- */

static CK_RV encrypt(EVP_PKEY_CTX *ctx, const EVP_MD *md,
		     const struct svcenc_secret *plain,
		     struct svcenc_secret *room, size_t *ret_len)
{
	*ret_len = svcenc_secret_len(room);
	if (!ctx || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) != 1)
		return CKR_HOST_MEMORY;
	return EVP_PKEY_encrypt(ctx, svcenc_secret_bytes(room), ret_len,
				svcenc_secret_peek(plain),
				svcenc_secret_len(plain)) == 1 ?
		       CKR_OK :
		       CRYPT_BAD_LENGTH;
}

static CK_RV wrap_rsa(struct token *token, const struct object *key,
		      enum oaep_hash hash, const struct svcenc_secret *plain,
		      struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	EVP_PKEY *public = object_public_key(token, key);
	EVP_PKEY_CTX *ctx;
	size_t len = 0;
	CK_RV rv = CKR_HOST_MEMORY;

	if (!public || EVP_PKEY_get_bits(public) < RSA_MIN_BITS) {
		EVP_PKEY_free(public);
		return CRYPT_NO_PUBLIC;
	}
	ctx = EVP_PKEY_CTX_new(public, NULL);
	room = svcenc_secret_new((size_t)EVP_PKEY_get_size(public));
	if (room)
		rv = encrypt(ctx, hash == OAEP_SHA1 ? EVP_sha1() : EVP_sha256(),
			     plain, room, &len);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(public);
	if (rv == CKR_OK &&
	    svcenc_secret_move_bytes(svcenc_secret_bytes(room), len, ret) < 0)
		rv = CKR_HOST_MEMORY;
	return rv;
}

static CK_RV unwrap_rsa(struct token *token, const struct object *key,
			enum oaep_hash hash, const struct svcenc_secret *blob,
			struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
		.hashAlg = hash == OAEP_SHA1 ? CKM_SHA_1 : CKM_SHA256,
		.mgf = hash == OAEP_SHA1 ? CKG_MGF1_SHA1 : CKG_MGF1_SHA256,
		.source = CKZ_DATA_SPECIFIED,
	};
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep) };
	CK_ULONG len = svcenc_secret_len(blob);
	CK_RV rv;

	rv = token->module->C_DecryptInit(token->session, &mechanism,
					  key->handle);
	if (rv != CKR_OK)
		return rv;
	room = svcenc_secret_new(len);
	if (!room)
		return CKR_HOST_MEMORY;
	rv = token->module->C_Decrypt(token->session,
				      (CK_BYTE_PTR)svcenc_secret_peek(blob),
				      len, svcenc_secret_bytes(room), &len);
	if (rv != CKR_OK)
		return rv;
	if (!len || len > svcenc_secret_len(room))
		return CKR_ENCRYPTED_DATA_INVALID;
	return svcenc_secret_move_bytes(svcenc_secret_bytes(room), len, ret) <
			       0 ?
		       CKR_HOST_MEMORY :
		       CKR_OK;
}

/* --- AES key wrap --------------------------------------------------------- */

/*
 * _PAD of PKCS#11 2.40 leaves the padding open; most tokens mean RFC 5649, and
 * crypt_wrap() looks at what came out.
 */
static CK_MECHANISM_TYPE key_wrap_mechanism(const struct token *token)
{
	CK_MECHANISM_INFO info;

	if (token->module->C_GetMechanismInfo(token->slot, CKM_AES_KEY_WRAP_KWP,
					      &info) == CKR_OK &&
	    (info.flags & CKF_WRAP) && (info.flags & CKF_UNWRAP))
		return CKM_AES_KEY_WRAP_KWP;
	return CKM_AES_KEY_WRAP_PAD;
}

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY;
static CK_KEY_TYPE generic_type = CKK_GENERIC_SECRET;

#define IS(attribute, value)                       \
	{                                          \
		attribute, &(value), sizeof(value) \
	}

/* The plaintext as an object of the session. */
static CK_RV import(struct token *token, const struct svcenc_secret *plain,
		    CK_OBJECT_HANDLE *ret)
{
	CK_ATTRIBUTE template[] = {
		IS(CKA_CLASS, secret_class),
		IS(CKA_KEY_TYPE, generic_type),
		IS(CKA_TOKEN, no),
		IS(CKA_PRIVATE, yes),
		IS(CKA_EXTRACTABLE, yes),
		{ CKA_VALUE, (void *)svcenc_secret_peek(plain),
		  svcenc_secret_len(plain) },
	};

	return token->module->C_CreateObject(
		token->session, template,
		sizeof(template) / sizeof(template[0]), ret);
}

static CK_RV wrap_aes(struct token *token, const struct object *key,
		      const struct svcenc_secret *plain,
		      struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	CK_MECHANISM mechanism = { key_wrap_mechanism(token), NULL, 0 };
	const size_t want = svcenc_secret_len(plain) + BLOCK;
	CK_OBJECT_HANDLE object;
	CK_ULONG len = want + 2 * BLOCK;
	CK_RV rv;

	/* SoftHSM 2.6.1 gives others back with the padding on them */
	if (want % BLOCK)
		return CRYPT_BAD_LENGTH;
	room = svcenc_secret_new(len);
	if (!room)
		return CKR_HOST_MEMORY;
	rv = import(token, plain, &object);
	if (rv != CKR_OK)
		return rv;
	rv = token->module->C_WrapKey(token->session, &mechanism, key->handle,
				      object, svcenc_secret_bytes(room), &len);
	(void)token->module->C_DestroyObject(token->session, object);
	if (rv != CKR_OK)
		return rv;
	if (len != want)
		return CRYPT_NOT_RFC5649;
	return svcenc_secret_move_bytes(svcenc_secret_bytes(room), len, ret) <
			       0 ?
		       CKR_HOST_MEMORY :
		       CKR_OK;
}

static CK_RV read_value(struct token *token, CK_OBJECT_HANDLE object,
			struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	CK_ATTRIBUTE value = { CKA_VALUE, NULL, UNWRAPPED_MAX };
	CK_RV rv;

	room = svcenc_secret_new(UNWRAPPED_MAX);
	if (!room)
		return CKR_HOST_MEMORY;
	value.pValue = svcenc_secret_bytes(room);
	rv = token->module->C_GetAttributeValue(token->session, object, &value,
						1);
	if (rv != CKR_OK)
		return rv;
	if (!value.ulValueLen || value.ulValueLen > UNWRAPPED_MAX)
		return CKR_WRAPPED_KEY_INVALID;
	return svcenc_secret_move_bytes(svcenc_secret_bytes(room),
					value.ulValueLen, ret) < 0 ?
		       CKR_HOST_MEMORY :
		       CKR_OK;
}

static CK_RV unwrap_aes(struct token *token, const struct object *key,
			const struct svcenc_secret *blob,
			struct svcenc_secret **ret)
{
	CK_MECHANISM mechanism = { key_wrap_mechanism(token), NULL, 0 };
	CK_ATTRIBUTE template[] = {
		IS(CKA_CLASS, secret_class), IS(CKA_KEY_TYPE, generic_type),
		IS(CKA_TOKEN, no),	     IS(CKA_PRIVATE, yes),
		IS(CKA_SENSITIVE, no),	     IS(CKA_EXTRACTABLE, yes),
	};
	CK_OBJECT_HANDLE object;
	CK_RV rv;

	rv = token->module->C_UnwrapKey(token->session, &mechanism, key->handle,
					(CK_BYTE_PTR)svcenc_secret_peek(blob),
					svcenc_secret_len(blob), template,
					sizeof(template) / sizeof(template[0]),
					&object);
	if (rv != CKR_OK)
		return rv;
	rv = read_value(token, object, ret);
	(void)token->module->C_DestroyObject(token->session, object);
	return rv;
}

CK_RV crypt_wrap(struct token *token, const struct object *key,
		 enum oaep_hash hash, const struct svcenc_secret *plain,
		 struct svcenc_secret **ret_blob)
{
	return key->type == CKK_RSA ?
		       wrap_rsa(token, key, hash, plain, ret_blob) :
		       wrap_aes(token, key, plain, ret_blob);
}

CK_RV crypt_unwrap(struct token *token, const struct object *key,
		   enum oaep_hash hash, const struct svcenc_secret *blob,
		   struct svcenc_secret **ret_plain)
{
	return key->type == CKK_RSA ?
		       unwrap_rsa(token, key, hash, blob, ret_plain) :
		       unwrap_aes(token, key, blob, ret_plain);
}
