// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will bring headers of open, closed, fresh and cut-short
 * DESCRIPTION: volumes to their policy's key: what is done in which order, with which
 * DESCRIPTION: authorisation; that each call may fail and leaves a header that can be
 * DESCRIPTION: recovered from, which the same again finishes; and what is refused.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 20
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "header.h"
#include "hierarchy.h"
#include "kernel.h"
#include "lease.h"
#include "log.h"
#include "refresh.h"
#include "volume_look.h"

/*
 * One device with its header, one kernel and one store, in place of the real
 * ones. Each call that can fail counts; number fail_at does.
 */
static struct {
	unsigned int calls, fail_at;
	char did[512];
	struct svcenc_sb sb; /* of both copies */
	u8 records[2][SVCENC_RECORD_SIZE] __attribute__((aligned(8)));
	struct volume stored;
	struct sys_dm_info info; /* of the volume's own mapping */
	char moment[64];	 /* name of the other one, "" = none */
	bool moment_hidden;
	bool read_only, gone;
	/* what the kernel uses; NULL: what the header names */
	const struct svcenc_keyid *kernel_key;
	bool live[3]; /* key versions */
	char refusal[64];
} t;

static struct svcenc_secret *keys[3]; /* by version */
static struct policy policies[3];

static bool fails(void)
{
	return ++t.calls == t.fail_at;
}

static void did(const char *what)
{
	strncat(t.did, what, sizeof(t.did) - strlen(t.did) - 2);
	strcat(t.did, " ");
}

/* --- device --------------------------------------------------------------- */

int sys_device_open(const char *path, unsigned int flags,
		    struct sys_device **ret)
{
	static struct sys_device device = { .devno_text = "253:7",
					    .bytes = 1 << 26 };

	assert_string_equal(path, "/dev/below");
	assert_int_equal(flags, SYS_DEVICE_WRITE);
	if (t.gone)
		return -ENOENT;
	if (fails())
		return -EIO;
	device.path = (char *)"/dev/below";
	*ret = &device;
	return 0;
}

struct sys_device *sys_device_close(struct sys_device *device)
{
	(void)device;
	return NULL;
}

int sys_device_read_superblock(const struct sys_device *device,
			       unsigned int copy, u8 buf[static SVCENC_SB_SIZE])
{
	(void)device;
	(void)copy;
	if (fails())
		return -EIO;
	svcenc_sb_encode(&t.sb, buf);
	return 0;
}

int sys_device_write_superblock(const struct sys_device *device,
				unsigned int copy,
				const u8 buf[static SVCENC_SB_SIZE])
{
	(void)device;
	(void)copy;
	(void)buf;
	fail_msg("superblocks of a volume belong to the kernel");
	return -EPERM;
}

/* A write that fails may leave anything: here nothing readable. */
int sys_device_write_record(const struct sys_device *device, unsigned int copy,
			    const u8 buf[static SVCENC_RECORD_SIZE])
{
	(void)device;
	did(copy ? "record-2" : "record-1");
	if (fails()) {
		memset(t.records[copy], 0, SVCENC_RECORD_SIZE);
		return -EIO;
	}
	memcpy(t.records[copy], buf, SVCENC_RECORD_SIZE);
	return 0;
}

/* --- kernel --------------------------------------------------------------- */

int volume_find_mapping(const struct volume *volume, struct sys_dm_info *info,
			struct svcenc_fault *fault)
{
	(void)volume;
	(void)fault;
	*info = t.info;
	return t.info.exists;
}

void sys_dm_uuid(const struct svcenc_uuid *volume, const char *name,
		 char ret_uuid[static SYS_DM_UUID_SIZE])
{
	(void)volume;
	snprintf(ret_uuid, SYS_DM_UUID_SIZE, "SVCENC-1-x-%s", name);
}

int sys_dm_create(const struct sys_dm_spec *spec, enum sys_dm_step *ret_step)
{
	(void)ret_step;
	did("map");
	assert_string_equal(spec->table->device, "253:7");
	assert_true(svcenc_keyid_equal(&spec->table->key, &t.sb.key));
	assert_true(t.live[spec->table->key.version]);
	assert_int_equal(spec->table->initialize, !t.sb.keyed);
	assert_int_equal(spec->table->min_seq, t.sb.keyed ? t.stored.seq : 0);
	assert_false(spec->readonly);
	if (fails())
		return -EBUSY;
	if (!t.sb.keyed) {
		t.sb.keyed = true;
		t.sb.epoch = 1;
		t.sb.seq++;
		memset(t.sb.current_.ciphertext, 1,
		       sizeof(t.sb.current_.ciphertext));
	}
	snprintf(t.moment, sizeof(t.moment), "%s", spec->name);
	t.moment_hidden = spec->hidden;
	return 0;
}

