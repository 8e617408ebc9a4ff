// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check the pure parts of the key vault's worker:
 * DESCRIPTION: names of keys and vaults, challenges and which hosts they cover,
 * DESCRIPTION: the class of every HTTP status with every inner code, key
 * DESCRIPTION: documents, base64url, what errors of the resolver mean, pauses of
 * DESCRIPTION: the identity service, wrapping with a public half.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 30
 */
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "assertion.h"
#include "challenge.h"
#include "identity.h"
#include "kid.h"
#include "proto.h"
#include "reply.h"
#include "resolve.h"
#include "rsa.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define VERSION "0123456789abcdef0123456789abcdef"

static struct akv_url here;

static void urls(void **state)
{
	static const char *const bad[] = {
		"",
		"kv.vault.azure.net",
		"ftp://x",
		"https://",
		"https:///x",
		"https://u@h",
		"https://h:",
		"https://h:123456",
		"https://h:8x",
		"https://h/a?b",
		"https://h/a#b",
		"https://h/a b",
		"https://[::1",
		"https://.h",
		"https://h%2e",
		"https://h\n",
		"https://h:80:90",
	};
	struct akv_url url;
	size_t i;

	(void)state;
	assert_true(akv_url_parse("https://KV.Vault.Azure.Net/", &url));
	assert_true(url.https);
	assert_string_equal(url.host, "kv.vault.azure.net");
	assert_string_equal(url.port, "443");
	assert_string_equal(url.path, "");
	assert_true(akv_url_parse("http://[::1]:80/x/y", &url));
	assert_false(url.https);
	assert_string_equal(url.host, "::1");
	assert_string_equal(url.path, "/x/y");
	for (i = 0; i < COUNT(bad); i++)
		if (akv_url_parse(bad[i], &url))
			fail_msg("'%s' was taken", bad[i]);
}

static void names_of_keys(void **state)
{
	static const char *const bad[] = {
		"",
		"/",
		"a/",
		"a/b/c",
		"a b",
		"a.b",
		"../a",
		"a%2fb",
		"a?b",
		"https://kv1.vault.localhost/keys/a", /* another port */
		"https://kv2.vault.localhost:8443/keys/a",
		"http://kv1.vault.localhost:8443/keys/a",
		"https://kv1.vault.localhost:8443/secrets/a",
		"https://kv1.vault.localhost:8443/keys/",
		"https://kv1.vault.localhost:8443/keys/a/b/c",
		"https://kv1.vault.localhost:8443.evil/keys/a",
	};
	char text[SVCENC_KID_MAX + 1];
	struct akv_kid kid, again;
	size_t i;

	(void)state;
	assert_true(akv_kid_parse(&here, "my-key", &kid));
	assert_string_equal(kid.version, "");
	assert_true(akv_kid_parse(&here, "my-key/" VERSION, &kid));
	akv_kid_print(&here, &kid, text);
	assert_string_equal(text, "https://kv1.vault.localhost:8443/keys/"
				  "my-key/" VERSION);
	assert_true(akv_kid_parse(&here, text, &again));
	assert_true(akv_kid_same(&kid, &again));
	assert_true(akv_kid_parse(
		&here, "https://KV1.vault.localhost:8443/keys/MY-key/" VERSION,
		&again));
	assert_true(akv_kid_same(&kid, &again));
	/* the longest that there can be still reads as itself */
	memset(kid.name, 'a', sizeof(kid.name) - 1);
	memset(kid.version, '0', sizeof(kid.version) - 1);
	akv_kid_print(&here, &kid, text);
	assert_true(akv_kid_parse(&here, text, &again));
	assert_true(akv_kid_same(&kid, &again));
	for (i = 0; i < COUNT(bad); i++)
		if (akv_kid_parse(&here, bad[i], &kid))
			fail_msg("'%s' was taken", bad[i]);
}

