// SPDX-License-Identifier: GPL-2.0-only
/*
 * Key type, keyring, leases and the end of a key; keyring.h has the contract.
 * Does not know what a bio, a superblock's location or a table is.
 *
 * Three kinds of objects:
 *   struct key            the system's; several may stand for one policy key
 *                         (added twice, linked elsewhere)
 *   struct svcenc_payload one per instantiated struct key; the link between
 *   struct svcenc_key     the policy key; live from the first instantiate to
 *                         its end, then a shell until the last reference
 *
 * Locks: keys_lock (spinlock, process context only, innermost) guards the
 * list of live keys and everything marked so below. key->sem of a struct key
 * is taken around revoke by the system, never by us, and never while
 * keys_lock is held.
 */
#include <crypto/skcipher.h>
#include <linux/cred.h>
#include <linux/hrtimer.h>
#include <linux/key-type.h>
#include <linux/key.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/suspend.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "crypt.h"
#include "keycrypt.h"
#include "keyring.h"
#include "netlink.h"
#include "registry.h"
#include "trace.h"

struct svcenc_key {
	refcount_t refs;
	struct svcenc_keyid id;		 /* constant */
	u8 check[SVCENC_CHECK_SIZE];	 /* constant; public */
	struct list_head node;		 /* keys_lock; in live_keys */
	struct list_head payloads;	 /* keys_lock; empty = nobody holds it */
	struct list_head ciphers;	 /* keys_lock; of the open volumes */
	bool dead;			 /* keys_lock; set once */
	u32 lease_s;			 /* keys_lock */
	ktime_t deadline;		 /* keys_lock; CLOCK_BOOTTIME */
	struct hrtimer lease_timer;	 /* armed while live */
	struct work_struct lease_work;	 /* owns a reference while queued */
	struct work_struct lost_work;	 /* owns a reference while queued */
	const char *lost_reason;	 /* set by the one who ends it */
	struct completion ended;	 /* all transforms are gone */
	/*
	 * Readers use kc (CPU work only, short); the end takes it for writing
	 * to free kc. Nobody allocates with __GFP_IO or does I/O inside.
	 */
	struct rw_semaphore use;
	struct svcenc_keycrypt *kc; /* use; NULL after the end */
};

struct svcenc_payload {
	struct svcenc_key *key; /* counted */
	struct key *holder;	/* not counted: destroyed payloads unlink first */
	struct list_head node;	/* keys_lock; in key->payloads */
	u32 lease_s;		/* asked for at add_key() */
};

static DEFINE_SPINLOCK(keys_lock);
static LIST_HEAD(live_keys); /* keys_lock */
static bool hibernating;     /* keys_lock; no key may become live */
static struct key *keyring;  /* constant between init and exit */
static int keyring_serial;   /* likewise; outlives it */
/* Ends keys whose lease is over; must not wait behind I/O, so its own. */
static struct workqueue_struct *end_wq;

static void tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(tick_work, tick);

/* ------------------------------------------------------------ references */

static struct svcenc_key *get_key(struct svcenc_key *key)
{
	refcount_inc(&key->refs);
	return key;
}

void svcenc_key_put(struct svcenc_key *key)
{
	if (!IS_ERR_OR_NULL(key) && refcount_dec_and_test(&key->refs)) {
		/* Never instantiated keys still own their transforms. */
		svcenc_keycrypt_free(key->kc);
		kfree(key);
	}
}

const struct svcenc_keyid *svcenc_key_id(const struct svcenc_key *key)
{
	return &key->id;
}

const u8 *svcenc_key_check(const struct svcenc_key *key)
{
	return key->check;
}

/* keys_lock held. */
static struct svcenc_key *find_live(const struct svcenc_keyid *id)
{
	struct svcenc_key *key;

	list_for_each_entry(key, &live_keys, node)
		if (svcenc_keyid_equal(&key->id, id))
			return key;
	return NULL;
}

/* --------------------------------------------------------- end of a key */

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

/*
 * Waits for the conversions with ciphers whose slots were emptied, and frees
 * them. Takes no lock, allocates nothing.
 */
