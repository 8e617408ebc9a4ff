// SPDX-License-Identifier: GPL-2.0-only
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <asm/unaligned.h>
#include <linux/module.h>
#include <linux/prefetch.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "compat.h"
#include "crypt.h"

/*
 * Keeps the driver of xts(aes) loaded and tells the size of its requests.
 * Constant between init and exit; never has a key.
 */
static struct crypto_skcipher *probe;

struct crypto_skcipher *svcenc_crypt_alloc_tfm(void)
{
	struct crypto_skcipher *tfm;

	/*
	 * Not CRYPTO_ALG_ASYNC in the mask: on 6.1 the AES-NI driver carries
	 * that flag, and masking it picks a several times slower one. The
	 * driver must not allocate per request: we run under writeback.
	 */
	tfm = crypto_alloc_skcipher("xts(aes)", 0,
				    CRYPTO_ALG_ALLOCATES_MEMORY);
	if (IS_ERR(tfm))
		return tfm;
	/* Only if another driver appeared since init: refuse, do not overrun. */
	if (probe && crypto_skcipher_reqsize(tfm) >
			     crypto_skcipher_reqsize(probe)) {
		crypto_free_skcipher(tfm);
		return ERR_PTR(-EOVERFLOW);
	}
	return tfm;
}

void svcenc_crypt_forget_key(struct crypto_skcipher *tfm)
{
	/* Halves that differ, or a driver may refuse it as weak. */
	static const u8 blank[SVCENC_VOLKEY_SIZE] __aligned(64) = { 1 };

	crypto_skcipher_setkey(tfm, blank, sizeof(blank));
}

int svcenc_crypt_init(void)
{
	struct crypto_skcipher *tfm = svcenc_crypt_alloc_tfm();

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	probe = tfm;
	pr_info("xts(aes) is %s\n",
		crypto_tfm_alg_driver_name(crypto_skcipher_tfm(probe)));
	return 0;
}

void svcenc_crypt_exit(void)
{
	crypto_free_skcipher(probe);
	probe = NULL;
}

size_t svcenc_crypt_reqsize(void)
{
	return sizeof(struct skcipher_request) +
	       crypto_skcipher_reqsize(probe);
}

/*
 * An asynchronous request is done. conv->cipher is still there: its busy
 * count was ours. After the decrement it may be freed as soon as this RCU
 * section ends: was_async makes volumekey.c wait for that.
 */
static void request_done(void *context, int error)
{
	struct svcenc_conv *conv = context;
	struct svcenc_cipher *cipher = conv->cipher;

	if (error == -EINPROGRESS)
		return; /* only left the backlog; the result is yet to come */
	conv->error = error;
	rcu_read_lock();
	this_cpu_dec(*cipher->busy);
	smp_mb(); /* pairs with wait_idle(): decrement, then look at dying */
	if (READ_ONCE(cipher->dying))
		wake_up(&cipher->idle);
	rcu_read_unlock();
	conv->resume(conv);
}

SVCENC_CRYPTO_CALLBACK(request_done);

void svcenc_crypt_prepare(struct svcenc_conv *conv)
{
	skcipher_request_set_callback(conv->req, CRYPTO_TFM_REQ_MAY_BACKLOG,
				      SVCENC_CRYPTO_CALLBACK_OF(request_done),
				      conv);
	conv->error = 0;
	conv->yields = false;
}

/*
 * Only what is used is set up, when it is used: to clear both tables with
 * sg_init_table() for each bio cost more than all the rest of a small one's.
 */
static void set_part(struct scatterlist *sg, const struct bio_vec *bv,
		     unsigned int len)
{
	*sg = (struct scatterlist){};
	sg_set_page(sg, bv->bv_page, len, bv->bv_offset);
}

/*
 * Describes the next sector of @vecs in @sg and moves @iter behind it. -EIO if
 * it lies in more or smaller parts than any block I/O may have.
 */
static int map_sector(struct scatterlist *sg, const struct bio_vec *vecs,
		      struct bvec_iter *iter, unsigned int bytes)
{
	const struct scatterlist *const first = sg;

