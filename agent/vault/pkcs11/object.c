// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "object.h"

enum { FOUND_MAX = 64, NUMBER_MAX = 1024 };

/* --- attributes ----------------------------------------------------------- */

/* Length, or 0 if the token does not tell, or it does not fit. */
static size_t get(const struct token *token, CK_OBJECT_HANDLE handle,
		  CK_ATTRIBUTE_TYPE type, void *value, size_t size)
{
	CK_ATTRIBUTE attribute = { type, value, size };

	if (token->module->C_GetAttributeValue(token->session, handle,
					       &attribute, 1) != CKR_OK ||
	    attribute.ulValueLen > size)
		return 0;
	return attribute.ulValueLen;
}

static bool get_bool(const struct token *token, CK_OBJECT_HANDLE handle,
		     CK_ATTRIBUTE_TYPE type)
{
	CK_BBOOL value = CK_FALSE;

	return get(token, handle, type, &value, sizeof(value)) ==
		       sizeof(value) &&
	       value != CK_FALSE;
}

/*
 * The end of the day that CKA_END_DATE names, in UTC; 0 = none. A token that
 * fails to tell (SoftHSM does, of a private object) has not said "none".
 */
static void get_end(const struct token *token, struct object *ret)
{
	struct tm day = { .tm_hour = 23, .tm_min = 59, .tm_sec = 59 };
	char text[sizeof(CK_DATE) + 1] = "";
	CK_ATTRIBUTE attribute = { CKA_END_DATE, text, sizeof(CK_DATE) };

	if (token->module->C_GetAttributeValue(token->session, ret->handle,
					       &attribute, 1) != CKR_OK)
		return;
	ret->tells_end = !attribute.ulValueLen;
	if (attribute.ulValueLen != sizeof(CK_DATE) ||
	    sscanf(text, "%4d%2d%2d", &day.tm_year, &day.tm_mon,
		   &day.tm_mday) != 3)
		return;
	day.tm_year -= 1900;
	day.tm_mon -= 1;
	ret->tells_end = true;
	ret->expires_at = timegm(&day);
}

static unsigned int get_bits(const struct token *token,
			     const struct object *object)
{
	unsigned char modulus[NUMBER_MAX];
	CK_ULONG bytes = 0;

	if (object->type == CKK_RSA)
		return 8 * (unsigned int)get(token, object->handle, CKA_MODULUS,
					     modulus, sizeof(modulus));
	if (get(token, object->handle, CKA_VALUE_LEN, &bytes, sizeof(bytes)) !=
	    sizeof(bytes))
		return 0;
	return 8 * (unsigned int)bytes;
}

/* False if it is gone again, or nothing that we can use. */
static bool read_object(const struct token *token, CK_OBJECT_HANDLE handle,
			struct object *ret)
{
	struct keyuri *uri = &ret->uri;

	memset(ret, 0, sizeof(*ret));
	ret->handle = handle;
	if (!get(token, handle, CKA_CLASS, &uri->class, sizeof(uri->class)) ||
	    !get(token, handle, CKA_KEY_TYPE, &ret->type, sizeof(ret->type)))
		return false;
	if (!(uri->class == CKO_PRIVATE_KEY && ret->type == CKK_RSA) &&
	    !(uri->class == CKO_SECRET_KEY && ret->type == CKK_AES))
		return false;
	uri->has_class = true;
	uri->id_len = get(token, handle, CKA_ID, uri->id, sizeof(uri->id));
	(void)get(token, handle, CKA_LABEL, uri->label, KEYURI_LABEL_MAX);
	ret->size_bits = get_bits(token, ret);
	get_end(token, ret);
	ret->unwraps = get_bool(
		token, handle, ret->type == CKK_RSA ? CKA_DECRYPT : CKA_UNWRAP);
	/* RSA wraps outside of the token */
	ret->wraps = ret->type == CKK_RSA || get_bool(token, handle, CKA_WRAP);
	return true;
}

/* --- finding -------------------------------------------------------------- */