static void retire(struct list_head *doomed)
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

/* On a queue without reclaim duties: it may wait for memory and locks. */
static void lost(struct work_struct *work)
{
	struct svcenc_key *key =
		container_of(work, struct svcenc_key, lost_work);
	/* A resume may be waiting for registry_lock: do not reclaim into it. */
	const unsigned int noio = memalloc_noio_save();

	svcenc_netlink_key_event(SVCENC_EVENT_KEY_LOST, &key->id,
				 key->lost_reason);
	svcenc_registry_key_lost(&key->id);
	memalloc_noio_restore(noio);
	svcenc_key_put(key);
}

/* keys_lock held. False if the key has ended already or never began. */
static bool mark_dead(struct svcenc_key *key, struct list_head *ret_doomed)
{
	struct svcenc_cipher *cipher;

	if (key->dead)
		return false;
	WRITE_ONCE(key->dead, true);
	list_del_init(&key->node);
	list_for_each_entry(cipher, &key->ciphers, node)
		empty_slot(cipher);
	list_splice_init(&key->ciphers, ret_doomed);
	return true;
}

/*
 * What remains once mark_dead() returned true. Runs under key->sem (revoke),
 * in the key collector (destroy) or on end_wq (lease, timeout); takes no lock
 * that those could be waiting for, and allocates nothing.
 */
static void finish_end(struct svcenc_key *key, struct list_head *doomed,
		       const char *reason)
{
	const u64 begin = ktime_get_ns();

	retire(doomed);
	down_write(&key->use);
	svcenc_keycrypt_free(key->kc);
	key->kc = NULL;
	up_write(&key->use);
	hrtimer_cancel(&key->lease_timer);
	key->lost_reason = reason;
	trace_svcenc_key_end(&key->id, reason, ktime_get_ns() - begin);
	complete_all(&key->ended);
	/* Messages allocate and take target locks: not in here. */
	get_key(key);
	queue_work(svcenc_event_wq, &key->lost_work);
	svcenc_key_put(key); /* the reference of being live */
}

/*
 * Ends @key. Whoever comes second waits for the first: when this returns, the
 * promise of keyring.h holds, however many ways lead here at once.
 */
static void end_key(struct svcenc_key *key, const char *reason)
{
	LIST_HEAD(doomed);
	bool first;

	spin_lock(&keys_lock);
	first = mark_dead(key, &doomed);
	spin_unlock(&keys_lock);
	if (first)
		finish_end(key, &doomed, reason);
	else
		wait_for_completion(&key->ended);
}

/* ----------------------------------------------------------------- lease */

/*
 * Runs in interrupt context. The key is live or ending (end_key() cancels the
 * timer before it drops its reference), so it may be referenced.
 */
static enum hrtimer_restart lease_over(struct hrtimer *timer)
{
	struct svcenc_key *key =
		container_of(timer, struct svcenc_key, lease_timer);

	get_key(key);
	if (!queue_work(end_wq, &key->lease_work))
		refcount_dec(&key->refs); /* was queued: has its own */
	return HRTIMER_NORESTART;
}

static void lease_end(struct work_struct *work)
{
	struct svcenc_key *key =
		container_of(work, struct svcenc_key, lease_work);
	LIST_HEAD(doomed);
	bool first;

	spin_lock(&keys_lock);
	/*
	 * A renewal may have come between the timer and here, and then wins.
	 * Decided under the lock, so that no renewal is ever acknowledged for
	 * a key that ends all the same.
	 */
	first = ktime_compare(ktime_get_boottime(), key->deadline) >= 0 &&
		mark_dead(key, &doomed);
	spin_unlock(&keys_lock);
	if (first)
		finish_end(key, &doomed, "lease ended");
	svcenc_key_put(key);
}

/* keys_lock held, key live. */
static void lease_start(struct svcenc_key *key, u32 lease_s)
{
	key->lease_s = lease_s;
	key->deadline = ktime_add_ns(ktime_get_boottime(),
				     (u64)lease_s * NSEC_PER_SEC);
	hrtimer_start(&key->lease_timer, key->deadline, HRTIMER_MODE_ABS);
}

