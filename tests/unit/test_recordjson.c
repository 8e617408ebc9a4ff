// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check that a decoded policy record survives the
 * DESCRIPTION: way through JSON unchanged, and that the reader, whose writer
 * DESCRIPTION: parses hostile input, takes nothing malformed.
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

#include "proto.h"
#include "recordjson.h"
#include "secret.h"

static void make_record(struct svcenc_record *record)
{
	u32 i;

	memset(record, 0, sizeof(*record));
	memset(&record->volume, 1, sizeof(record->volume));
	memset(&record->tenant, 2, sizeof(record->tenant));
	memset(&record->key.policy, 3, sizeof(record->key.policy));
	record->key.version = 4294967295U;
	record->generation = 7;
	strcpy(record->tenant_name, "tenant");
	strcpy(record->policy_name, "policy");
	strcpy(record->volume_name, "volume");
	record->wrap_count = 3;
	for (i = 0; i < 3; i++) {
		record->wraps[i].role = i + 1;
		record->wraps[i].alg = SVCENC_ALG_OPAQUE - i;
		strcpy(record->wraps[i].vault, "v");
		strcpy(record->wraps[i].kid, "file:v/k/1");
		record->wraps[i].blob_len = 1024 - i;
		memset(record->wraps[i].blob, 5, record->wraps[i].blob_len);
	}
}

static void record_survives(void **state)
{
	static struct svcenc_record record, again;
	json_t *json;

	(void)state;
	make_record(&record);
	json = svcenc_recordjson_write(&record);
	assert_non_null(json);
	assert_int_equal(svcenc_recordjson_read(json, &again), 0);
	assert_memory_equal(&record, &again, sizeof(record));
	json_decref(json);
}

/* One member of the record or of its first wrap replaced. */
static int read_with(const char *member, json_t *value, bool in_wrap)
{
	static struct svcenc_record record, again;
	json_t *json, *object;
	int r;

	make_record(&record);
	json = svcenc_recordjson_write(&record);
	object = in_wrap ? json_array_get(json_object_get(json, "wraps"), 0) :
			   json;
	json_object_set_new(object, member, value);
	r = svcenc_recordjson_read(json, &again);
	json_decref(json);
	return r;
}

static void malformed_members_are_refused(void **state)
{
	char longest[SVCENC_KID_MAX + 2], name[65];

	(void)state;
	memset(longest, 'k', sizeof(longest));
	longest[SVCENC_KID_MAX + 1] = '\0';
	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	assert_int_equal(read_with("tenant_name", json_string("../x"), false),
			 -EBADMSG);
	assert_int_equal(read_with("volume_name", json_string(name), false),
			 -EBADMSG);
	assert_int_equal(read_with("volume", json_string("x"), false),
			 -EBADMSG);
	/* found by fuzz_varlink: a uuid with something behind it */
	assert_int_equal(
		read_with("volume",
			  json_string("01010101-0101-0101-0101-0101010101010"),
			  false),
		-EBADMSG);
	assert_int_equal(read_with("generation", json_integer(0), false),
			 -EBADMSG);
	assert_int_equal(read_with("generation", json_integer(-1), false),
			 -EBADMSG);
	assert_int_equal(read_with("wraps", json_array(), false), -EBADMSG);
	assert_int_equal(read_with("wraps", json_object(), false), -EBADMSG);
	assert_int_equal(read_with("more", json_true(), false), -EBADMSG);
	assert_int_equal(read_with("role", json_string("c"), true), -EBADMSG);
	assert_int_equal(read_with("role", json_string("b"), true), -EBADMSG);
	assert_int_equal(read_with("alg", json_string("ROT13"), true),
			 -EBADMSG);
	assert_int_equal(read_with("vault", json_string("/etc"), true),
			 -EBADMSG);
	assert_int_equal(read_with("kid", json_string("a b"), true), -EBADMSG);
	assert_int_equal(read_with("kid", json_string(longest), true),
			 -EBADMSG);
	assert_int_equal(read_with("kid", json_string(""), true), -EBADMSG);
	assert_int_equal(read_with("blob", json_string("===="), true),
			 -EBADMSG);
	assert_int_equal(read_with("blob", json_string(""), true), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_survives),
		cmocka_unit_test(malformed_members_are_refused),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	svcenc_proto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
