// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will decode netlink messages of the module: all that
 * DESCRIPTION: the interface has, what older modules leave out, and what no
 * DESCRIPTION: module may say.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netlink/genl/genl.h>

#include "genl_attr.h"
#include "linux/dm-svcenc.h"

#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define KEY "svcenc:" UUID ":7"

/* A message without attributes. */
static struct nl_msg *begin(uint8_t command)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(
		genlmsg_put(msg, 0, 0, 30, 0, 0, command, SVCENC_GENL_VERSION));
	return msg;
}

static struct nl_msg *device(void)
{
	struct nl_msg *msg = begin(SVCENC_CMD_GET_DEVICES);

	assert_int_equal(nla_put_string(msg, SVCENC_ATTR_DEVNO, "253:1"), 0);
	assert_int_equal(nla_put_string(msg, SVCENC_ATTR_UUID, UUID), 0);
	assert_int_equal(nla_put_string(msg, SVCENC_ATTR_KEY, KEY), 0);
	assert_int_equal(
		nla_put_u32(msg, SVCENC_ATTR_STATE, SVCENC_STATE_ACTIVE), 0);
	return msg;
}

static struct nl_msg *event(enum svcenc_event number)
{
	struct nl_msg *msg = begin(SVCENC_CMD_EVENT);

	assert_int_equal(nla_put_u32(msg, SVCENC_ATTR_EVENT, number), 0);
	return msg;
}

static void put_rotation(struct nl_msg *msg, u32 state)
{
	assert_int_equal(nla_put_u64(msg, SVCENC_ATTR_ROTATION_DONE, 11), 0);
	assert_int_equal(nla_put_u64(msg, SVCENC_ATTR_ROTATION_TOTAL, 22), 0);
	assert_int_equal(nla_put_u32(msg, SVCENC_ATTR_ROTATION, state), 0);
}

static void device_says_what_its_rotation_does(void **state)
{
	struct sys_genl_device got;
	struct nl_msg *msg = device();

	(void)state;
	put_rotation(msg, SVCENC_ROTATION_READ_ERROR);
	assert_int_equal(sys_genl_parse_device(nlmsg_hdr(msg), &got), 0);
	assert_string_equal(got.devno, "253:1");
	assert_int_equal(got.rotation_done, 11);
	assert_int_equal(got.rotation_total, 22);
	assert_int_equal(got.rotation, SVCENC_ROTATION_READ_ERROR);
	nlmsg_free(msg);
}

static void event_says_what_its_rotation_does(void **state)
{
	struct nl_msg *msg = event(SVCENC_EVENT_ROTATION_PAUSED);
	struct sys_genl_event got;

	(void)state;
	put_rotation(msg, SVCENC_ROTATION_PAUSED);
	assert_int_equal(nla_put_string(msg, SVCENC_ATTR_UUID, UUID), 0);
	assert_int_equal(nla_put_string(msg, SVCENC_ATTR_REASON, "asked"), 0);
	assert_int_equal(sys_genl_parse_event(nlmsg_hdr(msg), &got), 0);
	assert_int_equal(got.event, SVCENC_EVENT_ROTATION_PAUSED);
	assert_true(got.has_uuid);
	assert_false(got.has_key);
	assert_string_equal(got.reason, "asked");
	assert_int_equal(got.rotation_done, 11);
	assert_int_equal(got.rotation_total, 22);
	assert_int_equal(got.rotation, SVCENC_ROTATION_PAUSED);
	nlmsg_free(msg);
}

/* As a module says it that does not rotate. */
static void no_word_of_a_rotation_is_idle(void **state)
{
	struct nl_msg *one = device(), *two = event(SVCENC_EVENT_KEY_LOST);
	struct sys_genl_device got_device;
	struct sys_genl_event got_event;

	(void)state;
	assert_int_equal(sys_genl_parse_device(nlmsg_hdr(one), &got_device), 0);
	assert_int_equal(got_device.rotation, SVCENC_ROTATION_IDLE);
	assert_int_equal(got_device.rotation_total, 0);
	assert_int_equal(sys_genl_parse_event(nlmsg_hdr(two), &got_event), 0);
	assert_int_equal(got_event.rotation, SVCENC_ROTATION_IDLE);
	nlmsg_free(one);
	nlmsg_free(two);
}

static void numbers_outside_their_lists_are_refused(void **state)
{
	struct nl_msg *one = device(), *two = event(SVCENC_EVENT_KEY_LOST);
	struct sys_genl_device got_device;
	struct sys_genl_event got_event;

	(void)state;
	put_rotation(one, SVCENC_ROTATION_COUNT);
	assert_int_equal(sys_genl_parse_device(nlmsg_hdr(one), &got_device),
			 -EBADMSG);
	put_rotation(two, UINT32_MAX);
	assert_int_equal(sys_genl_parse_event(nlmsg_hdr(two), &got_event),
			 -EBADMSG);
	nlmsg_free(one);
	nlmsg_free(two);
}

static void messages_without_the_least_are_refused(void **state)
{
	struct nl_msg *one = begin(SVCENC_CMD_GET_DEVICES);
	struct nl_msg *two = begin(SVCENC_CMD_EVENT);
	struct sys_genl_device got_device;
	struct sys_genl_event got_event;

	(void)state;
	assert_int_equal(sys_genl_parse_device(nlmsg_hdr(one), &got_device),
			 -EBADMSG);
	assert_int_equal(sys_genl_parse_event(nlmsg_hdr(two), &got_event),
			 -EBADMSG);
	nlmsg_free(one);
	nlmsg_free(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_says_what_its_rotation_does),
		cmocka_unit_test(event_says_what_its_rotation_does),
		cmocka_unit_test(no_word_of_a_rotation_is_idle),
		cmocka_unit_test(numbers_outside_their_lists_are_refused),
		cmocka_unit_test(messages_without_the_least_are_refused),
	};

	return cmocka_run_group_tests_name("genl_attr", tests, NULL, NULL);
}
