// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the file vault below its socket: RFC 3394
 * DESCRIPTION: vectors, round trips, every class of answer (disabled, deleted,
 * DESCRIPTION: missing, damaged, wrong owner or mode, no directory), and that
 * DESCRIPTION: calling CreateKey twice gives one key.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 30
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "file.h"
#include "proto.h"
#include "service.h"
#include "wrap.h"

#define KID "file:v/root/1"
/* 32 bytes of zero, the plaintext here */
#define PLAIN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static char folder[64];
static struct vault vault = { .name = "v", .ops = &file_ops };
static const struct vault_answer fine = { .class = VAULT_OK, .reason = "" };

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/svcenc-vault.XXXXXX");
	vault.option_count = 0;
	return mkdtemp(folder) ? vault_option_set(&vault, "directory", folder) :
				 -1;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* Steals @parameters; the answer is the caller's. */
static json_t *call(const char *method, json_t *parameters)
{
	char full[64];
	json_t *message, *answer;

	snprintf(full, sizeof(full), "io.svcenc.Vault.%s", method);
	message = svcenc_proto_call(full, parameters);
	answer = serve_message(&vault, &fine, message);
	json_decref(message);
	assert_non_null(answer);
	return answer;
}

static const char *reply_text(json_t *answer, const char *name)
{
	const char *text = json_string_value(
		json_object_get(json_object_get(answer, "parameters"), name));

	if (!text)
		fail_msg("no %s in %s", name, json_dumps(answer, 0));
	return text;
}

static void expect_error(json_t *answer, const char *error, const char *detail)
{
	const char *got = json_string_value(json_object_get(answer, "error"));

	if (!got || !strstr(got, error))
		fail_msg("wanted %s, got %s", error, json_dumps(answer, 0));
	if (detail && !strstr(reply_text(answer, "detail"), detail))
		fail_msg("wanted '%s', got %s", detail, json_dumps(answer, 0));
	json_decref(answer);
}

static json_t *create(void)
{
	return call("CreateKey", json_pack("{s:s}", "name", "root"));
}

static json_t *wrap(void)
{
	return call("Wrap",
		    json_pack("{s:s, s:s}", "kid", KID, "plaintext", PLAIN));
}

static json_t *unwrap(const char *blob)
{
	return call("Unwrap",
		    json_pack("{s:s, s:s}", "kid", KID, "blob", blob));
}

static void rfc3394_vectors(void **state)
{
	/* RFC 3394, 4.3, 4.5 and 4.6: 128, 192 and 256 bits with a 256-bit
	 * key, which is 00 01 ... 1f, and data 00 11 ... ff [00 01 ...].
	 */
	static const struct {
		size_t len;
		const char *hex;
	} vectors[] = {
		{ 16, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
		{ 24, "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb895"
		      "8cd5d17d6b254da1" },
		{ 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326"
		      "cbc7f0e71a99f43bfb988b9b7a02dd21" },
	};
	SVCENC_SECRET_AUTO struct svcenc_secret *root = svcenc_secret_new(32);
	size_t i, n;

	(void)state;
	for (i = 0; i < 32; i++)
		svcenc_secret_bytes(root)[i] = (uint8_t)i;
	for (n = 0; n < 3; n++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL,
							*blob = NULL,
							*again = NULL;
		char hex[2 * 40 + 1];

		plain = svcenc_secret_new(vectors[n].len);
		for (i = 0; i < vectors[n].len; i++)
			svcenc_secret_bytes(plain)[i] =
				(uint8_t)(i < 16 ? 0x11 * i : i - 16);
		assert_int_equal(wrap_key(root, plain, &blob), 0);
		svcenc_hex_print(svcenc_secret_peek(blob),
				 svcenc_secret_len(blob), hex);
		assert_string_equal(hex, vectors[n].hex);
		assert_int_equal(unwrap_key(root, blob, &again), 0);
		assert_true(svcenc_secret_equal(plain, again));
	}
}

static void round_trip(void **state)
{
	json_t *created = create(), *again, *wrapped, *opened;
	struct stat st;
	char path[128];

	(void)state;
	assert_string_equal(reply_text(created, "kid"), KID);
	again = create();
	assert_string_equal(reply_text(again, "kid"), KID);
	snprintf(path, sizeof(path), "%s/root.1.key", folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	wrapped = wrap();
	opened = unwrap(reply_text(wrapped, "blob"));
	assert_string_equal(reply_text(opened, "plaintext"), PLAIN);
	json_decref(created);
	json_decref(again);
	json_decref(wrapped);
	json_decref(opened);
}

/* Puts another state into the key file. */
static void set_state(const char *state)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "sed -i 's/\"state\": \"[a-z]*\"/\"state\": \"%s\"/' "
		 "%s/root.1.key && chmod 0600 %s/root.1.key",
		 state, folder, folder);
	assert_int_equal(system(command), 0);
}

