// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will let rotations start, go on, stop and end, and check
 * DESCRIPTION: what the store has learnt when, what the journal says, and the speed.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel.h"
#include "log.h"
#include "rotations.h"

enum { TOTAL = 1000 * 2048, MIB = 2048 }; /* sectors */

static struct agent agent;
static struct volume stored = { .name = "data" };
static struct sys_genl_device in_kernel;
static unsigned int saves;
static bool save_fails;
static char said[256]; /* the last line of the journal */

bool volume_by_uuid(struct agent *a, const struct svcenc_uuid *uuid,
		    struct volume *ret)
{
	assert_ptr_equal(a, &agent);
	*ret = stored;
	return svcenc_uuid_equal(uuid, &stored.uuid);
}

int volume_save(struct agent *a, const struct volume *volume,
		struct svcenc_fault *fault)
{
	assert_ptr_equal(a, &agent);
	saves++;
	if (save_fails)
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"the disk is full");
	stored = *volume;
	return 0;
}

int kernel_each_volume(struct agent *a, const struct svcenc_keyid *id,
		       void (*fn)(struct agent *agent,
				  const struct sys_genl_device *device,
				  void *userdata),
		       void *userdata)
{
	assert_null(id);
	fn(a, &in_kernel, userdata);
	return 0;
}

#define LOG(level)                                           \
	void log_##level(const char *format, ...)            \
	{                                                    \
		va_list args;                                \
                                                             \
		va_start(args, format);                      \
		vsnprintf(said, sizeof(said), format, args); \
		va_end(args);                                \
	}
LOG(error)
LOG(info)
LOG(audit)

static const struct svcenc_uuid ours = { { 1 } }, other = { { 2 } };

static int set_up(void **state)
{
	(void)state;
	rotations_stop(&agent);
	stored.uuid = ours;
	stored.seq = 5;
	stored.epoch = 1;
	saves = 0;
	save_fails = false;
	said[0] = '\0';
	return 0;
}

static bool tell(enum svcenc_event number, u64 ms, u64 done, u64 seq)
{
	const struct sys_genl_event event = {
		.event = number,
		.time_ms = ms,
		.has_uuid = true,
		.uuid = ours,
		.seq = seq,
		.epoch = number == SVCENC_EVENT_ROTATION_DONE ? 2 : 1,
		.rotation_done = done,
		.rotation_total = TOTAL,
		.reason = "read error at sector 7",
	};

	return rotations_on_event(&agent, &event);
}

static bool progress(u64 ms, u64 done, u64 seq)
{
	return tell(SVCENC_EVENT_ROTATION_PROGRESS, ms, done, seq);
}

static void store_learns_at_start_each_minute_and_at_the_end(void **state)
{
	(void)state;
	assert_true(progress(1000, 0, 6));
	assert_int_equal(stored.seq, 6);
	assert_string_equal(
		said, "rotation of volume 'data' to epoch 2 starts at 0%");
	assert_true(progress(2000, 10 * MIB, 7));
	assert_true(progress(60999, 500 * MIB, 8));
	assert_int_equal(stored.seq, 6);
	assert_true(progress(61000, 501 * MIB, 9));
	assert_int_equal(stored.seq, 9);
	assert_int_equal(stored.epoch, 1);
	assert_true(progress(62000, 502 * MIB, 10));
	assert_int_equal(stored.seq, 9);
	assert_true(tell(SVCENC_EVENT_ROTATION_DONE, 63000, TOTAL, 11));
	assert_int_equal(stored.seq, 11);
	assert_int_equal(stored.epoch, 2);
	assert_int_equal(saves, 3);
	assert_string_equal(said, "volume 'data' is rotated: epoch 2, seq 11");
	assert_null(agent.rotations);
}

static void pause_is_learnt_with_its_reason(void **state)
{
	(void)state;
	assert_true(progress(1000, 0, 6));
	assert_true(tell(SVCENC_EVENT_ROTATION_PAUSED, 1500, TOTAL / 4, 8));
	assert_int_equal(stored.seq, 8);
	assert_string_equal(said, "rotation of volume 'data' stops at 25%: "
				  "read error at sector 7");
	assert_null(agent.rotations);
	assert_true(progress(9000, TOTAL / 4, 9));
	assert_string_equal(said, "rotation of volume 'data' to epoch 2 goes "
				  "on at 25%");
}

