// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "wrap.h"

enum {
	BLOCK = 8, /* of RFC 3394; a blob is one block longer */
	ROOT_SIZE = 32,
};

static EVP_CIPHER *cipher;

int wrap_init(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	return cipher ? 0 : -EIO;
}

/* OpenSSL may write a block more than it returns, so the room is larger. */
static int transform(const struct svcenc_secret *root, int encrypt,
		     const struct svcenc_secret *in, size_t want,
		     struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL;
	EVP_CIPHER_CTX *ctx;
	int len = 0, tail = 0;
	bool ok;

	if (svcenc_secret_len(root) != ROOT_SIZE)
		return -EINVAL;
	room = svcenc_secret_new(svcenc_secret_len(in) + 2 * BLOCK);
	ctx = EVP_CIPHER_CTX_new();
	if (!room || !ctx) {
		EVP_CIPHER_CTX_free(ctx);
		return -ENOMEM;
	}
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = EVP_CipherInit_ex2(ctx, cipher, svcenc_secret_peek(root), NULL,
				encrypt, NULL) == 1 &&
	     EVP_CipherUpdate(ctx, svcenc_secret_bytes(room), &len,
			      svcenc_secret_peek(in),
			      (int)svcenc_secret_len(in)) == 1 &&
	     EVP_CipherFinal_ex(ctx, svcenc_secret_bytes(room) + len, &tail) ==
		     1 &&
	     (size_t)(len + tail) == want;
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	if (!ok)
		return -EBADMSG;
	return svcenc_secret_move_bytes(svcenc_secret_bytes(room), want, ret);
}

int wrap_key(const struct svcenc_secret *root,
	     const struct svcenc_secret *plain, struct svcenc_secret **ret)
{
	const size_t len = svcenc_secret_len(plain);

	if (len < 2 * BLOCK || len > WRAP_PLAIN_MAX || len % BLOCK)
		return -EINVAL;
	return transform(root, 1, plain, len + BLOCK, ret);
}

int unwrap_key(const struct svcenc_secret *root,
	       const struct svcenc_secret *blob, struct svcenc_secret **ret)
{
	const size_t len = svcenc_secret_len(blob);

	if (len < 3 * BLOCK || len > WRAP_PLAIN_MAX + BLOCK || len % BLOCK)
		return -EBADMSG;
	return transform(root, 0, blob, len - BLOCK, ret);
}
