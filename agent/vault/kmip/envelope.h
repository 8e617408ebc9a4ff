/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blob of a KMIP vault. The server encrypts a fresh random key (AES-CBC,
 * which every server of KMIP 1.2 has; AEAD came with 1.4), and that key wraps
 * the plaintext here (RFC 5649). So the plaintext never leaves the host, and
 * a blob that was tampered with is found out although CBC has no tag: a
 * garbled key does not open the wrap.
 *
 *   IV 16 | the server's ciphertext of the key 48 | AES-256-KWP of plaintext
 *
 * Knows no protocol.
 */
#ifndef SVCENC_VAULT_KMIP_ENVELOPE_H
#define SVCENC_VAULT_KMIP_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "secret.h"

enum envelope_sizes {
	ENVELOPE_IV_SIZE = 16,
	ENVELOPE_KEY_SIZE = 32,
	ENVELOPE_SEALED_SIZE = 48, /* 32 and the padding of PKCS5 */
	ENVELOPE_HEAD_SIZE = ENVELOPE_IV_SIZE + ENVELOPE_SEALED_SIZE,
	ENVELOPE_PLAIN_MAX = 256,
};

/* Fetches the cipher; before the sandbox closes. 0 or -EIO. */
int envelope_init(void);

/* -EINVAL: @plain is too long. */
int envelope_close(const struct svcenc_secret *key,
		   const uint8_t iv[ENVELOPE_IV_SIZE],
		   const uint8_t sealed[ENVELOPE_SEALED_SIZE],
		   const struct svcenc_secret *plain,
		   struct svcenc_secret **ret_blob);

/* True if it is long enough to be looked at. */
bool envelope_has_size(const struct svcenc_secret *blob);
const uint8_t *envelope_iv(const struct svcenc_secret *blob);
const uint8_t *envelope_sealed(const struct svcenc_secret *blob);

/* -EBADMSG: not wrapped with this key, or damaged. */
int envelope_open(const struct svcenc_secret *key,
		  const struct svcenc_secret *blob,
		  struct svcenc_secret **ret_plain);

#endif
