// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will drive the real module through agent/sys: keys
 * DESCRIPTION: and leases, mapped devices from creation to forced removal,
 * DESCRIPTION: a refused reload that is put back, dumps and events.
 * RUNS: vm
 * VM: --disk 96M --disk 96M
 * SET: quick
 * TIMEOUT: 120
 * expect-log: svcenc|Buffer I/O error|blk_update_request
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "device.h"
#include "dm.h"
#include "genl.h"
#include "keyctl.h"

#define DEVICE "/dev/vda"
#define NAME "sys-kernel-1"

enum {
	DATA_MIB = 16,
	GROWN_MIB = 24,
	EVENTS_MAX = 64,
	EVENT_DEADLINE_MS = 5000,
	LEASE_S = 300,
};

static struct {
	struct svcenc_uuid volume;
	struct svcenc_keyid key;
	char dm_uuid[SYS_DM_UUID_SIZE];
	char devno[24];
	struct sys_genl *genl;
	struct sys_genl_events *events;
	struct sys_genl_event seen[EVENTS_MAX];
	size_t seen_count;
} t;

static void collect(const struct sys_genl_event *event, void *userdata)
{
	assert_ptr_equal(userdata, &t);
	if (t.seen_count < EVENTS_MAX)
		t.seen[t.seen_count++] = *event;
}

/* Waits until an event of that kind has come since the last call. */
static const struct sys_genl_event *await_event(enum svcenc_event wanted)
{
	struct pollfd fd = { .fd = sys_genl_events_fd(t.events),
			     .events = POLLIN };
	size_t i;

	for (;;) {
		for (i = 0; i < t.seen_count; i++) {
			if (t.seen[i].event != wanted)
				continue;
			t.seen_count = 0;
			return &t.seen[i];
		}
		if (poll(&fd, 1, EVENT_DEADLINE_MS) <= 0)
			fail_msg("event %s did not come",
				 svcenc_event_text(wanted));
		assert_true(sys_genl_events_read(t.events) >= 0);
	}
}

static int add_key(u8 byte)
{
	struct svcenc_key_payload payload;
	sys_key_serial serial;

	memset(payload.key, byte, sizeof(payload.key));
	return sys_key_add(&t.key, LEASE_S, &payload, &serial);
}

static void format_device(void)
{
	struct svcenc_format format = {
		.uuid = t.volume,
		.key = t.key,
		.sector_size = 4096,
		.data_len = DATA_MIB * SVCENC_MIB,
		.spare_len = 1 * SVCENC_MIB,
	};
	struct sys_device *device;
	struct svcenc_sb sb;
	u8 image[SVCENC_SB_SIZE];
	const char *reason;

	assert_int_equal(svcenc_sb_format(&format, &sb), SVCENC_SB_NONE);
	svcenc_sb_encode(&sb, image);
	assert_int_equal(
		sys_device_open(DEVICE, SYS_DEVICE_WRITE | SYS_DEVICE_EXCLUSIVE,
				&device),
		0);
	assert_true(device->direct);
	assert_int_equal(sys_device_check_below(device, &reason), 0);
	memcpy(t.devno, device->devno_text, sizeof(t.devno));
	assert_int_equal(sys_device_zero(device, 0, SVCENC_HEADER_SIZE), 0);
	assert_int_equal(sys_device_write_superblock(device, 0, image), 0);
	assert_int_equal(sys_device_write_superblock(device, 1, image), 0);
	sys_device_close(device);
}

static int set_up(void **state)
{
	(void)state;
	if (svcenc_uuid_parse("5a0e4c1e-0000-4000-8000-000000000001",
			      &t.volume) ||
	    svcenc_keyid_parse("svcenc:5a0e4c1e-0000-4000-8000-00000000000a:1",
			       &t.key))
		return -1;
	sys_dm_uuid(&t.volume, NAME, t.dm_uuid);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)sys_dm_remove(NAME, SYS_DM_REMOVE_FORCE);
	(void)sys_key_revoke(&t.key);
	t.events = sys_genl_events_close(t.events);
	t.genl = sys_genl_close(t.genl);
	return 0;
}

static void everything_says_that_the_module_is_absent(void **state)
{
	sys_key_serial keyring;

	(void)state;
	assert_int_equal(access("/sys/module/dm_svcenc", F_OK), -1);
	assert_int_equal(sys_keyring_find(&keyring), -ENOPKG);
	assert_string_equal(sys_keyctl_hint(-ENOPKG),
			    "load the kernel module: modprobe dm-svcenc");
	assert_int_equal(sys_genl_open(&t.genl), -ENOPKG);
	assert_int_equal(sys_genl_events_open(collect, &t, &t.events), -ENOPKG);
	assert_int_equal(system("modprobe dm-mod"), 0);
	assert_int_equal(sys_dm_target_version(NULL), -ENOENT);
}

