// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the PKCS#11 vault below its module: the class of every
 * DESCRIPTION: return value, key URIs written and read, what does not belong into one
 * DESCRIPTION: refused, which of two keys is newer, and the memory of a refused PIN.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 30
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "keyuri.h"
#include "pin.h"
#include "rv.h"

/* --- return values -------------------------------------------------------- */

static void return_values_have_classes(void **state)
{
	static const struct {
		CK_RV rv;
		enum vault_class class;
		const char *reason;
		bool doubtful, session;
	} cases[] = {
		{ CKR_OK, VAULT_OK, "", false, false },
		{ CKR_KEY_FUNCTION_NOT_PERMITTED, VAULT_DENIED, "disabled",
		  false, false },
		{ 0x1b, VAULT_DENIED, "permission", false, false },
		{ CKR_KEY_HANDLE_INVALID, VAULT_DENIED, "deleted", false,
		  true },
		{ CKR_OBJECT_HANDLE_INVALID, VAULT_DENIED, "deleted", false,
		  true },
		{ CKR_TOKEN_NOT_PRESENT, VAULT_UNREACHABLE, "", false, true },
		{ CKR_DEVICE_ERROR, VAULT_UNREACHABLE, "", false, true },
		{ CKR_DEVICE_REMOVED, VAULT_UNREACHABLE, "", false, true },
		{ CKR_SESSION_HANDLE_INVALID, VAULT_UNREACHABLE, "", false,
		  true },
		{ CKR_USER_NOT_LOGGED_IN, VAULT_UNREACHABLE, "", false, true },
		{ CKR_SESSION_COUNT, VAULT_THROTTLED, "", false, false },
		{ CKR_GENERAL_ERROR, VAULT_UNREACHABLE, "", true, true },
		{ CKR_FUNCTION_FAILED, VAULT_UNREACHABLE, "", true, true },
		{ CKR_VENDOR_DEFINED + 7, VAULT_UNREACHABLE, "", true, true },
		{ CKR_PIN_INCORRECT, VAULT_BADAUTH, "", false, false },
		{ CKR_PIN_LOCKED, VAULT_BADAUTH, "", false, false },
		{ CKR_PIN_EXPIRED, VAULT_BADAUTH, "", false, false },
		{ CKR_ENCRYPTED_DATA_INVALID, VAULT_CORRUPT, "", false, false },
		{ CKR_WRAPPED_KEY_INVALID, VAULT_CORRUPT, "", false, false },
		{ CKR_MECHANISM_INVALID, VAULT_CORRUPT, "", false, false },
		{ CKR_ARGUMENTS_BAD, VAULT_CORRUPT, "", false, false },
		{ 0x7ffffff0, VAULT_CORRUPT, "", false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct rv_meaning got = rv_meaning(cases[i].rv);

		if (got.class != cases[i].class ||
		    strcmp(got.reason ? got.reason : "", cases[i].reason) ||
		    got.doubtful != cases[i].doubtful ||
		    got.session != cases[i].session)
			fail_msg("return value 0x%lx", cases[i].rv);
		assert_int_equal(rv_is_pin(cases[i].rv),
				 cases[i].class == VAULT_BADAUTH);
	}
}

/* --- URIs ----------------------------------------------------------------- */

static CK_TOKEN_INFO token_info(const char *label)
{
	CK_TOKEN_INFO info;

	memset(&info, ' ', sizeof(info));
	memcpy(info.label, label, strlen(label));
	return info;
}

static void a_key_is_written_and_read(void **state)
{
	struct keyuri key = { .class = CKO_PRIVATE_KEY,
			      .has_class = true,
			      .id = { 0, 1, 0xff },
			      .id_len = 3,
			      .label = "root/1 ?",
			      .hash = OAEP_SHA1 };
	struct keyuri again;
	char text[SVCENC_KID_MAX + 1];
	const char *why, *c;

	(void)state;
	assert_int_equal(keyuri_format(&key, text), 0);
	for (c = text; *c; c++)
		assert_true(*c > ' ' && *c <= '~');
	assert_int_equal(keyuri_parse(text, NULL, &again, &why), 0);
	assert_int_equal(again.class, CKO_PRIVATE_KEY);
	assert_int_equal(again.id_len, 3);
	assert_memory_equal(again.id, key.id, 3);
	assert_string_equal(again.label, key.label);
	assert_int_equal(again.hash, OAEP_SHA1);
}

static void what_does_not_belong_there_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
		int error;
	} cases[] = {
		{ "file:v/root/1", "no PKCS#11 URI", -EINVAL },
		{ "pkcs11:object=k;type=private?pin-value=1234", "PIN",
		  -EINVAL },
		{ "pkcs11:object=k?pin-source=file:/etc/pin", "PIN", -EINVAL },
		{ "pkcs11:object=k?module-path=/tmp/x.so", "module", -EINVAL },
		{ "pkcs11:object=k?module-name=x", "module", -EINVAL },
		{ "pkcs11:type=private", "must name", -EINVAL },
		{ "pkcs11:object=k;type=cert", "type", -EINVAL },
		{ "pkcs11:object=k;type=public", "type", -EINVAL },
		{ "pkcs11:object=k?x-oaep-hash=md5", "x-oaep-hash", -EINVAL },
		{ "pkcs11:object=k;token=other", "another token", -EXDEV },
		{ "pkcs11:object=k;thing=x", "does not know", -EINVAL },
	};
	const CK_TOKEN_INFO info = token_info("mine");
	struct keyuri key;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const int r = keyuri_parse(cases[i].text, &info, &key, &why);

		if (r != cases[i].error || !strstr(why, cases[i].why))
			fail_msg("%s: %d, %s", cases[i].text, r, why);
	}
	assert_int_equal(keyuri_parse("pkcs11:object=k;token=mine", &info, &key,
				      &why),
			 0);
	assert_false(key.has_class);
	assert_int_equal(key.hash, OAEP_UNSET);
}

