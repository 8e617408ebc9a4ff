// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will parse names of root keys, with and without the
 * DESCRIPTION: type, of vaults that are called like types, and refuse what
 * DESCRIPTION: names nothing; and check keys as vaults describe them, one
 * DESCRIPTION: wrong thing at a time, with the cure for each.
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

#include "rootcheck.h"
#include "rootspec.h"

static struct svcenc_config config = {
	.vault_count = 4,
	.vaults = {
		{ .name = "akv", .type = "akv" },
		{ .name = "b", .type = "pkcs11" },
		{ .name = "cust-a", .type = "akv" },
		{ .name = "file", .type = "akv" },
	},
};

static void parses(const char *text, const char *vault, const char *key)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct svcenc_rootspec spec;

	assert_int_equal(svcenc_rootspec_parse(&config, text, &spec, &fault),
			 0);
	assert_string_equal(spec.vault, vault);
	assert_string_equal(spec.key, key);
}

static void refused(const char *text, enum svcenc_fault_kind kind,
		    const char *words)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct svcenc_rootspec spec;

	assert_true(svcenc_rootspec_parse(&config, text, &spec, &fault) < 0);
	assert_int_equal(fault.kind, kind);
	assert_non_null(strstr(fault.message, words));
	assert_true(strlen(fault.hint) > 8);
}

static void names_of_root_keys(void **state)
{
	(void)state;
	parses("cust-a:payroll", "cust-a", "payroll");
	parses("akv:cust-a:payroll", "cust-a", "payroll");
	parses("b:pkcs11:token=t;object=o", "b", "pkcs11:token=t;object=o");
	parses("pkcs11:b:pkcs11:token=t;object=o", "b",
	       "pkcs11:token=t;object=o");
	/* called like a type */
	parses("akv:payroll", "akv", "payroll");
	parses("akv:akv:payroll", "akv", "payroll");
	parses("akv:akv", "akv", "akv");
	parses("file:payroll", "file", "payroll");
	parses("file:cust-a:x", "file", "cust-a:x");
}

static void names_of_nothing(void **state)
{
	char text[400];

	(void)state;
	refused("payroll", SVCENC_FAULT_USAGE, "not a root key");
	refused("", SVCENC_FAULT_USAGE, "not a root key");
	refused(":payroll", SVCENC_FAULT_NOT_FOUND, "no vault ''");
	refused("elsewhere:payroll", SVCENC_FAULT_NOT_FOUND, "'elsewhere'");
	refused("pkcs11:cust-a:x", SVCENC_FAULT_USAGE, "is of type akv");
	refused("cust-a:", SVCENC_FAULT_USAGE, "names no key");
	refused("cust-a:a b", SVCENC_FAULT_USAGE, "names no key");
	refused("cust-a:a\033[2J", SVCENC_FAULT_USAGE, "names no key");
	snprintf(text, sizeof(text), "cust-a:%0256d", 7);
	refused(text, SVCENC_FAULT_USAGE, "names no key");
	text[7 + 255] = '\0';
	parses(text, "cust-a", text + 7);
}

static void name_out_of(const char *kid, const char *name)
{
	char got[SVCENC_ROOT_KEY_MAX + 1];

	svcenc_rootspec_from_kid(kid, got);
	assert_string_equal(got, name);
}

static void names_out_of_identifiers(void **state)
{
	(void)state;
	name_out_of("file:cust-a/payroll/12", "payroll");
	name_out_of("https://x.vault.azure.net/keys/payroll/0123", "payroll");
	name_out_of("pkcs11:token=t;object=o/1", "pkcs11:token=t;object=o/1");
	name_out_of("3f2a", "3f2a");
	name_out_of("kmip:cust-a/42", "42");
	name_out_of("file:v", "file:v");
	name_out_of("/", "/");
	name_out_of("file://", "file://");
}

/* --- checks --------------------------------------------------------------- */

static struct svcenc_root_facts good(void)
{
	struct svcenc_root_facts facts = {
		.state = "enabled",
		.key_type = "RSA",
		.size_bits = 3072,
		.wrap = "yes",
		.unwrap = "yes",
		.expiry = "none",
		.recovery = "protected",
		.recovery_days = 90,
	};