static void load_module(void)
{
	assert_int_equal(
		system("modprobe -a $(modinfo -F depends kernel/dm-svcenc/dm-svcenc.ko |"
		       " tr , ' ') && modprobe -q -a xts gcm ghash-generic hmac;"
		       " insmod kernel/dm-svcenc/dm-svcenc.ko"),
		0);
}

static void the_module_is_found(void **state)
{
	unsigned int version[3] = { 0 };
	sys_key_serial keyring;
	int32_t told;

	(void)state;
	load_module();
	assert_int_equal(sys_keyring_find(&keyring), 0);
	assert_int_equal(sys_genl_open(&t.genl), 0);
	assert_int_equal(sys_genl_events_open(collect, &t, &t.events), 0);
	assert_int_equal(sys_genl_keyring(t.genl, &told), 0);
	assert_int_equal(told, keyring);
	assert_int_equal(sys_dm_target_version(version), 0);
	assert_true(version[0] || version[1] || version[2]);
}

static void keys_and_leases(void **state)
{
	struct sys_genl_key *keys = NULL;
	struct svcenc_key_payload payload = { 0 };
	sys_key_serial serial;
	size_t count = 99;

	(void)state;
	assert_int_equal(sys_genl_keys(t.genl, &keys, &count), 0);
	assert_int_equal(count, 0);
	assert_null(keys);
	assert_int_equal(sys_key_search(&t.key, &serial), -ENOKEY);
	assert_int_equal(sys_key_revoke(&t.key), -ENOKEY);
	assert_int_equal(sys_genl_lease(t.genl, &t.key, 60), -ENOKEY);
	assert_int_equal(sys_key_add(&t.key, 0, &payload, NULL), -EINVAL);
	assert_int_equal(add_key(0x11), 0);
	assert_int_equal(add_key(0x11), 0);
	assert_int_equal(add_key(0x12), -EKEYREJECTED);
	assert_int_equal(sys_key_search(&t.key, &serial), 0);
	assert_int_equal(sys_genl_lease(t.genl, &t.key, 100), 0);
	assert_int_equal(sys_genl_lease(t.genl, &t.key, 0), -EINVAL);
	assert_int_equal(sys_genl_lease(t.genl, &t.key, 604801), -EINVAL);
	assert_int_equal(sys_genl_keys(t.genl, &keys, &count), 0);
	assert_int_equal(count, 1);
	assert_true(svcenc_keyid_equal(&keys[0].key, &t.key));
	assert_int_equal(keys[0].lease_s, 100);
	assert_in_range(keys[0].lease_left_ms, 80000, 100000);
	assert_int_equal(keys[0].devices, 0);
	free(keys);
}

static struct sys_dm_spec make_spec(struct svcenc_table *table, u64 mib)
{
	const struct sys_dm_spec spec = {
		.name = NAME,
		.dm_uuid = t.dm_uuid,
		.table = table,
		.sectors = mib * (SVCENC_MIB / 512),
	};

	table->device = t.devno;
	table->uuid = t.volume;
	table->key = t.key;
	return spec;
}

static void a_volume_is_created(void **state)
{
	struct svcenc_table table = { .initialize = true };
	struct sys_dm_spec spec = make_spec(&table, DATA_MIB);
	const struct sys_genl_event *event;
	struct svcenc_status status;
	struct sys_device *device;
	struct sys_dm_info info;
	char path[SYS_DM_PATH_SIZE];
	enum sys_dm_step step;

	(void)state;
	format_device();
	assert_int_equal(sys_dm_info(NAME, &info), 0);
	assert_false(info.exists);
	assert_int_equal(sys_dm_status(NAME, &status), -ENXIO);
	assert_int_equal(sys_dm_create(&spec, NULL), 0);
	event = await_event(SVCENC_EVENT_ACTIVATED);
	assert_true(event->has_uuid &&
		    svcenc_uuid_equal(&event->uuid, &t.volume));
	assert_int_equal(sys_dm_status(NAME, &status), 0);
	assert_int_equal(status.state, SVCENC_STATE_ACTIVE);
	assert_int_equal(status.epoch, 1);
	assert_int_equal(status.seq, 2);
	sys_dm_path(NAME, path);
	assert_int_equal(access(path, R_OK), 0);
	/* name and uuid are taken, the device below is held */
	assert_int_equal(sys_dm_create(&spec, &step), -EBUSY);
	assert_int_equal(step, SYS_DM_STEP_CREATE);
	assert_int_equal(sys_device_open(DEVICE, SYS_DEVICE_EXCLUSIVE, &device),
			 -EBUSY);
	assert_int_equal(sys_device_open(DEVICE, SYS_DEVICE_WRITE, &device), 0);
	{
		u8 image[SVCENC_SB_SIZE] = { 0 };

		assert_int_equal(sys_device_write_superblock(device, 0, image),
				 -EPERM);
	}
	sys_device_close(device);
}

