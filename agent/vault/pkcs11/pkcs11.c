// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-vault-pkcs11: root keys in a token (HSM), by its PKCS#11 module,
 * loaded through p11-kit. Maps io.svcenc.Vault to keys on the token; each
 * request has a deadline, and is tried a second time if the session turned
 * out to be a stale one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "crypt.h"
#include "rv.h"
#include "watchdog.h"

enum {
	/*
	 * Later than svcencd's own patience, so that it leaves the vault alone
	 * for a while instead of waiting again and again.
	 */
	HUNG_MS = 10000,
	MAKING_HUNG_MS = 120000, /* RSA keys are made slowly */
	PROOF_SIZE = 32,
};

static const struct {
	const char *name;
	enum object_kind kind;
	unsigned int rsa_bits;
} key_types[] = {
	{ "aes-256", OBJECT_AES_256, 0 },
	{ "rsa-2048", OBJECT_RSA, 2048 },
	{ "rsa-3072", OBJECT_RSA, 3072 },
	{ "rsa-4096", OBJECT_RSA, 4096 },
};

static struct {
	struct token token;
	enum oaep_hash hash; /* of keys whose URI names none */
	size_t key_type;
} own;

/* One request, to be run once or twice; fields as each needs them. */
struct job {
	const char *name; /* label, URI or identifier */
	const struct svcenc_secret *in;
	struct svcenc_secret *out;
	struct vault_key *key;
	const char *alg;
	struct vault_answer *answer;
	enum vault_class (*run)(struct job *job);
};

static const char *vault_name(void)
{
	return own.token.vault->name;
}

static enum vault_class start(struct vault *vault, struct vault_answer *answer)
{
	const char *hash = vault_option(vault, "oaep_hash", "sha256");
	const char *type = vault_option(vault, "key_type", key_types[0].name);
	const size_t count = sizeof(key_types) / sizeof(key_types[0]);

	if (watchdog_init() < 0)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "vault '%s' cannot make a timer", vault->name);
	if (keyuri_parse_hash(hash) < 0)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "'oaep_hash' of vault '%s' must be sha1 or "
				 "sha256: correct vaults.d/%s.conf",
				 vault->name, vault->name);
	own.hash = (enum oaep_hash)keyuri_parse_hash(hash);
	for (own.key_type = 0; own.key_type < count; own.key_type++)
		if (!strcmp(key_types[own.key_type].name, type))
			return token_init(&own.token, vault, answer);
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "'key_type' of vault '%s' must be aes-256, rsa-2048, "
			 "rsa-3072 or rsa-4096: correct vaults.d/%s.conf",
			 vault->name, vault->name);
}

static enum vault_class run(struct job *job, unsigned int hung_ms)
{
	enum vault_class class;
	int tries;

	watchdog_start(hung_ms);
	for (tries = 0; tries < 2; tries++) {
		class = token_open(&own.token, job->answer);
		if (class == VAULT_OK)
			class = job->run(job);
		if (class == VAULT_OK || !own.token.stale)
			break;
		token_reset(&own.token);
	}
	/* what is gone may come back as another slot */
	if (class == VAULT_UNREACHABLE)
		token_reset(&own.token);
	watchdog_stop();
	return class;
}

/* --- keys ----------------------------------------------------------------- */

static enum vault_class parse_kid(struct job *job, struct keyuri *ret)
{
	const char *why;

	if (!keyuri_parse(job->name, &own.token.info, ret, &why))
		return VAULT_OK;
	return vault_say(job->answer, VAULT_CORRUPT, NULL,
			 "'%.200s' names no key of vault '%s': %s", job->name,
			 vault_name(), why);
}

static void fill_date(const struct object *object, struct vault_key *ret)
{
	ret->expiry = !object->tells_end ? "unknown" :
		      object->expires_at ? "set" :
					   "none";
	ret->expires_at = object->expires_at;
}

/* Digits of the identifier: the version, as far as PKCS#11 has one. */
static void fill_version(const struct object *object, struct vault_key *ret)
{
	size_t i;

	for (i = 0; i < object->uri.id_len && 2 * i + 3 < sizeof(ret->version);
	     i++)
		snprintf(ret->version + 2 * i, 3, "%02x", object->uri.id[i]);
}

