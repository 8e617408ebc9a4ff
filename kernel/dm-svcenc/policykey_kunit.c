// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of policy keys: joining, leaving, leases, attach, detach, move, and
 * the promise of policykey.h that nothing converts once an end has returned.
 * Holders stand for a struct key of which only the expiry is looked at.
 */
#include <linux/delay.h>
#include <linux/key.h>

#include "env_kunit.h"

#define LONG_S 3600

/* One policy key and one holder, live. */
struct live {
	struct svcenc_keyid id;
	struct key of;
	struct svcenc_holder *holder;
	struct svcenc_key *key; /* a reference of the case's own */
};

static struct svcenc_holder *new_holder(struct kunit *test,
					const struct svcenc_keyid *id, u8 fill,
					u32 lease_s)
{
	u8 *bytes = svcenc_kunit_zeroed(test, SVCENC_POLICYKEY_SIZE);
	struct svcenc_holder *holder;

	memset(bytes, fill, SVCENC_POLICYKEY_SIZE);
	holder = svcenc_holder_new(id, bytes, lease_s);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, holder);
	return holder;
}

static struct live *new_live(struct kunit *test, u32 version, u32 lease_s)
{
	struct live *live = svcenc_kunit_zeroed(test, sizeof(*live));

	live->id = svcenc_kunit_keyid(0, version);
	live->of.expiry = TIME64_MAX;
	live->holder = new_holder(test, &live->id, version, lease_s);
	KUNIT_ASSERT_EQ(test, 0, svcenc_holder_join(live->holder, &live->of));
	live->key = svcenc_holder_key(live->holder);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, live->key);
	return live;
}

static void drop_live(struct live *live)
{
	svcenc_key_put(live->key);
	svcenc_holder_leave(live->holder, "case is over");
}

static unsigned int live_keys(void)
{
	struct svcenc_key_info info = {};
	unsigned int n = 0;

	while (!svcenc_key_describe(info.number, &info))
		n++;
	return n;
}

/* Volumes under @id; -1 if it is not live. */
static int devices_of(const struct svcenc_keyid *id)
{
	struct svcenc_key_info info = {};

	while (!svcenc_key_describe(info.number, &info))
		if (svcenc_keyid_equal(&info.id, id))
			return info.devices;
	return -1;
}

/* A slot with a fresh volume key under @live. */
static struct svcenc_slot *new_volume(struct kunit *test, struct live *live)
{
	struct svcenc_slot *slot = svcenc_kunit_zeroed(test, sizeof(*slot));
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));

	svcenc_kunit_known_sb(test, sb);
	KUNIT_ASSERT_EQ(test, 0, svcenc_key_make_volume(live->key, sb, slot));
	return slot;
}

/* The same with a cipher whose conversions complete later. */
static struct svcenc_slot *new_async_volume(struct kunit *test,
					    struct live *live)
{
	struct svcenc_slot *slot = svcenc_kunit_zeroed(test, sizeof(*slot));
	u8 key[SVCENC_VOLKEY_SIZE] = { 1 };

	KUNIT_ASSERT_EQ(test, 0,
			svcenc_key_attach(live->key,
					  svcenc_kunit_cipher(test,
							      SVCENC_KUNIT_ASYNC,
							      key),
					  slot));
	return slot;
}

static int convert_once(struct kunit *test, struct svcenc_slot *slot)
{
	const struct svcenc_kunit_side side[2] = {
		{ svcenc_kunit_zeroed(test, 512), 512 },
	};

	return svcenc_kunit_convert(svcenc_kunit_prepare(test, slot, side, 512));
}

static bool gone_within(const struct svcenc_slot *slot, unsigned int ms)
{
	const unsigned long end = jiffies + msecs_to_jiffies(ms);

	while (svcenc_slot_live(slot)) {
		if (time_after(jiffies, end))
			return false;
		msleep(20);
	}
	return true;
}

static void expect_heard(struct kunit *test, const struct live *live,
			 const char *reason)
{
	const struct svcenc_kunit_heard heard = svcenc_kunit_heard();

	KUNIT_EXPECT_EQ(test, 1U, heard.events);
	KUNIT_EXPECT_EQ(test, 1U, heard.volumes);
	KUNIT_EXPECT_TRUE(test, svcenc_keyid_equal(&heard.id, &live->id));
	KUNIT_EXPECT_STREQ(test, &heard.reason[0], reason);
}