static void check_name(const char *name)
{
	assert_string_equal(name, t.info.exists ? "data" : t.moment);
}

static const struct svcenc_keyid *kernel_key(void)
{
	return t.kernel_key ? t.kernel_key : &t.sb.key;
}

int sys_dm_status(const char *name, struct svcenc_status *ret)
{
	const struct svcenc_keyid *key = kernel_key();

	check_name(name);
	if (fails())
		return -ENXIO;
	memset(ret, 0, sizeof(*ret));
	ret->state = t.live[key->version] ? SVCENC_STATE_ACTIVE :
					    SVCENC_STATE_LOCKED;
	ret->key = *key;
	ret->seq = t.sb.seq;
	ret->epoch = t.sb.epoch;
	return 0;
}

/* The kernel's own condition, put together here from the parts. */
int sys_dm_message(const char *name, const char *message)
{
	struct svcenc_rewrap rewrap = { .volume = t.sb.uuid,
					.from = *kernel_key(),
					.to = policies[2].key };
	char key[SVCENC_KEYID_TEXT + 1], hex[SVCENC_AUTH_TEXT + 1];
	u8 auth[SVCENC_AUTH_SIZE];
	char wanted[256];

	did("rewrap");
	check_name(name);
	memcpy(rewrap.to_check, policies[2].check, sizeof(rewrap.to_check));
	assert_int_equal(svcenc_hierarchy_authorise_rewrap(
				 keys[rewrap.from.version], &rewrap, auth),
			 0);
	svcenc_hex_print(auth, sizeof(auth), hex);
	svcenc_keyid_print(&policies[2].key, key);
	snprintf(wanted, sizeof(wanted), "rewrap %s %s", key, hex);
	assert_string_equal(message, wanted);
	assert_true(t.live[rewrap.from.version] && t.live[2]);
	if (fails())
		return -EIO;
	t.sb.key = policies[2].key;
	t.sb.seq++;
	t.kernel_key = NULL;
	return 0;
}

int sys_dm_remove(const char *name, unsigned int flags)
{
	assert_int_equal(flags, 0);
	assert_memory_equal(name, "svcenc-05050505-", 16);
	if (!t.moment[0])
		return -ENXIO;
	did("unmap");
	assert_string_equal(name, t.moment);
	if (fails())
		return -EBUSY;
	t.moment[0] = '\0';
	return 0;
}

int sys_dm_list(struct sys_dm_info **ret, size_t *ret_count)
{
	struct sys_dm_info *list = calloc(3, sizeof(*list));

	snprintf(list[0].name, sizeof(list[0].name), "data");
	snprintf(list[1].name, sizeof(list[1].name), "%s", t.moment);
	snprintf(list[2].name, sizeof(list[2].name), "svcenc-elsewhere");
	*ret = list;
	*ret_count = 3;
	return 0;
}

bool sys_dm_info_is_svcenc(const struct sys_dm_info *info,
			   struct svcenc_uuid *ret_volume)
{
	(void)info;
	*ret_volume = t.sb.uuid;
	return true;
}

void kernel_forget_refusal(struct agent *agent)
{
	(void)agent;
}

const char *kernel_refusal(struct agent *agent,
			   const struct svcenc_uuid *volume)
{
	(void)agent;
	(void)volume;
	return t.refusal[0] ? t.refusal : NULL;
}

int kernel_fault(int error, const char *what, struct svcenc_fault *fault)
{
	return svcenc_fault_set(fault, SVCENC_FAULT_KERNEL, "cannot %s: %s",
				what, strerror(-error));
}

/* --- keys ----------------------------------------------------------------- */

int lease_get_key(struct agent *agent, struct policy *policy,
		  struct svcenc_secret **ret, struct svcenc_fault *fault)
{
	struct svcenc_secret *copy = svcenc_secret_new(SVCENC_POLICYKEY_SIZE);

	(void)agent;
	if (fails()) {
		svcenc_secret_free(copy);
		return svcenc_fault_set(fault, SVCENC_FAULT_VAULT_DENIED,
					"denied");
	}
	memcpy(svcenc_secret_bytes(copy),
	       svcenc_secret_peek(keys[policy->key.version]),
	       SVCENC_POLICYKEY_SIZE);
	*ret = copy;
	return 0;
}

