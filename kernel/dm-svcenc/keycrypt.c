// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "keycrypt.h"

struct svcenc_keycrypt {
	struct crypto_aead *wrap;    /* gcm(aes), subkey "svcenc wrap" */
	struct crypto_shash *mac;    /* hmac(sha256), "svcenc mac" */
	struct crypto_shash *rewrap; /* hmac(sha256), "svcenc rewrap" */
	u8 check[SVCENC_CHECK_SIZE];
};

/*
 * Everything of one wrap or unwrap that touches key bytes or a scatterlist:
 * on the heap because stacks may be vmapped, in one piece so that one
 * kfree_sensitive() wipes it on every path.
 */
struct wrap_job {
	/* Aligned for any driver: a bounce buffer of its would not be wiped. */
	u8 key_and_tag[SVCENC_VOLKEY_SIZE + SVCENC_TAG_SIZE] __aligned(16);
	u8 aad[SVCENC_WRAP_AAD_SIZE];
	u8 nonce[SVCENC_NONCE_SIZE];
	struct scatterlist sg[2];
};

/* HMAC-SHA-256(@key, @message) by a transform of its own. */
static int hmac_once(const u8 *key, unsigned int key_len, const u8 *message,
		     unsigned int len, u8 *digest)
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	int rc;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	rc = crypto_shash_setkey(tfm, key, key_len);
	if (!rc)
		rc = crypto_shash_tfm_digest(tfm, message, len, digest);
	crypto_free_shash(tfm);
	return rc;
}

static int derive(const struct svcenc_keyid *id, const u8 *bytes,
		  const char *label, u8 subkey[SVCENC_SUBKEY_SIZE])
{
	u8 input[SVCENC_KDF_INPUT_MAX];
	const size_t len = svcenc_kdf_input(label, id, input);

	return hmac_once(bytes, SVCENC_POLICYKEY_SIZE, input, len, subkey);
}

static struct crypto_shash *derive_hmac(const struct svcenc_keyid *id,
					const u8 *bytes, const char *label)
{
	u8 subkey[SVCENC_SUBKEY_SIZE];
	struct crypto_shash *tfm;
	int rc;

	tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);
	if (IS_ERR(tfm))
		return tfm;
	rc = derive(id, bytes, label, subkey);
	if (!rc)
		rc = crypto_shash_setkey(tfm, subkey, sizeof(subkey));
	memzero_explicit(subkey, sizeof(subkey));
	if (rc) {
		crypto_free_shash(tfm);
		return ERR_PTR(rc);
	}
	return tfm;
}