/* --------------------------------------------------------- life and death */

static void end_without_volumes(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	u8 *span = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SPAN);
	u8 mac[SVCENC_SB_MAC_SIZE];

	KUNIT_EXPECT_EQ(test, 0, svcenc_key_mac(live->key, span, mac));
	KUNIT_EXPECT_EQ(test, 0, devices_of(&live->id));
	svcenc_holder_end(live->holder, "revoked");
	expect_heard(test, live, "revoked");
	KUNIT_EXPECT_EQ(test, -1, devices_of(&live->id));
	/* the second end finds nothing to do, and does not tell again */
	svcenc_holder_end(live->holder, "again");
	expect_heard(test, live, "revoked");
	drop_live(live);
	expect_heard(test, live, "revoked");
}

static void ended_key_does_nothing_more(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct live *other = new_live(test, 2, LONG_S);
	struct svcenc_slot *slot = svcenc_kunit_zeroed(test, sizeof(*slot));
	struct svcenc_sb *sb = svcenc_kunit_zeroed(test, sizeof(*sb));
	struct svcenc_sb *to = svcenc_kunit_zeroed(test, sizeof(*to));
	u8 *span = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SPAN);
	const struct svcenc_rewrap rewrap = {};
	u8 key[SVCENC_VOLKEY_SIZE] = { 1 };
	struct svcenc_cipher *cipher;
	u8 mac[SVCENC_SB_MAC_SIZE] = {};

	svcenc_kunit_known_sb(test, sb);
	cipher = svcenc_kunit_cipher(test, NULL, key);
	svcenc_holder_end(live->holder, "revoked");
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_attach(live->key, cipher, slot));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	svcenc_cipher_free(cipher); /* still ours */
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_mac(live->key, span, mac));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_authorised(live->key, &rewrap, mac));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_rewrap(live->key, sb, other->key, to));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_rewrap(other->key, sb, live->key, to));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_open_volume(live->key, sb, slot));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			svcenc_key_make_volume(live->key, to, slot));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	KUNIT_EXPECT_EQ(test, -ENOKEY,
			PTR_ERR(svcenc_holder_key(live->holder)));
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_lease(&live->id, LONG_S));
	drop_live(live);
	drop_live(other);
}

static void reference_outlives_key_and_holder(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	u8 *span = svcenc_kunit_zeroed(test, SVCENC_SB_MAC_SPAN);
	u8 mac[SVCENC_SB_MAC_SIZE];

	svcenc_holder_leave(live->holder, "unlinked");
	expect_heard(test, live, "unlinked");
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_mac(live->key, span, mac));
	KUNIT_EXPECT_TRUE(test, svcenc_keyid_equal(svcenc_key_id(live->key),
						   &live->id));
	svcenc_key_put(live->key);
}

static void holder_never_joined_is_freed(struct kunit *test)
{
	const struct svcenc_keyid id = svcenc_kunit_keyid(0, 1);

	svcenc_holder_free(new_holder(test, &id, 1, LONG_S));
	svcenc_holder_free(NULL);
	svcenc_key_put(NULL);
	svcenc_key_put(ERR_PTR(-ENOKEY));
	svcenc_cipher_free(NULL);
	svcenc_cipher_free(ERR_PTR(-ENOMEM));
	KUNIT_EXPECT_EQ(test, 0U, live_keys());
	KUNIT_EXPECT_EQ(test, 0U, svcenc_kunit_heard().events);
}

static void same_bytes_share_other_bytes_are_refused(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_volume(test, live);
	struct key *of = svcenc_kunit_copy(test, &live->of, sizeof(*of));
	struct svcenc_holder *same = new_holder(test, &live->id, 1, 7200);
	struct svcenc_holder *bad = new_holder(test, &live->id, 2, 7200);
	struct svcenc_key_info info;

	KUNIT_EXPECT_EQ(test, -EKEYREJECTED, svcenc_holder_join(bad, of));
	svcenc_holder_free(bad);
	KUNIT_EXPECT_EQ(test, 0, svcenc_holder_join(same, of));
	KUNIT_EXPECT_EQ(test, 1U, live_keys());
	KUNIT_EXPECT_EQ(test, 0, svcenc_key_describe(0, &info));
	KUNIT_EXPECT_EQ(test, 7200U, info.lease_s);
	KUNIT_EXPECT_EQ(test, 1U, info.devices);
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(info.check, svcenc_holder_check(same),
			       SVCENC_CHECK_SIZE));
	/* the first leaves, and the key stays with the second */
	svcenc_holder_leave(live->holder, "unlinked");
	KUNIT_EXPECT_EQ(test, 0U, svcenc_kunit_heard().events);
	KUNIT_EXPECT_EQ(test, 0, convert_once(test, slot));
	svcenc_holder_leave(same, "unlinked");
	expect_heard(test, live, "unlinked");
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	svcenc_key_put(live->key);
}

