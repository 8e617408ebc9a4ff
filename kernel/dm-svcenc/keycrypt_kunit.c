// SPDX-License-Identifier: GPL-2.0-only
/*
 * Subkeys, wraps and authorisations with the kernel's own cryptography against
 * known answers of the independent model (tests/ref), every part of a wrap's
 * identity, and that no key byte stays in memory.
 */
#include "env_kunit.h"

static struct svcenc_keycrypt *known_keycrypt(struct kunit *test)
{
	const struct svcenc_keyid id = svcenc_kunit_keyid(0, 7);
	struct svcenc_keycrypt *kc;
	u8 *key;

	key = svcenc_kunit_secret(test, svcenc_kunit_policy_key);
	kc = svcenc_keycrypt_new(&id, key);
	svcenc_kunit_wipe(key);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kc);
	return kc;
}

static struct svcenc_keycrypt *other_keycrypt(struct kunit *test, u8 fill)
{
	const struct svcenc_keyid id = svcenc_kunit_keyid(0x10, 8);
	u8 key[SVCENC_POLICYKEY_SIZE];
	struct svcenc_keycrypt *kc;

	memset(key, fill, sizeof(key));
	kc = svcenc_keycrypt_new(&id, key);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kc);
	return kc;
}

static struct svcenc_sb *known_sb(struct kunit *test)
{
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));

	svcenc_kunit_known_sb(test, sb);
	return sb;
}

static struct crypto_skcipher *new_tfm(struct kunit *test)
{
	struct crypto_skcipher *tfm = svcenc_crypt_alloc_tfm();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tfm);
	return tfm;
}

/* 4096 bytes 0, 1, 2... encrypted as sector 8 by @tfm, in a buffer. */
static u8 *sector_by(struct kunit *test, struct crypto_skcipher *tfm)
{
	u8 *buf = svcenc_kunit_zeroed(test, 4096);
	struct skcipher_request *req;
	u8 iv[SVCENC_CRYPT_IV] = { 8 };
	struct scatterlist sg;
	int i;

	for (i = 0; i < 4096; i++)
		buf[i] = i;
	req = skcipher_request_alloc(tfm, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, req);
	sg_init_one(&sg, buf, 4096);
	skcipher_request_set_callback(req, 0, NULL, NULL);
	skcipher_request_set_crypt(req, &sg, &sg, 4096, iv);
	KUNIT_EXPECT_EQ(test, 0, crypto_skcipher_encrypt(req));
	skcipher_request_free(req);
	return buf;
}

static void check_value_is_the_models(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	u8 wanted[SVCENC_CHECK_SIZE];

	svcenc_kunit_hex(test, "7d1e74bb081904db118a3679591552c1", wanted,
			 sizeof(wanted));
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(svcenc_keycrypt_check(kc), wanted,
			       sizeof(wanted)));
	svcenc_keycrypt_free(kc);
	svcenc_keycrypt_free(NULL);
}

static void mac_is_the_models(struct kunit *test)
{
	u8 *image = svcenc_kunit_zeroed(test, SVCENC_SB_SIZE);
	u8 *span = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SPAN);
	u8 *mac = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SIZE);
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct svcenc_sb *sb = known_sb(test);

	svcenc_sb_encode(sb, image);
	svcenc_sb_for_mac(image, span);
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_mac(kc, span, mac));
	KUNIT_EXPECT_EQ(test, 0, memcmp(mac, sb->mac, SVCENC_SB_MAC_SIZE));
	span[SVCENC_SB_MAC_SPAN - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_mac(kc, span, mac));
	KUNIT_EXPECT_NE(test, 0, memcmp(mac, sb->mac, SVCENC_SB_MAC_SIZE));
	svcenc_keycrypt_free(kc);
}

static void volume_key_is_the_models(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *tfm = new_tfm(test);
	u8 first[16], last[16], *sector;

	KUNIT_EXPECT_EQ(test, 0,
			svcenc_keycrypt_open_volume(kc, known_sb(test), tfm));
	sector = sector_by(test, tfm);
	svcenc_kunit_hex(test, "d5b88c0d57ba6b232daeba6239c6de27", first, 16);
	svcenc_kunit_hex(test, "4dcf2ce81559766fb64a224c73f1357b", last, 16);
	KUNIT_EXPECT_EQ(test, 0, memcmp(sector, first, 16));
	KUNIT_EXPECT_EQ(test, 0, memcmp(sector + 4096 - 16, last, 16));
	crypto_free_skcipher(tfm);
	svcenc_keycrypt_free(kc);
}