int lease_need(struct agent *agent, struct policy *policy,
	       struct svcenc_fault *fault)
{
	(void)agent;
	if (fails())
		return svcenc_fault_set(fault, SVCENC_FAULT_VAULT_DENIED,
					"denied");
	t.live[policy->key.version] = true;
	return 0;
}

void lease_settle(struct agent *agent, const struct svcenc_keyid *key)
{
	(void)agent;
	if (!t.info.exists || t.sb.key.version != key->version)
		t.live[key->version] = false;
}

/* --- store, log ----------------------------------------------------------- */

int tenant_find_uuid(struct agent *agent, const struct svcenc_uuid *uuid,
		     struct tenant *ret, struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, "alpha", 6);
	ret->uuid = *uuid;
	return 0;
}

int policy_find_key(struct agent *agent, const struct svcenc_keyid *key,
		    struct policy *ret, struct svcenc_fault *fault)
{
	(void)agent;
	(void)fault;
	*ret = policies[key->version];
	return 0;
}

int volume_save(struct agent *agent, const struct volume *volume,
		struct svcenc_fault *fault)
{
	(void)agent;
	did("save");
	if (fails())
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE, "full");
	t.stored = *volume;
	return 0;
}

#define IGNORE(name)                  \
	void name(const char *f, ...) \
	{                             \
		(void)f;              \
	}
IGNORE(log_audit)
IGNORE(log_info)
IGNORE(log_warning)

/* -------------------------------------------------------------------------- */

static void make_policy(unsigned int version)
{
	struct policy *policy = &policies[version];
	u32 i;

	memset(policy, 0, sizeof(*policy));
	memcpy(policy->name, "own", 4);
	memset(policy->key.policy.b, 7, sizeof(policy->key.policy.b));
	memset(policy->tenant.b, 9, sizeof(policy->tenant.b));
	policy->key.version = version;
	policy->ready = true;
	for (i = 0; i < MODEL_ROLES; i++) {
		policy->wraps[i].role = i + 1;
		policy->wraps[i].alg = SVCENC_ALG_A256KW;
		memcpy(policy->wraps[i].vault, "v", 2);
		snprintf(policy->wraps[i].kid, sizeof(policy->wraps[i].kid),
			 "file:v/k/%u", version);
		policy->wraps[i].blob_len = 40;
	}
	assert_int_equal(svcenc_hierarchy_check(keys[version], &policy->key,
						policy->check),
			 0);
}

/* Both records as the policy's first key has them. */
static void write_first_records(void)
{
	struct svcenc_record record;
	struct tenant tenant;
	unsigned int i;

	tenant_find_uuid(NULL, &policies[1].tenant, &tenant, NULL);
	header_make_record(&tenant, &policies[1], &t.stored, &record);
	for (i = 0; i < 2; i++)
		assert_int_equal(svcenc_hierarchy_seal_record(keys[1], &record,
							      t.records[i]),
				 0);
	assert_int_equal(header_note_record(&t.stored, policies[1].wraps), 0);
}

static int set_up(void **state)
{
	struct svcenc_format format = { .sector_size = 4096,
					.data_len = 32 << 20,
					.spare_len = 1 << 20 };

	(void)state;
	memset(&t, 0, sizeof(t));
	make_policy(1);
	make_policy(2);
	memset(format.uuid.b, 5, sizeof(format.uuid.b));
	format.key = policies[1].key;
	assert_int_equal(svcenc_sb_format(&format, &t.sb), SVCENC_SB_NONE);
	t.sb.keyed = true;
	t.sb.epoch = 1;
	t.sb.seq = 5;
	memset(t.sb.current_.ciphertext, 1, sizeof(t.sb.current_.ciphertext));
	memcpy(t.stored.name, "data", 5);
	memcpy(t.stored.device, "/dev/below", 11);
	t.stored.uuid = t.sb.uuid;
	t.stored.key = policies[1].key;
	t.stored.ready = true;
	t.stored.seq = 5;
	t.stored.epoch = 1;
	t.stored.record_generation = 1;
	write_first_records();
	t.did[0] = '\0';
	return 0;
}

static int refresh(enum refresh_outcome *ret, struct svcenc_fault *fault)
{
	struct volume volume = t.stored;
	struct refresh job;
	int r;

	svcenc_fault_clear(fault);
	assert_int_equal(refresh_begin(NULL, &policies[2], NULL, &job, fault),
			 0);
	r = refresh_volume(&job, &volume, ret, fault);
	refresh_end(&job);
	assert_int_equal(r < 0, fault->kind != SVCENC_FAULT_NONE);
	return r;
}