static void list_misses_none_that_lives(struct kunit *test)
{
	struct live *first = new_live(test, 1, LONG_S);
	struct live *second = new_live(test, 2, LONG_S);
	struct live *third = new_live(test, 3, LONG_S);
	struct svcenc_key_info info;

	KUNIT_EXPECT_EQ(test, 0, svcenc_key_describe(0, &info));
	KUNIT_EXPECT_TRUE(test, svcenc_keyid_equal(&info.id, &first->id));
	/* the one that was shown ends, and the list is gone on with */
	drop_live(first);
	KUNIT_EXPECT_EQ(test, 0, svcenc_key_describe(info.number, &info));
	KUNIT_EXPECT_TRUE(test, svcenc_keyid_equal(&info.id, &second->id));
	KUNIT_EXPECT_EQ(test, 0, svcenc_key_describe(info.number, &info));
	KUNIT_EXPECT_TRUE(test, svcenc_keyid_equal(&info.id, &third->id));
	KUNIT_EXPECT_EQ(test, -ENOENT, svcenc_key_describe(info.number, &info));
	drop_live(third);
	drop_live(second);
}

static void no_key_becomes_live_while_refused(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_volume(test, live);
	struct svcenc_holder *late = new_holder(test, &live->id, 1, LONG_S);
	struct key *of = svcenc_kunit_copy(test, &live->of, sizeof(*of));

	svcenc_keys_refuse(true);
	KUNIT_EXPECT_EQ(test, -EBUSY, svcenc_holder_join(late, of));
	svcenc_keys_end_all("hibernation");
	expect_heard(test, live, "hibernation");
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	KUNIT_EXPECT_EQ(test, 0U, live_keys());
	KUNIT_EXPECT_EQ(test, -EBUSY, svcenc_holder_join(late, of));
	svcenc_keys_refuse(false);
	KUNIT_EXPECT_EQ(test, 0, svcenc_holder_join(late, of));
	KUNIT_EXPECT_EQ(test, 1U, live_keys());
	svcenc_holder_leave(late, "unlinked");
	drop_live(live);
}

/* ----------------------------------------------------------- attach to move */

static void end_empties_every_slot(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot[8];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(slot); i++) {
		slot[i] = new_volume(test, live);
		KUNIT_EXPECT_EQ(test, 0, convert_once(test, slot[i]));
	}
	KUNIT_EXPECT_EQ(test, 8, devices_of(&live->id));
	svcenc_holder_end(live->holder, "revoked");
	for (i = 0; i < ARRAY_SIZE(slot); i++) {
		KUNIT_EXPECT_EQ(test, -ENOKEY, convert_once(test, slot[i]));
		/* nothing is left for the volume to take down */
		svcenc_key_detach(slot[i]);
	}
	drop_live(live);
}

static void detach_leaves_the_key_and_others(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *gone = new_volume(test, live);
	struct svcenc_slot *stays = new_volume(test, live);

	svcenc_key_detach(gone);
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(gone));
	KUNIT_EXPECT_EQ(test, 1, devices_of(&live->id));
	svcenc_key_detach(gone);
	/* as dtr does: the slot's memory is gone when the key ends */
	kunit_kfree(test, gone);
	KUNIT_EXPECT_EQ(test, 0, convert_once(test, stays));
	svcenc_holder_end(live->holder, "revoked");
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(stays));
	drop_live(live);
}

static void shown_key_hangs_in_the_other_slot(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *from = new_volume(test, live);
	struct svcenc_slot *to = svcenc_kunit_zeroed(test, sizeof(*to));

	KUNIT_EXPECT_EQ(test, 0, svcenc_key_show(from, to));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(from));
	KUNIT_EXPECT_EQ(test, 1, devices_of(&live->id));
	kunit_kfree(test, from);
	KUNIT_EXPECT_EQ(test, 0, convert_once(test, to));
	svcenc_holder_end(live->holder, "revoked");
	KUNIT_EXPECT_EQ(test, -ENOKEY, convert_once(test, to));
	drop_live(live);
}