static void challenges(void **state)
{
	static const char *const good[] = {
		"Bearer authorization=\"https://login.x/t\", "
		"resource=\"https://vault.localhost\"",
		"bearer AUTHORIZATION=\"https://login.x/t\" "
		"resource=\"https://vault.localhost/\"",
		"Bearer authorization_uri=https://login.x/t,"
		"scope=https://vault.localhost/.default",
		"Bearer error=\"x, y\",authorization=\"https://login.x/t/\", "
		"resource=\"https://vault.localhost\" , ",
	};
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer ",
		"Basic realm=\"x\"",
		"Bearer authorization=\"https://login.x/t\"",
		"Bearer resource=\"https://vault.localhost\"",
		"Bearer authorization=\"https://login.x\", "
		"resource=\"https://vault.localhost\"",
		"Bearer authorization=\"https://login.x/..\", "
		"resource=\"https://vault.localhost\"",
		"Bearer authorization=\"https://login.x/t, "
		"resource=\"https://vault.localhost\"",
		"Bearer authorization=\"https://login.x/t\"; "
		"resource=\"https://vault.localhost\"",
	};
	struct akv_challenge challenge;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		if (!akv_challenge_parse(good[i], &challenge))
			fail_msg("'%s' was refused", good[i]);
		assert_string_equal(challenge.tenant, "t");
		assert_string_equal(challenge.authority.host, "login.x");
		assert_string_equal(challenge.resource.host, "vault.localhost");
		assert_true(akv_challenge_covers(&challenge, &here));
	}
	for (i = 0; i < COUNT(bad); i++)
		if (akv_challenge_parse(bad[i], &challenge))
			fail_msg("'%s' was taken", bad[i]);
}

static void a_resource_covers_hosts_below_it(void **state)
{
	static const struct {
		const char *resource, *vault;
		bool covers;
	} cases[] = {
		{ "https://vault.azure.net", "https://kv.vault.azure.net",
		  true },
		{ "https://vault.azure.net", "https://a.b.vault.azure.net",
		  true },
		{ "https://vault.azure.net", "https://vault.azure.net", false },
		{ "https://vault.azure.net", "https://evilvault.azure.net",
		  false },
		{ "https://vault.azure.net", "https://kv.vault.azure.net.evil",
		  false },
		{ "https://kv.vault.azure.net", "https://kv.vault.azure.net",
		  false },
		{ "https://net", "https://kv.vault.azure.net", false },
		{ "https://managedhsm.azure.net", "https://kv.vault.azure.net",
		  false },
	};
	struct akv_challenge challenge;
	struct akv_url vault;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		assert_true(
			akv_url_parse(cases[i].resource, &challenge.resource));
		assert_true(akv_url_parse(cases[i].vault, &vault));
		if (akv_challenge_covers(&challenge, &vault) != cases[i].covers)
			fail_msg("%s, %s", cases[i].resource, cases[i].vault);
	}
}

/* The table of the manual page, row by row. */
static void every_answer_has_one_class(void **state)
{
	static const struct {
		long status;
		const char *code, *inner;
		enum vault_class class;
		const char *reason;
	} cases[] = {
		{ 200, "", "", VAULT_OK, NULL },
		{ 201, "", "", VAULT_CORRUPT, NULL },
		{ 302, "", "", VAULT_CORRUPT, NULL },
		{ 400, "BadParameter", "", VAULT_CORRUPT, NULL },
		{ 401, "Unauthorized", "", VAULT_BADAUTH, NULL },
		{ 403, "Forbidden", "KeyDisabled", VAULT_DENIED, "disabled" },
		{ 403, "Forbidden", "ForbiddenByRbac", VAULT_DENIED,
		  "permission" },
		{ 403, "Forbidden", "ForbiddenByPolicy", VAULT_DENIED,
		  "permission" },
		{ 403, "Forbidden", "ForbiddenByFirewall", VAULT_DENIED,
		  "network-rule" },
		{ 403, "Forbidden", "ForbiddenByConnection", VAULT_DENIED,
		  "network-rule" },
		{ 403, "Forbidden", "KeyExpired", VAULT_DENIED, "expired" },
		{ 403, "Forbidden", "KeyNotYetValid", VAULT_DENIED, "expired" },
		{ 403, "KeyDisabled", "", VAULT_DENIED, "disabled" },
		{ 403, "", "", VAULT_DENIED, "permission" },
		{ 404, "KeyNotFound", "", VAULT_DENIED, "deleted" },
		{ 404, "", "", VAULT_CORRUPT, NULL },
		{ 408, "", "", VAULT_UNREACHABLE, NULL },
		{ 409, "Conflict", "ObjectIsDeletedButRecoverable",
		  VAULT_DENIED, "deleted" },
		{ 409, "Conflict", "ObjectIsBeingDeleted", VAULT_DENIED,
		  "deleted" },
		{ 409, "Conflict", "", VAULT_UNREACHABLE, NULL },
		{ 418, "", "", VAULT_CORRUPT, NULL },
		{ 429, "Throttled", "", VAULT_THROTTLED, NULL },
		{ 500, "", "", VAULT_UNREACHABLE, NULL },
		{ 599, "", "", VAULT_UNREACHABLE, NULL },
		{ 600, "", "", VAULT_CORRUPT, NULL },
	};
	struct akv_meaning meaning;
	struct akv_error error;
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		json = json_pack("{s:{s:s, s:s, s:{s:s}}}", "error", "code",
				 cases[i].code, "message", "a\nb",
				 i % 2 ? "innererror" : "innerError", "code",
				 cases[i].inner);
		akv_error_read(json, &error);
		json_decref(json);
		assert_string_equal(error.message, "a?b");
		akv_meaning_of(cases[i].status, &error, &meaning);
		if (meaning.class != cases[i].class ||
		    !meaning.reason != !cases[i].reason ||
		    (meaning.reason && strcmp(meaning.reason, cases[i].reason)))
			fail_msg("%ld %s/%s", cases[i].status, cases[i].code,
				 cases[i].inner);
	}
	akv_error_read(NULL, &error);
	assert_string_equal(error.code, "");
}

