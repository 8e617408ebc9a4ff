// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a policy key to volume keys: authenticates superblock copies, picks
 * one by the kernel's rule, unwraps and checks its volume keys, two of them
 * where a rotation has stopped. Knows no
 * vault, reads and writes nothing.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "hierarchy.h"
#include "recover.h"

static int short_of_memory(struct recover_error *error)
{
	return recover_fail(error, SVCENC_EXIT_MEMORY, NULL,
			    "secure heap is exhausted, or OpenSSL refuses");
}

/* GOOD or FORGED of a keyed copy under its own policy key; -1: no answer. */
static int check_mac(const struct svcenc_header_sb *copy,
		     const struct svcenc_secret *policy_key,
		     enum svcenc_copy_state *ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL;
	u8 span[SVCENC_SB_MAC_SPAN], mac[SVCENC_SB_MAC_SIZE];

	svcenc_sb_for_mac(copy->raw, span);
	if (svcenc_hierarchy_subkey(policy_key, &copy->sb.key, SVCENC_LABEL_MAC,
				    &subkey) ||
	    svcenc_hierarchy_hmac(subkey, span, sizeof(span), mac))
		return -1;
	*ret = CRYPTO_memcmp(mac, copy->sb.mac, sizeof(mac)) ?
		       SVCENC_COPY_FORGED :
		       SVCENC_COPY_GOOD;
	return 0;
}

static int judge_copy(const struct svcenc_header_sb *copy,
		      const struct svcenc_keyid *id,
		      const struct svcenc_secret *policy_key,
		      struct svcenc_copy *ret)
{
	ret->seq = copy->sb.seq;
	if (!copy->present || copy->defect == SVCENC_SB_MAGIC_DEFECT ||
	    copy->defect == SVCENC_SB_CRC)
		ret->state = SVCENC_COPY_ROTTEN;
	else if (copy->defect)
		ret->state = SVCENC_COPY_INVALID;
	else if (!copy->sb.keyed)
		ret->state = SVCENC_COPY_FRESH;
	else if (!svcenc_keyid_equal(&copy->sb.key, id))
		ret->state = SVCENC_COPY_FOREIGN;
	else
		return check_mac(copy, policy_key, &ret->state);
	return 0;
}

/* As the kernel, with the policy key that the newest keyed copy names. */
static int pick_copy(const struct svcenc_header *h,
		     const struct svcenc_keyid *id,
		     const struct svcenc_secret *policy_key, int *ret,
		     struct recover_error *error)
{
	const bool same =
		!memcmp(h->copy[0].raw, h->copy[1].raw, SVCENC_SB_SIZE);
	struct svcenc_copy state[SVCENC_SB_COPIES];
	enum svcenc_pick pick;
	bool repair;
	int i;

	for (i = 0; i < SVCENC_SB_COPIES; i++)
		if (judge_copy(&h->copy[i], id, policy_key, &state[i]))
			return short_of_memory(error);
	pick = svcenc_sb_pick(state, same, &repair);
	if (pick == SVCENC_PICK_FIRST || pick == SVCENC_PICK_SECOND) {
		*ret = pick == SVCENC_PICK_SECOND;
		return 0;
	}
	for (i = 0; i < SVCENC_SB_COPIES; i++)
		if (state[i].state == SVCENC_COPY_INVALID)
			return recover_fail(
				error, SVCENC_EXIT_INTEGRITY,
				"--copy takes the other copy, if that one is authentic",
				"superblock copy %d: %s", i + 1,
				svcenc_header_sb_text(&h->copy[i]));
	return recover_fail(
		error, SVCENC_EXIT_INTEGRITY,
		"--copy takes one copy alone, if that one is authentic", "%s",
		svcenc_pick_text(pick));
}

static int take_copy(const struct svcenc_header *h, int copy,
		     const struct svcenc_secret *policy_key,
		     struct recover_error *error)
{
	enum svcenc_copy_state state;

	if (check_mac(&h->copy[copy], policy_key, &state))
		return short_of_memory(error);
	if (state == SVCENC_COPY_GOOD)
		return 0;
	return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
			    "superblock copy %d is forged: HMAC does not match",
			    copy + 1);
}

/* A wrap of a superblock, of the key of that epoch. */
struct wrapped {
	const struct svcenc_sb *sb;
	const struct svcenc_wrap *wrap;
	u64 epoch;
};