/* The volume waits for its disk meanwhile: nothing of its key stays. */
static void key_that_is_not_shown_ends_too(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *from = new_volume(test, live);
	struct svcenc_slot *to = svcenc_kunit_zeroed(test, sizeof(*to));

	svcenc_holder_end(live->holder, "revoked");
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(from));
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_show(from, to));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(to));
	drop_live(live);
}

static void moved_volume_ends_with_the_new_key(struct kunit *test)
{
	struct live *from = new_live(test, 1, LONG_S);
	struct live *to = new_live(test, 2, LONG_S);
	struct svcenc_slot *slot = new_volume(test, from);

	KUNIT_EXPECT_EQ(test, 0, svcenc_key_move(to->key, slot));
	KUNIT_EXPECT_EQ(test, 0, devices_of(&from->id));
	KUNIT_EXPECT_EQ(test, 1, devices_of(&to->id));
	svcenc_holder_end(from->holder, "revoked");
	KUNIT_EXPECT_EQ(test, 0, convert_once(test, slot));
	svcenc_holder_end(to->holder, "revoked");
	KUNIT_EXPECT_EQ(test, -ENOKEY, convert_once(test, slot));
	drop_live(from);
	drop_live(to);
}

static void move_to_an_ended_key_locks(struct kunit *test)
{
	struct live *from = new_live(test, 1, LONG_S);
	struct live *to = new_live(test, 2, LONG_S);
	struct svcenc_slot *slot = new_volume(test, from);

	svcenc_holder_end(to->holder, "revoked");
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_move(to->key, slot));
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	KUNIT_EXPECT_EQ(test, 0, devices_of(&from->id));
	/* and from an ended one there is nothing to move */
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_move(from->key, slot));
	drop_live(from);
	drop_live(to);
}

static void rewraps_in_both_directions(struct kunit *test)
{
	struct live *a = new_live(test, 1, LONG_S);
	struct live *b = new_live(test, 2, LONG_S);
	struct svcenc_sb *under_a = svcenc_kunit_zeroed(test, sizeof(*under_a));
	struct svcenc_sb *under_b = svcenc_kunit_zeroed(test, sizeof(*under_b));
	struct svcenc_slot *made = svcenc_kunit_zeroed(test, sizeof(*made));
	struct svcenc_slot *opened = svcenc_kunit_zeroed(test, sizeof(*opened));

	svcenc_kunit_known_sb(test, under_a);
	under_a->key = a->id;
	KUNIT_ASSERT_EQ(test, 0,
			svcenc_key_make_volume(a->key, under_a, made));
	*under_b = *under_a;
	under_b->key = b->id;
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_key_rewrap(a->key, under_a, b->key, under_b));
	memset(&under_a->current_, 0, sizeof(under_a->current_));
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_key_rewrap(b->key, under_b, a->key, under_a));
	KUNIT_EXPECT_EQ(test, 0,
			svcenc_key_open_volume(a->key, under_a, opened));
	svcenc_key_detach(made);
	svcenc_key_detach(opened);
	drop_live(a);
	drop_live(b);
}

/* --------------------------------------------------------------- the promise */

/* An end of a key in a context of its own. */
struct ending {
	struct work_struct work;
	struct svcenc_holder *holder; /* NULL: all keys */
	struct completion done;
};

static void run_ending(struct work_struct *work)
{
	struct ending *ending = container_of(work, struct ending, work);

	if (ending->holder)
		svcenc_holder_end(ending->holder, "revoked");
	else
		svcenc_keys_end_all("revoked");
	complete(&ending->done);
}

static struct ending *start_ending(struct kunit *test,
				   struct svcenc_holder *holder)
{
	struct ending *ending = svcenc_kunit_zeroed(test, sizeof(*ending));

	ending->holder = holder;
	init_completion(&ending->done);
	INIT_WORK(&ending->work, run_ending);
	queue_work(system_unbound_wq, &ending->work);
	return ending;
}

static void expect_ended(struct kunit *test, struct ending *ending)
{
	KUNIT_ASSERT_NE(test, 0UL,
			wait_for_completion_timeout(&ending->done, 10 * HZ));
	/* The worker may still be on its way out of the work item. */
	flush_work(&ending->work);
}

