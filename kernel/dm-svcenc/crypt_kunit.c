// SPDX-License-Identifier: GPL-2.0-only
/*
 * The conversion of sectors by the kernel's xts(aes): IEEE 1619 vectors in
 * both sector sizes, buffers in parts of every size, and the same through a
 * cipher that completes later, its backlog included.
 */
#include <crypto/algapi.h>

#include "env_kunit.h"

/* IEEE Std 1619-2007 annex B: the key of vectors 10 to 14. */
static const char ieee_key1[] =
	"2718281828459045235360287471352662497757247093699959574966967627";
static const char ieee_key2[] =
	"3141592653589793238462643383279502884197169399375105820974944592";

/*
 * Plaintext is 0, 1, 2...; the first and last 16 bytes of the ciphertext. In
 * XTS a wrong byte anywhere in a sector's chain of tweaks changes the last.
 */
struct vector {
	unsigned int sector_size;
	u64 tweak;
	const char *first;
	const char *last;
};

static const struct vector vectors[] = {
	/* vectors 10 to 14 */
	{ 512, 0xff, "1c3b3a102f770386e4836c99e370cf9b",
	  "c4f36ffda9fcea70b9c6e693e148c151" },
	{ 512, 0xffff, "77a31251618a15e6b92d1d66dffe7b50",
	  "a4f9e27b42af8100cb9d59cef9645803" },
	{ 512, 0xffffff, "e387aaa58ba483afa7e8eb469778317e",
	  "2263a1eef52dd6888c309f5a7d712826" },
	{ 512, 0xffffffff, "bf53d2dade78e822a4d949a9bc6766b0",
	  "4c82f335abb152c4a93411373aaa8220" },
	{ 512, 0xffffffffff, "64497e5a831e4a932c09be3e5393376d",
	  "d609d273ad5b0d59631c531f6a0a57b9" },
	/* 4096 bytes under the same key, by python3-cryptography */
	{ 4096, 0, "3a060a8cad115a6f44572e3759e43c8f",
	  "4f5a4bc7a592f69d0c3c5a80d42dece5" },
	{ 4096, 8, "2ba7fe1526a56fbf446f4fff0e936e33",
	  "e2fd980cdd5a62674a7fc3fd7fb797e1" },
	{ 4096, 248, "5a9bdb63df7f6a79ddd285385e9fa9c0",
	  "e5f8e60cd24115bd1e0b92db05cc4b25" },
	{ 4096, 0xfffffffff8, "bdb38b0d1080e5e9941f6931c75a8d04",
	  "6b19fc5e5f094e7c609048554aadd2a5" },
};

static void vector_name(const struct vector *vector, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "sector size %u, tweak %#llx",
		 vector->sector_size, vector->tweak);
}

KUNIT_ARRAY_PARAM(vector, vectors, vector_name);

/* Every case has one slot; emptied and its cipher freed behind it. */
static struct svcenc_slot *slot_with(struct kunit *test, const char *driver)
{
	struct svcenc_slot *slot = svcenc_kunit_zeroed(test, sizeof(*slot));
	u8 key[SVCENC_VOLKEY_SIZE];

	svcenc_kunit_hex(test, ieee_key1, key, 32);
	svcenc_kunit_hex(test, ieee_key2, key + 32, 32);
	rcu_assign_pointer(slot->cipher,
			   svcenc_kunit_cipher(test, driver, key));
	test->priv = slot;
	return slot;
}

static struct svcenc_cipher *empty(struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher =
		rcu_replace_pointer(slot->cipher, NULL, true);

	synchronize_rcu();
	return cipher;
}

static void case_exit(struct kunit *test)
{
	if (test->priv)
		svcenc_cipher_free(empty(test->priv));
}

static u8 *pattern(struct kunit *test, unsigned int len)
{
	u8 *buf = svcenc_kunit_zeroed(test, len);
	unsigned int i;

	for (i = 0; i < len; i++)
		buf[i] = i;
	return buf;
}

