/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys on the token: finding and making them, and what the token tells of
 * them. Asks anew each time, as another program may have changed them. Neither
 * wraps nor knows identifiers.
 */
#ifndef SVCENC_VAULT_PKCS11_OBJECT_H
#define SVCENC_VAULT_PKCS11_OBJECT_H

#include <openssl/evp.h>

#include "keyuri.h"
#include "token.h"

struct object {
	CK_OBJECT_HANDLE handle;
	struct keyuri uri; /* class, id and label as they are on the token */
	CK_KEY_TYPE type;  /* CKK_RSA, CKK_AES, or unusable */
	unsigned int size_bits; /* 0 = unknown */
	bool wraps;
	bool unwraps;
	bool tells_end;
	int64_t expires_at; /* 0 = never */
};

/*
 * The newest key that fits and unwraps; if none unwraps, the newest that
 * fits. DENIED "deleted" if there is none.
 */
enum vault_class object_find(struct token *token, const struct keyuri *want,
			     struct object *ret, struct vault_answer *answer);

/*
 * An RSA key's public half, from its own object or the private one. NULL:
 * neither has it.
 */
EVP_PKEY *object_public_key(struct token *token, const struct object *object);

enum object_kind { OBJECT_AES_256, OBJECT_RSA };

struct object_plan {
	struct keyuri uri; /* label and id that it gets */
	enum object_kind kind;
	unsigned int rsa_bits;
};

/*
 * The CKA_ID behind the highest of all keys with the label of @uri, usable or
 * not: 0001 if there is none.
 */
enum vault_class object_next_id(struct token *token, struct keyuri *uri,
				struct vault_answer *answer);

/* Makes a key that never leaves the token. */
enum vault_class object_make(struct token *token, struct object_plan *plan,
			     struct vault_answer *answer);

#endif
