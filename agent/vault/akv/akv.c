// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "akv.h"
#include "client.h"
#include "proto.h"
#include "reply.h"
#include "resolve.h"
#include "rsa.h"
#include "say.h"

#define RSA_ALG "RSA-OAEP-256"
#define AES_ALG "A256KW"

enum {
	AES_BLOCK = 8,
	TRIAL_SIZE = 32,     /* bytes wrapped to learn a version's name */
	AES_PLAIN_MAX = 240, /* its blobs are shorter than those of RSA */
};

/* svcencd's own unit has no network, and says so only when one is wanted. */
static bool has_network(void)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* The clock of a request starts here. */
static struct akv *begin(struct vault *vault)
{
	struct akv *akv = vault->own;

	akv->deadline_ms = http_now_ms() + VAULT_DEADLINE_MS;
	return akv;
}

static enum vault_class parse_kid(const struct vault *vault, const char *text,
				  bool versioned, struct akv_kid *ret,
				  struct vault_answer *answer)
{
	const struct akv *akv = vault->own;

	if (akv_kid_parse(&akv->url, text, ret) &&
	    (ret->version[0] || !versioned))
		return VAULT_OK;
	return vault_say(answer, VAULT_CORRUPT, NULL,
			 "'%.200s' names no key of vault '%s' (%s)", text,
			 vault->name, akv->url.host);
}

static enum vault_class malformed(const struct vault *vault, const char *what,
				  struct vault_answer *answer)
{
	const struct akv *akv = vault->own;

	return vault_say(answer, VAULT_CORRUPT, NULL,
			 "vault '%s' gives a malformed answer to %s; request "
			 "%s",
			 vault->name, what, akv->request_uuid);
}

/* --- key documents -------------------------------------------------------- */

/* What the vault tells of a key; alg is NULL if it cannot wrap. */
static enum vault_class get_key(struct vault *vault, const struct akv_kid *kid,
				struct vault_key *ret,
				struct vault_answer *answer)
{
	SVCENC_JSON_AUTO json_t *json = NULL;
	struct akv *akv = vault->own;
	struct akv_public public;
	struct akv_kid found;
	char path[256];

	snprintf(path, sizeof(path), "/keys/%s/%s", kid->name, kid->version);
	if (client_call(vault, &(struct client_call){ .path = path }, &json,
			answer) != VAULT_OK)
		return answer->class;
	if (!akv_key_read(json, &akv->url, ret, &public) ||
	    !akv_kid_parse(&akv->url, ret->kid, &found) ||
	    strcasecmp(found.name, kid->name) ||
	    (kid->version[0] && !akv_kid_same(&found, kid)))
		return malformed(vault, "GET", answer);
	if (public.n_len && ret->alg && !rsa_knows(&found) &&
	    rsa_learn(&found, &public) < 0)
		return malformed(vault, "GET", answer);
	return VAULT_OK;
}

static enum vault_class cannot_wrap(const struct vault *vault,
				    const struct vault_key *key,
				    struct vault_answer *answer)
{
	return vault_say(answer, VAULT_CORRUPT, NULL,
			 "key %s of vault '%s' (type %s, %u bits) cannot wrap: "
			 "an RSA key of 2048, 3072 or 4096 bits, or an oct-HSM "
			 "key of 256 is wanted",
			 key->kid, vault->name, key->key_type, key->size_bits);
}

/* --- operations of the vault ---------------------------------------------- */

/* {"alg", "value"} with the bytes in locked memory */
static struct svcenc_secret *make_body(const char *alg,
				       const struct svcenc_secret *bytes)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL, *room = NULL;
	struct svcenc_secret *body = NULL;
	size_t size;
	int len;

	if (akv_base64url(bytes, &text) < 0)
		return NULL;
	size = svcenc_secret_len(text) + 64;
	room = svcenc_secret_new(size);
	if (!room)
		return NULL;
	len = snprintf((char *)svcenc_secret_bytes(room), size,
		       "{\"alg\":\"%s\",\"value\":\"%s\"}", alg,
		       (const char *)svcenc_secret_peek(text));
	(void)svcenc_secret_move_bytes(svcenc_secret_bytes(room), (size_t)len,
				       &body);
	return body;
}

struct operation {
	const char *name; /* "wrapkey", "unwrapkey" */
	const char *alg;
	const struct svcenc_secret *in;
};