/* P: whatever was cut short, one record goes with the superblock. */
static void can_be_recovered(void)
{
	struct svcenc_record record;
	unsigned int i, good = 0;

	for (i = 0; i < 2; i++)
		good += svcenc_record_decode(t.records[i], &record) ==
				SVCENC_RECORD_DEFECT_NONE &&
			svcenc_keyid_equal(&record.key, &t.sb.key) &&
			!svcenc_hierarchy_verify_record(
				keys[record.key.version], &record.key,
				t.records[i]);
	assert_true(good > 0);
}

static void is_done(void)
{
	assert_int_equal(t.sb.key.version, 2);
	assert_true(svcenc_keyid_equal(&t.stored.key, &policies[2].key));
	assert_int_equal(t.stored.seq, t.sb.seq);
	assert_memory_equal(t.records[0], t.records[1], SVCENC_RECORD_SIZE);
	can_be_recovered();
	assert_int_equal(refresh_due(&t.stored, &policies[2]), REFRESH_NOTHING);
	assert_string_equal(t.moment, "");
}

static void closed_volume_in_order(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	assert_int_equal(refresh(&done, &fault), 0);
	assert_int_equal(done, REFRESH_REWRAPPED);
	assert_string_equal(t.did, "record-1 map rewrap unmap save record-2 "
				   "record-1 save ");
	assert_true(t.moment_hidden);
	is_done();
	assert_false(t.live[1] || t.live[2]);
	t.did[0] = '\0';
	assert_int_equal(refresh(&done, &fault), 0);
	assert_int_equal(done, REFRESH_NOTHING);
	assert_string_equal(t.did, "");
}

static void open_volume_is_not_mapped_again(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.info.exists = true;
	t.live[1] = true;
	assert_int_equal(refresh(&done, &fault), 0);
	assert_string_equal(t.did, "record-1 rewrap save record-2 record-1 "
				   "save ");
	is_done();
	assert_true(t.live[2]);
	assert_false(t.live[1]);
}

static void fresh_volume_gets_its_key_first(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.sb.keyed = false;
	t.sb.epoch = t.stored.epoch = 0;
	memset(&t.sb.current_, 0, sizeof(t.sb.current_));
	assert_int_equal(refresh(&done, &fault), 0);
	is_done();
	assert_int_equal(t.stored.epoch, 1);
}

static void stale_record_needs_no_kernel(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	assert_int_equal(refresh(&done, &fault), 0);
	policies[2].wraps[0].kid[9] = '9';
	t.did[0] = '\0';
	assert_int_equal(refresh(&done, &fault), 0);
	assert_int_equal(done, REFRESH_RECORD);
	assert_string_equal(t.did, "record-2 record-1 save ");
	is_done();
}

static void kernel_was_faster_than_the_store(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;
	struct volume before;

	(void)state;
	before = t.stored;
	assert_int_equal(refresh(&done, &fault), 0);
	before.record_generation = t.stored.record_generation;
	t.stored = before; /* as if killed before it was stored */
	t.did[0] = '\0';
	assert_int_equal(refresh(&done, &fault), 0);
	/* mapped all the same: the kernel looks at the MAC */
	assert_string_equal(t.did, "map unmap save record-2 record-1 save ");
	is_done();
}

/* A rewrap reached one copy and failed at the other: the same again. */
static void kernel_stayed_with_the_key_of_before(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.info.exists = true;
	t.live[1] = true;
	t.kernel_key = &policies[1].key;
	t.sb.key = policies[2].key;
	t.sb.seq++;
	assert_int_equal(refresh(&done, &fault), 0);
	assert_string_equal(t.did, "record-1 rewrap save record-2 record-1 "
				   "save ");
	is_done();
}

/* n-th call fails, for each n; then the same again finishes. */
static void every_failure_can_be_gone_on_from(void **state)
{
	enum refresh_outcome done;
	struct svcenc_fault fault;
	unsigned int n, open;

	for (open = 0; open < 2; open++) {
		for (n = 1;; n++) {
			set_up(state);
			t.info.exists = open;
			t.live[1] = open;
			t.fail_at = n;
			if (!refresh(&done, &fault))
				break;
			assert_true(strlen(fault.message) > 0);
			can_be_recovered();
			t.fail_at = 0;
			assert_int_equal(refresh(&done, &fault), 0);
			is_done();
		}
		print_message("%s: %u calls failed, one after the other\n",
			      open ? "open" : "closed", n - 1);
		assert_true(n > 10);
	}
}