	return facts;
}

static int check(const struct svcenc_root_facts *facts,
		 struct svcenc_fault *fault)
{
	svcenc_fault_clear(fault);
	return svcenc_rootcheck_all(facts, "a", "cust-a", "payroll", NULL,
				    fault);
}

static void will_not_do(const struct svcenc_root_facts *facts,
			const char *words, const char *cure)
{
	struct svcenc_fault fault;

	assert_true(check(facts, &fault) < 0);
	assert_int_equal(fault.kind, SVCENC_FAULT_USAGE);
	assert_non_null(strstr(fault.message, "root a: key 'payroll' of vault "
					      "'cust-a' will not do: "));
	assert_non_null(strstr(fault.message, words));
	assert_non_null(strstr(fault.hint, cure));
}

static void one_wrong_thing_at_a_time(void **state)
{
	struct svcenc_root_facts facts;

	(void)state;
	facts = good();
	strcpy(facts.state, "disabled");
	will_not_do(&facts, "state is disabled", "enable the key");
	facts = good();
	strcpy(facts.key_type, "EC");
	will_not_do(&facts, "type is EC", "make an RSA key");
	facts = good();
	facts.size_bits = 1024;
	will_not_do(&facts, "size is 1024 bits", "2048, 3072 or 4096");
	facts.size_bits = 2049;
	will_not_do(&facts, "size is 2049 bits", "2048, 3072 or 4096");
	facts.size_bits = 8192;
	will_not_do(&facts, "size is 8192 bits", "2048, 3072 or 4096");
	strcpy(facts.key_type, "AES");
	facts.size_bits = 128;
	will_not_do(&facts, "size is 128 bits", "AES key of 256 bits");
	facts = good();
	strcpy(facts.wrap, "no");
	will_not_do(&facts, "wrap is no", "wrapKey");
	facts = good();
	strcpy(facts.unwrap, "no");
	will_not_do(&facts, "unwrap is no", "unwrapKey");
	facts = good();
	strcpy(facts.expiry, "set");
	facts.expires_at = 1893456000;
	will_not_do(&facts, "expiry is 2030-01-01", "take the expiry date off");
	facts = good();
	strcpy(facts.recovery, "none");
	facts.recovery_days = 0;
	will_not_do(&facts, "recovery is none", "soft delete");
}

static void what_does(void **state)
{
	struct svcenc_root_facts facts = good();
	struct svcenc_fault fault;

	(void)state;
	assert_int_equal(check(&facts, &fault), 0);
	strcpy(facts.expiry, "set"); /* a vault in which there must be one */
	facts.expires_at = 253402214400;
	assert_int_equal(check(&facts, &fault), 0);
	strcpy(facts.key_type, "AES");
	facts.size_bits = 256;
	strcpy(facts.recovery, "soft-delete");
	assert_int_equal(check(&facts, &fault), 0);
}

/* A vault that tells nothing: the round trip has to show it. */
static void not_told_is_not_refused(void **state)
{
	struct svcenc_root_facts facts = {
		.state = "unknown",
		.key_type = "unknown",
		.wrap = "unknown",
		.unwrap = "unknown",
		.expiry = "unknown",
		.recovery = "unknown",
	};
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	json_t *list = json_array(), *entry;
	size_t i;

	(void)state;
	assert_int_equal(
		svcenc_rootcheck_all(&facts, "b", "v", "k", list, &fault), 0);
	assert_int_equal(json_array_size(list), SVCENC_ROOTCHECK_COUNT);
	json_array_foreach(list, i, entry) {
		assert_string_equal(
			json_string_value(json_object_get(entry, "outcome")),
			"not-told");
		assert_string_equal(
			json_string_value(json_object_get(entry, "check")),
			svcenc_rootcheck_text((unsigned int)i));
	}
	assert_null(svcenc_rootcheck_text(SVCENC_ROOTCHECK_COUNT));
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_root_keys),
		cmocka_unit_test(names_of_nothing),
		cmocka_unit_test(names_out_of_identifiers),
		cmocka_unit_test(one_wrong_thing_at_a_time),
		cmocka_unit_test(what_does),
		cmocka_unit_test(not_told_is_not_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