/* @ret_kid: the version that did it. */
static enum vault_class operate(struct vault *vault, const struct akv_kid *kid,
				const struct operation *operation,
				struct akv_kid *ret_kid,
				struct svcenc_secret **ret,
				struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *body =
		make_body(operation->alg, operation->in);
	SVCENC_JSON_AUTO json_t *json = NULL;
	const struct akv *akv = vault->own;
	char path[256];
	int r;

	if (!body)
		return vault_no_memory(vault, answer);
	snprintf(path, sizeof(path), "/keys/%s/%s/%s", kid->name, kid->version,
		 operation->name);
	if (client_call(vault,
			&(struct client_call){ .post = true,
					       .path = path,
					       .body = body,
					       .secret = true },
			&json, answer) != VAULT_OK)
		return answer->class;
	r = akv_value_read(json, &akv->url, kid, ret_kid, ret);
	if (r == -ENOMEM)
		return vault_no_memory(vault, answer);
	return r < 0 ? malformed(vault, operation->name, answer) : VAULT_OK;
}

static enum vault_class done(const char *alg, const char **ret_alg,
			     struct vault_answer *answer)
{
	*ret_alg = alg;
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

/*
 * The vault wraps, for a key whose document we may not read: the algorithm is
 * found by trying. @ret_kid: the version that the vault has chosen.
 */
static enum vault_class
wrap_there(struct vault *vault, const struct akv_kid *kid,
	   const struct svcenc_secret *plain, struct akv_kid *ret_kid,
	   struct svcenc_secret **ret_blob, const char **ret_alg,
	   struct vault_answer *answer)
{
	static const char *const algs[] = { RSA_ALG, AES_ALG };
	size_t i;

	for (i = 0; i < 2; i++) {
		const struct operation operation = { "wrapkey", algs[i],
						     plain };

		if (operate(vault, kid, &operation, ret_kid, ret_blob,
			    answer) == VAULT_OK)
			return done(algs[i], ret_alg, answer);
		/* 400 is what a wrong algorithm gives */
		if (answer->class != VAULT_CORRUPT)
			break;
	}
	return answer->class;
}

/* --- io.svcenc.Vault ------------------------------------------------------ */

/* A version is learnt from a wrap if we may not read the document. */
static enum vault_class use_unread(struct vault *vault,
				   const struct akv_kid *kid,
				   struct vault_key *ret,
				   struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *trial = NULL, *blob = NULL;
	const struct akv *akv = vault->own;
	struct akv_kid found;

	if (svcenc_secret_random(TRIAL_SIZE, &trial) < 0)
		return vault_no_memory(vault, answer);
	if (wrap_there(vault, kid, trial, &found, &blob, &ret->alg, answer) !=
	    VAULT_OK)
		return answer->class;
	akv_kid_print(&akv->url, &found, ret->kid);
	return VAULT_OK;
}

static bool is_permission(const struct vault_answer *answer)
{
	return answer->class == VAULT_DENIED &&
	       !strcmp(answer->reason, "permission");
}

static enum vault_class check_usable(const struct vault *vault,
				     const struct vault_key *key,
				     struct vault_answer *answer)
{
	if (!key->alg)
		return cannot_wrap(vault, key, answer);
	if (!strcmp(key->state, "disabled"))
		return vault_say(answer, VAULT_DENIED, "disabled",
				 "key %s of vault '%s' is disabled", key->kid,
				 vault->name);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class use_key(struct vault *vault, const char *key,
				struct vault_key *ret,
				struct vault_answer *answer)
{
	struct akv_kid kid;

	begin(vault);
	if (parse_kid(vault, key, false, &kid, answer) != VAULT_OK)
		return answer->class;
	if (get_key(vault, &kid, ret, answer) != VAULT_OK)
		return is_permission(answer) ?
			       use_unread(vault, &kid, ret, answer) :
			       answer->class;
	/* whoever names it is told what is wrong by DescribeKey */
	if (!ret->alg)
		ret->alg = "none";
	return check_usable(vault, ret, answer);
}

/* Kinds of keys that "create_keys" may name. */
static const struct {
	const char *kty;
	unsigned int size;
} makes[] = {
	{ "RSA", 3072 },
	{ "RSA-HSM", 3072 },
	{ "oct-HSM", 256 },
};

static int find_kind(const char *kty)
{
	int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(makes[i].kty, kty))
			return i;
	return -1;
}

static struct svcenc_secret *make_key_body(int kind)
{
	char text[160];
	const int len = snprintf(
		text, sizeof(text),
		"{\"kty\":\"%s\",\"key_size\":%u,\"key_ops\":[\"wrapKey\","
		"\"unwrapKey\"],\"attributes\":{\"enabled\":true}}",
		makes[kind].kty, makes[kind].size);
	struct svcenc_secret *body = NULL;

