/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrapping and unwrapping with a key of the token. RSA: wrapped here with the
 * public half, RSA-OAEP, and unwrapped by C_Decrypt. AES: wrapped by
 * C_WrapKey and unwrapped by C_UnwrapKey, key wrap with padding (RFC 5649);
 * the plaintext is a session object for a moment. Knows no classes.
 *
 * The module has the plaintext in its own memory meanwhile: that is neither
 * locked nor wiped by us. It is in this process, which nobody may look into
 * and which leaves no core file.
 */
#ifndef SVCENC_VAULT_PKCS11_CRYPT_H
#define SVCENC_VAULT_PKCS11_CRYPT_H

#include "object.h"

/* A CK_RV of our own: the module's padding is not that of RFC 5649. */
#define CRYPT_NOT_RFC5649 0x7fff5649UL
/* Nothing tells the public half of this RSA key, or it is below 2048 bits. */
#define CRYPT_NO_PUBLIC 0x7fff0001UL
/* Longer than the RSA key can wrap, or for AES no multiple of 8. */
#define CRYPT_BAD_LENGTH 0x7fff0002UL

CK_RV crypt_wrap(struct token *token, const struct object *key,
		 enum oaep_hash hash, const struct svcenc_secret *plain,
		 struct svcenc_secret **ret_blob);
CK_RV crypt_unwrap(struct token *token, const struct object *key,
		   enum oaep_hash hash, const struct svcenc_secret *blob,
		   struct svcenc_secret **ret_plain);

#endif