/*
 * A conversion is under way, as crypt.c counts it, for 300 ms: in that time
 * the end must empty the slot, must not return and must not free the cipher.
 */
static void end_waits_for_a_conversion(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_volume(test, live);
	struct svcenc_cipher *cipher = rcu_access_pointer(slot->cipher);
	struct ending *first, *second;
	bool waits, dying;

	this_cpu_inc(*cipher->busy);
	first = start_ending(test, live->holder);
	KUNIT_EXPECT_TRUE(test, gone_within(slot, 10000));
	second = start_ending(test, live->holder);
	waits = !wait_for_completion_timeout(&first->done, 3 * HZ / 10);
	dying = READ_ONCE(cipher->dying); /* KASAN knows if it was freed */
	KUNIT_EXPECT_TRUE(test, dying);
	KUNIT_ASSERT_TRUE(test, waits);
	KUNIT_EXPECT_FALSE(test, completion_done(&second->done));
	/* as request_done() in crypt.c */
	rcu_read_lock();
	this_cpu_dec(*cipher->busy);
	smp_mb(); /* pairs with wait_idle() */
	wake_up(&cipher->idle);
	rcu_read_unlock();
	expect_ended(test, first);
	expect_ended(test, second);
	drop_live(live);
}

static void end_waits_for_a_conversion_when_detached(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_async_volume(test, live);
	const struct svcenc_kunit_side side[2] = {
		{ svcenc_kunit_zeroed(test, 512), 512 },
	};
	struct svcenc_kunit_run *run =
		svcenc_kunit_prepare(test, slot, side, 512);

	KUNIT_EXPECT_EQ(test, -EINPROGRESS, svcenc_crypt_run(&run->conv));
	svcenc_key_detach(slot);
	KUNIT_EXPECT_TRUE(test, completion_done(&run->resumed));
	KUNIT_EXPECT_EQ(test, 0, svcenc_crypt_run(&run->conv));
	drop_live(live);
}

static void end_waits_for_queued_conversions(struct kunit *test)
{
	enum { COUNT = 200 };
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_async_volume(test, live);
	struct svcenc_kunit_run **run;
	unsigned int i, done = 0;

	run = svcenc_kunit_zeroed(test, COUNT * sizeof(*run));
	for (i = 0; i < COUNT; i++) {
		const struct svcenc_kunit_side side[2] = {
			{ svcenc_kunit_zeroed(test, 1024), 1024 },
		};

		run[i] = svcenc_kunit_prepare(test, slot, side, 1024);
	}
	for (i = 0; i < COUNT; i++)
		KUNIT_EXPECT_EQ(test, -EINPROGRESS,
				svcenc_crypt_run(&run[i]->conv));
	svcenc_holder_end(live->holder, "revoked");
	for (i = 0; i < COUNT; i++)
		done += completion_done(&run[i]->resumed);
	KUNIT_EXPECT_EQ(test, (unsigned int)COUNT, done);
	for (i = 0; i < COUNT; i++)
		done -= svcenc_crypt_run(&run[i]->conv) == -ENOKEY;
	KUNIT_EXPECT_EQ(test, 0U, done);
	drop_live(live);
}

static void many_ends_at_once_are_one(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_async_volume(test, live);
	struct ending *ending[6];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ending); i++)
		ending[i] = start_ending(test, i % 2 ? NULL : live->holder);
	for (i = 0; i < ARRAY_SIZE(ending); i++) {
		expect_ended(test, ending[i]);
		KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	}
	expect_heard(test, live, "revoked");
	drop_live(live);
}

/* -------------------------------------------------------------------- leases */

static void lease_has_limits(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	const struct svcenc_keyid other = svcenc_kunit_keyid(0, 2);

	KUNIT_EXPECT_FALSE(test, svcenc_lease_in_range(0));
	KUNIT_EXPECT_TRUE(test, svcenc_lease_in_range(1));
	KUNIT_EXPECT_TRUE(test, svcenc_lease_in_range(SVCENC_LEASE_MAX_S));
	KUNIT_EXPECT_FALSE(test, svcenc_lease_in_range(SVCENC_LEASE_MAX_S + 1));
	KUNIT_EXPECT_EQ(test, -EINVAL, svcenc_key_lease(&live->id, 0));
	KUNIT_EXPECT_EQ(test, -EINVAL, svcenc_key_lease(&live->id, U32_MAX));
	KUNIT_EXPECT_EQ(test, -ENOKEY, svcenc_key_lease(&other, LONG_S));
	KUNIT_EXPECT_EQ(test, 0, svcenc_key_lease(&live->id, LONG_S));
	drop_live(live);
}