	for (;; sg++) {
		const struct bio_vec bv = bvec_iter_bvec(vecs, *iter);
		const unsigned int len = min(bv.bv_len, bytes);

		if (unlikely(sg - first >= SVCENC_CRYPT_SEGS || !len))
			return -EIO;
		set_part(sg, &bv, len);
		bvec_iter_advance_single(vecs, iter, len);
		bytes -= len;
		if (!bytes)
			break;
	}
	sg_mark_end(sg);
	return 0;
}

/*
 * The begin of the next sector is fetched while this one is in the cipher. The
 * processor fetches ahead by itself only in a page that is being read already,
 * and the XTS of AES-NI cannot run ahead either where its round keys lie at the
 * same place of their page as the data in theirs: loads of those wait for
 * stores of these, which wait for the source. Where the crypto API has
 * allocated the keys decides that; large writes took up to 1.8 times as long
 * with one volume as with the next. In place nothing is won.
 */
static void fetch_next(const struct svcenc_conv *conv)
{
	const struct bio_vec bv = bvec_iter_bvec(conv->src, conv->src_iter);
	const unsigned int bytes =
		min_t(unsigned int, bv.bv_len, SVCENC_CRYPT_FETCH);
	/*
	 * Where memory is sparse and has no map of its own, the place of a page
	 * is read from its flags, of which others change other bits.
	 */
	const char *from = data_race(page_address(bv.bv_page)) + bv.bv_offset;
	unsigned int at;

	for (at = 0; at < bytes; at += L1_CACHE_BYTES)
		prefetch(from + at);
}

/*
 * One request for one sector. The iterators move first: once an asynchronous
 * request is under way, @conv belongs to whoever resumes it.
 */
static int convert_sector(struct svcenc_conv *conv)
{
	const unsigned int bytes = conv->sector_size;
	struct skcipher_request *req = conv->req;
	struct scatterlist *dst_sg = conv->src_sg;
	int rc;

	rc = map_sector(conv->src_sg, conv->src, &conv->src_iter, bytes);
	if (!rc && conv->dst != conv->src) {
		dst_sg = conv->dst_sg;
		rc = map_sector(dst_sg, conv->dst, &conv->dst_iter, bytes);
		if (conv->src_iter.bi_size && !IS_ENABLED(CONFIG_HIGHMEM))
			fetch_next(conv);
	}
	if (unlikely(rc))
		return rc;
	/* plain64: the number, little-endian, the upper half zero. */
	put_unaligned_le64(conv->tweak, conv->iv);
	put_unaligned_le64(0, conv->iv + 8);
	conv->tweak += bytes >> SECTOR_SHIFT;
	skcipher_request_set_crypt(req, conv->src_sg, dst_sg, bytes, conv->iv);
	return conv->encrypt ? crypto_skcipher_encrypt(req) :
			       crypto_skcipher_decrypt(req);
}

/*
 * At most 64 KiB with one look at the slot, all inside one RCU read section:
 * that is what the end of a key waits for (policykey.h). Fewer if somebody else
 * is to have the CPU, who then waits for one sector.
 */
static int convert_piece(struct svcenc_conv *conv)
{
	unsigned int sectors = SVCENC_CRYPT_PIECE / conv->sector_size;
	struct svcenc_cipher *cipher;
	int rc;

	rcu_read_lock();
	cipher = rcu_dereference(conv->slot->cipher);
	if (unlikely(!cipher)) {
		rcu_read_unlock();
		return -ENOKEY;
	}
	this_cpu_inc(*cipher->busy);
	conv->cipher = cipher;
	skcipher_request_set_tfm(conv->req, cipher->tfm);
	do
		rc = convert_sector(conv);
	while (!rc && --sectors && conv->src_iter.bi_size &&
	       !(conv->yields && need_resched()));
	if (likely(rc != -EINPROGRESS && rc != -EBUSY)) {
		this_cpu_dec(*cipher->busy);
	} else {
		/*
		 * Asynchronous: the busy count belongs to request_done() now,
		 * and @conv to whoever resumes it.
		 */
		WRITE_ONCE(cipher->was_async, true);
		rc = -EINPROGRESS;
	}
	rcu_read_unlock();
	return rc;
}

int svcenc_crypt_run(struct svcenc_conv *conv)
{
	int rc = conv->error;

	while (!rc && conv->src_iter.bi_size) {
		rc = convert_piece(conv);
		if (!rc && conv->yields)
			cond_resched();
	}
	return rc;
}