static void opened_again_is_followed_anew(void **state)
{
	(void)state;
	assert_true(progress(1000, 10 * MIB, 6));
	assert_false(tell(SVCENC_EVENT_ACTIVATED, 2000, 10 * MIB, 7));
	assert_null(agent.rotations);
	assert_true(progress(2001, TOTAL / 2, 8));
	assert_string_equal(said, "rotation of volume 'data' to epoch 2 goes "
				  "on at 50%");
}

/* An event may come late: what is known already stays. */
static void store_learns_upwards_only(void **state)
{
	(void)state;
	stored.seq = 100;
	stored.epoch = 3;
	assert_true(progress(1000, 0, 99));
	assert_int_equal(saves, 0);
	assert_true(tell(SVCENC_EVENT_ROTATION_DONE, 1000, 0, 101));
	assert_int_equal(stored.seq, 101);
	assert_int_equal(stored.epoch, 3);
}

static void failed_save_is_said(void **state)
{
	(void)state;
	save_fails = true;
	assert_true(tell(SVCENC_EVENT_ROTATION_PAUSED, 1000, 0, 6));
	assert_int_equal(saves, 1);
	save_fails = false;
	assert_true(tell(SVCENC_EVENT_ROTATION_PAUSED, 1000, 0, 6));
	assert_int_equal(stored.seq, 6);
}

static void speed_is_of_the_last_seconds(void **state)
{
	u64 ms;

	(void)state;
	assert_int_equal(rotations_speed(&agent, &ours), 0);
	progress(1000, 0, 6);
	assert_int_equal(rotations_speed(&agent, &ours), 0);
	for (ms = 2000; ms <= 101000; ms += 1000) /* 1 MiB/s */
		progress(ms, (ms - 1000) / 1000 * MIB, 7);
	assert_int_equal(rotations_speed(&agent, &ours), 1 << 20);
	for (; ms <= 141000; ms += 1000) /* 3 MiB/s, for 40 s */
		progress(ms, (100 + (ms - 101000) / 1000 * 3) * MIB, 8);
	assert_int_equal(rotations_speed(&agent, &ours), 3 << 20);
	progress(200000, 500 * MIB, 9); /* after a gap */
	assert_int_equal(rotations_speed(&agent, &ours), 0);
	progress(201000, 501 * MIB, 9);
	assert_int_equal(rotations_speed(&agent, &ours), 1 << 20);
	assert_int_equal(rotations_speed(&agent, &other), 0);
}

static void lost_events_are_made_up_for(void **state)
{
	(void)state;
	in_kernel.uuid = ours;
	in_kernel.seq = 50;
	in_kernel.epoch = 1;
	in_kernel.rotation_total = TOTAL;
	progress(1000, 0, 6);
	rotations_look_anew(&agent);
	assert_int_equal(stored.seq, 50);
	assert_non_null(agent.rotations);
	in_kernel.rotation_total = 0; /* it has ended meanwhile */
	in_kernel.epoch = 2;
	in_kernel.seq = 60;
	rotations_look_anew(&agent);
	assert_int_equal(stored.seq, 60);
	assert_int_equal(stored.epoch, 2);
	assert_null(agent.rotations);
}

static void others_events_change_nothing(void **state)
{
	struct sys_genl_event event = {
		.event = SVCENC_EVENT_ROTATION_DONE,
		.has_uuid = true,
		.uuid = other, /* mapped by hand, not of the store */
		.seq = 1000,
	};

	(void)state;
	assert_true(rotations_on_event(&agent, &event));
	event.event = SVCENC_EVENT_ROTATION_PROGRESS;
	assert_true(rotations_on_event(&agent, &event));
	event.time_ms = 100000;
	assert_true(rotations_on_event(&agent, &event));
	event.event = SVCENC_EVENT_KEY_LOST;
	assert_false(rotations_on_event(&agent, &event));
	event.has_uuid = false;
	assert_false(rotations_on_event(&agent, &event));
	assert_int_equal(saves, 0);
	assert_string_equal(said, "");
	rotations_stop(&agent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			store_learns_at_start_each_minute_and_at_the_end,
			set_up),
		cmocka_unit_test_setup(pause_is_learnt_with_its_reason, set_up),
		cmocka_unit_test_setup(opened_again_is_followed_anew, set_up),
		cmocka_unit_test_setup(store_learns_upwards_only, set_up),
		cmocka_unit_test_setup(failed_save_is_said, set_up),
		cmocka_unit_test_setup(speed_is_of_the_last_seconds, set_up),
		cmocka_unit_test_setup(lost_events_are_made_up_for, set_up),
		cmocka_unit_test_setup(others_events_change_nothing, set_up),
	};

	return cmocka_run_group_tests_name("daemon_rotations", tests, NULL,
					   NULL);
}
