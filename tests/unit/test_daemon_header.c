// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check when the agent holds a policy record in a
 * DESCRIPTION: header for up to date: not if vault, version, algorithm or blob
 * DESCRIPTION: of any root is another one, or if the record was never seen.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "header.h"

/* --- in place of the device ----------------------------------------------- */

static struct {
	unsigned int copy;
	u8 image[SVCENC_RECORD_SIZE] __attribute__((aligned(8)));
	int result;
} written;

int sys_device_read_superblock(const struct sys_device *device,
			       unsigned int copy, u8 buf[static SVCENC_SB_SIZE])
{
	(void)device;
	(void)copy;
	(void)buf;
	return -EIO;
}

int sys_device_write_superblock(const struct sys_device *device,
				unsigned int copy,
				const u8 buf[static SVCENC_SB_SIZE])
{
	(void)device;
	(void)copy;
	(void)buf;
	return -EIO;
}

int sys_device_write_record(const struct sys_device *device, unsigned int copy,
			    const u8 buf[static SVCENC_RECORD_SIZE])
{
	(void)device;
	written.copy = copy;
	memcpy(written.image, buf, sizeof(written.image));
	return written.result;
}

/* -------------------------------------------------------------------------- */

static struct policy policy;

static int set_up(void **state)
{
	u32 i;

	(void)state;
	memset(&policy, 0, sizeof(policy));
	memcpy(policy.name, "own", 4);
	memset(policy.key.policy.b, 7, sizeof(policy.key.policy.b));
	policy.key.version = 2;
	for (i = 0; i < MODEL_ROLES; i++) {
		struct svcenc_record_wrap *wrap = &policy.wraps[i];

		wrap->role = i + 1;
		wrap->alg = SVCENC_ALG_A256KW;
		memcpy(wrap->vault, "v", 2);
		memcpy(wrap->kid, "file:v/k/1", 11);
		wrap->blob_len = 40;
		memset(wrap->blob, 3, 40);
	}
	return 0;
}

static void stale_if_any_root_differs(void **state)
{
	struct svcenc_record_wrap good[MODEL_ROLES];
	struct volume volume = { .ready = true };
	unsigned int i;

	(void)state;
	assert_false(header_record_has(&volume, policy.wraps));
	assert_int_equal(header_note_record(&volume, policy.wraps), 0);
	assert_true(header_record_has(&volume, policy.wraps));
	assert_string_equal(volume.record_roots[2].kid, "file:v/k/1");
	memcpy(good, policy.wraps, sizeof(good));
	for (i = 0; i < MODEL_ROLES; i++) {
		struct svcenc_record_wrap *wrap = &policy.wraps[i];

		wrap->kid[9] = '2';
		assert_false(header_record_has(&volume, policy.wraps));
		*wrap = good[i];
		wrap->vault[0] = 'w';
		assert_false(header_record_has(&volume, policy.wraps));
		*wrap = good[i];
		wrap->blob[39] ^= 1;
		assert_false(header_record_has(&volume, policy.wraps));
		*wrap = good[i];
		wrap->alg = SVCENC_ALG_A256KWP;
		assert_false(header_record_has(&volume, policy.wraps));
		*wrap = good[i];
		assert_true(header_record_has(&volume, policy.wraps));
	}
}

/* What lies behind the end of a text or blob is not the record's. */
static void leavings_do_not_count(void **state)
{
	struct volume volume = { .ready = true };

	(void)state;
	assert_int_equal(header_note_record(&volume, policy.wraps), 0);
	policy.wraps[1].blob[40] = 9;
	policy.wraps[1].kid[12] = 'x';
	policy.wraps[1].vault[3] = 'x';
	assert_true(header_record_has(&volume, policy.wraps));
}

static void record_says_what_the_policy_is(void **state)
{
	static const struct tenant tenant = { .name = "alpha" };
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	const struct sys_device device = { .path = (char *)"/dev/below" };
	struct volume volume = { .name = "data", .record_generation = 5 };
	struct svcenc_record record, decoded;

	(void)state;
	memset(volume.uuid.b, 1, sizeof(volume.uuid.b));
	header_make_record(&tenant, &policy, &volume, &record);
	memset(record.tenant.b, 2, sizeof(record.tenant.b));
	assert_int_equal(svcenc_secret_random(SVCENC_POLICYKEY_SIZE, &key), 0);
	assert_int_equal(header_write_record(&device, 1, &record, key, &fault),
			 0);
	assert_int_equal(written.copy, 1);
	assert_int_equal(svcenc_record_decode(written.image, &decoded),
			 SVCENC_RECORD_DEFECT_NONE);
	assert_int_equal(decoded.generation, 5);
	assert_int_equal(decoded.key.version, 2);
	assert_string_equal(decoded.volume_name, "data");
	assert_string_equal(decoded.policy_name, "own");
	assert_int_equal(decoded.wrap_count, MODEL_ROLES);
	written.result = -EIO;
	assert_true(header_write_record(&device, 0, &record, key, &fault) < 0);
	assert_int_equal(fault.kind, SVCENC_FAULT_WRONG_DEVICE);
	assert_non_null(strstr(fault.message, "/dev/below"));
}

static int init(void **state)
{
	(void)state;
	return svcenc_secret_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stale_if_any_root_differs, set_up),
		cmocka_unit_test_setup(leavings_do_not_count, set_up),
		cmocka_unit_test_setup(record_says_what_the_policy_is, set_up),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