static struct keyuri with_id(const char *bytes, size_t len)
{
	struct keyuri key = { .id_len = len };

	memcpy(key.id, bytes, len);
	return key;
}

static void the_higher_id_is_the_newer_key(void **state)
{
	const struct keyuri one = with_id("\1", 1), ten = with_id("\12", 1);
	const struct keyuri wide_one = with_id("\0\1", 2);
	const struct keyuri big = with_id("\1\0", 2), none = with_id("", 0);

	(void)state;
	assert_true(keyuri_compare_id(&ten, &one) > 0);
	assert_true(keyuri_compare_id(&one, &ten) < 0);
	assert_true(keyuri_compare_id(&big, &ten) > 0);
	assert_true(keyuri_compare_id(&wide_one, &one) == 0);
	assert_true(keyuri_compare_id(&none, &one) < 0);
}

/* --- the PIN -------------------------------------------------------------- */

static char folder[64], credential[96];
static const struct vault_ops ops = { .type = "pkcs11" };
static struct vault vault;

static void write_pin(const char *text)
{
	FILE *file = fopen(credential, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(credential, 0600), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/svcenc-pin.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(credential, sizeof(credential), "%s/credential", folder);
	memset(&vault, 0, sizeof(vault));
	vault.name = "hsm";
	vault.ops = &ops;
	write_pin("1234\n");
	return vault_option_set(&vault, "directory", folder) ||
	       vault_option_set(&vault, "pin_file", credential);
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static enum pin_memory memory_now(void)
{
	PIN_AUTO struct pin pin = { NULL, PIN_FRESH };
	struct vault_answer answer;

	assert_int_equal(pin_read(&vault, &pin, &answer), VAULT_OK);
	return pin.memory;
}

static void remember(enum pin_memory memory)
{
	PIN_AUTO struct pin pin = { NULL, PIN_FRESH };
	struct vault_answer answer;

	assert_int_equal(pin_read(&vault, &pin, &answer), VAULT_OK);
	assert_int_equal(pin_remember(&vault, &pin, memory, &answer), VAULT_OK);
}

static void a_refused_pin_is_remembered_until_it_changes(void **state)
{
	(void)state;
	assert_int_equal(memory_now(), PIN_FRESH);
	remember(PIN_TRYING);
	assert_int_equal(memory_now(), PIN_TRYING);
	remember(PIN_REFUSED);
	assert_int_equal(memory_now(), PIN_REFUSED);
	write_pin("1234"); /* the same, without a newline */
	assert_int_equal(memory_now(), PIN_REFUSED);
	write_pin("12345");
	assert_int_equal(memory_now(), PIN_FRESH);
	write_pin("1234");
	assert_int_equal(memory_now(), PIN_REFUSED);
	remember(PIN_FRESH);
	assert_int_equal(memory_now(), PIN_FRESH);
	remember(PIN_FRESH); /* nothing there to forget */
}

static void the_memory_does_not_hold_the_pin(void **state)
{
	char path[96], text[256];
	struct stat st;
	FILE *file;
	size_t n;

	(void)state;
	remember(PIN_REFUSED);
	snprintf(path, sizeof(path), "%s/pin", folder);
	file = fopen(path, "r");
	assert_non_null(file);
	n = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_null(memmem(text, n, "1234", 4));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void expect_badauth(const char *words)
{
	PIN_AUTO struct pin pin = { NULL, PIN_FRESH };
	struct vault_answer answer;

	assert_int_equal(pin_read(&vault, &pin, &answer), VAULT_BADAUTH);
	if (!strstr(answer.detail, words))
		fail_msg("wanted '%s', got %s", words, answer.detail);
}

static void without_a_memory_there_is_no_login(void **state)
{
	PIN_AUTO struct pin pin = { NULL, PIN_FRESH };
	struct vault_answer answer;
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "echo x >%s/pin", folder);
	assert_int_equal(system(command), 0);
	expect_badauth("/pin of vault 'hsm' cannot be used");
	snprintf(command, sizeof(command), "chmod 600 %s/pin", folder);
	assert_int_equal(system(command), 0);
	expect_badauth("/pin of vault 'hsm' cannot be used");
	snprintf(command, sizeof(command),
		 "rm %s/pin && mkdir -p %s/pin.new/full", folder, folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(pin_read(&vault, &pin, &answer), VAULT_OK);
	assert_int_equal(pin_remember(&vault, &pin, PIN_TRYING, &answer),
			 VAULT_BADAUTH);
	assert_non_null(strstr(answer.detail, "does not try it so"));
	assert_int_equal(chmod(folder, 0755), 0);
	expect_badauth("needs directory");
	assert_int_equal(chmod(folder, 0700), 0);
	write_pin("");
	expect_badauth("empty");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(return_values_have_classes),
		cmocka_unit_test(a_key_is_written_and_read),
		cmocka_unit_test(what_does_not_belong_there_is_refused),
		cmocka_unit_test(the_higher_id_is_the_newer_key),
		cmocka_unit_test_setup_teardown(
			a_refused_pin_is_remembered_until_it_changes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			the_memory_does_not_hold_the_pin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_memory_there_is_no_login, set_up, tear_down),
	};

	if (svcenc_secret_init() < 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
