// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy keys: their life, leases, and their end; policykey.h has the contract,
 * volumekey.c what volumes do with a key while it lives. Does not know what a
 * keyring, a bio, a superblock or a table is.
 *
 * A policy key is live from the first holder that joins until its end, then a
 * shell until the last reference.
 *
 * Locks: keys_lock (spinlock, process context only, innermost) guards the
 * list of live keys and everything marked so below. key->sem of a holder's
 * struct key is taken around revoke by the system, never by us, and never
 * while keys_lock is held.
 */
#include <linux/hrtimer.h>
#include <linux/key.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "keycrypt.h"
#include "netlink.h"
#include "policykey_int.h"
#include "registry.h"
#include "trace.h"

/* Policy key @key as one struct key of the system stands for it. */
struct svcenc_holder {
	struct svcenc_key *key; /* counted */
	struct key *of;		/* not counted: leaves before it goes */
	struct list_head node;	/* keys_lock; in key->holders */
	u32 lease_s;		/* asked for at add_key() */
};

DEFINE_SPINLOCK(svcenc_keys_lock);
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
	if (key->dead)
		return false;
	WRITE_ONCE(key->dead, true);
	list_del_init(&key->node);
	svcenc_volumekeys_hide(&key->ciphers, ret_doomed);
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

	svcenc_volumekeys_retire(doomed);
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

	spin_lock(&svcenc_keys_lock);
	first = mark_dead(key, &doomed);
	spin_unlock(&svcenc_keys_lock);
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

	spin_lock(&svcenc_keys_lock);
	/*
	 * A renewal may have come between the timer and here, and then wins.
	 * Decided under the lock, so that no renewal is ever acknowledged for
	 * a key that ends all the same.
	 */
	first = ktime_compare(ktime_get_boottime(), key->deadline) >= 0 &&
		mark_dead(key, &doomed);
	spin_unlock(&svcenc_keys_lock);
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
	spin_lock(&svcenc_keys_lock);
	key = find_live(id);
	/* Past its deadline a key is over, even if the timer is late. */
	if (key && ktime_compare(ktime_get_boottime(), key->deadline) >= 0)
		key = NULL;
	if (key)
		lease_start(key, lease_s);
	spin_unlock(&svcenc_keys_lock);
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

	spin_lock(&svcenc_keys_lock);
	more = !list_empty(&live_keys);
	list_for_each_entry(key, &live_keys, node) {
		if (holder_expired(key, now)) {
			expired = get_key(key);
			break;
		}
	}
	spin_unlock(&svcenc_keys_lock);
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
	spin_lock(&svcenc_keys_lock);
	/* The tick has not looked yet: this one would end with that. */
	while ((expired = get_expired(&holder->key->id))) {
		spin_unlock(&svcenc_keys_lock);
		end_key(expired, "timeout");
		svcenc_key_put(expired);
		spin_lock(&svcenc_keys_lock);
	}
	surplus = join(holder);
	spin_unlock(&svcenc_keys_lock);
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

	spin_lock(&svcenc_keys_lock);
	list_del(&holder->node);
	/* Under the same lock as join(): an add joins before this or not. */
	first = list_empty(&key->holders) && mark_dead(key, &doomed);
	spin_unlock(&svcenc_keys_lock);
	if (first)
		finish_end(key, &doomed, reason);
	svcenc_holder_free(holder);
}

struct svcenc_key *svcenc_holder_key(const struct svcenc_holder *holder)
{
	struct svcenc_key *key = ERR_PTR(-ENOKEY);

	spin_lock(&svcenc_keys_lock);
	if (!holder->key->dead)
		key = get_key(holder->key);
	spin_unlock(&svcenc_keys_lock);
	return key;
}

const u8 *svcenc_holder_check(const struct svcenc_holder *holder)
{
	return holder->key->check;
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

	spin_lock(&svcenc_keys_lock);
	list_for_each_entry(key, &live_keys, node) {
		if (key->number > after) {
			fill_info(key, ret);
			rc = 0;
			break;
		}
	}
	spin_unlock(&svcenc_keys_lock);
	return rc;
}

/* ---------------------------------------------------------- life of it all */

void svcenc_keys_end_all(const char *reason)
{
	struct svcenc_key *key;

	for (;;) {
		spin_lock(&svcenc_keys_lock);
		key = list_first_entry_or_null(&live_keys, struct svcenc_key,
					       node);
		if (key)
			get_key(key);
		spin_unlock(&svcenc_keys_lock);
		if (!key)
			return;
		end_key(key, reason);
		svcenc_key_put(key);
	}
}

void svcenc_keys_refuse(bool value)
{
	spin_lock(&svcenc_keys_lock);
	refusing = value;
	spin_unlock(&svcenc_keys_lock);
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