static CK_ULONG fill_template(const struct keyuri *want,
			      CK_ATTRIBUTE template[3])
{
	CK_ULONG count = 0;

	if (want->has_class)
		template[count++] = (CK_ATTRIBUTE){ CKA_CLASS,
						    (void *)&want->class,
						    sizeof(want->class) };
	if (want->id_len)
		template[count++] = (CK_ATTRIBUTE){ CKA_ID, (void *)want->id,
						    want->id_len };
	if (*want->label)
		template[count++] = (CK_ATTRIBUTE){ CKA_LABEL,
						    (void *)want->label,
						    strlen(want->label) };
	return count;
}

static CK_RV search(const struct token *token, CK_ATTRIBUTE *template,
		    CK_ULONG count, CK_OBJECT_HANDLE ret[FOUND_MAX],
		    CK_ULONG *ret_found)
{
	CK_RV rv, end;

	rv = token->module->C_FindObjectsInit(token->session, template, count);
	if (rv != CKR_OK)
		return rv;
	rv = token->module->C_FindObjects(token->session, ret, FOUND_MAX,
					  ret_found);
	end = token->module->C_FindObjectsFinal(token->session);
	return rv != CKR_OK ? rv : end;
}

static bool is_better(const struct object *candidate, const struct object *best)
{
	if (candidate->unwraps != best->unwraps)
		return candidate->unwraps;
	return keyuri_compare_id(&candidate->uri, &best->uri) > 0;
}

/*
 * Nothing was found. Sessions of a token that has gone find nothing either, so
 * only one that was opened just now is believed.
 */
static enum vault_class say_none(struct token *token, const struct keyuri *want,
				 struct vault_answer *answer)
{
	char label[33];

	token->stale = !token->fresh;
	return vault_say(answer, VAULT_DENIED, "deleted",
			 "token '%s' of vault '%s' has no key '%s'%s that is "
			 "a secret AES or a private RSA one",
			 token_label(token, label), token->vault->name,
			 want->label, want->id_len ? " with that id" : "");
}

enum vault_class object_find(struct token *token, const struct keyuri *want,
			     struct object *ret, struct vault_answer *answer)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ATTRIBUTE template[3];
	CK_ULONG count = 0, i;
	struct object object;
	bool any = false;
	CK_RV rv;

	rv = search(token, template, fill_template(want, template), found,
		    &count);
	if (rv != CKR_OK)
		return token_say(token, rv, "C_FindObjects", answer);
	for (i = 0; i < count; i++) {
		if (!read_object(token, found[i], &object) ||
		    (any && !is_better(&object, ret)))
			continue;
		*ret = object;
		any = true;
	}
	return any ? VAULT_OK : say_none(token, want, answer);
}

/* --- public keys ---------------------------------------------------------- */