	(void)svcenc_secret_move_bytes(text, (size_t)len, &body);
	return body;
}

static enum vault_class make_key(struct vault *vault, const struct akv_kid *kid,
				 struct vault_key *ret,
				 struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *body = make_key_body(
		find_kind(vault_option(vault, "create_keys", "")));
	SVCENC_JSON_AUTO json_t *json = NULL;
	char path[256];

	if (!body)
		return vault_no_memory(vault, answer);
	snprintf(path, sizeof(path), "/keys/%s/create", kid->name);
	if (client_call(vault,
			&(struct client_call){
				.post = true, .path = path, .body = body },
			&json, answer) != VAULT_OK)
		return answer->class;
	/* what there is now, the vault says itself */
	return get_key(vault, kid, ret, answer);
}

/*
 * For a vault of the provider's own. One that is there is taken, one that is
 * soft-deleted is refused by the vault: nobody's decision is undone.
 */
static enum vault_class create_key(struct vault *vault, const char *name,
				   struct vault_key *ret,
				   struct vault_answer *answer)
{
	struct akv_kid kid;

	begin(vault);
	if (parse_kid(vault, name, false, &kid, answer) != VAULT_OK)
		return answer->class;
	if (get_key(vault, &kid, ret, answer) != VAULT_OK &&
	    (answer->class != VAULT_DENIED ||
	     strcmp(answer->reason, "deleted") ||
	     make_key(vault, &kid, ret, answer) != VAULT_OK))
		return answer->class;
	return check_usable(vault, ret, answer);
}

/* An earlier try may have made it already, and not have heard of that. */
static enum vault_class renew_key(struct vault *vault, const char *text,
				  struct vault_key *ret,
				  struct vault_answer *answer)
{
	struct akv_kid kid, newest;

	begin(vault);
	if (parse_kid(vault, text, true, &kid, answer) != VAULT_OK)
		return answer->class;
	newest = kid;
	newest.version[0] = '\0';
	if (get_key(vault, &newest, ret, answer) != VAULT_OK ||
	    (!strcasecmp(ret->version, kid.version) &&
	     make_key(vault, &newest, ret, answer) != VAULT_OK))
		return answer->class;
	return check_usable(vault, ret, answer);
}

/* "wrap = local": with the public half; "remote": by the vault. */
static bool wraps_here(const struct vault *vault)
{
	return strcmp(vault_option(vault, "wrap", "local"), "remote");
}

static enum vault_class
wrap_here(struct vault *vault, const struct akv_kid *kid,
	  const struct svcenc_secret *plain, struct svcenc_secret **ret_blob,
	  const char **ret_alg, struct vault_answer *answer)
{
	const int r = rsa_wrap(kid, plain, ret_blob);

	if (!r)
		return done(RSA_ALG, ret_alg, answer);
	if (r == -EINVAL)
		return vault_say(answer, VAULT_PARAMETER, "plaintext", NULL);
	return r == -ENOMEM ? vault_no_memory(vault, answer) :
			      vault_say(answer, VAULT_CORRUPT, NULL,
					"the public half of key '%s' of vault "
					"'%s' cannot be used",
					kid->name, vault->name);
}

static enum vault_class wrap_aes(struct vault *vault, const struct akv_kid *kid,
				 const struct svcenc_secret *plain,
				 struct svcenc_secret **ret_blob,
				 const char **ret_alg,
				 struct vault_answer *answer)
{
	const struct operation operation = { "wrapkey", AES_ALG, plain };
	struct akv_kid by;