/* One thing about the superblock that differs from what the wrap binds. */
struct damage {
	const char *what;
	size_t at; /* in struct svcenc_sb */
	int wanted;
};

#define DAMAGE(field, error) \
	{ #field, offsetof(struct svcenc_sb, field), error }

static const struct damage damages[] = {
	DAMAGE(uuid, -EBADMSG),
	DAMAGE(uuid.b[15], -EBADMSG),
	DAMAGE(key.policy, -EBADMSG),
	DAMAGE(key.version, -EBADMSG),
	DAMAGE(cipher, -EBADMSG),
	DAMAGE(sector_size, -EBADMSG),
	DAMAGE(epoch, -EBADMSG),
	DAMAGE(current_.nonce[0], -EBADMSG),
	DAMAGE(current_.nonce[11], -EBADMSG),
	DAMAGE(current_.ciphertext[0], -EBADMSG),
	DAMAGE(current_.ciphertext[63], -EBADMSG),
	DAMAGE(current_.tag[0], -EBADMSG),
	DAMAGE(current_.tag[15], -EBADMSG),
	DAMAGE(history[3][0], -EKEYREJECTED),
	DAMAGE(history[3][15], -EKEYREJECTED),
	/* not bound: authenticated by the superblock's MAC alone */
	DAMAGE(seq, 0),
	DAMAGE(data_len, 0),
	DAMAGE(history[4][0], 0),
	DAMAGE(next.nonce[0], 0),
};

static void damage_name(const struct damage *damage, char *desc)
{
	strscpy(desc, damage->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(damage, damages, damage_name);

static void wrap_binds_its_identity(struct kunit *test)
{
	const struct damage *damage = test->param_value;
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *tfm = new_tfm(test);
	struct svcenc_sb *sb = known_sb(test);

	((u8 *)sb)[damage->at] ^= 1;
	KUNIT_EXPECT_EQ(test, damage->wanted,
			svcenc_keycrypt_open_volume(kc, sb, tfm));
	crypto_free_skcipher(tfm);
	svcenc_keycrypt_free(kc);
}

static void equal_halves_are_refused(struct kunit *test)
{
	static const u8 sealed[SVCENC_VOLKEY_SIZE + SVCENC_TAG_SIZE] = {
		0x69, 0x27, 0x14, 0xa2, 0x43, 0xc4, 0x05, 0xf9, 0xa8, 0x98,
		0xaf, 0xa4, 0xa3, 0x2b, 0xd3, 0x23, 0x1d, 0x54, 0x4b, 0x4d,
		0x91, 0xf7, 0x30, 0x0c, 0xc0, 0x33, 0x66, 0x4d, 0x2d, 0x2c,
		0x2a, 0x35, 0xef, 0xf0, 0x8b, 0xe2, 0x60, 0x22, 0xad, 0xba,
		0xa9, 0x25, 0x38, 0x73, 0x38, 0x92, 0x40, 0x44, 0xa7, 0x8b,
		0x31, 0x18, 0x06, 0xdb, 0x5d, 0xc3, 0xae, 0xef, 0x21, 0x98,
		0xeb, 0x11, 0xd1, 0x6e, 0x9d, 0x46, 0x47, 0x97, 0x23, 0x7b,
		0x4f, 0xa1, 0x46, 0x9a, 0x72, 0xe2, 0x69, 0xaa, 0xd2, 0x11,
	};
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *tfm = new_tfm(test);
	struct svcenc_sb *sb = known_sb(test);

	memcpy(sb->current_.ciphertext, sealed, SVCENC_VOLKEY_SIZE);
	memcpy(sb->current_.tag, sealed + SVCENC_VOLKEY_SIZE, SVCENC_TAG_SIZE);
	svcenc_kunit_hex(test, "d7189db0cb44c7a4ffcc270f16f93219",
			 sb->history[3], SVCENC_FINGERPRINT_SIZE);
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED,
			svcenc_keycrypt_open_volume(kc, sb, tfm));
	crypto_free_skcipher(tfm);
	svcenc_keycrypt_free(kc);
}

static void key_of_an_earlier_epoch_is_refused(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *tfm = new_tfm(test);
	int slot;

	for (slot = 0; slot < SVCENC_HISTORY_MAX; slot++) {
		struct svcenc_sb *sb = known_sb(test);

		memcpy(sb->history[slot], sb->history[3],
		       SVCENC_FINGERPRINT_SIZE);
		KUNIT_EXPECT_EQ_MSG(test, slot == 3 ? 0 : -EKEYREJECTED,
				    svcenc_keycrypt_open_volume(kc, sb, tfm),
				    "slot %d", slot);
	}
	crypto_free_skcipher(tfm);
	svcenc_keycrypt_free(kc);
}

static void made_key_opens_again(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *made = new_tfm(test), *opened = new_tfm(test);
	struct svcenc_sb *sb = known_sb(test), *again = known_sb(test);

	KUNIT_ASSERT_EQ(test, 0, wait_for_random_bytes());
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_make_volume(kc, sb, made));
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_make_volume(kc, again, opened));
	KUNIT_EXPECT_NE(test, 0,
			memcmp(&sb->current_, &again->current_,
			       sizeof(sb->current_)));
	KUNIT_EXPECT_NE(test, 0,
			memcmp(sb->history, again->history,
			       sizeof(sb->history)));
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_open_volume(kc, sb, opened));
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(sector_by(test, made), sector_by(test, opened),
			       4096));
	crypto_free_skcipher(made);
	crypto_free_skcipher(opened);
	svcenc_keycrypt_free(kc);
}