static enum vault_class describe(struct job *job, struct object *object)
{
	struct vault_key *ret = job->key;

	vault_key_init(ret);
	if (object->type != CKK_RSA)
		object->uri.hash = OAEP_UNSET;
	else if (object->uri.hash == OAEP_UNSET)
		object->uri.hash = own.hash;
	if (keyuri_format(&object->uri, ret->kid) < 0)
		return vault_say(job->answer, VAULT_CORRUPT, NULL,
				 "the URI of key '%s' of vault '%s' is longer "
				 "than %d characters: give it a shorter label",
				 object->uri.label, vault_name(),
				 SVCENC_KID_MAX);
	fill_version(object, ret);
	fill_date(object, ret);
	ret->alg = object->type == CKK_AES	 ? "A256KWP" :
		   object->uri.hash == OAEP_SHA1 ? "RSA-OAEP" :
						   "RSA-OAEP-256";
	ret->state = object->unwraps ? "enabled" : "disabled";
	ret->key_type = object->type == CKK_AES ? "AES" : "RSA";
	ret->size_bits = object->size_bits;
	ret->wrap = object->wraps ? "yes" : "no";
	ret->unwrap = object->unwraps ? "yes" : "no";
	return vault_say(job->answer, VAULT_OK, NULL, NULL);
}

static enum vault_class say_disabled(struct job *job,
				     const struct object *object)
{
	return vault_say(job->answer, VAULT_DENIED, "disabled",
			 "key '%s' of vault '%s' may not unwrap: its owner "
			 "must allow it (%s)",
			 object->uri.label, vault_name(),
			 object->type == CKK_RSA ? "CKA_DECRYPT" :
						   "CKA_UNWRAP");
}

static enum vault_class describe_usable(struct job *job, struct object *object)
{
	return object->unwraps ? describe(job, object) :
				 say_disabled(job, object);
}

static enum vault_class run_describe(struct job *job)
{
	struct keyuri want;
	struct object object;
	enum vault_class class;

	class = parse_kid(job, &want);
	if (class == VAULT_OK)
		class = object_find(&own.token, &want, &object, job->answer);
	if (class != VAULT_OK)
		return class;
	object.uri.hash = want.hash;
	return describe(job, &object);
}

static enum vault_class describe_key(struct vault *vault, const char *kid,
				     struct vault_key *ret,
				     struct vault_answer *answer)
{
	struct job job = {
		.name = kid, .key = ret, .answer = answer, .run = run_describe
	};

	(void)vault;
	return run(&job, HUNG_MS);
}

static bool take_label(const char *label, struct keyuri *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!*label || strlen(label) > KEYURI_LABEL_MAX)
		return false;
	memcpy(ret->label, label, strlen(label) + 1);
	return true;
}

/* A URI, or a label. */
static enum vault_class run_use(struct job *job)
{
	struct object object;
	struct keyuri want;
	enum vault_class class = VAULT_OK;

	if (!strncmp(job->name, "pkcs11:", 7))
		class = parse_kid(job, &want);
	else if (!take_label(job->name, &want))
		return vault_say(job->answer, VAULT_PARAMETER, "key", NULL);
	if (class == VAULT_OK)
		class = object_find(&own.token, &want, &object, job->answer);
	if (class != VAULT_OK)
		return class;
	object.uri.hash = want.hash;
	return describe_usable(job, &object);
}

static enum vault_class use_key(struct vault *vault, const char *key,
				struct vault_key *ret,
				struct vault_answer *answer)
{
	struct job job = {
		.name = key, .key = ret, .answer = answer, .run = run_use
	};

	(void)vault;
	return run(&job, HUNG_MS);
}

/* Makes the next key of this label, and finds it. */
static enum vault_class make(struct job *job, struct object_plan *plan,
			     struct object *ret)
{
	enum vault_class class;

	class = object_next_id(&own.token, &plan->uri, job->answer);
	if (class == VAULT_OK)
		class = object_make(&own.token, plan, job->answer);
	if (class == VAULT_OK)
		class = object_find(&own.token, &plan->uri, ret, job->answer);
	return class;
}