static void refused(const char *words, enum svcenc_fault_kind kind)
{
	const struct svcenc_sb before = t.sb;
	struct svcenc_fault fault;
	enum refresh_outcome done;

	assert_true(refresh(&done, &fault) < 0);
	assert_int_equal(fault.kind, kind);
	assert_non_null(strstr(fault.message, words));
	assert_true(strlen(fault.hint) > 8);
	assert_memory_equal(&t.sb, &before, sizeof(before));
	can_be_recovered();
}

/* At the start of an agent, after one that was killed. */
static void remains_are_cleared_away(void **state)
{
	(void)state;
	snprintf(t.moment, sizeof(t.moment),
		 "svcenc-05050505-0505-0505-0505-050505050505");
	refresh_clear_remains(NULL);
	assert_string_equal(t.moment, "");
	assert_string_equal(t.did, "unmap ");
}

static void what_is_not_touched(void **state)
{
	t.gone = true;
	refused("the device is not there", SVCENC_FAULT_WRONG_DEVICE);
	set_up(state);
	t.info.exists = t.info.readonly = true;
	refused("open read-only", SVCENC_FAULT_EXISTS);
	set_up(state);
	t.sb.seq = 4;
	refused("rollback", SVCENC_FAULT_INTEGRITY);
	set_up(state);
	t.stored.uuid.b[0] ^= 1;
	refused("does not carry it", SVCENC_FAULT_WRONG_DEVICE);
}

/* The key that the kernel would need is not the one that the header needs. */
static void locked_under_the_key_of_before(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.info.exists = true;
	t.kernel_key = &policies[1].key;
	t.sb.key = policies[2].key;
	t.sb.seq++;
	assert_true(refresh(&done, &fault) < 0);
	assert_int_equal(fault.kind, SVCENC_FAULT_KERNEL);
	assert_non_null(strstr(fault.hint, "close the volume and open it"));
	assert_string_equal(t.did, "");
}

/* What the header needs lies in record copy 1. */
static void third_key_does_not_come_between(void **state)
{
	struct svcenc_keyid earlier = policies[1].key;

	(void)state;
	earlier.version = 0;
	t.info.exists = true;
	t.live[0] = true;
	t.kernel_key = &earlier;
	t.stored.key = earlier;
	refused("its header names another policy key than the kernel uses",
		SVCENC_FAULT_KERNEL);
	assert_string_equal(t.did, "");
}

static void header_of_a_later_key(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.sb.key.version = 3;
	assert_true(refresh(&done, &fault) < 0);
	assert_int_equal(fault.kind, SVCENC_FAULT_INTEGRITY);
	assert_string_equal(t.did, "");
}

static void fresh_header_of_a_volume_that_had_a_key(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.sb.keyed = false;
	t.sb.epoch = 0;
	memset(&t.sb.current_, 0, sizeof(t.sb.current_));
	assert_true(refresh(&done, &fault) < 0);
	assert_non_null(strstr(fault.message, "its header is fresh"));
	assert_null(strstr(t.did, "map"));
}

static void format_to_be_done_again(void **state)
{
	struct svcenc_fault fault;
	enum refresh_outcome done;

	(void)state;
	t.stored.ready = false;
	assert_int_equal(refresh(&done, &fault), 0);
	assert_string_equal(t.did, "save ");
	assert_int_equal(t.stored.key.version, 2);
}

static int init(void **state)
{
	unsigned int i;

	(void)state;
	if (svcenc_secret_init() < 0)
		return -1;
	for (i = 1; i < 3; i++)
		if (svcenc_secret_random(SVCENC_POLICYKEY_SIZE, &keys[i]) < 0)
			return -1;
	return 0;
}

static int end(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 1; i < 3; i++)
		keys[i] = svcenc_secret_free(keys[i]);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(closed_volume_in_order),
		TEST(open_volume_is_not_mapped_again),
		TEST(fresh_volume_gets_its_key_first),
		TEST(stale_record_needs_no_kernel),
		TEST(kernel_was_faster_than_the_store),
		TEST(kernel_stayed_with_the_key_of_before),
		TEST(third_key_does_not_come_between),
		TEST(locked_under_the_key_of_before),
		TEST(every_failure_can_be_gone_on_from),
		TEST(remains_are_cleared_away),
		TEST(what_is_not_touched),
		TEST(header_of_a_later_key),
		TEST(fresh_header_of_a_volume_that_had_a_key),
		TEST(format_to_be_done_again),
	};

	return cmocka_run_group_tests(tests, init, end);
}