static void rewrap_moves_the_same_key(struct kunit *test)
{
	struct svcenc_keycrypt *old = known_keycrypt(test);
	struct svcenc_keycrypt *new = other_keycrypt(test, 0x77);
	struct crypto_skcipher *before = new_tfm(test), *after = new_tfm(test);
	struct svcenc_sb *from = known_sb(test), *to = known_sb(test);

	to->key = svcenc_kunit_keyid(0x10, 8);
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_rewrap(old, from, new, to));
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_open_volume(old, from, before));
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_open_volume(new, to, after));
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(sector_by(test, before), sector_by(test, after),
			       4096));
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			svcenc_keycrypt_open_volume(old, to, after));
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			svcenc_keycrypt_open_volume(new, from, after));
	/* what does not unwrap is not wrapped again */
	KUNIT_EXPECT_EQ(test, -EBADMSG,
			svcenc_keycrypt_rewrap(new, from, old, to));
	crypto_free_skcipher(before);
	crypto_free_skcipher(after);
	svcenc_keycrypt_free(old);
	svcenc_keycrypt_free(new);
}

static struct svcenc_rewrap known_rewrap(struct kunit *test)
{
	struct svcenc_rewrap rewrap = {
		.from = svcenc_kunit_keyid(0, 7),
		.to = svcenc_kunit_keyid(0x10, 8),
	};
	int i;

	rewrap.volume = known_sb(test)->uuid;
	for (i = 0; i < SVCENC_CHECK_SIZE; i++)
		rewrap.to_check[i] = 0xc0 + i;
	return rewrap;
}

static void authorisation_is_the_models_and_no_other(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	const struct svcenc_rewrap rewrap = known_rewrap(test);
	u8 *auth = svcenc_kunit_zeroed(test, SVCENC_AUTH_SIZE);
	unsigned int bit;

	svcenc_kunit_hex(test,
			 "1f68c7c377954d2270c36cb3506e34cea3cfc77954fc6031250d35c3cce4f1e2",
			 auth, SVCENC_AUTH_SIZE);
	KUNIT_EXPECT_EQ(test, 0, svcenc_keycrypt_authorised(kc, &rewrap, auth));
	for (bit = 0; bit < 8 * SVCENC_AUTH_SIZE; bit++) {
		auth[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, -EKEYREJECTED,
				    svcenc_keycrypt_authorised(kc, &rewrap,
							       auth),
				    "bit %u", bit);
		auth[bit / 8] ^= 1 << bit % 8;
	}
	svcenc_keycrypt_free(kc);
}

