/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy keys: the key type "svcenc", the keyring ".svcenc", leases, and the
 * end of a key. Users hold a struct svcenc_key (identity, counted) and ask it
 * to do things; they never see bytes. What a volume converts with is a
 * struct svcenc_cipher that hangs in the volume's slot for as long as its
 * policy key lives.
 *
 * The promise: when svcenc_key's end returns (keyctl revoke runs it under
 * key->sem), no conversion with any cipher of that key runs or will start,
 * and its transforms are freed and zeroed. The parts:
 *
 *  - A conversion takes the cipher from its slot under rcu_read_lock(), in
 *    pieces of at most 64 KiB, and keeps it no longer than the read section,
 *    unless the crypto API completes asynchronously: then cipher->busy covers
 *    the rest.
 *  - The end empties all slots, waits for one expedited grace period (so no
 *    piece is between look-up and cipher->busy or its end any more), waits
 *    until busy is zero, then frees. It never waits for storage and takes no
 *    lock that is held across I/O or an allocation.
 */
#ifndef SVCENC_KEYRING_H
#define SVCENC_KEYRING_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/wait.h>

#include "core/keyfmt.h"

struct crypto_skcipher;
struct svcenc_key;

/* One volume key, ready for use. Only keyring.c makes and frees it. */
struct svcenc_cipher {
	struct crypto_skcipher *tfm;
	/*
	 * Conversions in progress, this_cpu operations; only the sum over all
	 * CPUs means anything, and only after dying was set and a grace period
	 * has passed: from then on it can only fall.
	 */
	int __percpu *busy;
	bool dying;		/* set once, before busy is summed */
	bool was_async;		/* set inside the RCU section of a conversion */
	wait_queue_head_t idle; /* woken when busy falls while dying */
	struct svcenc_slot *slot; /* keys_lock; valid while on key's list */
	struct list_head node;	/* keys_lock; in the policy key's list */
};

/* The place in a volume where its cipher hangs; lives as long as the volume. */
struct svcenc_slot {
	struct svcenc_cipher __rcu *cipher; /* NULL: locked */
};

/*
 * True while conversions can run; may change the moment after. Any context.
 * Who sees true also sees what was written before the cipher was attached
 * (where the data lies): pairs with rcu_assign_pointer() in attach.
 */
static inline bool svcenc_slot_live(const struct svcenc_slot *slot)
{
	if (!rcu_access_pointer(slot->cipher))
		return false;
	smp_acquire__after_ctrl_dep();
	return true;
}

int svcenc_keyring_init(void);
void svcenc_keyring_exit(void);

/* Serial of ".svcenc", for add_key(). */
int svcenc_keyring_serial(void);

/*
 * Looks @id up in ".svcenc" and nowhere else. Returns a counted reference
 * to a key that was live at that moment; ERR_PTR(-ENOKEY, -EKEYREVOKED,
 * -EKEYEXPIRED) otherwise. May sleep.
 */
struct svcenc_key *svcenc_key_find(const struct svcenc_keyid *id);
void svcenc_key_put(struct svcenc_key *key);

const struct svcenc_keyid *svcenc_key_id(const struct svcenc_key *key);
const u8 *svcenc_key_check(const struct svcenc_key *key);

/* Renews or shortens the lease of a live key. -ENOKEY, -EINVAL (range). */
int svcenc_key_lease(const struct svcenc_keyid *id, u32 lease_s);

/* keycrypt.h's functions with the key kept alive; -ENOKEY once it ended. */
int svcenc_key_mac(struct svcenc_key *key, const u8 span[SVCENC_SB_MAC_SPAN],
		   u8 mac[SVCENC_SB_MAC_SIZE]);
int svcenc_key_authorised(struct svcenc_key *key,
			  const struct svcenc_rewrap *rewrap,
			  const u8 auth[SVCENC_AUTH_SIZE]);
int svcenc_key_rewrap(struct svcenc_key *old, const struct svcenc_sb *from,
		      struct svcenc_key *new, struct svcenc_sb *to);

/*
 * Make a new volume key for @sb (filling its wrap), or open the one in @sb.
 * The cipher is not yet attached: svcenc_key_attach() or svcenc_cipher_free()
 * must follow.
 */
struct svcenc_cipher *svcenc_key_make_volume(struct svcenc_key *key,
					     struct svcenc_sb *sb);
struct svcenc_cipher *svcenc_key_open_volume(struct svcenc_key *key,
					     const struct svcenc_sb *sb);
void svcenc_cipher_free(struct svcenc_cipher *cipher);

/*
 * Hangs @cipher into @slot (which must be empty) and under @key. From now on
 * the key's end empties the slot and frees the cipher. -ENOKEY if the key
 * has ended meanwhile; then @cipher is still the caller's.
 */
int svcenc_key_attach(struct svcenc_key *key, struct svcenc_cipher *cipher,
		      struct svcenc_slot *slot);

/* Empties @slot, waits for its conversions and frees the cipher. */
void svcenc_key_detach(struct svcenc_slot *slot);

/*
 * After a rewrap: the slot's cipher now ends with @key instead. -ENOKEY if
 * either key has ended; then the slot is empty.
 */
int svcenc_key_move(struct svcenc_key *key, struct svcenc_slot *slot);

/* What the netlink dump tells of a live key. */
struct svcenc_key_info {
	struct svcenc_keyid id;
	u8 check[SVCENC_CHECK_SIZE];
	u32 lease_s;
	u64 lease_left_ms;
	u32 devices;
};

/* Fills @ret for the @index-th live key; -ENOENT past the last. */
int svcenc_key_describe(unsigned int index, struct svcenc_key_info *ret);

#endif