static void lease_ends_the_key_in_time(struct kunit *test)
{
	const u64 begin = ktime_get_boottime_ns();
	struct live *live = new_live(test, 1, 1);
	struct svcenc_slot *slot = new_volume(test, live);
	u64 took_ns;

	KUNIT_EXPECT_TRUE(test, gone_within(slot, 2000));
	took_ns = ktime_get_boottime_ns() - begin;
	KUNIT_EXPECT_GE(test, took_ns, (u64)NSEC_PER_SEC);
	expect_heard(test, live, "lease ended");
	drop_live(live);
}

static void renewed_lease_does_not_end(struct kunit *test)
{
	struct live *live = new_live(test, 1, 1);
	struct svcenc_slot *slot = new_volume(test, live);

	KUNIT_EXPECT_EQ(test, 0, svcenc_key_lease(&live->id, LONG_S));
	KUNIT_EXPECT_FALSE(test, gone_within(slot, 1300));
	/* and may be made shorter again */
	KUNIT_EXPECT_EQ(test, 0, svcenc_key_lease(&live->id, 1));
	KUNIT_EXPECT_TRUE(test, gone_within(slot, 2000));
	drop_live(live);
}

static void timeout_of_the_system_is_honoured(struct kunit *test)
{
	struct live *live = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_volume(test, live);

	WRITE_ONCE(live->of.expiry, ktime_get_real_seconds());
	KUNIT_EXPECT_TRUE(test, gone_within(slot, 3000));
	expect_heard(test, live, "timeout");
	drop_live(live);
}

/* Before anybody has noticed that the other one is over. */
static void key_added_after_a_timeout_is_a_new_one(struct kunit *test)
{
	struct live *old = new_live(test, 1, LONG_S);
	struct svcenc_slot *slot = new_volume(test, old);
	struct live *new;

	WRITE_ONCE(old->of.expiry, ktime_get_real_seconds());
	new = new_live(test, 1, LONG_S);
	KUNIT_EXPECT_FALSE(test, svcenc_slot_live(slot));
	KUNIT_EXPECT_PTR_NE(test, old->key, new->key);
	msleep(2500); /* the tick looks once a second */
	KUNIT_EXPECT_EQ(test, 0, devices_of(&new->id));
	drop_live(new);
	drop_live(old);
}

static int case_init(struct kunit *test)
{
	svcenc_kunit_forget();
	return 0;
}

static struct kunit_case cases[] = {
	KUNIT_CASE(end_without_volumes),
	KUNIT_CASE(ended_key_does_nothing_more),
	KUNIT_CASE(reference_outlives_key_and_holder),
	KUNIT_CASE(holder_never_joined_is_freed),
	KUNIT_CASE(same_bytes_share_other_bytes_are_refused),
	KUNIT_CASE(list_misses_none_that_lives),
	KUNIT_CASE(no_key_becomes_live_while_refused),
	KUNIT_CASE(end_empties_every_slot),
	KUNIT_CASE(detach_leaves_the_key_and_others),
	KUNIT_CASE(shown_key_hangs_in_the_other_slot),
	KUNIT_CASE(key_that_is_not_shown_ends_too),
	KUNIT_CASE(moved_volume_ends_with_the_new_key),
	KUNIT_CASE(move_to_an_ended_key_locks),
	KUNIT_CASE(rewraps_in_both_directions),
	KUNIT_CASE(end_waits_for_a_conversion),
	KUNIT_CASE(end_waits_for_a_conversion_when_detached),
	KUNIT_CASE(end_waits_for_queued_conversions),
	KUNIT_CASE(many_ends_at_once_are_one),
	KUNIT_CASE(lease_has_limits),
	KUNIT_CASE(lease_ends_the_key_in_time),
	KUNIT_CASE(renewed_lease_does_not_end),
	KUNIT_CASE(timeout_of_the_system_is_honoured),
	KUNIT_CASE(key_added_after_a_timeout_is_a_new_one),
	{}
};

static struct kunit_suite suite = {
	.name = "svcenc_policykey",
	.suite_init = svcenc_kunit_start,
	.suite_exit = svcenc_kunit_stop,
	.init = case_init,
	.test_cases = cases,
};

kunit_test_suite(suite);