static bool lease_in_range(u32 lease_s)
{
	return lease_s >= SVCENC_LEASE_MIN_S && lease_s <= SVCENC_LEASE_MAX_S;
}

int svcenc_key_lease(const struct svcenc_keyid *id, u32 lease_s)
{
	struct svcenc_key *key;

	if (!lease_in_range(lease_s))
		return -EINVAL;
	spin_lock(&keys_lock);
	key = find_live(id);
	/* Past its deadline a key is over, even if the timer is late. */
	if (key && ktime_compare(ktime_get_boottime(), key->deadline) >= 0)
		key = NULL;
	if (key)
		lease_start(key, lease_s);
	spin_unlock(&keys_lock);
	return key ? 0 : -ENOKEY;
}

/* keys_lock held: did the system's own timeout (keyctl timeout) pass? */
static bool holder_expired(const struct svcenc_key *key, time64_t now)
{
	const struct svcenc_payload *payload;

	/* No expiry is TIME64_MAX; it was 0 before 6.7 and its backports. */
	list_for_each_entry(payload, &key->payloads, node) {
		const time64_t expiry = READ_ONCE(payload->holder->expiry);

		if (expiry && expiry <= now)
			return true;
	}
	return false;
}

/*
 * keyctl timeout has no hook in a key type, and the collector may come late
 * (design, section 5.1): look once a second.
 */
static void tick(struct work_struct *work)
{
	const time64_t now = ktime_get_real_seconds();
	struct svcenc_key *key, *expired = NULL;
	bool more;

	spin_lock(&keys_lock);
	more = !list_empty(&live_keys);
	list_for_each_entry(key, &live_keys, node) {
		if (holder_expired(key, now)) {
			expired = get_key(key);
			break;
		}
	}
	spin_unlock(&keys_lock);
	if (expired) {
		end_key(expired, "timeout");
		svcenc_key_put(expired);
	}
	if (more) /* else the next instantiate() starts it again */
		queue_delayed_work(end_wq, &tick_work, expired ? 0 : HZ);
}

/* -------------------------------------------------------------- key type */

static int vet_description(const char *description)
{
	struct svcenc_keyid id;

	return svcenc_keyid_parse(description, &id);
}

static struct svcenc_key *new_key(const struct svcenc_keyid *id,
				  const u8 bytes[SVCENC_POLICYKEY_SIZE])
{
	struct svcenc_keycrypt *kc;
	struct svcenc_key *key;

	kc = svcenc_keycrypt_new(id, bytes);
	if (IS_ERR(kc))
		return ERR_CAST(kc);
	key = kzalloc(sizeof(*key), GFP_KERNEL);
	if (!key) {
		svcenc_keycrypt_free(kc);
		return ERR_PTR(-ENOMEM);
	}
	refcount_set(&key->refs, 1);
	key->id = *id;
	memcpy(key->check, svcenc_keycrypt_check(kc), sizeof(key->check));
	key->kc = kc;
	INIT_LIST_HEAD(&key->node);
	INIT_LIST_HEAD(&key->payloads);
	INIT_LIST_HEAD(&key->ciphers);
	INIT_WORK(&key->lease_work, lease_end);
	INIT_WORK(&key->lost_work, lost);
	init_rwsem(&key->use);
	init_completion(&key->ended);
	hrtimer_init(&key->lease_timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS);
	key->lease_timer.function = lease_over;
	return key;
}

static void payload_free(struct svcenc_payload *payload)
{
	if (payload) {
		svcenc_key_put(payload->key);
		kfree(payload);
	}
}

/*
 * The only place where userspace's bytes are read. The system wipes and frees
 * its copy of prep->data (kvfree_sensitive) after add_key().
 */
