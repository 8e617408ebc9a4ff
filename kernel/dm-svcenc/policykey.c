// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy keys: their life, leases, their end, and the ciphers of the volumes
 * under them; policykey.h has the contract. Does not know what a keyring, a
 * bio, a superblock's location or a table is.
 *
 * A policy key is live from the first holder that joins until its end, then a
 * shell until the last reference.
 *
 * Locks: keys_lock (spinlock, process context only, innermost) guards the
 * list of live keys and everything marked so below. key->sem of a holder's
 * struct key is taken around revoke by the system, never by us, and never
 * while keys_lock is held.
 */
#include <crypto/skcipher.h>
#include <linux/hrtimer.h>
#include <linux/key.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "crypt.h"
#include "keycrypt.h"
#include "netlink.h"
#include "policykey.h"
#include "registry.h"
#include "trace.h"

struct svcenc_key {
	refcount_t refs;
	struct svcenc_keyid id;		 /* constant */
	u8 check[SVCENC_CHECK_SIZE];	 /* constant; public */
	struct list_head node;		 /* keys_lock; in live_keys */
	unsigned long number;		 /* keys_lock; since it is live */
	struct list_head holders;	 /* keys_lock; empty = nobody holds it */
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

/* Policy key @key as one struct key of the system stands for it. */
struct svcenc_holder {
	struct svcenc_key *key; /* counted */
	struct key *of;		/* not counted: leaves before it goes */
	struct list_head node;	/* keys_lock; in key->holders */
	u32 lease_s;		/* asked for at add_key() */
};

static DEFINE_SPINLOCK(keys_lock);
static LIST_HEAD(live_keys); /* keys_lock; numbers rise */
static unsigned long last_number; /* keys_lock */
static bool refusing;	     /* keys_lock; no key may become live */
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
 * promise of policykey.h holds, however many ways lead here at once.
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

bool svcenc_lease_in_range(u32 lease_s)
{
	return lease_s >= SVCENC_LEASE_MIN_S && lease_s <= SVCENC_LEASE_MAX_S;
}

int svcenc_key_lease(const struct svcenc_keyid *id, u32 lease_s)
{
	struct svcenc_key *key;

	if (!svcenc_lease_in_range(lease_s))
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
	const struct svcenc_holder *holder;

	/* No expiry is TIME64_MAX; it was 0 before 6.7 and its backports. */
	list_for_each_entry(holder, &key->holders, node) {
		const time64_t expiry = READ_ONCE(holder->of->expiry);

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
	if (more) /* else the next join starts it again */
		queue_delayed_work(end_wq, &tick_work, expired ? 0 : HZ);
}

/* --------------------------------------------------------------- holders */

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
	INIT_LIST_HEAD(&key->holders);
	INIT_LIST_HEAD(&key->ciphers);
	INIT_WORK(&key->lease_work, lease_end);
	INIT_WORK(&key->lost_work, lost);
	init_rwsem(&key->use);
	init_completion(&key->ended);
	hrtimer_init(&key->lease_timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS);
	key->lease_timer.function = lease_over;
	return key;
}

struct svcenc_holder *svcenc_holder_new(const struct svcenc_keyid *id,
					const u8 bytes[SVCENC_POLICYKEY_SIZE],
					u32 lease_s)
{
	struct svcenc_holder *holder;
	struct svcenc_key *key;

	holder = kzalloc(sizeof(*holder), GFP_KERNEL);
	if (!holder)
		return ERR_PTR(-ENOMEM);
	key = new_key(id, bytes);
	if (IS_ERR(key)) {
		kfree(holder);
		return ERR_CAST(key);
	}
	holder->key = key;
	holder->lease_s = lease_s;
	return holder;
}

void svcenc_holder_free(struct svcenc_holder *holder)
{
	if (holder) {
		svcenc_key_put(holder->key);
		kfree(holder);
	}
}

/* keys_lock held. Returns the key that @holder no longer needs, or an error. */
static struct svcenc_key *join(struct svcenc_holder *holder)
{
	struct svcenc_key *live = find_live(&holder->key->id);
	struct svcenc_key *surplus = NULL;