static void base64url_has_one_spelling(void **state)
{
	static const char *const bad[] = { "",	   "A",	    "AB==", "AB=",
					   "A+/B", "AAAAA", "AB",   "A B" };
	SVCENC_SECRET_AUTO struct svcenc_secret *bytes = NULL, *text = NULL;
	struct svcenc_secret *none = NULL;
	size_t i;

	(void)state;
	assert_int_equal(akv_base64url_decode("-_8", &bytes), 0);
	assert_int_equal(svcenc_secret_len(bytes), 2);
	assert_int_equal(svcenc_secret_peek(bytes)[0], 0xfb);
	assert_int_equal(akv_base64url(bytes, &text), 0);
	assert_string_equal((const char *)svcenc_secret_peek(text), "-_8");
	for (i = 0; i < COUNT(bad); i++)
		if (akv_base64url_decode(bad[i], &none) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
}

static void values_of_other_keys_are_refused(void **state)
{
	static const struct {
		const char *kid, *value;
		int wanted;
	} cases[] = {
		{ "root/" VERSION, "AAEC", 0 },
		{ "ROOT/" VERSION, "AAEC", 0 },
		{ "root", "AAEC", -EBADMSG },
		{ "boot/" VERSION, "AAEC", -EBADMSG },
		{ "root/1", "AAEC", -EBADMSG },
		{ "root/" VERSION, "!!", -EBADMSG },
		{ "https://kv2.vault.localhost/keys/root/" VERSION, "AAEC",
		  -EBADMSG },
	};
	const struct akv_kid wanted = { "root", VERSION };
	struct akv_kid kid;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *value = NULL;
		json_t *json = json_pack("{s:s, s:s}", "kid", cases[i].kid,
					 "value", cases[i].value);

		assert_int_equal(akv_value_read(json, &here, &wanted, &kid,
						&value),
				 cases[i].wanted);
		json_decref(json);
	}
}

static void the_resolver_is_understood(void **state)
{
	(void)state;
	assert_int_equal(resolve_meaning(0), RESOLVE_OK);
	assert_int_equal(resolve_meaning(EAI_NONAME), RESOLVE_NO_NAME);
	assert_int_equal(resolve_meaning(EAI_NODATA), RESOLVE_NO_NAME);
	assert_int_equal(resolve_meaning(EAI_AGAIN), RESOLVE_FAILED);
	assert_int_equal(resolve_meaning(EAI_FAIL), RESOLVE_FAILED);
	assert_int_equal(resolve_meaning(EAI_SYSTEM), RESOLVE_FAILED);
	assert_int_equal(resolve_meaning(EAI_MEMORY), RESOLVE_NO_MEMORY);
}

/* Opens a blob by other means than those that made it. */
static size_t decrypt(EVP_PKEY *key, const struct svcenc_secret *blob,
		      uint8_t plain[512])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len = 512;

	assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
	assert_true(EVP_PKEY_CTX_ctrl_str(ctx, "rsa_padding_mode", "oaep") > 0);
	assert_true(EVP_PKEY_CTX_ctrl_str(ctx, "rsa_oaep_md", "sha256") > 0);
	assert_true(EVP_PKEY_decrypt(ctx, plain, &len, svcenc_secret_peek(blob),
				     svcenc_secret_len(blob)) > 0);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

