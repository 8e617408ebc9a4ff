// SPDX-License-Identifier: GPL-2.0-only
/*
 * What volumes do with a policy key: MACs, wraps, and the ciphers that hang in
 * their slots under it, from the first to the last moment of each. Does not
 * know when or why a key ends (policykey.c), where a superblock lies or what a
 * bio is.
 *
 * Locks: key->use for whoever computes with the key; keys_lock inside it,
 * for whoever changes what hangs where.
 */
#include <crypto/skcipher.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "crypt.h"
#include "keycrypt.h"
#include "policykey_int.h"

/* ------------------------------------------------------- end of a cipher */

static int busy_sum(const struct svcenc_cipher *cipher)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(cipher->busy, cpu));
	return sum;
}

/*
 * Waits for asynchronous conversions. The caller has emptied the slot and
 * waited for a grace period, so busy only falls. dying pairs with the smp_mb()
 * in svcenc_crypt's completion: either it sees dying and wakes us, or we see
 * its decrement.
 */
static void wait_idle(struct svcenc_cipher *cipher)
{
	WRITE_ONCE(cipher->dying, true);
	smp_mb(); /* pairs with request_done() in crypt.c */
	wait_event(cipher->idle, !busy_sum(cipher));
}

void svcenc_cipher_free(struct svcenc_cipher *cipher)
{
	if (IS_ERR_OR_NULL(cipher))
		return;
	/*
	 * Freeing zeroes the key schedule, but cryptd's daemon may hold the
	 * last reference for a moment after it completed a request: overwrite
	 * the key now, free when it likes.
	 */
	svcenc_crypt_forget_key(cipher->tfm);
	crypto_free_skcipher(cipher->tfm);
	free_percpu(cipher->busy);
	kfree(cipher);
}

/* keys_lock held: the slot shows no cipher from now on. */
static void empty_slot(struct svcenc_cipher *cipher)
{
	RCU_INIT_POINTER(cipher->slot->cipher, NULL);
	/* The volume may go away as soon as keys_lock is released. */
	cipher->slot = NULL;
}

void svcenc_volumekeys_hide(struct list_head *ciphers,
			    struct list_head *ret_doomed)
{
	struct svcenc_cipher *cipher;

	list_for_each_entry(cipher, ciphers, node)
		empty_slot(cipher);
	list_splice_init(ciphers, ret_doomed);
}

void svcenc_volumekeys_retire(struct list_head *doomed)
{
	struct svcenc_cipher *cipher, *tmp;
	bool was_async = false;

	if (list_empty(doomed))
		return;
	synchronize_rcu_expedited();
	list_for_each_entry(cipher, doomed, node) {
		wait_idle(cipher);
		was_async |= READ_ONCE(cipher->was_async);
	}
	/* A completion may be between its decrement and its end. */
	if (was_async)
		synchronize_rcu_expedited();
	list_for_each_entry_safe(cipher, tmp, doomed, node)
		svcenc_cipher_free(cipher);
}

/* ----------------------------------------------------------------- users */

/*
 * Keeps key->kc while computing. The end of the key waits for this lock, so
 * allocations inside must not wait for I/O, which may need the key itself.
 */
static unsigned int use_begin(struct svcenc_key *key)
{
	const unsigned int noio = memalloc_noio_save();

	down_read(&key->use);
	return noio;
}

static void use_end(struct svcenc_key *key, unsigned int noio)
{
	up_read(&key->use);
	memalloc_noio_restore(noio);
}

int svcenc_key_mac(struct svcenc_key *key, const u8 span[SVCENC_SB_MAC_SPAN],
		   u8 mac[SVCENC_SB_MAC_SIZE])
{
	const unsigned int noio = use_begin(key);
	int rc = -ENOKEY;

	if (key->kc)
		rc = svcenc_keycrypt_mac(key->kc, span, mac);
	use_end(key, noio);
	return rc;
}

int svcenc_key_authorised(struct svcenc_key *key,
			  const struct svcenc_rewrap *rewrap,
			  const u8 auth[SVCENC_AUTH_SIZE])
{
	const unsigned int noio = use_begin(key);
	int rc = -ENOKEY;

	if (key->kc)
		rc = svcenc_keycrypt_authorised(key->kc, rewrap, auth);
	use_end(key, noio);
	return rc;
}

int svcenc_key_rewrap(struct svcenc_key *old, const struct svcenc_sb *from,
		      struct svcenc_key *new, struct svcenc_sb *to)
{
	/*
	 * Two locks of one class, always the lower address first: readers
	 * queue behind a waiting writer, so two rewraps in opposite directions
	 * could otherwise lock each other out.
	 */
	struct svcenc_key *low = old < new ? old : new;
	struct svcenc_key *high = old < new ? new : old;
	const unsigned int noio = use_begin(low);
	int rc = -ENOKEY;

