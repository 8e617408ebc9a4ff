// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "secret.h"

enum {
	HEAP_BYTES = 1 << 20,
	HEAP_GRANULE = 32,
	SECRET_MAX = 16384,
};

/* Header and bytes are one allocation in the secure heap. */
struct svcenc_secret {
	size_t len;
	uint8_t bytes[];
};

static unsigned int scope_depth;

int svcenc_secret_init(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (CRYPTO_secure_malloc_initialized())
		return 0;
	/* 2 = there is a heap, but it could not be locked or guarded */
	if (CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_GRANULE) != 1)
		return -EPERM;
	return 0;
}

void svcenc_secret_done(void)
{
	CRYPTO_secure_malloc_done();
}

struct svcenc_secret *svcenc_secret_new(size_t len)
{
	struct svcenc_secret *secret;

	if (!len || len > SECRET_MAX || !CRYPTO_secure_malloc_initialized())
		return NULL;
	secret = OPENSSL_secure_zalloc(sizeof(*secret) + len);
	if (secret)
		secret->len = len;
	return secret;
}

struct svcenc_secret *svcenc_secret_free(struct svcenc_secret *secret)
{
	if (secret)
		OPENSSL_secure_clear_free(secret,
					  sizeof(*secret) + secret->len);
	return NULL;
}

void svcenc_secret_freep(struct svcenc_secret **secret)
{
	*secret = svcenc_secret_free(*secret);
}

int svcenc_secret_random(size_t len, struct svcenc_secret **ret)
{
	struct svcenc_secret *secret = svcenc_secret_new(len);

	if (!secret)
		return -ENOMEM;
	if (RAND_priv_bytes(secret->bytes, (int)len) != 1) {
		svcenc_secret_free(secret);
		return -EIO;
	}
	*ret = secret;
	return 0;
}

int svcenc_secret_move_bytes(void *bytes, size_t len,
			     struct svcenc_secret **ret)
{
	struct svcenc_secret *secret = svcenc_secret_new(len);

	if (secret) {
		memcpy(secret->bytes, bytes, len);
		*ret = secret;
	}
	OPENSSL_cleanse(bytes, len);
	return secret ? 0 : -ENOMEM;
}

uint8_t *svcenc_secret_bytes(struct svcenc_secret *secret)
{
	return secret->bytes;
}

const uint8_t *svcenc_secret_peek(const struct svcenc_secret *secret)
{
	return secret->bytes;
}

size_t svcenc_secret_len(const struct svcenc_secret *secret)
{
	return secret->len;
}

bool svcenc_secret_equal(const struct svcenc_secret *a,
			 const struct svcenc_secret *b)
{
	return a->len == b->len && !CRYPTO_memcmp(a->bytes, b->bytes, a->len);
}

int svcenc_secret_to_base64(const struct svcenc_secret *secret,
			    struct svcenc_secret **ret_text)
{
	const size_t text_len = 4 * ((secret->len + 2) / 3);
	struct svcenc_secret *text;

	if (text_len + 1 > SECRET_MAX)
		return -EINVAL;
	text = svcenc_secret_new(text_len + 1);
	if (!text)
		return -ENOMEM;
	EVP_EncodeBlock(text->bytes, secret->bytes, (int)secret->len);
	*ret_text = text;
	return 0;
}

/* '=' only at the end, none of what EVP_DecodeBlock() skips or forgives. */
static bool base64_shape(const char *text, size_t len, size_t *ret_padding)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	size_t plain = strspn(text, alphabet);

	*ret_padding = len - plain;
	return len && len % 4 == 0 && *ret_padding <= 2 &&
	       strspn(text + plain, "=") == *ret_padding;
}

int svcenc_secret_from_base64(const char *text, struct svcenc_secret **ret)
{
	const size_t len = strnlen(text, 2 * SECRET_MAX);
	SVCENC_SECRET_AUTO struct svcenc_secret *wide = NULL, *again = NULL;
	struct svcenc_secret *secret;
	size_t padding;

	if (len == 2 * SECRET_MAX || !base64_shape(text, len, &padding))
		return -EINVAL;
	if (len / 4 * 3 > SECRET_MAX)
		return -EINVAL;
	wide = svcenc_secret_new(len / 4 * 3);
	if (!wide)
		return -ENOMEM;
	if (EVP_DecodeBlock(wide->bytes, (const uint8_t *)text, (int)len) < 0)
		return -EINVAL;
	secret = svcenc_secret_new(wide->len - padding);
	if (!secret)
		return -ENOMEM;
	memcpy(secret->bytes, wide->bytes, secret->len);
	/* one text for one value: bits behind the last byte must be zero */
	if (svcenc_secret_to_base64(secret, &again) < 0 ||
	    CRYPTO_memcmp(again->bytes, text, len)) {
		svcenc_secret_free(secret);
		return -EINVAL;
	}
	*ret = secret;
	return 0;
}

void svcenc_secret_scope_enter(void)
{
	scope_depth++;
}

void svcenc_secret_scope_leave(void)
{
	scope_depth--;
}

void *svcenc_secret_alloc(size_t size)
{
	if (scope_depth)
		return OPENSSL_secure_malloc(size);
	return malloc(size);
}

void svcenc_secret_release(void *memory)
{
	if (!memory)
		return;
	if (CRYPTO_secure_allocated(memory)) {
		OPENSSL_secure_free(memory); /* wipes all of the block */
		return;
	}
	OPENSSL_cleanse(memory, malloc_usable_size(memory));
	free(memory);
}