static void wrapping_with_the_public_half(void **state)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL, *blob = NULL,
						*long_one = NULL;
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct akv_kid kid = { "root", VERSION };
	const struct akv_public none = { .n_len = 0 };
	struct akv_public public = { .e_len = 3, .e = { 1, 0, 1 } };
	uint8_t opened[512];
	BIGNUM *n = NULL;

	(void)state;
	assert_true(EVP_PKEY_get_bn_param(key, "n", &n));
	public.n_len = (size_t)BN_bn2bin(n, public.n);
	BN_free(n);
	assert_int_equal(svcenc_secret_random(32, &plain), 0);
	assert_int_equal(svcenc_secret_random(191, &long_one), 0);
	assert_int_equal(rsa_wrap(&kid, plain, &blob), -ENOENT);
	assert_int_equal(rsa_learn(&kid, &none), -EINVAL);
	assert_int_equal(rsa_learn(&kid, &public), 0);
	assert_true(rsa_knows(&kid));
	assert_int_equal(rsa_wrap(&kid, long_one, &blob), -EINVAL);
	assert_int_equal(rsa_wrap(&kid, plain, &blob), 0);
	assert_int_equal(decrypt(key, blob, opened), 32);
	assert_memory_equal(opened, svcenc_secret_peek(plain), 32);
	EVP_PKEY_free(key);
}

/* 64 are kept; the oldest makes room. */
static void public_halves_make_room(void **state)
{
	const struct akv_public public = { .n_len = 256,
					   .n = { 0xc5, [255] = 1 },
					   .e_len = 3,
					   .e = { 1, 0, 1 } };
	struct akv_kid kid = { "many", "" };
	int i;

	(void)state;
	for (i = 0; i < 65; i++) {
		snprintf(kid.version, sizeof(kid.version), "%d", i);
		assert_int_equal(rsa_learn(&kid, &public), 0);
		assert_true(rsa_knows(&kid));
	}
	strcpy(kid.version, "0");
	assert_false(rsa_knows(&kid));
	strcpy(kid.version, "1");
	assert_true(rsa_knows(&kid));
}

/* As its documentation has them; the worker's cases live through them. */
static void pauses_of_the_identity_service(void **state)
{
	static const struct {
		long status;
		unsigned int refusals, retry_after_s;
		int64_t pause_ms;
	} cases[] = {
		{ 404, 1, 0, 0 },
		{ 404, 2, 0, 2000 },
		{ 404, 3, 0, 6000 },
		{ 404, 4, 0, 14000 },
		{ 404, 5, 0, 30000 },
		{ 404, 6, 0, 30000 },
		{ 404, UINT_MAX, 0, 30000 },
		{ 429, 1, 0, 0 },
		{ 429, 5, 0, 30000 },
		{ 429, 1, 7, 7000 },
		{ 408, 2, 0, 2000 },
		{ 410, 1, 0, 10000 },
		{ 410, 7, 0, 10000 },
		{ 500, 1, 0, 1000 },
		{ 503, 2, 0, 2000 },
		{ 599, 4, 0, 14000 },
		{ 200, 1, 0, -1 },
		{ 400, 1, 0, -1 },
		{ 401, 1, 9, -1 },
		{ 403, 1, 0, -1 },
		{ 600, 1, 0, -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++)
		assert_int_equal(identity_pause_ms(cases[i].status,
						   cases[i].refusals,
						   cases[i].retry_after_s),
				 cases[i].pause_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(names_of_keys),
		cmocka_unit_test(challenges),
		cmocka_unit_test(a_resource_covers_hosts_below_it),
		cmocka_unit_test(every_answer_has_one_class),
		cmocka_unit_test(base64url_has_one_spelling),
		cmocka_unit_test(values_of_other_keys_are_refused),
		cmocka_unit_test(the_resolver_is_understood),
		cmocka_unit_test(pauses_of_the_identity_service),
		cmocka_unit_test(wrapping_with_the_public_half),
		cmocka_unit_test(public_halves_make_room),
	};

	if (svcenc_secret_init() < 0) {
		fputs("memory cannot be locked\n", stderr);
		return 1;
	}
	svcenc_proto_init();
	if (!akv_url_parse("https://kv1.vault.localhost:8443", &here))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