	down_read_nested(&high->use, SINGLE_DEPTH_NESTING);
	if (old->kc && new->kc)
		rc = svcenc_keycrypt_rewrap(old->kc, from, new->kc, to);
	up_read(&high->use);
	use_end(low, noio);
	return rc;
}

static struct svcenc_cipher *new_cipher(void)
{
	struct svcenc_cipher *cipher;
	int rc = -ENOMEM;

	cipher = kzalloc(sizeof(*cipher), GFP_KERNEL);
	if (!cipher)
		return ERR_PTR(rc);
	init_waitqueue_head(&cipher->idle);
	INIT_LIST_HEAD(&cipher->node);
	cipher->busy = alloc_percpu(int);
	if (!cipher->busy)
		goto err_free;
	cipher->tfm = svcenc_crypt_alloc_tfm();
	if (!IS_ERR(cipher->tfm))
		return cipher;
	rc = PTR_ERR(cipher->tfm);
	free_percpu(cipher->busy);
err_free:
	kfree(cipher);
	return ERR_PTR(rc);
}

int svcenc_key_attach(struct svcenc_key *key, struct svcenc_cipher *cipher,
		      struct svcenc_slot *slot)
{
	int rc = -ENOKEY;

	spin_lock(&svcenc_keys_lock);
	if (!key->dead) {
		cipher->slot = slot;
		list_add_tail(&cipher->node, &key->ciphers);
		rcu_assign_pointer(slot->cipher, cipher);
		rc = 0;
	}
	spin_unlock(&svcenc_keys_lock);
	return rc;
}

/*
 * key->use held for reading: the end of the key, which marks it dead and then
 * waits for that lock, either finds @cipher on the key's list, or has this one
 * fail and free it. Outside of the lock there is never a volume key that the
 * end does not know of.
 */
static int hang(struct svcenc_key *key, struct svcenc_cipher *cipher,
		struct svcenc_slot *slot, int rc)
{
	if (!rc)
		rc = svcenc_key_attach(key, cipher, slot);
	if (rc)
		svcenc_cipher_free(cipher);
	return rc;
}

int svcenc_key_make_volume(struct svcenc_key *key, struct svcenc_sb *sb,
			   struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher;
	unsigned int noio;
	int rc;

	/* May take long at an early boot: not while the key's end waits. */
	rc = wait_for_random_bytes();
	if (rc)
		return rc;
	cipher = new_cipher();
	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	rc = -ENOKEY;
	noio = use_begin(key);
	if (key->kc)
		rc = svcenc_keycrypt_make_volume(key->kc, sb, cipher->tfm);
	rc = hang(key, cipher, slot, rc);
	use_end(key, noio);
	return rc;
}

int svcenc_key_open_volume(struct svcenc_key *key, const struct svcenc_sb *sb,
			   struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher = new_cipher();
	unsigned int noio;
	int rc = -ENOKEY;

	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	noio = use_begin(key);
	if (key->kc)
		rc = svcenc_keycrypt_open_volume(key->kc, sb, cipher->tfm);
	rc = hang(key, cipher, slot, rc);
	use_end(key, noio);
	return rc;
}

/* keys_lock held. */
static struct svcenc_cipher *slot_cipher(struct svcenc_slot *slot)
{
	return rcu_dereference_protected(slot->cipher,
					 lockdep_is_held(&svcenc_keys_lock));
}

void svcenc_key_detach(struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher;
	LIST_HEAD(doomed);

	spin_lock(&svcenc_keys_lock);
	cipher = slot_cipher(slot);
	/* Otherwise never open, or its key's end frees it. */
	if (cipher) {
		empty_slot(cipher);
		list_move(&cipher->node, &doomed);
	}
	spin_unlock(&svcenc_keys_lock);
	svcenc_volumekeys_retire(&doomed);
}

int svcenc_key_show(struct svcenc_slot *from, struct svcenc_slot *to)
{
	struct svcenc_cipher *cipher;

	spin_lock(&svcenc_keys_lock);
	cipher = slot_cipher(from);
	if (cipher) {
		RCU_INIT_POINTER(from->cipher, NULL);
		cipher->slot = to;
		rcu_assign_pointer(to->cipher, cipher);
	}
	spin_unlock(&svcenc_keys_lock);
	return cipher ? 0 : -ENOKEY;
}

int svcenc_key_move(struct svcenc_key *key, struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher;
	LIST_HEAD(doomed);
	int rc = -ENOKEY;

	spin_lock(&svcenc_keys_lock);
	cipher = slot_cipher(slot);
	if (cipher && !key->dead) {
		list_move_tail(&cipher->node, &key->ciphers);
		rc = 0;
	} else if (cipher) {
		/* The new key ended first: this volume ends with it. */
		empty_slot(cipher);
		list_move(&cipher->node, &doomed);
	}
	spin_unlock(&svcenc_keys_lock);
	svcenc_volumekeys_retire(&doomed);
	return rc;
}