static void run(const char *format)
{
	char command[256];

	snprintf(command, sizeof(command), "cd %s && %s", folder, format);
	assert_int_equal(system(command), 0);
}

static void withdrawal_is_denied_with_its_reason(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(create());
	set_state("disabled");
	answer = wrap();
	assert_string_equal(reply_text(answer, "reason"), "disabled");
	expect_error(answer, "Denied", "is disabled");
	/* a new key instead of a disabled one would undo the decision */
	expect_error(create(), "Denied", "no version");
	answer = call("DescribeKey", json_pack("{s:s}", "kid", KID));
	assert_string_equal(reply_text(answer, "state"), "disabled");
	json_decref(answer);
	set_state("deleted");
	answer = unwrap(PLAIN);
	assert_string_equal(reply_text(answer, "reason"), "deleted");
	json_decref(answer);
	set_state("enabled");
	answer = wrap();
	assert_non_null(reply_text(answer, "blob"));
	json_decref(answer);
	run("rm root.1.key");
	answer = wrap();
	assert_string_equal(reply_text(answer, "reason"), "deleted");
	expect_error(answer, "Denied", "does not exist");
}

static void newest_enabled_version_is_found(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(create());
	run("sed 's/\"version\": 1/\"version\": 12/' root.1.key >root.12.key && "
	    "chmod 0600 root.12.key && touch root.x.key root.13.key.new "
	    "rooted.14.key");
	answer = create();
	assert_string_equal(reply_text(answer, "kid"), "file:v/root/12");
	json_decref(answer);
	run("sed -i 's/enabled/disabled/' root.12.key && "
	    "chmod 0600 root.12.key");
	answer = create();
	assert_string_equal(reply_text(answer, "kid"), KID);
	json_decref(answer);
}

static json_t *use(const char *key)
{
	return call("UseKey", json_pack("{s:s}", "key", key));
}

static void an_existing_key_is_used_and_none_is_made(void **state)
{
	json_t *answer;

	(void)state;
	expect_error(use("root"), "Denied", "there is no key 'root'");
	json_decref(create());
	answer = use("root");
	assert_string_equal(reply_text(answer, "kid"), KID);
	assert_string_equal(reply_text(answer, "alg"), "A256KW");
	json_decref(answer);
	answer = use("root/1");
	assert_string_equal(reply_text(answer, "kid"), KID);
	json_decref(answer);
	expect_error(use("root/2"), "Denied", "does not exist");
	set_state("disabled");
	expect_error(use("root"), "Denied", "no version");
}

static void a_key_is_described(void **state)
{
	json_t *answer, *parameters;

	(void)state;
	json_decref(create());
	answer = call("DescribeKey", json_pack("{s:s}", "kid", KID));
	parameters = json_object_get(answer, "parameters");
	assert_string_equal(reply_text(answer, "key_type"), "AES");
	assert_int_equal(
		json_integer_value(json_object_get(parameters, "size_bits")),
		256);
	assert_string_equal(reply_text(answer, "version"), "1");
	assert_string_equal(reply_text(answer, "unwrap"), "yes");
	assert_string_equal(reply_text(answer, "expiry"), "none");
	assert_string_equal(reply_text(answer, "recovery"), "none");
	json_decref(answer);
	set_state("disabled");
	answer = call("DescribeKey", json_pack("{s:s}", "kid", KID));
	assert_string_equal(reply_text(answer, "unwrap"), "no");
	json_decref(answer);
}

/* A vault that is set up wrongly says so to every call but GetInfo. */
static void wrong_settings_are_the_answer(void **state)
{
	struct vault_answer broken;
	struct vault bad = { .name = "v", .ops = &file_ops };
	json_t *message, *answer;

	(void)state;
	assert_int_equal(file_ops.start(&bad, &broken), VAULT_BADAUTH);
	message = svcenc_proto_call("io.svcenc.Vault.UseKey",
				    json_pack("{s:s}", "key", "root"));
	answer = serve_message(&bad, &broken, message);
	json_decref(message);
	expect_error(answer, "BadAuth", "set 'directory'");
	message = svcenc_proto_call("io.svcenc.Vault.GetInfo", NULL);
	answer = serve_message(&bad, &broken, message);
	json_decref(message);
	assert_string_equal(reply_text(answer, "type"), "file");
	json_decref(answer);
	assert_int_equal(vault_option_set(&bad, "url", "x"), -EINVAL);
}