	if (refusing)
		return ERR_PTR(-EBUSY);
	if (live &&
	    memcmp(live->check, holder->key->check, sizeof(live->check)))
		return ERR_PTR(-EKEYREJECTED);
	if (live) {
		surplus = holder->key;
		holder->key = get_key(live);
	} else {
		live = get_key(holder->key); /* dropped by finish_end() */
		live->number = ++last_number;
		list_add_tail(&live->node, &live_keys);
	}
	list_add_tail(&holder->node, &live->holders);
	lease_start(live, holder->lease_s);
	return surplus;
}

/* keys_lock held: a live key of that name whose timeout has passed. */
static struct svcenc_key *get_expired(const struct svcenc_keyid *id)
{
	struct svcenc_key *key = find_live(id);

	return key && holder_expired(key, ktime_get_real_seconds()) ?
		       get_key(key) :
		       NULL;
}

int svcenc_holder_join(struct svcenc_holder *holder, struct key *of)
{
	struct svcenc_key *surplus, *expired;

	holder->of = of;
	spin_lock(&keys_lock);
	/* The tick has not looked yet: this one would end with that. */
	while ((expired = get_expired(&holder->key->id))) {
		spin_unlock(&keys_lock);
		end_key(expired, "timeout");
		svcenc_key_put(expired);
		spin_lock(&keys_lock);
	}
	surplus = join(holder);
	spin_unlock(&keys_lock);
	if (IS_ERR(surplus))
		return PTR_ERR(surplus);
	svcenc_key_put(surplus);
	queue_delayed_work(end_wq, &tick_work, HZ);
	return 0;
}

void svcenc_holder_end(struct svcenc_holder *holder, const char *reason)
{
	end_key(holder->key, reason);
}

void svcenc_holder_leave(struct svcenc_holder *holder, const char *reason)
{
	struct svcenc_key *key = holder->key;
	LIST_HEAD(doomed);
	bool first;

	spin_lock(&keys_lock);
	list_del(&holder->node);
	/* Under the same lock as join(): an add joins before this or not. */
	first = list_empty(&key->holders) && mark_dead(key, &doomed);
	spin_unlock(&keys_lock);
	if (first)
		finish_end(key, &doomed, reason);
	svcenc_holder_free(holder);
}

struct svcenc_key *svcenc_holder_key(const struct svcenc_holder *holder)
{
	struct svcenc_key *key = ERR_PTR(-ENOKEY);

	spin_lock(&keys_lock);
	if (!holder->key->dead)
		key = get_key(holder->key);
	spin_unlock(&keys_lock);
	return key;
}

const u8 *svcenc_holder_check(const struct svcenc_holder *holder)
{
	return holder->key->check;
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

/*
 * key->use held for reading: the end of the key, which marks it dead and then
 * waits for that lock, either finds @cipher on the key's list, or has this one
 * fail and free it. Outside of the lock there is never a volume key that the end
 * does not know of.
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

int svcenc_key_show(struct svcenc_slot *from, struct svcenc_slot *to)
{
	struct svcenc_cipher *cipher;

	spin_lock(&keys_lock);
	cipher = slot_cipher(from);
	if (cipher) {
		RCU_INIT_POINTER(from->cipher, NULL);
		cipher->slot = to;
		rcu_assign_pointer(to->cipher, cipher);
	}
	spin_unlock(&keys_lock);
	return cipher ? 0 : -ENOKEY;
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

	ret->number = key->number;
	ret->id = key->id;
	memcpy(ret->check, key->check, sizeof(ret->check));
	ret->lease_s = key->lease_s;
	ret->lease_left_ms = left > 0 ? left : 0;
	ret->devices = 0;
	list_for_each_entry(cipher, &key->ciphers, node)
		ret->devices++;
}

int svcenc_key_describe(unsigned long after, struct svcenc_key_info *ret)
{
	struct svcenc_key *key;
	int rc = -ENOENT;

	spin_lock(&keys_lock);
	list_for_each_entry(key, &live_keys, node) {
		if (key->number > after) {
			fill_info(key, ret);
			rc = 0;
			break;
		}
	}
	spin_unlock(&keys_lock);
	return rc;
}

/* ---------------------------------------------------------- life of it all */

void svcenc_keys_end_all(const char *reason)
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

void svcenc_keys_refuse(bool value)
{
	spin_lock(&keys_lock);
	refusing = value;
	spin_unlock(&keys_lock);
}

int svcenc_keys_init(void)
{
	end_wq = alloc_workqueue("svcenc_end",
				 WQ_MEM_RECLAIM | WQ_HIGHPRI | WQ_UNBOUND, 0);
	return end_wq ? 0 : -ENOMEM;
}

void svcenc_keys_exit(void)
{
	cancel_delayed_work_sync(&tick_work);
	destroy_workqueue(end_wq);
}