	if (svcenc_secret_len(plain) % AES_BLOCK ||
	    svcenc_secret_len(plain) < 2 * AES_BLOCK ||
	    svcenc_secret_len(plain) > AES_PLAIN_MAX)
		return vault_say(answer, VAULT_PARAMETER, "plaintext", NULL);
	if (operate(vault, kid, &operation, &by, ret_blob, answer) != VAULT_OK)
		return answer->class;
	return done(AES_ALG, ret_alg, answer);
}

static enum vault_class wrap(struct vault *vault, const char *text,
			     const struct svcenc_secret *plain,
			     struct svcenc_secret **ret_blob,
			     const char **ret_alg, struct vault_answer *answer)
{
	struct vault_key key;
	struct akv_kid kid, by;

	begin(vault);
	if (parse_kid(vault, text, true, &kid, answer) != VAULT_OK)
		return answer->class;
	if (!wraps_here(vault))
		return wrap_there(vault, &kid, plain, &by, ret_blob, ret_alg,
				  answer);
	if (!rsa_knows(&kid)) {
		if (get_key(vault, &kid, &key, answer) != VAULT_OK)
			return is_permission(answer) ?
				       wrap_there(vault, &kid, plain, &by,
						  ret_blob, ret_alg, answer) :
				       answer->class;
		if (!key.alg)
			return cannot_wrap(vault, &key, answer);
		if (strcmp(key.alg, RSA_ALG))
			return wrap_aes(vault, &kid, plain, ret_blob, ret_alg,
					answer);
	}
	return wrap_here(vault, &kid, plain, ret_blob, ret_alg, answer);
}

/* By its length, so that nothing has to be read about the key. */
static const char *alg_of(const struct svcenc_secret *blob)
{
	const size_t len = svcenc_secret_len(blob);

	if (len == 256 || len == 384 || len == 512)
		return RSA_ALG;
	return len % AES_BLOCK || len < 3 * AES_BLOCK ||
			       len > AES_PLAIN_MAX + AES_BLOCK ?
		       NULL :
		       AES_ALG;
}

static enum vault_class unwrap(struct vault *vault, const char *text,
			       const struct svcenc_secret *blob,
			       struct svcenc_secret **ret_plain,
			       struct vault_answer *answer)
{
	const struct operation operation = { "unwrapkey", alg_of(blob), blob };
	struct akv_kid kid, by;

	begin(vault);
	if (parse_kid(vault, text, true, &kid, answer) != VAULT_OK)
		return answer->class;
	if (!operation.alg)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "a blob of %zu bytes was not wrapped by a key "
				 "vault: that of key '%s' of vault '%s' is "
				 "damaged",
				 svcenc_secret_len(blob), kid.name,
				 vault->name);
	if (operate(vault, &kid, &operation, &by, ret_plain, answer) !=
	    VAULT_OK)
		return answer->class;
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class describe_key(struct vault *vault, const char *text,
				     struct vault_key *ret,
				     struct vault_answer *answer)
{
	struct akv_kid kid;

	begin(vault);
	if (parse_kid(vault, text, true, &kid, answer) != VAULT_OK ||
	    get_key(vault, &kid, ret, answer) != VAULT_OK)
		return answer->class;
	if (!ret->alg)
		ret->alg = "none";
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class start(struct vault *vault, struct vault_answer *answer)
{
	static struct vault_ops maker; /* as vault->ops, and makes keys */
	const char *kty = vault_option(vault, "create_keys", "no");
	struct akv *akv = calloc(1, sizeof(*akv));

	if (!akv)
		return vault_no_memory(vault, answer);
	vault->own = akv;
	if (!has_network())
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "the worker of vault '%s' may not use the "
				 "network: set 'start = external' in "
				 "vaults.d/%s.conf and run it as "
				 "svcenc-vault-akv@%s.service",
				 vault->name, vault->name, vault->name);
	resolve_init();
	if (client_init(vault, akv, answer) != VAULT_OK)
		return answer->class;
	if (strcmp(kty, "no") && find_kind(kty) < 0)
		return say_setting(vault, "create_keys", kty,
				   "no, RSA, RSA-HSM or oct-HSM wanted",
				   answer);
	if (strcmp(kty, "no")) {
		maker = *vault->ops;
		maker.create_key = create_key;
		maker.renew_key = renew_key;
		vault->ops = &maker;
	}
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

const struct vault_ops akv_ops = {
	.type = "akv",
	.separates_from_root = true,
	.note = "root on this host can use the worker's credential, and what it "
		"may do at the vault, until the key's owner withdraws it",
	.start = start,
	.use_key = use_key,
	.wrap = wrap,
	.unwrap = unwrap,
	.describe_key = describe_key,
	.soft = true, /* the resolver loads modules of the site's choice */
	.calls_at_once = 8,
};
