/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Policy keys: leases, and the end of a key. Users hold a struct svcenc_key
 * (identity, counted) and ask it to do things; they never see bytes. What a
 * volume converts with is a struct svcenc_cipher that hangs in the volume's
 * slot for as long as its policy key lives.
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
#ifndef SVCENC_POLICYKEY_H
#define SVCENC_POLICYKEY_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/wait.h>

#include "core/keyfmt.h"

struct crypto_skcipher;
struct key;
struct svcenc_key;

/* One volume key, ready for use. Only volumekey.c makes and frees it. */
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

/* The workqueue that ends keys in time. -ENOMEM. */
int svcenc_keys_init(void);
void svcenc_keys_exit(void); /* after svcenc_keys_end_all() */

/* Ends all live keys; more may come unless they are refused. May sleep. */
void svcenc_keys_end_all(const char *reason);

/* While @value is true, no key becomes live: joining is -EBUSY. */
void svcenc_keys_refuse(bool value);

/* --- holders: what stands for a policy key in the system's keyrings */

struct svcenc_holder;

/* Seconds that a lease may have. */
bool svcenc_lease_in_range(u32 lease_s);

/*
 * A holder with transforms made from @bytes, not yet live. -ENOMEM, or what
 * the crypto API says. Never joined, it is freed by svcenc_holder_free().
 */
struct svcenc_holder *svcenc_holder_new(const struct svcenc_keyid *id,
					const u8 bytes[SVCENC_POLICYKEY_SIZE],
					u32 lease_s);
void svcenc_holder_free(struct svcenc_holder *holder); /* NULL is fine */

/*
 * Makes the policy key live, or joins the live one of that name and renews
 * its lease. @of must outlive the holder. -EKEYREJECTED if the live one has
 * other bytes, -EBUSY while keys are refused.
 */
int svcenc_holder_join(struct svcenc_holder *holder, struct key *of);

/* Ends the policy key, whoever else holds it; see the promise above. */
void svcenc_holder_end(struct svcenc_holder *holder, const char *reason);

/* Frees a joined holder; the last one's leaving ends the policy key. */
void svcenc_holder_leave(struct svcenc_holder *holder, const char *reason);

/* A counted reference to the policy key; ERR_PTR(-ENOKEY) once it ended. */
struct svcenc_key *svcenc_holder_key(const struct svcenc_holder *holder);
const u8 *svcenc_holder_check(const struct svcenc_holder *holder);

/* --- users */

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
 * Make a new volume key for @sb (filling its wrap), or open the one in @sb, and
 * hang its cipher into @slot (which must be empty), so that it ends with @key
 * from its first moment on, whatever the caller waits for meanwhile. As long as
 * nothing may be converted with it, @slot is one that no conversion knows.
 * 0, -ENOKEY once @key ended, or as keycrypt.h's.
 */
int svcenc_key_make_volume(struct svcenc_key *key, struct svcenc_sb *sb,
			   struct svcenc_slot *slot);
int svcenc_key_open_volume(struct svcenc_key *key, const struct svcenc_sb *sb,
			   struct svcenc_slot *slot);

/*
 * What hangs in @from, which no conversion knows, now hangs in @to, which must
 * be empty. -ENOKEY: its key ended meanwhile, and @from is empty.
 */
int svcenc_key_show(struct svcenc_slot *from, struct svcenc_slot *to);

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
	unsigned long number; /* rises from key to key; from 1 */
	struct svcenc_keyid id;
	u8 check[SVCENC_CHECK_SIZE];
	u32 lease_s;
	u64 lease_left_ms;
	u32 devices;
};

/*
 * Fills @ret for the live key whose number is the next above @after (0: the
 * first); -ENOENT past the last. Who goes on with ret->number sees each key
 * that lives all the while, whichever others end.
 */
int svcenc_key_describe(unsigned long after, struct svcenc_key_info *ret);

#endif