static bool unwrap_gcm(const struct svcenc_secret *key,
		       const struct wrapped *wrapped, u8 *ret)
{
	const struct svcenc_wrap *wrap = wrapped->wrap;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	u8 aad[SVCENC_WRAP_AAD_SIZE];
	int len;
	bool good;

	svcenc_wrap_aad(wrapped->sb, wrapped->epoch, aad);
	good = ctx &&
	       EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL,
				  svcenc_secret_peek(key), wrap->nonce) == 1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, aad, sizeof(aad)) == 1 &&
	       EVP_DecryptUpdate(ctx, ret, &len, wrap->ciphertext,
				 SVCENC_VOLKEY_SIZE) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SVCENC_TAG_SIZE,
				   (void *)(uintptr_t)wrap->tag) == 1 &&
	       EVP_DecryptFinal_ex(ctx, ret + len, &len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

/* Recorded for its epoch, and for no other one: as the kernel has it. */
static bool fingerprint_is_right(const struct wrapped *wrapped,
				 const struct svcenc_secret *volume_key)
{
	const unsigned int slot = wrapped->epoch % SVCENC_HISTORY_MAX;
	const struct svcenc_sb *sb = wrapped->sb;
	u8 message[SVCENC_FINGERPRINT_MSG_SIZE], mac[32];
	unsigned int i;

	svcenc_fingerprint_message(&sb->uuid, message);
	if (svcenc_hierarchy_hmac(volume_key, message, sizeof(message), mac))
		return false;
	for (i = 0; i < SVCENC_HISTORY_MAX; i++)
		if ((i == slot) == !!CRYPTO_memcmp(mac, sb->history[i],
						   SVCENC_FINGERPRINT_SIZE))
			return false;
	return true;
}

static int unwrap_volume_key(const struct wrapped *wrapped,
			     const struct svcenc_secret *policy_key,
			     struct svcenc_secret **ret,
			     struct recover_error *error)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *subkey = NULL, *key = NULL;
	const u8 *bytes;

	key = svcenc_secret_new(SVCENC_VOLKEY_SIZE);
	if (!key || svcenc_hierarchy_subkey(policy_key, &wrapped->sb->key,
					    SVCENC_LABEL_WRAP, &subkey))
		return short_of_memory(error);
	if (!unwrap_gcm(subkey, wrapped, svcenc_secret_bytes(key)))
		return recover_fail(
			error, SVCENC_EXIT_INTEGRITY, NULL,
			"volume key does not unwrap: wrap belongs to another volume, epoch or format");
	bytes = svcenc_secret_peek(key);
	if (!CRYPTO_memcmp(bytes, bytes + SVCENC_VOLKEY_SIZE / 2,
			   SVCENC_VOLKEY_SIZE / 2) ||
	    !fingerprint_is_right(wrapped, key))
		return recover_fail(
			error, SVCENC_EXIT_INTEGRITY, NULL,
			"volume key is weak or belongs to another epoch");
	*ret = key;
	key = NULL;
	return 0;
}

static int unwrap_both(const struct svcenc_secret *policy_key,
		       struct recover_volume *volume,
		       struct recover_error *error)
{
	const struct svcenc_sb *sb = volume->sb;
	const struct wrapped current_ = { sb, &sb->current_, sb->epoch };
	const struct wrapped next = { sb, &sb->next, sb->epoch + 1 };

	if (unwrap_volume_key(&current_, policy_key, &volume->current_, error))
		return -1;
	if (!(sb->incompat & SVCENC_INCOMPAT_ROTATING))
		return 0;
	return unwrap_volume_key(&next, policy_key, &volume->next, error);
}

void recover_volume_wipe(struct recover_volume *volume)
{
	volume->current_ = svcenc_secret_free(volume->current_);
	volume->next = svcenc_secret_free(volume->next);
}

/* The copy whose policy key is asked for: given, or the newest keyed one. */
static int leading_copy(const struct svcenc_header *h, int copy,
			struct recover_error *error)
{
	bool usable[SVCENC_SB_COPIES];
	int i;

	for (i = 0; i < SVCENC_SB_COPIES; i++)
		usable[i] = h->copy[i].present &&
			    h->copy[i].defect == SVCENC_SB_NONE &&
			    h->copy[i].sb.keyed;
	if (copy >= 0 && !usable[copy])
		return recover_fail(
			error, SVCENC_EXIT_INTEGRITY, NULL,
			"superblock copy %d: %s", copy + 1,
			h->copy[copy].defect ?
				svcenc_header_sb_text(&h->copy[copy]) :
				"never keyed: it holds no data");
	if (copy >= 0)
		return copy;
	if (usable[0] && usable[1])
		return h->copy[1].sb.seq > h->copy[0].sb.seq;
	if (usable[0] || usable[1])
		return usable[1];
	/* Fresh copies say so; any other defect says more than a lost magic. */
	i = h->copy[0].defect == SVCENC_SB_MAGIC_DEFECT;
	if (h->copy[i].present && !h->copy[i].defect)
		return recover_fail(
			error, SVCENC_EXIT_INTEGRITY, NULL,
			"the volume was never keyed: it holds no data");
	return recover_fail(error,
			    h->copy[i].defect == SVCENC_SB_MAGIC_DEFECT ?
				    SVCENC_EXIT_DEVICE :
				    SVCENC_EXIT_INTEGRITY,
			    "svcenc-dump shows both copies",
			    "no usable superblock: %s",
			    svcenc_header_sb_text(&h->copy[i]));
}

int recover_volume_keys(struct svcenc_header *header, int copy,
			const struct recover_vaults *vaults,
			struct recover_volume *ret, struct recover_error *error)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *policy_key = NULL;
	int leading = leading_copy(header, copy, error), chosen;
	const struct svcenc_keyid *id;

	if (leading < 0)
		return -1;
	id = &header->copy[leading].sb.key;
	if (recover_policy_key(header, id, vaults, &policy_key, error))
		return -1;
	chosen = copy;
	if (copy >= 0 ? take_copy(header, copy, policy_key, error) :
			pick_copy(header, id, policy_key, &chosen, error))
		return -1;
	ret->sb = &header->copy[chosen].sb;
	if (!unwrap_both(policy_key, ret, error))
		return 0;
	recover_volume_wipe(ret);
	return -1;
}