static int preparse(struct key_preparsed_payload *prep)
{
	const struct svcenc_key_payload *wire = prep->data;
	struct svcenc_payload *payload;
	struct svcenc_keyid id;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!prep->orig_description ||
	    svcenc_keyid_parse(prep->orig_description, &id))
		return -EINVAL;
	if (prep->datalen != sizeof(*wire) ||
	    le32_to_cpu(wire->version) != SVCENC_PAYLOAD_VERSION ||
	    !lease_in_range(le32_to_cpu(wire->lease_s)))
		return -EINVAL;
	payload = kzalloc(sizeof(*payload), GFP_KERNEL);
	if (!payload)
		return -ENOMEM;
	payload->lease_s = le32_to_cpu(wire->lease_s);
	payload->key = new_key(&id, wire->key);
	if (IS_ERR(payload->key)) {
		const int rc = PTR_ERR(payload->key);

		kfree(payload);
		return rc;
	}
	prep->payload.data[0] = payload;
	return 0;
}

static void free_preparse(struct key_preparsed_payload *prep)
{
	payload_free(prep->payload.data[0]);
}

/*
 * keys_lock held. Joins @payload to the live key of that name, or makes its
 * own key live. Returns the key that it no longer needs, or an error.
 */
static struct svcenc_key *join(struct svcenc_payload *payload)
{
	struct svcenc_key *live = find_live(&payload->key->id);
	struct svcenc_key *surplus = NULL;

	if (hibernating)
		return ERR_PTR(-EBUSY);
	if (live && memcmp(live->check, payload->key->check,
			   sizeof(live->check)))
		return ERR_PTR(-EKEYREJECTED);
	if (live) {
		surplus = payload->key;
		payload->key = get_key(live);
	} else {
		live = get_key(payload->key); /* dropped by end_key() */
		list_add_tail(&live->node, &live_keys);
	}
	list_add_tail(&payload->node, &live->payloads);
	lease_start(live, payload->lease_s);
	return surplus;
}

static int instantiate(struct key *holder, struct key_preparsed_payload *prep)
{
	struct svcenc_payload *payload = prep->payload.data[0];
	struct svcenc_key *surplus;

	payload->holder = holder;
	spin_lock(&keys_lock);
	surplus = join(payload);
	spin_unlock(&keys_lock);
	if (IS_ERR(surplus))
		return PTR_ERR(surplus);
	svcenc_key_put(surplus);
	queue_delayed_work(end_wq, &tick_work, HZ);
	prep->payload.data[0] = NULL;
	holder->payload.data[0] = payload;
	/*
	 * Root must be able to end the key by its serial, without having to
	 * possess the keyring first (keyctl revoke, unlink, invalidate,
	 * timeout). Nobody sees the key before this function returns.
	 */
	holder->perm |= KEY_USR_VIEW | KEY_USR_SEARCH | KEY_USR_LINK |
			KEY_USR_SETATTR;
	return 0; /* quota: def_datalen was reserved when it was allocated */
}

static void revoke(struct key *holder)
{
	struct svcenc_payload *payload = holder->payload.data[0];

	if (payload)
		end_key(payload->key, "revoked");
}

/* The last reference to @holder is gone: unlinked, invalidated, cleared. */
static void destroy(struct key *holder)
{
	struct svcenc_payload *payload = holder->payload.data[0];
	LIST_HEAD(doomed);
	bool first;

	if (!payload)
		return;
	spin_lock(&keys_lock);
	list_del(&payload->node);
	/* Under the same lock as join(): an add joins before this or not. */
	first = list_empty(&payload->key->payloads) &&
		mark_dead(payload->key, &doomed);
	spin_unlock(&keys_lock);
	if (first)
		finish_end(payload->key, &doomed, "unlinked");
	payload_free(payload);
}

static void describe(const struct key *holder, struct seq_file *m)
{
	const struct svcenc_payload *payload = holder->payload.data[0];

	seq_puts(m, holder->description);
	if (key_is_positive(holder) && payload)
		seq_printf(m, ": %*phN", SVCENC_CHECK_SIZE,
			   payload->key->check);
}

