// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will wish for rotations in every way: which messages the kernel
 * DESCRIPTION: gets, and what is said when the wish, the volume's state or the kernel
 * DESCRIPTION: does not allow it.
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
#include "volume_look.h"
#include "volumes.h"

static struct {
	int found, mapped;
	struct sys_dm_info info;
	struct svcenc_status status;
	int status_error;  /* of the look before */
	int message_error; /* of every message */
	/* what the kernel says when a message was refused */
	bool changes;
	struct svcenc_status changed;
	char messages[256];
	unsigned int learnt;
} t;

int volume_find_ready(struct agent *agent, const char *name, struct volume *ret,
		      struct policy *ret_policy, struct svcenc_fault *fault)
{
	(void)agent;
	(void)ret_policy;
	memset(ret, 0, sizeof(*ret));
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return t.found < 0 ? svcenc_fault_set(fault, SVCENC_FAULT_NOT_FOUND,
					      "no volume '%s'", name) :
			     0;
}

int volume_find_mapping(const struct volume *volume, struct sys_dm_info *info,
			struct svcenc_fault *fault)
{
	(void)volume;
	*info = t.info;
	return t.mapped < 0 ? svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
					       "another mapped device") :
			      t.mapped;
}

int volume_learn(struct agent *agent, struct volume *volume,
		 const struct svcenc_status *status, u64 data_len,
		 struct svcenc_fault *fault)
{
	(void)agent;
	(void)volume;
	(void)status;
	(void)data_len;
	(void)fault;
	t.learnt++;
	return 0;
}

int kernel_fault(int error, const char *what, struct svcenc_fault *fault)
{
	return svcenc_fault_set(fault, SVCENC_FAULT_KERNEL, "cannot %s: %s",
				what, strerror(-error));
}

int sys_dm_status(const char *name, struct svcenc_status *ret)
{
	assert_string_equal(name, "data");
	if (t.status_error)
		return t.status_error;
	*ret = t.status;
	return 0;
}

int sys_dm_info(const char *name, struct sys_dm_info *ret)
{
	assert_string_equal(name, "data");
	*ret = t.info;
	return 0;
}

int sys_dm_message(const char *name, const char *message)
{
	assert_string_equal(name, "data");
	strncat(t.messages, message,
		sizeof(t.messages) - strlen(t.messages) - 1);
	strncat(t.messages, ";", sizeof(t.messages) - strlen(t.messages) - 1);
	if (t.changes)
		t.status = t.changed;
	return t.message_error;
}

void log_audit(const char *format, ...)
{
	(void)format;
}

static int set_up(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	t.mapped = 1;
	t.info.exists = true;
	t.status.state = SVCENC_STATE_ACTIVE;
	t.status.epoch = 3;
	return 0;
}

static void set_rotating(struct svcenc_status *status,
			 enum svcenc_rotation_state state)
{
	status->rotation = state;
	status->rotation_done = 50 * 2048;
	status->rotation_total = 200 * 2048;
}

/* The fault's kind; its message is compared. */
static enum svcenc_fault_kind wish(enum volume_rotate action, int64_t rate,
				   bool skip, const char *message)
{
	const struct volume_rotation rotation = {
		.name = "data",
		.action = action,
		.rate = rate,
		.skip_unreadable = skip,
	};
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct volume volume;
	const int r = volumes_rotate(NULL, &rotation, &volume, &fault);

	assert_int_equal(r < 0, fault.kind != SVCENC_FAULT_NONE);
	if (message)
		assert_string_equal(fault.message, message);
	return fault.kind;
}

static void start_sends_the_limit_first(void **state)
{
	(void)state;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false, NULL), 0);
	assert_string_equal(t.messages, "rotate start;");
	assert_int_equal(t.learnt, 1);
	set_up(NULL);
	assert_int_equal(wish(VOLUME_ROTATE_START, 20 << 20, false, NULL), 0);
	assert_string_equal(t.messages, "rotate rate 20480;rotate start;");
	set_up(NULL);
	t.status.rate_kib_s = 7; /* of the rotation before */
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false, NULL), 0);
	assert_string_equal(t.messages, "rotate rate 0;rotate start;");
}

static void steering_sends_what_was_asked_for(void **state)
{
	(void)state;
	set_rotating(&t.status, SVCENC_ROTATION_RUNNING);
	t.status.rate_kib_s = 7;
	assert_int_equal(wish(VOLUME_ROTATE_PAUSE, -1, false, NULL), 0);
	assert_string_equal(t.messages, "rotate pause;");
	t.messages[0] = '\0';
	assert_int_equal(wish(VOLUME_ROTATE_RESUME, -1, false, NULL), 0);
	assert_string_equal(t.messages, "rotate resume;");
	t.messages[0] = '\0';
	assert_int_equal(wish(VOLUME_ROTATE_RESUME, 0, true, NULL), 0);
	assert_string_equal(t.messages,
			    "rotate rate 0;rotate resume skip_unreadable;");
	t.messages[0] = '\0';
	assert_int_equal(wish(VOLUME_ROTATE_RESUME, 7 << 10, false, NULL), 0);
	assert_string_equal(t.messages, "rotate resume;"); /* as it is */
}