static void open_files_are_refused_with_the_cure(void **state)
{
	(void)state;
	json_decref(create());
	run("chmod 0640 root.1.key");
	expect_error(wrap(), "BadAuth", "chmod 0600");
	run("chmod 0600 root.1.key && chmod 0755 .");
	expect_error(wrap(), "BadAuth", "chmod 0700");
	run("chmod 0700 . && mv root.1.key real && ln -s real root.1.key");
	expect_error(wrap(), "BadAuth", "cannot be opened");
	run("rm root.1.key && mkfifo -m 600 root.1.key");
	expect_error(wrap(), "BadAuth", NULL);
}

static void missing_directory_is_an_outage(void **state)
{
	(void)state;
	assert_int_equal(rmdir(folder), 0);
	expect_error(wrap(), "Unreachable", "mount it");
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void damage_is_corrupt(void **state)
{
	static const char *const ways[] = {
		": >root.1.key",
		"echo '{}' >root.1.key",
		"sed -i 's/A256KW/A128KW/' root.1.key",
		"sed -i 's/\"version\": 1/\"version\": 2/' root.1.key",
		"sed -i 's/\"root\"/\"boot\"/' root.1.key",
		"sed -i 's/\"state\"/\"stale\"/' root.1.key",
		"sed -i 's/\"enabled\"/\"maybe\"/' root.1.key",
		"sed -i 's/\"key\": \"..../\"key\": \"/' root.1.key",
		"sed -i 's/}/, \"more\": 1}/' root.1.key",
		"head -c 5000 /dev/zero >root.1.key",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char command[256];

		run("rm -f root.1.key");
		json_decref(create());
		snprintf(command, sizeof(command),
			 "%s && chmod 0600 root.1.key", ways[i]);
		run(command);
		expect_error(wrap(), "Corrupt", "damaged");
	}
}

static void foreign_blobs_are_corrupt(void **state)
{
	(void)state;
	json_decref(create());
	expect_error(unwrap(PLAIN), "Corrupt", "does not open");
	expect_error(unwrap("AAAA"), "Corrupt", "does not open");
	expect_error(call("Unwrap",
			  json_pack("{s:s, s:s}", "kid", "file:other/root/1",
				    "blob", PLAIN)),
		     "Corrupt", "names no key");
	expect_error(call("Unwrap",
			  json_pack("{s:s, s:s}", "kid", "file:v/../root/1",
				    "blob", PLAIN)),
		     "Corrupt", "names no key");
}

static void wrong_calls_are_refused(void **state)
{
	(void)state;
	json_decref(create());
	expect_error(call("Nothing", NULL), "MethodNotFound", NULL);
	expect_error(call("Wrap", json_pack("{s:s}", "kid", KID)),
		     "InvalidParameter", NULL);
	expect_error(call("Wrap", json_pack("{s:s, s:s, s:i}", "kid", KID,
					    "plaintext", PLAIN, "x", 1)),
		     "InvalidParameter", NULL);
	expect_error(call("Wrap", json_pack("{s:s, s:s}", "kid", KID,
					    "plaintext", "AAAA")),
		     "InvalidParameter", NULL);
	expect_error(call("CreateKey", json_pack("{s:s}", "name", "../x")),
		     "Corrupt", "not a name");
	expect_error(call("GetInfo", json_pack("{s:i}", "x", 1)),
		     "InvalidParameter", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3394_vectors),
		TEST(round_trip),
		TEST(withdrawal_is_denied_with_its_reason),
		TEST(newest_enabled_version_is_found),
		TEST(an_existing_key_is_used_and_none_is_made),
		TEST(a_key_is_described),
		TEST(wrong_settings_are_the_answer),
		TEST(open_files_are_refused_with_the_cure),
		TEST(missing_directory_is_an_outage),
		TEST(damage_is_corrupt),
		TEST(foreign_blobs_are_corrupt),
		TEST(wrong_calls_are_refused),
	};

	if (svcenc_secret_init() < 0 || wrap_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	svcenc_proto_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