static void questions_have_answers(void **state)
{
	struct sys_genl_device *devices = NULL;
	struct sys_dm_info info, by_uuid, *list = NULL;
	struct svcenc_uuid volume;
	struct sys_dm_table table;
	size_t count;

	(void)state;
	assert_int_equal(sys_dm_info(NAME, &info), 0);
	assert_true(info.exists && info.live_table && !info.suspended &&
		    !info.readonly);
	assert_int_equal(info.open_count, 0);
	assert_true(sys_dm_info_is_svcenc(&info, &volume));
	assert_true(svcenc_uuid_equal(&volume, &t.volume));
	assert_int_equal(sys_dm_info_by_uuid(t.dm_uuid, &by_uuid), 0);
	assert_string_equal(by_uuid.name, NAME);
	assert_string_equal(by_uuid.devno_text, info.devno_text);
	assert_int_equal(sys_dm_info_by_uuid("SVCENC-1-nobody", &by_uuid), 0);
	assert_false(by_uuid.exists);
	assert_int_equal(sys_dm_list(&list, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(list[0].name, NAME);
	free(list);
	assert_int_equal(sys_dm_table(NAME, &table), 0);
	assert_int_equal(table.sectors, DATA_MIB * (SVCENC_MIB / 512));
	assert_string_equal(table.table.device, t.devno);
	assert_false(table.table.initialize);
	assert_int_equal(sys_genl_devices(t.genl, &devices, &count), 0);
	assert_int_equal(count, 1);
	assert_string_equal(devices[0].devno, info.devno_text);
	assert_int_equal(devices[0].state, SVCENC_STATE_ACTIVE);
	assert_int_equal(devices[0].seq, 2);
	assert_int_equal(devices[0].sectors, table.sectors);
	free(devices);
}

static void a_revoked_key_locks_and_unlock_brings_it_back(void **state)
{
	char message[128], key[SVCENC_KEYID_TEXT + 1];
	struct svcenc_status status;
	int r;

	(void)state;
	assert_int_equal(sys_key_revoke(&t.key), 0);
	assert_int_equal(sys_dm_status(NAME, &status), 0);
	assert_int_equal(status.state, SVCENC_STATE_LOCKED);
	assert_true(svcenc_keyid_equal(&await_event(SVCENC_EVENT_KEY_LOST)->key,
				       &t.key));
	svcenc_keyid_print(&t.key, key);
	snprintf(message, sizeof(message), "unlock %s", key);
	r = sys_dm_message(NAME, message);
	assert_true(r == -ENOKEY || r == -EKEYREVOKED);
	assert_int_equal(add_key(0x11), 0);
	assert_int_equal(sys_dm_message(NAME, message), 0);
	(void)await_event(SVCENC_EVENT_KEY_BACK);
	assert_int_equal(sys_dm_status(NAME, &status), 0);
	assert_int_equal(status.state, SVCENC_STATE_ACTIVE);
	assert_int_equal(sys_dm_message(NAME, "nonsense"), -EINVAL);
	assert_int_equal(sys_dm_message("nobody", message), -ENXIO);
}

/* Still mapped with the old length, running, without a second table. */
static void assert_unharmed(u64 mib)
{
	struct svcenc_status status;
	struct sys_dm_table table;
	struct sys_dm_info info;

	assert_int_equal(sys_dm_info(NAME, &info), 0);
	assert_true(info.live_table && !info.inactive_table && !info.suspended);
	assert_int_equal(sys_dm_table(NAME, &table), 0);
	assert_int_equal(table.sectors, mib * (SVCENC_MIB / 512));
	assert_int_equal(sys_dm_status(NAME, &status), 0);
	assert_int_equal(status.state, SVCENC_STATE_ACTIVE);
}

static void a_refused_reload_is_put_back(void **state)
{
	struct svcenc_table table = { .min_seq = 1000 };
	struct sys_dm_spec spec = make_spec(&table, DATA_MIB);
	const struct sys_genl_event *event;
	enum sys_dm_step step;

	(void)state;
	/* newer than the header: refused when it is resumed */
	assert_true(sys_dm_reload(&spec, &step) < 0);
	assert_int_equal(step, SYS_DM_STEP_RESUME);
	event = await_event(SVCENC_EVENT_REFUSED);
	print_message("refused: %s\n", event->reason);
	assert_true(strlen(event->reason) > 0);
	assert_unharmed(DATA_MIB);
	/* longer, but without "grow": refused when it is loaded */
	table.min_seq = 0;
	spec.sectors *= 2;
	assert_true(sys_dm_reload(&spec, &step) < 0);
	assert_int_equal(step, SYS_DM_STEP_LOAD);
	assert_unharmed(DATA_MIB);
}

static void a_volume_grows(void **state)
{
	struct svcenc_table table = { .grow = true };
	struct sys_dm_spec spec = make_spec(&table, GROWN_MIB);

	(void)state;
	assert_int_equal(sys_dm_reload(&spec, NULL), 0);
	(void)await_event(SVCENC_EVENT_GROWN);
	assert_unharmed(GROWN_MIB);
	assert_int_equal(sys_dm_suspend(NAME), 0);
	assert_int_equal(sys_dm_resume(NAME), 0);
	assert_unharmed(GROWN_MIB);
}

static void a_refused_create_leaves_nothing(void **state)
{
	struct svcenc_table table = { 0 };
	struct sys_dm_spec spec = make_spec(&table, GROWN_MIB);
	struct svcenc_uuid other = t.volume;
	char other_dm_uuid[SYS_DM_UUID_SIZE];
	enum sys_dm_step step;
	struct sys_dm_info info;

	(void)state;
	other.b[0] ^= 1;
	table.uuid = other;
	spec.name = "other";
	sys_dm_uuid(&other, spec.name, other_dm_uuid);
	spec.dm_uuid = other_dm_uuid;
	assert_true(sys_dm_create(&spec, &step) < 0);
	print_message("refused: %s\n", sys_dm_step_text(step));
	assert_true(step != SYS_DM_STEP_CREATE);
	assert_int_equal(sys_dm_info("other", &info), 0);
	assert_false(info.exists);
	assert_unharmed(GROWN_MIB);
}

static void removal_in_use(void **state)
{
	struct svcenc_status status;
	struct sys_dm_info info;
	char path[SYS_DM_PATH_SIZE], block[4096] __attribute__((aligned(4096)));
	int fd;

	(void)state;
	sys_dm_path(NAME, path);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, block, sizeof(block), 0), sizeof(block));
	assert_int_equal(sys_dm_remove(NAME, 0), -EBUSY);
	assert_unharmed(GROWN_MIB);
	assert_int_equal(sys_dm_remove(NAME, SYS_DM_REMOVE_FORCE |
						     SYS_DM_REMOVE_DEFERRED),
			 0);
	assert_int_equal(sys_dm_status(NAME, &status), -ENODATA);
	assert_int_equal(pread(fd, block, sizeof(block), 0), -1);
	assert_int_equal(sys_dm_info(NAME, &info), 0);
	assert_true(info.exists && info.deferred_remove);
	close(fd);
	while (sys_dm_info(NAME, &info) == 0 && info.exists)
		usleep(10000);
	assert_int_equal(sys_dm_remove(NAME, 0), -ENXIO);
}

