// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/algapi.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "env_kunit.h"
#include "netlink.h"
#include "registry.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* -------------------------------------- what main.c, netlink.c, registry.c are */

struct workqueue_struct *svcenc_event_wq;

static DEFINE_SPINLOCK(heard_lock);
static struct svcenc_kunit_heard heard; /* heard_lock */

void svcenc_netlink_key_event(enum svcenc_event event,
			      const struct svcenc_keyid *key,
			      const char *reason)
{
	spin_lock(&heard_lock);
	heard.events += event == SVCENC_EVENT_KEY_LOST;
	heard.id = *key;
	strscpy(heard.reason, reason, sizeof(heard.reason));
	spin_unlock(&heard_lock);
}

void svcenc_registry_key_lost(const struct svcenc_keyid *id)
{
	spin_lock(&heard_lock);
	heard.volumes += svcenc_keyid_equal(id, &heard.id);
	spin_unlock(&heard_lock);
}

void svcenc_kunit_forget(void)
{
	flush_workqueue(svcenc_event_wq);
	spin_lock(&heard_lock);
	memset(&heard, 0, sizeof(heard));
	spin_unlock(&heard_lock);
}

struct svcenc_kunit_heard svcenc_kunit_heard(void)
{
	struct svcenc_kunit_heard copy;

	flush_workqueue(svcenc_event_wq);
	spin_lock(&heard_lock);
	copy = heard;
	spin_unlock(&heard_lock);
	return copy;
}

int svcenc_kunit_start(struct kunit_suite *suite)
{
	int rc;

	svcenc_event_wq = alloc_workqueue("svcenc_kunit", WQ_UNBOUND, 0);
	if (!svcenc_event_wq)
		return -ENOMEM;
	rc = svcenc_crypt_init();
	if (rc)
		goto err_destroy;
	rc = svcenc_keys_init();
	if (!rc)
		return 0;
	svcenc_crypt_exit();
err_destroy:
	destroy_workqueue(svcenc_event_wq);
	return rc;
}

void svcenc_kunit_stop(struct kunit_suite *suite)
{
	svcenc_keys_end_all("end of the suite");
	svcenc_keys_exit();
	destroy_workqueue(svcenc_event_wq);
	svcenc_crypt_exit();
}

/* ----------------------------------------------------------------- buffers */