static struct key_type key_type_svcenc = {
	.name = "svcenc",
	.flags = KEY_TYPE_INSTANT_REAP,
	.def_datalen = sizeof(struct svcenc_key_payload),
	.vet_description = vet_description,
	.preparse = preparse,
	.free_preparse = free_preparse,
	.instantiate = instantiate,
	.revoke = revoke,
	.destroy = destroy,
	.describe = describe,
	/* no .read, no .update: bytes go in and never come out or change */
};

/* ---------------------------------------------------------------- users */

struct svcenc_key *svcenc_key_find(const struct svcenc_keyid *id)
{
	struct svcenc_key *key = ERR_PTR(-ENOKEY);
	char description[SVCENC_KEYID_TEXT + 1];
	struct svcenc_payload *payload;
	key_ref_t ref;

	svcenc_keyid_print(id, description);
	/*
	 * Never request_key(): it looks through the caller's keyrings, where
	 * anyone could have put a key of that name.
	 */
	ref = keyring_search(make_key_ref(keyring, true), &key_type_svcenc,
			     description, false);
	if (IS_ERR(ref))
		return PTR_ERR(ref) == -EAGAIN ? key : ERR_CAST(ref);
	/* request_key() by someone else may have linked an empty one. */
	if (!key_is_positive(key_ref_to_ptr(ref)))
		goto out;
	payload = key_ref_to_ptr(ref)->payload.data[0];
	spin_lock(&keys_lock);
	if (!payload->key->dead)
		key = get_key(payload->key);
	spin_unlock(&keys_lock);
out:
	key_ref_put(ref);
	return key;
}

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

struct svcenc_cipher *svcenc_key_make_volume(struct svcenc_key *key,
					     struct svcenc_sb *sb)
{
	struct svcenc_cipher *cipher;
	unsigned int noio;
	int rc;

	/* May take long at an early boot: not while the key's end waits. */
	rc = wait_for_random_bytes();
	if (rc)
		return ERR_PTR(rc);
	cipher = new_cipher();
	if (IS_ERR(cipher))
		return cipher;
	rc = -ENOKEY;
	noio = use_begin(key);
	if (key->kc)
		rc = svcenc_keycrypt_make_volume(key->kc, sb, cipher->tfm);
	use_end(key, noio);
	if (!rc)
		return cipher;
	svcenc_cipher_free(cipher);
	return ERR_PTR(rc);
}

struct svcenc_cipher *svcenc_key_open_volume(struct svcenc_key *key,
					     const struct svcenc_sb *sb)
{
	struct svcenc_cipher *cipher = new_cipher();
	unsigned int noio;
	int rc = -ENOKEY;

	if (IS_ERR(cipher))
		return cipher;
	noio = use_begin(key);
	if (key->kc)
		rc = svcenc_keycrypt_open_volume(key->kc, sb, cipher->tfm);
	use_end(key, noio);
	if (!rc)
		return cipher;
	svcenc_cipher_free(cipher);
	return ERR_PTR(rc);
}

int svcenc_key_attach(struct svcenc_key *key, struct svcenc_cipher *cipher,
		      struct svcenc_slot *slot)
{
	int rc = -ENOKEY;

	spin_lock(&keys_lock);
	if (!key->dead) {
		cipher->slot = slot;
		list_add_tail(&cipher->node, &key->ciphers);
		rcu_assign_pointer(slot->cipher, cipher);
		rc = 0;
	}
	spin_unlock(&keys_lock);
	return rc;
}

/* keys_lock held. */
static struct svcenc_cipher *slot_cipher(struct svcenc_slot *slot)
{
	return rcu_dereference_protected(slot->cipher,
					 lockdep_is_held(&keys_lock));
}

void svcenc_key_detach(struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher;
	LIST_HEAD(doomed);

	spin_lock(&keys_lock);
	cipher = slot_cipher(slot);
	/* Otherwise never open, or its key's end frees it. */
	if (cipher) {
		empty_slot(cipher);
		list_move(&cipher->node, &doomed);
	}
	spin_unlock(&keys_lock);
	retire(&doomed);
}