static int busy(const struct svcenc_cipher *cipher)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(cipher->busy, cpu);
	return sum;
}

/* Both ways, in place and from one buffer to another. */
static void check_vector(struct kunit *test, const char *driver)
{
	const struct vector *vector = test->param_value;
	const unsigned int size = vector->sector_size;
	struct svcenc_slot *slot = slot_with(test, driver);
	u8 *plain = pattern(test, size);
	struct svcenc_kunit_side side[2] = {
		{ pattern(test, size), 4096 },
		{ svcenc_kunit_zeroed(test, size), 4096 },
	};
	struct svcenc_kunit_run *run;
	u8 first[16], last[16], *cipher = side[1].buf;

	svcenc_kunit_hex(test, vector->first, first, 16);
	svcenc_kunit_hex(test, vector->last, last, 16);
	run = svcenc_kunit_prepare(test, slot, side, size);
	run->conv.sector_size = size;
	run->conv.tweak = vector->tweak;
	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cipher, first, 16));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cipher + size - 16, last, 16));
	KUNIT_EXPECT_EQ(test, 0, memcmp(side[0].buf, plain, size));
	KUNIT_EXPECT_EQ(test, vector->tweak + size / 512, run->conv.tweak);

	side[0].buf = cipher;
	side[1].buf = NULL;
	run = svcenc_kunit_prepare(test, slot, side, size);
	run->conv.sector_size = size;
	run->conv.tweak = vector->tweak;
	run->conv.encrypt = false;
	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
	KUNIT_EXPECT_EQ(test, 0, memcmp(cipher, plain, size));
	KUNIT_EXPECT_EQ(test, 0, busy(rcu_access_pointer(slot->cipher)));
}

static void vectors_of_ieee_1619(struct kunit *test)
{
	check_vector(test, NULL);
}

static void vectors_when_completed_later(struct kunit *test)
{
	check_vector(test, SVCENC_KUNIT_ASYNC);
}

/* Encrypts 32 KiB from @part[0] to @part[1] sized parts; the ciphertext. */
static u8 *encrypt_in_parts(struct kunit *test, struct svcenc_slot *slot,
			    const unsigned int part[2], unsigned int sector)
{
	const unsigned int len = 32 << 10;
	const struct svcenc_kunit_side side[2] = {
		{ pattern(test, len), part[0] },
		{ svcenc_kunit_zeroed(test, len), part[1] },
	};
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, len);

	run->conv.sector_size = sector;
	run->conv.tweak = 1000;
	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
	return side[1].buf;
}

static void parts_of_any_size_are_one_sector(struct kunit *test)
{
	static const unsigned int parts[][2] = {
		{ 512, 4096 }, { 4096, 512 }, { 512, 512 }, { 1536, 2560 },
		{ 1024, 3584 },
	};
	static const unsigned int whole[2] = { 4096, 4096 };
	static const unsigned int sizes[] = { 512, 4096 };
	struct svcenc_slot *slot = slot_with(test, NULL);
	size_t i, j;

	for (j = 0; j < ARRAY_SIZE(sizes); j++) {
		const u8 *wanted = encrypt_in_parts(test, slot, whole, sizes[j]);

		for (i = 0; i < ARRAY_SIZE(parts); i++)
			KUNIT_EXPECT_EQ_MSG(test, 0,
					    memcmp(encrypt_in_parts(test, slot,
								    parts[i],
								    sizes[j]),
						   wanted, 32 << 10),
					    "parts of %u and %u bytes",
					    parts[i][0], parts[i][1]);
	}
}