static enum vault_class run_create(struct job *job)
{
	struct object_plan plan = {
		.kind = key_types[own.key_type].kind,
		.rsa_bits = key_types[own.key_type].rsa_bits,
	};
	struct object object;
	enum vault_class class;

	if (!take_label(job->name, &plan.uri))
		return vault_say(job->answer, VAULT_PARAMETER, "name", NULL);
	class = object_find(&own.token, &plan.uri, &object, job->answer);
	if (class == VAULT_DENIED && !own.token.stale)
		class = make(job, &plan, &object);
	return class == VAULT_OK ? describe_usable(job, &object) : class;
}

/* Another key of the same label and kind, with a higher id. */
static enum vault_class run_renew(struct job *job)
{
	struct object_plan plan = { .kind = OBJECT_AES_256 };
	struct object object;
	struct keyuri want;
	enum vault_class class;

	class = parse_kid(job, &want);
	if (class == VAULT_OK)
		class = object_find(&own.token, &want, &object, job->answer);
	if (class != VAULT_OK)
		return class;
	if (!take_label(object.uri.label, &plan.uri))
		return vault_say(job->answer, VAULT_CORRUPT, NULL,
				 "key '%.200s' of vault '%s' has no label that "
				 "a newer one could have, too: give it one",
				 job->name, vault_name());
	if (object.type == CKK_RSA) {
		plan.kind = OBJECT_RSA;
		plan.rsa_bits = object.size_bits;
	}
	class = make(job, &plan, &object);
	object.uri.hash = want.hash;
	return class == VAULT_OK ? describe_usable(job, &object) : class;
}

static enum vault_class renew_key(struct vault *vault, const char *kid,
				  struct vault_key *ret,
				  struct vault_answer *answer)
{
	struct job job = {
		.name = kid, .key = ret, .answer = answer, .run = run_renew
	};

	(void)vault;
	return run(&job, MAKING_HUNG_MS);
}

static enum vault_class create_key(struct vault *vault, const char *name,
				   struct vault_key *ret,
				   struct vault_answer *answer)
{
	struct job job = {
		.name = name, .key = ret, .answer = answer, .run = run_create
	};

	(void)vault;
	return run(&job, MAKING_HUNG_MS);
}

/* --- wrap, unwrap --------------------------------------------------------- */

/* What the module did not like is the hash, which not all of them have. */
static bool is_about_hash(CK_RV rv, const struct object *key)
{
	return key->type == CKK_RSA &&
	       (rv == CKR_ARGUMENTS_BAD || rv == CKR_MECHANISM_INVALID ||
		rv == CKR_MECHANISM_PARAM_INVALID);
}

static enum vault_class say_crypt(struct job *job, CK_RV rv,
				  const struct object *key)
{
	if (rv == CRYPT_BAD_LENGTH)
		return vault_say(job->answer, VAULT_PARAMETER, "plaintext",
				 NULL);
	if (rv == CRYPT_NO_PUBLIC)
		return vault_say(job->answer, VAULT_CORRUPT, NULL,
				 "the public half of RSA key '%s' of vault "
				 "'%s' is not on the token, or it has less "
				 "than 2048 bits: put it there, or take "
				 "another key",
				 key->uri.label, vault_name());
	if (rv == CRYPT_NOT_RFC5649)
		return vault_say(job->answer, VAULT_CORRUPT, NULL,
				 "the AES key wrap of the token of vault '%s' "
				 "is not that of RFC 5649: take an RSA key",
				 vault_name());
	if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
		return say_disabled(job, key);
	if (is_about_hash(rv, key))
		return vault_say(
			job->answer, VAULT_CORRUPT, NULL,
			"the token of vault '%s' does not know "
			"RSA-OAEP with this hash (%s): set another "
			"'oaep_hash' in vaults.d/%s.conf, and name the "
			"key again",
			vault_name(),
			key->uri.hash == OAEP_SHA1 ? "sha1" : "sha256",
			vault_name());
	return token_say(&own.token, rv,
			 key->type == CKK_RSA ? "C_Decrypt" : "C_UnwrapKey",
			 job->answer);
}