int svcenc_key_move(struct svcenc_key *key, struct svcenc_slot *slot)
{
	struct svcenc_cipher *cipher;
	LIST_HEAD(doomed);
	int rc = -ENOKEY;

	spin_lock(&keys_lock);
	cipher = slot_cipher(slot);
	if (cipher && !key->dead) {
		list_move_tail(&cipher->node, &key->ciphers);
		rc = 0;
	} else if (cipher) {
		/* The new key ended first: this volume ends with it. */
		empty_slot(cipher);
		list_move(&cipher->node, &doomed);
	}
	spin_unlock(&keys_lock);
	retire(&doomed);
	return rc;
}

/* keys_lock held. */
static void fill_info(struct svcenc_key *key, struct svcenc_key_info *ret)
{
	const s64 left = ktime_ms_delta(key->deadline, ktime_get_boottime());
	struct svcenc_cipher *cipher;

	ret->id = key->id;
	memcpy(ret->check, key->check, sizeof(ret->check));
	ret->lease_s = key->lease_s;
	ret->lease_left_ms = left > 0 ? left : 0;
	ret->devices = 0;
	list_for_each_entry(cipher, &key->ciphers, node)
		ret->devices++;
}

int svcenc_key_describe(unsigned int index, struct svcenc_key_info *ret)
{
	struct svcenc_key *key;
	int rc = -ENOENT;

	spin_lock(&keys_lock);
	list_for_each_entry(key, &live_keys, node) {
		if (!index--) {
			fill_info(key, ret);
			rc = 0;
			break;
		}
	}
	spin_unlock(&keys_lock);
	return rc;
}

/* ---------------------------------------------------------- life of it all */

int svcenc_keyring_serial(void)
{
	return keyring_serial;
}

static void end_all(const char *reason)
{
	struct svcenc_key *key;

	for (;;) {
		spin_lock(&keys_lock);
		key = list_first_entry_or_null(&live_keys, struct svcenc_key,
					       node);
		if (key)
			get_key(key);
		spin_unlock(&keys_lock);
		if (!key)
			return;
		end_key(key, reason);
		svcenc_key_put(key);
	}
}

static void set_hibernating(bool value)
{
	spin_lock(&keys_lock);
	hibernating = value;
	spin_unlock(&keys_lock);
}

/*
 * A hibernation image would write every key to the swap device. Processes are
 * frozen only after this: until then the agent, which hears of its lost keys,
 * must not bring them back.
 */
static int power_event(struct notifier_block *block, unsigned long event,
		       void *unused)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		set_hibernating(true);
		end_all("hibernation");
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		set_hibernating(false);
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block power_notifier = {
	.notifier_call = power_event,
};

int svcenc_keyring_init(void)
{
	int rc = -ENOMEM;

	end_wq = alloc_workqueue("svcenc_end",
				 WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0);
	if (!end_wq)
		return rc;
	rc = register_key_type(&key_type_svcenc);
	if (rc)
		goto err_destroy_wq;
	keyring = keyring_alloc(".svcenc", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID,
				current_cred(),
				(KEY_POS_ALL & ~KEY_POS_SETATTR) |
					KEY_USR_VIEW | KEY_USR_READ |
					KEY_USR_WRITE | KEY_USR_SEARCH |
					KEY_USR_LINK,
				KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	if (IS_ERR(keyring)) {
		rc = PTR_ERR(keyring);
		goto err_unregister_type;
	}
	keyring_serial = key_serial(keyring);
	rc = register_pm_notifier(&power_notifier);
	if (rc)
		goto err_put_keyring;
	return 0;

err_put_keyring:
	key_put(keyring);
err_unregister_type:
	unregister_key_type(&key_type_svcenc);
err_destroy_wq:
	destroy_workqueue(end_wq);
	return rc;
}

/* No volume exists any more: the module is going away. */
void svcenc_keyring_exit(void)
{
	unregister_pm_notifier(&power_notifier);
	/* No more add_key(); ends and destroys what is left, wherever linked. */
	unregister_key_type(&key_type_svcenc);
	end_all("module unloaded");
	cancel_delayed_work_sync(&tick_work);
	key_revoke(keyring);
	key_put(keyring);
	destroy_workqueue(end_wq);
}