static EVP_PKEY *build(BIGNUM *n, BIGNUM *e)
{
	OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (builder &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(builder);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(builder);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *read_public(const struct token *token, CK_OBJECT_HANDLE handle)
{
	unsigned char modulus[NUMBER_MAX], exponent[NUMBER_MAX];
	const size_t n_len =
		get(token, handle, CKA_MODULUS, modulus, sizeof(modulus));
	const size_t e_len = get(token, handle, CKA_PUBLIC_EXPONENT, exponent,
				 sizeof(exponent));
	BIGNUM *n, *e;
	EVP_PKEY *key = NULL;

	if (!n_len || !e_len)
		return NULL;
	n = BN_bin2bn(modulus, (int)n_len, NULL);
	e = BN_bin2bn(exponent, (int)e_len, NULL);
	if (n && e)
		key = build(n, e);
	BN_free(n);
	BN_free(e);
	return key;
}

EVP_PKEY *object_public_key(struct token *token, const struct object *object)
{
	CK_OBJECT_HANDLE found[FOUND_MAX];
	struct keyuri want = object->uri;
	CK_ATTRIBUTE template[3];
	CK_ULONG count = 0;
	EVP_PKEY *key;

	/* the private object is the key; what merely has its name is not */
	key = read_public(token, object->handle);
	if (key)
		return key;
	want.class = CKO_PUBLIC_KEY;
	if (search(token, template, fill_template(&want, template), found,
		   &count) != CKR_OK ||
	    count != 1)
		return NULL;
	return read_public(token, found[0]);
}

/* --- making --------------------------------------------------------------- */

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

#define IS(attribute, value)                       \
	{                                          \
		attribute, &(value), sizeof(value) \
	}

static CK_RV make_aes(const struct token *token, CK_SESSION_HANDLE session,
		      struct object_plan *plan)
{
	CK_MECHANISM mechanism = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG len = 32;
	CK_ATTRIBUTE template[] = {
		{ CKA_LABEL, plan->uri.label, strlen(plan->uri.label) },
		{ CKA_ID, plan->uri.id, plan->uri.id_len },
		IS(CKA_VALUE_LEN, len),
		IS(CKA_TOKEN, yes),
		IS(CKA_PRIVATE, yes),
		IS(CKA_SENSITIVE, yes),
		IS(CKA_EXTRACTABLE, no),
		IS(CKA_WRAP, yes),
		IS(CKA_UNWRAP, yes),
	};
	CK_OBJECT_HANDLE made;

	return token->module->C_GenerateKey(
		session, &mechanism, template,
		sizeof(template) / sizeof(template[0]), &made);
}

static CK_RV make_rsa(const struct token *token, CK_SESSION_HANDLE session,
		      struct object_plan *plan)
{
	CK_MECHANISM mechanism = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	unsigned char exponent[] = { 1, 0, 1 };
	CK_ULONG bits = plan->rsa_bits;
	CK_ATTRIBUTE public[] = {
		{ CKA_LABEL, plan->uri.label, strlen(plan->uri.label) },
		{ CKA_ID, plan->uri.id, plan->uri.id_len },
		IS(CKA_MODULUS_BITS, bits),
		IS(CKA_PUBLIC_EXPONENT, exponent),
		IS(CKA_TOKEN, yes),
		IS(CKA_ENCRYPT, yes),
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_LABEL, plan->uri.label, strlen(plan->uri.label) },
		{ CKA_ID, plan->uri.id, plan->uri.id_len },
		IS(CKA_TOKEN, yes),
		IS(CKA_PRIVATE, yes),
		IS(CKA_SENSITIVE, yes),
		IS(CKA_EXTRACTABLE, no),
		IS(CKA_DECRYPT, yes),
	};
	CK_OBJECT_HANDLE made[2];

	return token->module->C_GenerateKeyPair(
		session, &mechanism, public, sizeof(public) / sizeof(public[0]),
		private, sizeof(private) / sizeof(private[0]), &made[0],
		&made[1]);
}

static void count_up(struct keyuri *uri)
{
	size_t i = uri->id_len;

	while (i && !++uri->id[i - 1])
		i--;
	if (i || uri->id_len == KEYURI_ID_MAX)
		return;
	memmove(uri->id + 1, uri->id, uri->id_len++);
	uri->id[0] = 1;
}

enum vault_class object_next_id(struct token *token, struct keyuri *uri,
				struct vault_answer *answer)
{
	struct keyuri want = *uri, highest = { .id_len = 2 };
	CK_OBJECT_HANDLE found[FOUND_MAX];
	CK_ATTRIBUTE template[3];
	struct object object;
	CK_ULONG count = 0, i;
	CK_RV rv;

	want.has_class = false;
	want.id_len = 0;
	rv = search(token, template, fill_template(&want, template), found,
		    &count);
	if (rv != CKR_OK)
		return token_say(token, rv, "C_FindObjects", answer);
	for (i = 0; i < count; i++)
		if (read_object(token, found[i], &object) &&
		    keyuri_compare_id(&object.uri, &highest) > 0)
			highest = object.uri;
	memcpy(uri->id, highest.id, highest.id_len);
	uri->id_len = highest.id_len;
	count_up(uri);
	return VAULT_OK;
}

enum vault_class object_make(struct token *token, struct object_plan *plan,
			     struct vault_answer *answer)
{
	CK_SESSION_HANDLE session;
	enum vault_class class;
	CK_RV rv;

	class = token_open_writable(token, &session, answer);
	if (class != VAULT_OK)
		return class;
	rv = plan->kind == OBJECT_RSA ? make_rsa(token, session, plan) :
					make_aes(token, session, plan);
	(void)token->module->C_CloseSession(session);
	return rv == CKR_OK ? VAULT_OK :
			      token_say(token, rv, "C_GenerateKey", answer);
}
