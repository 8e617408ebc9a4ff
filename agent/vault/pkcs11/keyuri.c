// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keyuri.h"

#define HASH_QUERY "x-oaep-hash"

static const char *const hash_texts[] = { "", "sha1", "sha256" };

int keyuri_parse_hash(const char *text)
{
	int i;

	for (i = OAEP_SHA1; i <= OAEP_SHA256; i++)
		if (!strcmp(text, hash_texts[i]))
			return i;
	return -1;
}

/* What a URI may say elsewhere but not here; NULL if it says none of it. */
static const char *foreign_part(P11KitUri *uri)
{
	if (p11_kit_uri_get_pin_value(uri) || p11_kit_uri_get_pin_source(uri))
		return "a PIN belongs into the file that 'pin_file' names";
	if (p11_kit_uri_get_module_name(uri) ||
	    p11_kit_uri_get_module_path(uri))
		return "the module is what 'module' of the vault says";
	if (p11_kit_uri_any_unrecognized(uri))
		return "it has attributes that RFC 7512 does not know";
	return NULL;
}

static bool take_attributes(P11KitUri *uri, struct keyuri *ret)
{
	const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
	const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
	const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);

	if (class && class->ulValueLen == sizeof(ret->class)) {
		memcpy(&ret->class, class->pValue, sizeof(ret->class));
		ret->has_class = true;
	}
	if (id && id->ulValueLen <= KEYURI_ID_MAX) {
		memcpy(ret->id, id->pValue, id->ulValueLen);
		ret->id_len = id->ulValueLen;
	}
	if (label && label->ulValueLen <= KEYURI_LABEL_MAX) {
		memcpy(ret->label, label->pValue, label->ulValueLen);
		ret->label[label->ulValueLen] = '\0';
	}
	return (!id || ret->id_len == id->ulValueLen) &&
	       (!label || *ret->label || !label->ulValueLen) &&
	       (ret->id_len || *ret->label) &&
	       (!ret->has_class || ret->class == CKO_PRIVATE_KEY ||
		ret->class == CKO_SECRET_KEY);
}

static int take(P11KitUri *uri, const CK_TOKEN_INFO *token, struct keyuri *ret,
		const char **ret_why)
{
	const char *hash = p11_kit_uri_get_vendor_query(uri, HASH_QUERY);
	CK_TOKEN_INFO copy;

	*ret_why = foreign_part(uri);
	if (*ret_why)
		return -EINVAL;
	*ret_why = "it must name 'object' or 'id', and 'type' must be private "
		   "or secret-key";
	if (!take_attributes(uri, ret))
		return -EINVAL;
	*ret_why = "x-oaep-hash must be sha1 or sha256";
	if (hash && keyuri_parse_hash(hash) < 0)
		return -EINVAL;
	if (hash)
		ret->hash = (enum oaep_hash)keyuri_parse_hash(hash);
	*ret_why = "it is of another token than the vault's";
	if (token) {
		copy = *token; /* the function wants it writable */
		if (p11_kit_uri_match_token_info(uri, &copy) != 1)
			return -EXDEV;
	}
	*ret_why = NULL;
	return 0;
}

int keyuri_parse(const char *text, const CK_TOKEN_INFO *token,
		 struct keyuri *ret, const char **ret_why)
{
	P11KitUri *uri = p11_kit_uri_new();
	int r;

	memset(ret, 0, sizeof(*ret));
	*ret_why = "it is no PKCS#11 URI (RFC 7512)";
	if (!uri)
		return -ENOMEM;
	r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri) ==
			    P11_KIT_URI_OK ?
		    take(uri, token, ret, ret_why) :
		    -EINVAL;
	p11_kit_uri_free(uri);
	return r;
}

static int fill(P11KitUri *uri, const struct keyuri *key)
{
	CK_ATTRIBUTE class = { CKA_CLASS, (void *)&key->class,
			       sizeof(key->class) };
	CK_ATTRIBUTE id = { CKA_ID, (void *)key->id, key->id_len };
	CK_ATTRIBUTE label = { CKA_LABEL, (void *)key->label,
			       strlen(key->label) };

	if (p11_kit_uri_set_attribute(uri, &class) != P11_KIT_URI_OK ||
	    (key->id_len &&
	     p11_kit_uri_set_attribute(uri, &id) != P11_KIT_URI_OK) ||
	    (*key->label &&
	     p11_kit_uri_set_attribute(uri, &label) != P11_KIT_URI_OK))
		return -EINVAL;
	if (key->hash != OAEP_UNSET &&
	    p11_kit_uri_set_vendor_query(uri, HASH_QUERY,
					 hash_texts[key->hash]) != 1)
		return -ENOMEM;
	return 0;
}

int keyuri_format(const struct keyuri *key, char ret[SVCENC_KID_MAX + 1])
{
	P11KitUri *uri = p11_kit_uri_new();
	char *text = NULL;
	int r;

	if (!uri)
		return -ENOMEM;
	r = fill(uri, key);
	if (!r && p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &text) !=
			  P11_KIT_URI_OK)
		r = -EINVAL;
	if (!r && strlen(text) > SVCENC_KID_MAX)
		r = -EMSGSIZE;
	if (!r)
		memcpy(ret, text, strlen(text) + 1);
	free(text);
	p11_kit_uri_free(uri);
	return r;
}

static size_t leading_zeros(const struct keyuri *key)
{
	size_t n;

	for (n = 0; n < key->id_len && !key->id[n]; n++)
		;
	return n;
}

int keyuri_compare_id(const struct keyuri *a, const struct keyuri *b)
{
	const size_t za = leading_zeros(a), zb = leading_zeros(b);

	if (a->id_len - za != b->id_len - zb)
		return a->id_len - za < b->id_len - zb ? -1 : 1;
	return memcmp(a->id + za, b->id + zb, a->id_len - za);
}
