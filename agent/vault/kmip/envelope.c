// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "envelope.h"

enum { BLOCK = 8 }; /* of RFC 5649 */

static EVP_CIPHER *cipher;

int envelope_init(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
	return cipher ? 0 : -EIO;
}

/*
 * Into @out, which has room for @len and two blocks more, as OpenSSL may write
 * more than it returns. Length, or -EBADMSG.
 */
static int transform(const struct svcenc_secret *key, int encrypt,
		     const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int used = 0, tail = 0;
	bool ok;

	if (!ctx)
		return -ENOMEM;
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = EVP_CipherInit_ex2(ctx, cipher, svcenc_secret_peek(key), NULL,
				encrypt, NULL) == 1 &&
	     EVP_CipherUpdate(ctx, out, &used, in, (int)len) == 1 &&
	     EVP_CipherFinal_ex(ctx, out + used, &tail) == 1;
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	return ok ? used + tail : -EBADMSG;
}

int envelope_close(const struct svcenc_secret *key,
		   const uint8_t iv[ENVELOPE_IV_SIZE],
		   const uint8_t sealed[ENVELOPE_SEALED_SIZE],
		   const struct svcenc_secret *plain,
		   struct svcenc_secret **ret_blob)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	const size_t len = svcenc_secret_len(plain);
	uint8_t *bytes;
	int wrapped;

	if (svcenc_secret_len(key) != ENVELOPE_KEY_SIZE ||
	    len > ENVELOPE_PLAIN_MAX)
		return -EINVAL;
	room = svcenc_secret_new(ENVELOPE_HEAD_SIZE + len + 3 * BLOCK);
	if (!room)
		return -ENOMEM;
	bytes = svcenc_secret_bytes(room);
	memcpy(bytes, iv, ENVELOPE_IV_SIZE);
	memcpy(bytes + ENVELOPE_IV_SIZE, sealed, ENVELOPE_SEALED_SIZE);
	wrapped = transform(key, 1, svcenc_secret_peek(plain), len,
			    bytes + ENVELOPE_HEAD_SIZE);
	if (wrapped < 0)
		return wrapped;
	return svcenc_secret_move_bytes(
		bytes, ENVELOPE_HEAD_SIZE + (size_t)wrapped, ret_blob);
}

bool envelope_has_size(const struct svcenc_secret *blob)
{
	const size_t len = svcenc_secret_len(blob);

	return len >= ENVELOPE_HEAD_SIZE + 2 * BLOCK && len % BLOCK == 0 &&
	       len <= ENVELOPE_HEAD_SIZE + BLOCK + ENVELOPE_PLAIN_MAX;
}

const uint8_t *envelope_iv(const struct svcenc_secret *blob)
{
	return svcenc_secret_peek(blob);
}

const uint8_t *envelope_sealed(const struct svcenc_secret *blob)
{
	return svcenc_secret_peek(blob) + ENVELOPE_IV_SIZE;
}

int envelope_open(const struct svcenc_secret *key,
		  const struct svcenc_secret *blob,
		  struct svcenc_secret **ret_plain)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	size_t len;
	int opened;

	if (svcenc_secret_len(key) != ENVELOPE_KEY_SIZE ||
	    !envelope_has_size(blob))
		return -EBADMSG;
	len = svcenc_secret_len(blob) - ENVELOPE_HEAD_SIZE;
	room = svcenc_secret_new(len + 2 * BLOCK);
	if (!room)
		return -ENOMEM;
	opened = transform(key, 0,
			   svcenc_secret_peek(blob) + ENVELOPE_HEAD_SIZE, len,
			   svcenc_secret_bytes(room));
	if (opened <= 0)
		return opened ? opened : -EBADMSG;
	return svcenc_secret_move_bytes(svcenc_secret_bytes(room),
					(size_t)opened, ret_plain);
}