/* One part more than any block I/O may have: refused, not overrun. */
static void too_many_parts_are_an_error(struct kunit *test)
{
	enum { PART = 4096 / (SVCENC_CRYPT_SEGS + 1) + 1 };
	struct svcenc_slot *slot = slot_with(test, NULL);
	struct svcenc_kunit_side side[2] = {
		{ svcenc_kunit_zeroed(test, 4096), PART },
	};
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, 4096);

	KUNIT_ASSERT_EQ(test, SVCENC_CRYPT_SEGS + 1, (int)run->src.bi_vcnt);
	run->conv.sector_size = 4096;
	KUNIT_EXPECT_EQ(test, -EIO, svcenc_kunit_convert(run));
	side[0].part = 4096;
	side[1].buf = svcenc_kunit_zeroed(test, 4096);
	side[1].part = PART;
	run = svcenc_kunit_prepare(test, slot, side, 4096);
	KUNIT_ASSERT_EQ(test, SVCENC_CRYPT_SEGS + 1, (int)run->dst.bi_vcnt);
	run->conv.sector_size = 4096;
	KUNIT_EXPECT_EQ(test, -EIO, svcenc_kunit_convert(run));
	KUNIT_EXPECT_EQ(test, 0, busy(rcu_access_pointer(slot->cipher)));
}

static void check_pieces(struct kunit *test, bool yields)
{
	static const unsigned int at[] = { 0, 64 << 10, 124 << 10 };
	const unsigned int len = 2 * SVCENC_CRYPT_PIECE;
	struct svcenc_slot *slot = slot_with(test, NULL);
	struct svcenc_kunit_side side[2] = { { pattern(test, len), 4096 } };
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, len);
	u8 *whole = side[0].buf;
	size_t i;

	run->conv.sector_size = 4096;
	run->conv.tweak = 8;
	run->conv.yields = yields;
	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		side[0].buf = pattern(test, 4096);
		run = svcenc_kunit_prepare(test, slot, side, 4096);
		run->conv.sector_size = 4096;
		run->conv.tweak = 8 + at[i] / 512;
		KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
		KUNIT_EXPECT_EQ(test, 0,
				memcmp(side[0].buf, whole + at[i], 4096));
	}
}

/* 128 KiB are two pieces: the sector number goes on in the second. */
static void pieces_continue_the_sector_number(struct kunit *test)
{
	check_pieces(test, false);
}

static void turns_continue_the_sector_number(struct kunit *test)
{
	check_pieces(test, true);
}

static void nothing_to_do_is_done(struct kunit *test)
{
	struct svcenc_slot *slot = slot_with(test, NULL);
	struct svcenc_kunit_side side[2] = {
		{ svcenc_kunit_zeroed(test, 512), 512 },
	};
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, 0);

	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
	/* not even a key is needed for it */
	svcenc_cipher_free(empty(slot));
	KUNIT_EXPECT_EQ(test, 0, svcenc_kunit_convert(run));
}

static void empty_slot_converts_nothing(struct kunit *test)
{
	struct svcenc_slot *slot = slot_with(test, NULL);
	struct svcenc_kunit_side side[2] = { { pattern(test, 4096), 4096 } };
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, 4096);

	KUNIT_EXPECT_TRUE(test, svcenc_slot_live(slot));
	svcenc_cipher_free(empty(slot));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_kunit_convert(run));
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(side[0].buf, pattern(test, 4096), 4096));
	KUNIT_EXPECT_EQ(test, 4096U, run->conv.src_iter.bi_size);
}

/* The slot is looked at again between two pieces, and after each completion. */
static void key_gone_between_two_sectors(struct kunit *test)
{
	struct svcenc_slot *slot = slot_with(test, SVCENC_KUNIT_ASYNC);
	struct svcenc_kunit_side side[2] = { { pattern(test, 1024), 1024 } };
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, 1024);
	struct svcenc_cipher *cipher;

	KUNIT_EXPECT_EQ(test, -EINPROGRESS, svcenc_crypt_run(&run->conv));
	cipher = empty(slot);
	wait_for_completion(&run->resumed);
	KUNIT_EXPECT_TRUE(test, cipher->was_async);
	KUNIT_EXPECT_EQ(test, 0, busy(cipher));
	svcenc_cipher_free(cipher);
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_crypt_run(&run->conv));
	KUNIT_EXPECT_EQ(test, 512U, run->conv.src_iter.bi_size);
}