static void authorisation_is_for_one_step_only(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct svcenc_keycrypt *other = other_keycrypt(test, 0x77);
	const struct svcenc_rewrap rewrap = known_rewrap(test);
	u8 auth[SVCENC_AUTH_SIZE];
	size_t at;

	svcenc_kunit_hex(test,
			 "1f68c7c377954d2270c36cb3506e34cea3cfc77954fc6031250d35c3cce4f1e2",
			 auth, sizeof(auth));
	for (at = 0; at < sizeof(rewrap); at++) {
		struct svcenc_rewrap changed = rewrap;

		((u8 *)&changed)[at] ^= 0x80;
		KUNIT_EXPECT_EQ_MSG(test, -EKEYREJECTED,
				    svcenc_keycrypt_authorised(kc, &changed,
							       auth),
				    "byte %zu", at);
	}
	KUNIT_EXPECT_EQ(test, -EKEYREJECTED,
			svcenc_keycrypt_authorised(other, &rewrap, auth));
	svcenc_keycrypt_free(kc);
	svcenc_keycrypt_free(other);
}

static void expect_found(struct kunit *test, const char *masked_hex)
{
	KUNIT_EXPECT_TRUE(test, svcenc_kunit_in_memory(test, masked_hex));
}

static void expect_gone(struct kunit *test, const char *masked_hex)
{
	KUNIT_EXPECT_FALSE(test, svcenc_kunit_in_memory(test, masked_hex));
}

/*
 * While a volume is open, its key and the wrapping subkey are in their
 * schedules: so the look through memory sees what it looks for. The policy
 * key itself is gone as soon as it has been derived from.
 */
static void no_key_byte_stays_in_memory(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct svcenc_keycrypt *other = other_keycrypt(test, 0x77);
	struct crypto_skcipher *tfm = new_tfm(test);
	struct svcenc_sb *to = known_sb(test);

	to->key = svcenc_kunit_keyid(0x10, 8);
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_keycrypt_rewrap(kc, known_sb(test), other, to));
	expect_gone(test, svcenc_kunit_volume_key2);
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_keycrypt_open_volume(kc, known_sb(test), tfm));
	expect_found(test, svcenc_kunit_volume_key1);
	expect_found(test, svcenc_kunit_volume_key2);
	expect_found(test, svcenc_kunit_wrap_key);
	expect_gone(test, svcenc_kunit_policy_key);
	crypto_free_skcipher(tfm);
	expect_gone(test, svcenc_kunit_volume_key1);
	expect_gone(test, svcenc_kunit_volume_key2);
	svcenc_keycrypt_free(kc);
	svcenc_keycrypt_free(other);
	expect_gone(test, svcenc_kunit_wrap_key);
}

static void key_is_forgotten_before_it_is_freed(struct kunit *test)
{
	struct svcenc_keycrypt *kc = known_keycrypt(test);
	struct crypto_skcipher *tfm = new_tfm(test);

	KUNIT_EXPECT_EQ(test, 0,
			svcenc_keycrypt_open_volume(kc, known_sb(test), tfm));
	svcenc_crypt_forget_key(tfm);
	expect_gone(test, svcenc_kunit_volume_key1);
	expect_gone(test, svcenc_kunit_volume_key2);
	crypto_free_skcipher(tfm);
	svcenc_keycrypt_free(kc);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(check_value_is_the_models),
	KUNIT_CASE(mac_is_the_models),
	KUNIT_CASE(volume_key_is_the_models),
	KUNIT_CASE_PARAM(wrap_binds_its_identity, damage_gen_params),
	KUNIT_CASE(equal_halves_are_refused),
	KUNIT_CASE(key_of_an_earlier_epoch_is_refused),
	KUNIT_CASE(made_key_opens_again),
	KUNIT_CASE(rewrap_moves_the_same_key),
	KUNIT_CASE(authorisation_is_the_models_and_no_other),
	KUNIT_CASE(authorisation_is_for_one_step_only),
	KUNIT_CASE(no_key_byte_stays_in_memory),
	KUNIT_CASE(key_is_forgotten_before_it_is_freed),
	{}
};

static struct kunit_suite suite = {
	.name = "svcenc_keycrypt",
	.suite_init = svcenc_kunit_start,
	.suite_exit = svcenc_kunit_stop,
	.test_cases = cases,
};

kunit_test_suite(suite);