void *svcenc_kunit_zeroed(struct kunit *test, size_t size)
{
	void *buf = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

void *svcenc_kunit_copy(struct kunit *test, const void *from, size_t size)
{
	return memcpy(svcenc_kunit_zeroed(test, size), from, size);
}

char *svcenc_kunit_text(struct kunit *test, const char *text)
{
	return svcenc_kunit_copy(test, text, strlen(text) + 1);
}

void svcenc_kunit_hex(struct kunit *test, const char *hex, void *ret,
		      size_t len)
{
	KUNIT_ASSERT_EQ(test, 0, svcenc_hex_parse(hex, ret, len));
}

struct svcenc_keyid svcenc_kunit_keyid(u8 which, u32 version)
{
	struct svcenc_keyid id = { .version = version };
	int i;

	for (i = 0; i < SVCENC_UUID_SIZE; i++)
		id.policy.b[i] = 0xa0 + which + i;
	return id;
}

/* ----------------------------------------------------------------- secrets */

const char svcenc_kunit_policy_key[] =
	"5b52554c477e7168631a1d140f0639302b2225dcd7cec1f8f3eaede49f968980";
const char svcenc_kunit_volume_key1[] =
	"595257484d467b7c716a6f60651e1314090207383d362b2c21dadfd0d5cec3c4";
const char svcenc_kunit_volume_key2[] =
	"f9f2f7e8ede69b9c918a8f8085beb3b4a9a2a7585d564b4c417a7f70756e6364";
const char svcenc_kunit_wrap_key[] =
	"47bf6cbfefc13a4423f67488dd0d7e9db2d345ed6ab7481cda3e1d96d3307e93";

u8 *svcenc_kunit_secret(struct kunit *test, const char *masked_hex)
{
	u8 *secret = kmalloc(SVCENC_KUNIT_SECRET, GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, secret);
	svcenc_kunit_hex(test, masked_hex, secret, SVCENC_KUNIT_SECRET);
	for (i = 0; i < SVCENC_KUNIT_SECRET; i++)
		secret[i] ^= SVCENC_KUNIT_MASK;
	return secret;
}

void svcenc_kunit_wipe(u8 *secret)
{
	memzero_explicit(secret, SVCENC_KUNIT_SECRET);
	kfree(secret);
}

enum scan_sizes {
	SCAN_WORDS = SVCENC_KUNIT_SECRET / sizeof(u32),
	PAGE_WORDS = PAGE_SIZE / sizeof(u32),
};

/*
 * Freed memory, too, is looked at, which is what KASAN is against. It stays as
 * it was in KASAN's quarantine, but for its first 16 bytes.
 */
static noinline __no_sanitize_address bool page_has(const u32 *page,
						    const u32 *masked)
{
	const u32 mask = SVCENC_KUNIT_MASK * 0x01010101U;
	unsigned int at, i;

	for (at = 0; at + SCAN_WORDS <= PAGE_WORDS; at++) {
		for (i = 0; i < SCAN_WORDS; i++)
			if ((page[at + i] ^ mask) != masked[i])
				break;
		if (i == SCAN_WORDS)
			return true;
	}
	return false;
}

static bool node_has(struct kunit *test, int nid, const u32 *masked)
{
	const unsigned long end = node_end_pfn(nid);
	unsigned long pfn;

	for (pfn = node_start_pfn(nid); pfn < end; pfn++) {
		if (!(pfn & 0xfff))
			cond_resched();
		if (!pfn_valid(pfn) || PageReserved(pfn_to_page(pfn)))
			continue;
		if (!page_has(page_address(pfn_to_page(pfn)), masked))
			continue;
		kunit_info(test, "found in page frame %#lx", pfn);
		return true;
	}
	return false;
}

bool svcenc_kunit_in_memory(struct kunit *test, const char *masked_hex)
{
	u32 masked[SCAN_WORDS];
	bool found = false;
	int nid;

	svcenc_kunit_hex(test, masked_hex, masked, sizeof(masked));
	for_each_online_node(nid)
		found = found || node_has(test, nid, masked);
	return found;
}

void svcenc_kunit_known_sb(struct kunit *test, struct svcenc_sb *ret)
{
	static const u8 sealed[SVCENC_VOLKEY_SIZE + SVCENC_TAG_SIZE] = {
		0x69, 0x27, 0x14, 0xa2, 0x43, 0xc4, 0x05, 0xf9, 0xa8, 0x98,
		0xaf, 0xa4, 0xa3, 0x2b, 0xd3, 0x23, 0x1d, 0x54, 0x4b, 0x4d,
		0x91, 0xf7, 0x30, 0x0c, 0xc0, 0x33, 0x66, 0x4d, 0x2d, 0x2c,
		0x2a, 0x35, 0x4f, 0x50, 0x2b, 0x42, 0xc0, 0x82, 0x4d, 0x5a,
		0x49, 0xc5, 0xd8, 0x93, 0xd8, 0x32, 0xe0, 0xe4, 0x07, 0x2b,
		0x91, 0x78, 0x66, 0xbb, 0x3d, 0xa3, 0xce, 0x4f, 0x81, 0x38,
		0x4b, 0xb1, 0x71, 0xce, 0x96, 0x7e, 0x36, 0x4d, 0xb4, 0xa8,
		0xd9, 0x7e, 0xe0, 0x92, 0xf3, 0x91, 0x59, 0x25, 0x55, 0x07,
	};
	int i;

	memset(ret, 0, sizeof(*ret));
	ret->key = svcenc_kunit_keyid(0, 7);
	ret->cipher = SVCENC_CIPHER_AES256_XTS_PLAIN64;
	ret->sector_size = 4096;
	ret->keyed = true;
	ret->seq = 5;
	ret->data_offset = SVCENC_HEADER_SIZE;
	ret->data_len = 16 * SVCENC_MIB;
	ret->spare_len = SVCENC_SPARE_DEFAULT;
	ret->epoch = 3;
	for (i = 0; i < SVCENC_UUID_SIZE; i++)
		ret->uuid.b[i] = 0x10 + i;
	for (i = 0; i < SVCENC_NONCE_SIZE; i++)
		ret->current_.nonce[i] = i;
	memcpy(ret->current_.ciphertext, sealed, SVCENC_VOLKEY_SIZE);
	memcpy(ret->current_.tag, sealed + SVCENC_VOLKEY_SIZE, SVCENC_TAG_SIZE);
	svcenc_kunit_hex(test, "9044b652aa5f8d16ac8bb3f77e1675e1",
			 ret->history[3], SVCENC_FINGERPRINT_SIZE);
	svcenc_kunit_hex(test,
			 "9760396fe34837911bc2ab604940aca9a4ea72c9eed2dd06ceee515a71582343",
			 ret->mac, sizeof(ret->mac));
}

/* ------------------------------------------------------------- conversions */

/*
 * An instance of cryptd has the priority of the algorithm that it wraps plus
 * 50: left registered, it would be what every later xts(aes) is made of.
 */
static void hide_instance(struct crypto_skcipher *tfm)
{
	struct crypto_tfm *base = crypto_skcipher_tfm(tfm);

	crypto_unregister_instance(crypto_tfm_alg_instance(base));
}

struct svcenc_cipher *svcenc_kunit_cipher(struct kunit *test,
					  const char *driver,
					  const u8 key[SVCENC_VOLKEY_SIZE])
{
	struct svcenc_cipher *cipher = kzalloc(sizeof(*cipher), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, cipher);
	init_waitqueue_head(&cipher->idle);
	INIT_LIST_HEAD(&cipher->node);
	cipher->busy = alloc_percpu(int);
	cipher->tfm = driver ? crypto_alloc_skcipher(driver, 0, 0) :
			       svcenc_crypt_alloc_tfm();
	KUNIT_ASSERT_TRUE(test, cipher->busy);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cipher->tfm);
	if (driver)
		hide_instance(cipher->tfm);
	KUNIT_ASSERT_EQ(test, 0,
			crypto_skcipher_setkey(cipher->tfm, key,
					       SVCENC_VOLKEY_SIZE));
	return cipher;
}

