// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a key vault, or somebody in its place, may send: any challenge, error
 * document, key document, value or name is taken apart or refused; what is
 * taken lies in the vault it was sent by, has a class, and prints to a name
 * that reads as the same. The first byte says which of them the rest is.
 */
#include <jansson.h>

#include "challenge.h"
#include "fuzz.h"
#include "proto.h"
#include "reply.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct akv_url here;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	CLAIM(svcenc_secret_init() == 0);
	svcenc_proto_init();
	CLAIM(akv_url_parse("https://kv1.vault.localhost:8443", &here));
	return 0;
}

static void check_kid(const char *text)
{
	char printed[SVCENC_KID_MAX + 1];
	struct akv_kid kid, again;

	if (!akv_kid_parse(&here, text, &kid))
		return;
	akv_kid_print(&here, &kid, printed);
	CLAIM(akv_kid_parse(&here, printed, &again));
	CLAIM(akv_kid_same(&kid, &again));
	CLAIM(!strpbrk(kid.name, "/.%?#\\ ") && !strchr(kid.version, '/'));
	CLAIM(!strstr(text, "://") || strcasestr(text, here.host));
}

static void check_challenge(const char *text)
{
	struct akv_challenge challenge;

	if (!akv_challenge_parse(text, &challenge))
		return;
	CLAIM(challenge.authority.https && challenge.resource.https);
	CLAIM(challenge.tenant[0] && !strchr(challenge.tenant, '/'));
	if (akv_challenge_covers(&challenge, &here)) {
		const char *above = challenge.resource.host;

		CLAIM(strlen(above) < strlen(here.host));
		CLAIM(!strcmp(here.host + strlen(here.host) - strlen(above),
			      above));
	}
}

static void check_error(const json_t *json, long status)
{
	struct akv_meaning meaning;
	struct akv_error error;
	const char *at;

	akv_error_read(json, &error);
	for (at = error.message; *at; at++)
		CLAIM(*at >= ' ' && *at <= '~');
	akv_meaning_of(status, &error, &meaning);
	CLAIM((meaning.class == VAULT_OK) == (status == 200));
	CLAIM((meaning.class == VAULT_DENIED) == (meaning.reason != NULL));
	CLAIM(meaning.cure);
}

static void check_key(const json_t *json)
{
	struct akv_public public;
	struct vault_key key;
	struct akv_kid kid;

	if (!akv_key_read(json, &here, &key, &public))
		return;
	CLAIM(akv_kid_parse(&here, key.kid, &kid) && kid.version[0]);
	CLAIM(public.n_len <= sizeof(public.n) &&
	      public.e_len <= sizeof(public.e));
	CLAIM(!key.alg || key.size_bits == 2048 || key.size_bits == 3072 ||
	      key.size_bits == 4096 || !strcmp(key.alg, "A256KW"));
}

static void check_value(const json_t *json)
{
	const struct akv_kid wanted = { "root", "" };
	struct svcenc_secret *value = NULL;
	struct akv_kid kid;

	if (!akv_value_read(json, &here, &wanted, &kid, &value))
		CLAIM(value && svcenc_secret_len(value) && kid.version[0]);
	svcenc_secret_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static char text[16384];
	json_t *json;

	if (!size || size > sizeof(text))
		return 0;
	memcpy(text, input + 1, size - 1);
	text[size - 1] = '\0';
	if (input[0] == 'c') {
		check_challenge(text);
	} else if (input[0] == 'k') {
		check_kid(text);
	} else {
		json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
		check_error(json, 400 + input[0] % 128);
		check_key(json);
		check_value(json);
		json_decref(json);
	}
	return 0;
}
