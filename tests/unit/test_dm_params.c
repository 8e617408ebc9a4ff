// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the texts that the agent gives to
 * DESCRIPTION: device-mapper: table parameters, one-shot options included, and
 * DESCRIPTION: DM UUIDs, which also parse back.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 10
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dm.h"

#define UUID "00112233-4455-6677-8899-aabbccddeeff"
#define KEY "svcenc:ffeeddcc-bbaa-9988-7766-554433221100:7"

enum { WORDS_MAX = 16 };

static int parse(const char *line, struct svcenc_table *ret,
		 const char **ret_error)
{
	static char words[2 * SVCENC_DEVICE_PATH_MAX];
	static char *argv[WORDS_MAX];
	unsigned int argc = 0;
	char *word, *rest;

	assert_true(strlen(line) < sizeof(words));
	memcpy(words, line, strlen(line) + 1);
	for (word = strtok_r(words, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = word;
	}
	return svcenc_table_parse(argc, argv, ret, ret_error);
}

static void the_loader_prints_one_shot_options(void **state)
{
	struct svcenc_table table, again;
	const char *error;
	char buf[512];

	(void)state;
	assert_int_equal(parse("d " UUID " " KEY
			       " 3 min_seq:5 grow allow_discards",
			       &table, &error),
			 0);
	assert_int_equal(sys_dm_params(&table, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "d " UUID " " KEY
				 " 3 allow_discards grow min_seq:5");
	assert_int_equal(parse(buf, &again, &error), 0);
	assert_int_equal(sys_dm_params(&table, buf, 100), -ENOSPC);
	assert_int_equal(sys_dm_params(&table, buf, 3), -ENOSPC);
	table.device = "/dev/a b";
	assert_int_equal(sys_dm_params(&table, buf, sizeof(buf)), -EINVAL);
	table.device = "";
	assert_int_equal(sys_dm_params(&table, buf, sizeof(buf)), -EINVAL);
}

static void dm_uuid_carries_volume_and_name(void **state)
{
	struct sys_dm_info info = { .exists = true, .name = "data-1" };
	struct svcenc_uuid volume, found;
	char dm_uuid[SYS_DM_UUID_SIZE], path[SYS_DM_PATH_SIZE];
	char name[SVCENC_NAME_SIZE];

	(void)state;
	assert_int_equal(svcenc_uuid_parse(UUID, &volume), 0);
	sys_dm_uuid(&volume, info.name, dm_uuid);
	assert_string_equal(dm_uuid, "SVCENC-1-" UUID "-data-1");
	sys_dm_path(info.name, path);
	assert_string_equal(path, "/dev/mapper/data-1");
	memcpy(info.dm_uuid, dm_uuid, sizeof(dm_uuid));
	assert_true(sys_dm_info_is_svcenc(&info, &found));
	assert_true(svcenc_uuid_equal(&volume, &found));
	memcpy(info.name, "data-2", 7);
	assert_false(sys_dm_info_is_svcenc(&info, &found));
	memcpy(info.dm_uuid, "LVM-xyz", 8);
	assert_false(sys_dm_info_is_svcenc(&info, &found));
	memcpy(info.dm_uuid, "SVCENC-1-", 10);
	assert_false(sys_dm_info_is_svcenc(&info, &found));
	memset(name, 'n', sizeof(name));
	name[SVCENC_NAME_SIZE - 1] = '\0';
	sys_dm_uuid(&volume, name, dm_uuid);
	assert_int_equal(strlen(dm_uuid), SYS_DM_UUID_SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loader_prints_one_shot_options),
		cmocka_unit_test(dm_uuid_carries_volume_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
