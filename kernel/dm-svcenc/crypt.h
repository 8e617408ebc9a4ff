/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Encrypts or decrypts the sectors of a bio with whatever cipher hangs in a
 * slot. Knows pages, sectors and transforms; does not know why this key, what
 * the bio is for, or where on the disk it goes.
 */
#ifndef SVCENC_CRYPT_H
#define SVCENC_CRYPT_H

#include <crypto/skcipher.h>
#include <linux/blk_types.h>
#include <linux/bvec.h>
#include <linux/scatterlist.h>

#include "policykey.h"

enum svcenc_crypt_limits {
	/* Longest stretch between two looks at the slot, in bytes. */
	SVCENC_CRYPT_PIECE = 64 << 10,
	/* So much of the next sector is fetched: what a core can have pending. */
	SVCENC_CRYPT_FETCH = 1 << 10,
	/* A 4096-byte sector of a direct I/O may be scattered 512-byte wise. */
	SVCENC_CRYPT_SEGS = 8,
	SVCENC_CRYPT_IV = 16,
};

/*
 * One conversion. The caller fills the upper part; src and dst may be the
 * same vectors (then in place). Lives until svcenc_crypt_run() has returned
 * something else than -EINPROGRESS.
 */
struct svcenc_conv {
	struct svcenc_slot *slot;
	const struct bio_vec *src;
	const struct bio_vec *dst;
	struct bvec_iter src_iter; /* advanced as sectors are done */
	struct bvec_iter dst_iter;
	u64 tweak; /* 512-byte sector number of the next sector */
	unsigned int sector_size; /* bytes, 512 or 4096 */
	bool encrypt;
	bool yields; /* in process context: lets others have the CPU */
	struct skcipher_request *req; /* svcenc_crypt_reqsize() bytes */
	/*
	 * Called from softirq or process context when a request that went
	 * asynchronous is done; must see to it that svcenc_crypt_run() is
	 * called again, from process context.
	 */
	void (*resume)(struct svcenc_conv *conv);

	/* Below: crypt.c's own. */
	struct svcenc_cipher *cipher; /* while a request is asynchronous */
	int error;		      /* of the asynchronous request */
	/*
	 * As aligned as the generic xts wants it (the software ciphers want
	 * that or less): a lesser one is copied to memory that is allocated for
	 * each request, which no reserve stands behind.
	 */
	u8 iv[SVCENC_CRYPT_IV] __aligned(8);
	struct scatterlist src_sg[SVCENC_CRYPT_SEGS];
	struct scatterlist dst_sg[SVCENC_CRYPT_SEGS];
};

int svcenc_crypt_init(void);
void svcenc_crypt_exit(void);

/* Allocates xts(aes) as every cipher needs it, without a key. May sleep. */
struct crypto_skcipher *svcenc_crypt_alloc_tfm(void);

/* Replaces the key of @tfm by a public one, in place. Does not allocate. */
void svcenc_crypt_forget_key(struct crypto_skcipher *tfm);

/* Bytes for conv->req, constant while the module is loaded. */
size_t svcenc_crypt_reqsize(void);

/*
 * Prepares the parts of @conv that stay the same over all its runs. It does not
 * yield until told so.
 */
void svcenc_crypt_prepare(struct svcenc_conv *conv);

/*
 * Converts until src_iter is empty. 0: done. -EINPROGRESS: conv->resume()
 * will be or has been called, @conv must not be touched any more. -ENOKEY:
 * the slot is empty, nothing or only a part is converted. -EIO, -ENOMEM: the
 * crypto API refused. Softirq or process context; sleeps only if it yields.
 */
int svcenc_crypt_run(struct svcenc_conv *conv);

#endif
