/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys by RFC 7512 URI. A key identifier of this back end is
 *
 *	pkcs11:id=%01;object=NAME;type=private?x-oaep-hash=sha256
 *
 * type is "private" (RSA) or "secret-key" (AES). The token is not in it: the
 * vault's configuration says which one that is, and a key that was restored
 * into another one stays the same key. Knows no module.
 */
#ifndef SVCENC_VAULT_PKCS11_KEYURI_H
#define SVCENC_VAULT_PKCS11_KEYURI_H

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <stdbool.h>
#include <stddef.h>

#include "policyrec.h"

enum keyuri_limits {
	KEYURI_ID_MAX = 64,
	KEYURI_LABEL_MAX = 128,
};

enum oaep_hash { OAEP_UNSET, OAEP_SHA1, OAEP_SHA256 };

struct keyuri {
	CK_OBJECT_CLASS class; /* CKO_PRIVATE_KEY, CKO_SECRET_KEY */
	bool has_class;
	unsigned char id[KEYURI_ID_MAX];
	size_t id_len;			  /* 0 = none */
	char label[KEYURI_LABEL_MAX + 1]; /* "" = none */
	enum oaep_hash hash;
};

/* -1: not "sha1" or "sha256". */
int keyuri_parse_hash(const char *text);

/*
 * @token: URI of the vault's token; NULL if it has none. -EINVAL: not a URI of
 * a key, or with parts that do not belong there (*ret_why says which);
 * -EXDEV: of another token.
 */
int keyuri_parse(const char *text, const CK_TOKEN_INFO *token,
		 struct keyuri *ret, const char **ret_why);

/* -EMSGSIZE: longer than a key identifier may be. */
int keyuri_format(const struct keyuri *key, char ret[SVCENC_KID_MAX + 1]);

/*
 * The newer of two keys of one label is that with the higher CKA_ID, read as a
 * number: what somebody who numbers them, and the back end, does.
 */
int keyuri_compare_id(const struct keyuri *a, const struct keyuri *b);

#endif
