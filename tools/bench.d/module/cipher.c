// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-256-XTS alone, through the crypto API: what no target that encrypts can
 * do without. One request, one scatterlist entry and one tweak for each
 * 4096-byte sector.
 */
#include <crypto/skcipher.h>
#include <linux/blk_types.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "bench.h"

enum cipher_sizes {
	CIPHER_SECTOR = 4096,
	CIPHER_KEY = 64,
};

struct cipher {
	struct crypto_skcipher *tfm;
	struct skcipher_request *req;
	struct crypto_wait wait;
	void *from; /* the bytes of one I/O */
	void *to;
	u64 sector;
};

static int one_sector(struct cipher *cipher, bool encrypt, unsigned int at)
{
	struct scatterlist src, dst;
	__le64 iv[2] = { cpu_to_le64(cipher->sector), 0 };

	sg_init_one(&src, cipher->from + at, CIPHER_SECTOR);
	sg_init_one(&dst, cipher->to + at, CIPHER_SECTOR);
	skcipher_request_set_crypt(cipher->req, &src, encrypt ? &dst : &src,
				   CIPHER_SECTOR, iv);
	cipher->sector += CIPHER_SECTOR >> SECTOR_SHIFT;
	return crypto_wait_req(encrypt ? crypto_skcipher_encrypt(cipher->req) :
					 crypto_skcipher_decrypt(cipher->req),
			       &cipher->wait);
}

static int loop(struct cipher *cipher, struct bench_job *job)
{
	const bool encrypt = job->kind == BENCH_ENCRYPT;
	unsigned int at;
	int rc = 0;

	bench_clock_start(job);
	while (!rc && bench_goes_on(job, job->done)) {
		for (at = 0; !rc && at < job->bytes; at += CIPHER_SECTOR)
			rc = one_sector(cipher, encrypt, at);
		job->done++;
		cond_resched();
	}
	bench_clock_stop(job);
	return rc;
}

static int set_up(struct cipher *cipher, unsigned int bytes)
{
	u8 key[CIPHER_KEY];
	int rc;

	cipher->tfm = crypto_alloc_skcipher("xts(aes)", 0,
					    CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(cipher->tfm)) {
		rc = PTR_ERR(cipher->tfm);
		cipher->tfm = NULL;
		return rc;
	}
	get_random_bytes(key, sizeof(key));
	rc = crypto_skcipher_setkey(cipher->tfm, key, sizeof(key));
	if (rc)
		return rc;
	cipher->req = skcipher_request_alloc(cipher->tfm, GFP_KERNEL);
	cipher->from = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO);
	cipher->to = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO);
	if (!cipher->req || !cipher->from || !cipher->to)
		return -ENOMEM;
	crypto_init_wait(&cipher->wait);
	skcipher_request_set_callback(cipher->req, CRYPTO_TFM_REQ_MAY_BACKLOG,
				      crypto_req_done, &cipher->wait);
	return 0;
}

int bench_run_cipher(struct bench_job *job)
{
	struct cipher cipher = {};
	int rc;

	if (job->bytes % CIPHER_SECTOR)
		return -EINVAL;
	rc = set_up(&cipher, job->bytes);
	if (!rc)
		rc = loop(&cipher, job);
	if (cipher.from)
		free_pages_exact(cipher.from, job->bytes);
	if (cipher.to)
		free_pages_exact(cipher.to, job->bytes);
	skcipher_request_free(cipher.req);
	crypto_free_skcipher(cipher.tfm);
	return rc;
}