static void a_keyed_volume_opens_read_only(void **state)
{
	struct svcenc_table table = { .allow_discards = true, .min_seq = 1 };
	struct sys_dm_spec spec = make_spec(&table, GROWN_MIB);
	struct sys_device *device;
	struct sys_dm_info info;
	char path[SYS_DM_PATH_SIZE];

	(void)state;
	spec.readonly = true;
	assert_int_equal(sys_dm_create(&spec, NULL), 0);
	assert_int_equal(sys_dm_info(NAME, &info), 0);
	assert_true(info.readonly);
	sys_dm_path(NAME, path);
	assert_int_equal(sys_device_open(path, SYS_DEVICE_WRITE, &device),
			 -EROFS);
	assert_int_equal(sys_device_open(path, 0, &device), 0);
	sys_device_close(device);
	assert_int_equal(sys_dm_remove(NAME, 0), 0);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_handle_outlives_the_module(void **state)
{
	struct sys_genl_key *keys;
	size_t count;

	(void)state;
	assert_int_equal(sys_key_unlink(&t.key), 0);
	t.events = sys_genl_events_close(t.events);
	assert_int_equal(system("rmmod dm_svcenc"), 0);
	assert_int_equal(sys_genl_keys(t.genl, &keys, &count), -ENOPKG);
	load_module();
	assert_int_equal(sys_genl_keys(t.genl, &keys, &count), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_says_that_the_module_is_absent),
		cmocka_unit_test(the_module_is_found),
		cmocka_unit_test(keys_and_leases),
		cmocka_unit_test(a_volume_is_created),
		cmocka_unit_test(questions_have_answers),
		cmocka_unit_test(a_revoked_key_locks_and_unlock_brings_it_back),
		cmocka_unit_test(a_refused_reload_is_put_back),
		cmocka_unit_test(a_volume_grows),
		cmocka_unit_test(a_refused_create_leaves_nothing),
		cmocka_unit_test(removal_in_use),
		cmocka_unit_test(a_keyed_volume_opens_read_only),
		cmocka_unit_test(a_handle_outlives_the_module),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