/* Does the key wrap and unwrap a number that nobody can have damaged? */
static bool key_works(const struct object *key)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *number = NULL, *blob = NULL,
						*again = NULL;

	return !svcenc_secret_random(PROOF_SIZE, &number) &&
	       crypt_wrap(&own.token, key, key->uri.hash, number, &blob) ==
		       CKR_OK &&
	       crypt_unwrap(&own.token, key, key->uri.hash, blob, &again) ==
		       CKR_OK &&
	       svcenc_secret_equal(number, again);
}

static enum vault_class find_by_kid(struct job *job, struct object *ret)
{
	struct keyuri want;
	enum vault_class class;

	class = parse_kid(job, &want);
	if (class == VAULT_OK)
		class = object_find(&own.token, &want, ret, job->answer);
	if (class == VAULT_OK)
		ret->uri.hash = want.hash != OAEP_UNSET ? want.hash : own.hash;
	return class;
}

static enum vault_class run_wrap(struct job *job)
{
	struct object key;
	enum vault_class class = find_by_kid(job, &key);
	CK_RV rv;

	if (class != VAULT_OK)
		return class;
	/* RSA would wrap without asking the token */
	if (!key.unwraps)
		return say_disabled(job, &key);
	rv = crypt_wrap(&own.token, &key, key.uri.hash, job->in, &job->out);
	if (rv != CKR_OK)
		return say_crypt(job, rv, &key);
	job->alg = key.type == CKK_AES	     ? "A256KWP" :
		   key.uri.hash == OAEP_SHA1 ? "RSA-OAEP" :
					       "RSA-OAEP-256";
	return vault_say(job->answer, VAULT_OK, NULL, NULL);
}

static enum vault_class wrap(struct vault *vault, const char *kid,
			     const struct svcenc_secret *plain,
			     struct svcenc_secret **ret_blob,
			     const char **ret_alg, struct vault_answer *answer)
{
	struct job job = {
		.name = kid, .in = plain, .answer = answer, .run = run_wrap
	};
	const enum vault_class class = run(&job, HUNG_MS);

	(void)vault;
	if (class == VAULT_OK) {
		*ret_blob = job.out;
		*ret_alg = job.alg;
	}
	return class;
}

static enum vault_class run_unwrap(struct job *job)
{
	struct object key;
	enum vault_class class = find_by_kid(job, &key);
	CK_RV rv;

	if (class != VAULT_OK)
		return class;
	rv = crypt_unwrap(&own.token, &key, key.uri.hash, job->in, &job->out);
	if (rv == CKR_OK)
		return vault_say(job->answer, VAULT_OK, NULL, NULL);
	if (!rv_meaning(rv).doubtful || !key_works(&key))
		return say_crypt(job, rv, &key);
	return vault_say(job->answer, VAULT_CORRUPT, NULL,
			 "the blob does not open with key '%s' of vault '%s', "
			 "which opens others",
			 key.uri.label, vault_name());
}

static enum vault_class unwrap(struct vault *vault, const char *kid,
			       const struct svcenc_secret *blob,
			       struct svcenc_secret **ret_plain,
			       struct vault_answer *answer)
{
	struct job job = {
		.name = kid, .in = blob, .answer = answer, .run = run_unwrap
	};
	const enum vault_class class = run(&job, HUNG_MS);

	(void)vault;
	if (class == VAULT_OK)
		*ret_plain = job.out;
	return class;
}

static struct vault_ops ops = {
	.type = "pkcs11",
	.separates_from_root = true,
	.note = "the root keys of this vault stay in the token; root on this "
		"host can use them while its owner allows it, not copy them",
	.start = start,
	.create_key = create_key,
	.renew_key = renew_key,
	.use_key = use_key,
	.wrap = wrap,
	.unwrap = unwrap,
	.describe_key = describe_key,
	.calls = module_calls,
	.soft = true,
};

int main(int argc, char **argv)
{
	ops.call_count = module_call_count;
	return vault_main(&ops, argc, argv);
}