static struct crypto_aead *derive_gcm(const struct svcenc_keyid *id,
				      const u8 *bytes)
{
	u8 subkey[SVCENC_SUBKEY_SIZE];
	struct crypto_aead *tfm;
	int rc;

	/* Synchronous: a wrap is rare, speed does not matter here. */
	tfm = crypto_alloc_aead("gcm(aes)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		return tfm;
	rc = derive(id, bytes, SVCENC_LABEL_WRAP, subkey);
	if (!rc)
		rc = crypto_aead_setkey(tfm, subkey, sizeof(subkey));
	memzero_explicit(subkey, sizeof(subkey));
	if (!rc)
		rc = crypto_aead_setauthsize(tfm, SVCENC_TAG_SIZE);
	if (rc) {
		crypto_free_aead(tfm);
		return ERR_PTR(rc);
	}
	return tfm;
}

struct svcenc_keycrypt *
svcenc_keycrypt_new(const struct svcenc_keyid *id,
		    const u8 bytes[SVCENC_POLICYKEY_SIZE])
{
	u8 check[SVCENC_SUBKEY_SIZE];
	struct svcenc_keycrypt *kc;
	int rc;

	kc = kzalloc(sizeof(*kc), GFP_KERNEL);
	if (!kc)
		return ERR_PTR(-ENOMEM);
	kc->wrap = derive_gcm(id, bytes);
	kc->mac = derive_hmac(id, bytes, SVCENC_LABEL_MAC);
	kc->rewrap = derive_hmac(id, bytes, SVCENC_LABEL_REWRAP);
	rc = PTR_ERR_OR_ZERO(kc->wrap);
	if (!rc)
		rc = PTR_ERR_OR_ZERO(kc->mac);
	if (!rc)
		rc = PTR_ERR_OR_ZERO(kc->rewrap);
	if (!rc)
		rc = derive(id, bytes, SVCENC_LABEL_CHECK, check);
	if (rc) {
		svcenc_keycrypt_free(kc);
		return ERR_PTR(rc);
	}
	memcpy(kc->check, check, sizeof(kc->check));
	memzero_explicit(check, sizeof(check));
	return kc;
}

void svcenc_keycrypt_free(struct svcenc_keycrypt *kc)
{
	if (!kc)
		return;
	/* The crypto API zeroes a transform's context when it frees it. */
	if (!IS_ERR_OR_NULL(kc->wrap))
		crypto_free_aead(kc->wrap);
	if (!IS_ERR_OR_NULL(kc->mac))
		crypto_free_shash(kc->mac);
	if (!IS_ERR_OR_NULL(kc->rewrap))
		crypto_free_shash(kc->rewrap);
	kfree_sensitive(kc);
}

const u8 *svcenc_keycrypt_check(const struct svcenc_keycrypt *kc)
{
	return kc->check;
}

int svcenc_keycrypt_mac(struct svcenc_keycrypt *kc,
			const u8 span[SVCENC_SB_MAC_SPAN],
			u8 mac[SVCENC_SB_MAC_SIZE])
{
	return crypto_shash_tfm_digest(kc->mac, span, SVCENC_SB_MAC_SPAN, mac);
}

int svcenc_keycrypt_authorised(struct svcenc_keycrypt *from,
			       const struct svcenc_rewrap *rewrap,
			       const u8 auth[SVCENC_AUTH_SIZE])
{
	u8 message[SVCENC_REWRAP_MSG_SIZE], wanted[SVCENC_AUTH_SIZE];
	int rc;

	svcenc_rewrap_message(rewrap, message);
	rc = crypto_shash_tfm_digest(from->rewrap, message, sizeof(message),
				     wanted);
	if (!rc && crypto_memneq(auth, wanted, sizeof(wanted)))
		rc = -EKEYREJECTED;
	/* An attacker who read this could replay it for exactly this step. */
	memzero_explicit(wanted, sizeof(wanted));
	return rc;
}

/* GCM in place over job->key_and_tag; @len excludes the tag when sealing. */
static int gcm_run(struct svcenc_keycrypt *kc, struct wrap_job *job, bool seal)
{
	struct aead_request *req = aead_request_alloc(kc->wrap, GFP_KERNEL);
	const unsigned int len =
		SVCENC_VOLKEY_SIZE + (seal ? 0 : SVCENC_TAG_SIZE);
	int rc;

	if (!req)
		return -ENOMEM;
	sg_init_table(job->sg, 2);
	sg_set_buf(&job->sg[0], job->aad, sizeof(job->aad));
	sg_set_buf(&job->sg[1], job->key_and_tag, sizeof(job->key_and_tag));
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(req, sizeof(job->aad));
	aead_request_set_crypt(req, job->sg, job->sg, len, job->nonce);
	rc = seal ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
	aead_request_free(req);
	return rc;
}

/* Seals the key in @job for sb's identity at @epoch into @wrap. */
static int seal(struct svcenc_keycrypt *kc, struct wrap_job *job,
		const struct svcenc_sb *sb, struct svcenc_wrap *wrap)
{
	int rc;

	svcenc_wrap_aad(sb, sb->epoch, job->aad);
	get_random_bytes(job->nonce, sizeof(job->nonce));
	memset(wrap, 0, sizeof(*wrap));
	/* GCM leaves the caller's nonce alone, but copy before it could. */
	memcpy(wrap->nonce, job->nonce, sizeof(wrap->nonce));
	rc = gcm_run(kc, job, true);
	if (rc)
		return rc;
	memcpy(wrap->ciphertext, job->key_and_tag, sizeof(wrap->ciphertext));
	memcpy(wrap->tag, job->key_and_tag + SVCENC_VOLKEY_SIZE,
	       sizeof(wrap->tag));
	return 0;
}

static int unseal(struct svcenc_keycrypt *kc, struct wrap_job *job,
		  const struct svcenc_sb *sb)
{
	const struct svcenc_wrap *wrap = &sb->current_;

	svcenc_wrap_aad(sb, sb->epoch, job->aad);
	memcpy(job->nonce, wrap->nonce, sizeof(job->nonce));
	memcpy(job->key_and_tag, wrap->ciphertext, sizeof(wrap->ciphertext));
	memcpy(job->key_and_tag + SVCENC_VOLKEY_SIZE, wrap->tag,
	       sizeof(wrap->tag));
	return gcm_run(kc, job, false);
}

static int fingerprint(const struct svcenc_sb *sb, const u8 *key,
		       u8 print[SVCENC_FINGERPRINT_SIZE])
{
	u8 message[SVCENC_FINGERPRINT_MSG_SIZE], digest[SVCENC_SB_MAC_SIZE];
	int rc;

	svcenc_fingerprint_message(&sb->uuid, message);
	rc = hmac_once(key, SVCENC_VOLKEY_SIZE, message, sizeof(message),
		       digest);
	memcpy(print, digest, SVCENC_FINGERPRINT_SIZE);
	return rc;
}

/* XTS with equal halves degenerates (IEEE 1619 forbids it in FIPS mode). */
static bool halves_equal(const u8 *key)
{
	return !crypto_memneq(key, key + SVCENC_VOLKEY_SIZE / 2,
			      SVCENC_VOLKEY_SIZE / 2);
}

/* True if @print is recorded for an epoch other than the current one. */
static bool seen_before(const struct svcenc_sb *sb, const u8 *print)
{
	u32 i;

	for (i = 0; i < SVCENC_HISTORY_MAX; i++)
		if (i != sb->epoch % SVCENC_HISTORY_MAX &&
		    !memcmp(sb->history[i], print, SVCENC_FINGERPRINT_SIZE))
			return true;
	return false;
}

static int set_volume_key(struct crypto_skcipher *tfm, const u8 *key)
{
	crypto_skcipher_set_flags(tfm, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	return crypto_skcipher_setkey(tfm, key, SVCENC_VOLKEY_SIZE);
}

int svcenc_keycrypt_make_volume(struct svcenc_keycrypt *kc,
				struct svcenc_sb *sb,
				struct crypto_skcipher *tfm)
{
	u8 *print = sb->history[sb->epoch % SVCENC_HISTORY_MAX];
	struct wrap_job *job;
	int rc;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return -ENOMEM;
	get_random_bytes(job->key_and_tag, SVCENC_VOLKEY_SIZE);
	rc = fingerprint(sb, job->key_and_tag, print);
	if (rc)
		goto out;
	rc = -EKEYREJECTED; /* 2^-128 on a sound generator, so never ignored */
	if (halves_equal(job->key_and_tag) || seen_before(sb, print))
		goto out;
	rc = set_volume_key(tfm, job->key_and_tag);
	if (!rc)
		rc = seal(kc, job, sb, &sb->current_);
out:
	kfree_sensitive(job);
	return rc;
}

int svcenc_keycrypt_open_volume(struct svcenc_keycrypt *kc,
				const struct svcenc_sb *sb,
				struct crypto_skcipher *tfm)
{
	const u8 *recorded = sb->history[sb->epoch % SVCENC_HISTORY_MAX];
	u8 print[SVCENC_FINGERPRINT_SIZE];
	struct wrap_job *job;
	int rc;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return -ENOMEM;
	rc = unseal(kc, job, sb);
	if (rc)
		goto out;
	rc = fingerprint(sb, job->key_and_tag, print);
	if (rc)
		goto out;
	rc = -EKEYREJECTED;
	if (halves_equal(job->key_and_tag) || seen_before(sb, print) ||
	    memcmp(recorded, print, sizeof(print)))
		goto out;
	rc = set_volume_key(tfm, job->key_and_tag);
out:
	kfree_sensitive(job);
	return rc;
}

int svcenc_keycrypt_rewrap(struct svcenc_keycrypt *old,
			   const struct svcenc_sb *from,
			   struct svcenc_keycrypt *new, struct svcenc_sb *to)
{
	struct wrap_job *job;
	int rc;

	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return -ENOMEM;
	rc = unseal(old, job, from);
	if (!rc)
		rc = seal(new, job, to, &to->current_);
	kfree_sensitive(job);
	return rc;
}