/*
 * More requests than cryptd's queue takes (1000): the rest waits in its
 * backlog and is told of twice, once when it leaves that.
 */
static void backlog_is_waited_for(struct kunit *test)
{
	enum { COUNT = 1100 };
	struct svcenc_slot *slot = slot_with(test, SVCENC_KUNIT_ASYNC);
	struct svcenc_kunit_run **run;
	unsigned int i, bad = 0;
	u8 *wanted;

	run = svcenc_kunit_zeroed(test, COUNT * sizeof(*run));
	for (i = 0; i < COUNT; i++) {
		struct svcenc_kunit_side side[2] = { { pattern(test, 512), 512 } };

		run[i] = svcenc_kunit_prepare(test, slot, side, 512);
	}
	for (i = 0; i < COUNT; i++)
		bad += svcenc_crypt_run(&run[i]->conv) != -EINPROGRESS;
	KUNIT_EXPECT_EQ(test, 0U, bad);
	for (i = 0; i < COUNT; i++) {
		wait_for_completion(&run[i]->resumed);
		bad += svcenc_crypt_run(&run[i]->conv) != 0;
	}
	KUNIT_EXPECT_EQ(test, 0U, bad);
	wanted = bvec_virt(&run[0]->src_vec[0]);
	for (i = 0; i < COUNT; i++) {
		bad += !!memcmp(bvec_virt(&run[i]->src_vec[0]), wanted, 512);
		/* resumed once each, never for leaving the backlog */
		bad += completion_done(&run[i]->resumed);
	}
	KUNIT_EXPECT_EQ(test, 0U, bad);
	KUNIT_EXPECT_EQ(test, 0, busy(rcu_access_pointer(slot->cipher)));
}

/*
 * Whoever instantiates a driver of higher priority with larger requests (any
 * user may, through an AF_ALG socket) must not make us overrun ours.
 */
static void larger_requests_are_refused(struct kunit *test)
{
	struct crypto_skcipher *larger, *tfm;
	struct crypto_instance *instance;

	larger = crypto_alloc_skcipher(SVCENC_KUNIT_ASYNC, 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, larger);
	tfm = svcenc_crypt_alloc_tfm();
	if (IS_ERR(tfm))
		KUNIT_EXPECT_EQ(test, -EOVERFLOW, PTR_ERR(tfm));
	else
		KUNIT_EXPECT_LE(test,
				sizeof(struct skcipher_request) +
					crypto_skcipher_reqsize(tfm),
				svcenc_crypt_reqsize());
	if (!IS_ERR(tfm))
		crypto_free_skcipher(tfm);
	instance = crypto_tfm_alg_instance(crypto_skcipher_tfm(larger));
	crypto_unregister_instance(instance);
	crypto_free_skcipher(larger);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(vectors_of_ieee_1619, vector_gen_params),
	KUNIT_CASE_PARAM(vectors_when_completed_later, vector_gen_params),
	KUNIT_CASE(parts_of_any_size_are_one_sector),
	KUNIT_CASE(too_many_parts_are_an_error),
	KUNIT_CASE(pieces_continue_the_sector_number),
	KUNIT_CASE(turns_continue_the_sector_number),
	KUNIT_CASE(nothing_to_do_is_done),
	KUNIT_CASE(empty_slot_converts_nothing),
	KUNIT_CASE(key_gone_between_two_sectors),
	KUNIT_CASE(backlog_is_waited_for),
	KUNIT_CASE(larger_requests_are_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "svcenc_crypt",
	.suite_init = svcenc_kunit_start,
	.suite_exit = svcenc_kunit_stop,
	.exit = case_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);