static void resumed(struct svcenc_conv *conv)
{
	complete(&container_of(conv, struct svcenc_kunit_run, conv)->resumed);
}

static void fill_bio(struct bio *bio, const struct svcenc_kunit_side *side,
		     unsigned int len)
{
	unsigned int at, part;

	for (at = 0; at < len; at += part) {
		void *from = side->buf + at;

		part = min3(side->part, len - at,
			    (unsigned int)(PAGE_SIZE - offset_in_page(from)));
		__bio_add_page(bio, virt_to_page(from), part,
			       offset_in_page(from));
	}
}

struct svcenc_kunit_run *
svcenc_kunit_prepare(struct kunit *test, struct svcenc_slot *slot,
		     const struct svcenc_kunit_side side[2], unsigned int len)
{
	struct svcenc_kunit_run *run = svcenc_kunit_zeroed(test, sizeof(*run));
	struct svcenc_cipher *cipher = rcu_access_pointer(slot->cipher);
	size_t reqsize = svcenc_crypt_reqsize();

	if (cipher)
		reqsize = max(reqsize,
			      sizeof(struct skcipher_request) +
				      crypto_skcipher_reqsize(cipher->tfm));
	init_completion(&run->resumed);
	bio_init(&run->src, NULL, run->src_vec, ARRAY_SIZE(run->src_vec),
		 REQ_OP_WRITE);
	bio_init(&run->dst, NULL, run->dst_vec, ARRAY_SIZE(run->dst_vec),
		 REQ_OP_WRITE);
	fill_bio(&run->src, &side[0], len);
	run->conv.slot = slot;
	run->conv.src = run->src_vec;
	run->conv.dst = run->src_vec;
	if (side[1].buf) {
		fill_bio(&run->dst, &side[1], len);
		run->conv.dst = run->dst_vec;
	}
	run->conv.src_iter = run->src.bi_iter;
	run->conv.dst_iter = run->dst.bi_iter;
	run->conv.sector_size = 512;
	run->conv.encrypt = true;
	run->conv.resume = resumed;
	run->conv.req = svcenc_kunit_zeroed(test, reqsize);
	svcenc_crypt_prepare(&run->conv);
	return run;
}

int svcenc_kunit_convert(struct svcenc_kunit_run *run)
{
	int rc;

	for (;;) {
		reinit_completion(&run->resumed);
		rc = svcenc_crypt_run(&run->conv);
		if (rc != -EINPROGRESS)
			return rc;
		wait_for_completion(&run->resumed);
	}
}

MODULE_DESCRIPTION("KUnit suites of dm-svcenc");
MODULE_AUTHOR("dm-svcenc maintainers");
MODULE_LICENSE("GPL");