static void state_that_does_not_allow_it(void **state)
{
	(void)state;
	set_rotating(&t.status, SVCENC_ROTATION_RUNNING);
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false,
			      "volume 'data' is being rotated already: 50 of "
			      "200 MiB done, 25.0%, running"),
			 SVCENC_FAULT_EXISTS);
	t.status.state = SVCENC_STATE_LOCKED;
	assert_int_equal(wish(VOLUME_ROTATE_RESUME, -1, false,
			      "volume 'data' is locked: no key is live for it"),
			 SVCENC_FAULT_PERMISSION);
	set_up(NULL);
	t.info.readonly = true;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false,
			      "volume 'data' is open read-only"),
			 SVCENC_FAULT_WRONG_DEVICE);
	set_up(NULL);
	assert_int_equal(wish(VOLUME_ROTATE_PAUSE, -1, false,
			      "volume 'data' is not being rotated (epoch 3)"),
			 SVCENC_FAULT_USAGE);
	t.mapped = 0;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false,
			      "volume 'data' is closed"),
			 SVCENC_FAULT_USAGE);
	t.mapped = -1;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false, NULL),
			 SVCENC_FAULT_EXISTS);
	t.found = -1;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false, NULL),
			 SVCENC_FAULT_NOT_FOUND);
	assert_string_equal(t.messages, "");
	assert_int_equal(t.learnt, 0);
}

static void kernel_refuses(void **state)
{
	(void)state;
	t.message_error = -EIO;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false,
			      "cannot start the rotation of 'data': "
			      "Input/output error"),
			 SVCENC_FAULT_KERNEL);
	assert_int_equal(wish(VOLUME_ROTATE_START, 1 << 20, false, NULL),
			 SVCENC_FAULT_KERNEL);
	assert_string_equal(t.messages, "rotate start;rotate rate 1024;");
	t.status_error = -ENXIO;
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false,
			      "cannot read the volume's status: No such device "
			      "or address"),
			 SVCENC_FAULT_KERNEL);
	assert_int_equal(t.learnt, 0);
}

/* Somebody else was faster: what is true now is what is said. */
static void overtaken(void **state)
{
	(void)state;
	t.message_error = -EBUSY;
	t.changes = true;
	t.changed = t.status;
	set_rotating(&t.changed, SVCENC_ROTATION_RUNNING);
	assert_int_equal(wish(VOLUME_ROTATE_START, -1, false, NULL),
			 SVCENC_FAULT_EXISTS);
	set_up(NULL);
	set_rotating(&t.status, SVCENC_ROTATION_RUNNING);
	t.message_error = -EINVAL;
	t.changes = true;
	t.changed = t.status;
	t.changed.rotation_total = 0;
	assert_int_equal(wish(VOLUME_ROTATE_PAUSE, -1, false, NULL),
			 SVCENC_FAULT_USAGE);
}

static void wishes_are_checked(void **state)
{
	static const struct {
		const char *action;
		int64_t rate;
		bool skip, fits;
	} wishes[] = {
		{ "start", -1, false, true },
		{ "start", 0, false, true },
		{ "pause", -1, false, true },
		{ "resume", 1LL << 40, true, true },
		{ "stop", -1, false, false },
		{ "", -1, false, false },
		{ "start", -2, false, false },
		{ "start", 1000, false, false },
		{ "start", (1LL << 40) + 1024, false, false },
		{ "start", -1, true, false },
		{ "pause", -1, true, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
		struct volume_rotation rotation = {
			.rate = wishes[i].rate,
			.skip_unreadable = wishes[i].skip,
		};
		const int r = volumes_check_rotation(wishes[i].action,
						     &rotation, &fault);

		assert_int_equal(!r, wishes[i].fits);
		assert_int_equal(fault.kind, wishes[i].fits ?
						     SVCENC_FAULT_NONE :
						     SVCENC_FAULT_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(start_sends_the_limit_first, set_up),
		cmocka_unit_test_setup(steering_sends_what_was_asked_for,
				       set_up),
		cmocka_unit_test_setup(state_that_does_not_allow_it, set_up),
		cmocka_unit_test_setup(kernel_refuses, set_up),
		cmocka_unit_test_setup(overtaken, set_up),
		cmocka_unit_test_setup(wishes_are_checked, set_up),
	};

	return cmocka_run_group_tests_name("daemon_volume_rotate", tests, NULL,
					   NULL);
}
