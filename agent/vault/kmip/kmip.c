// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-vault-kmip: root keys in a KMIP server (1.2 to 1.4, mutual TLS).
 * They are AES-256 keys and never leave it; it encrypts and decrypts. This
 * file maps io.svcenc.Vault to operations; key identifiers are
 *
 *	kmip:<vault>/<unique identifier>
 *
 * KMIP has no versions of a key: a key that its owner has replaced is another
 * object with the same name, and the newest active one counts.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "envelope.h"
#include "sandbox.h"
#include "session.h"
#include "refusal.h"

#define ALG "opaque" /* see envelope.h */

static struct session session;

static enum vault_class start(struct vault *vault, struct vault_answer *answer)
{
	/* a server that hangs up must not end the worker */
	signal(SIGPIPE, SIG_IGN);
	if (envelope_init() < 0)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "OpenSSL has no AES-256-WRAP-PAD");
	vault->own = &session;
	return session_init(&session, vault, answer);
}

/* --- identifiers ---------------------------------------------------------- */

static void make_kid(const struct vault *vault, const char *uid,
		     char ret[SVCENC_KID_MAX + 1])
{
	snprintf(ret, SVCENC_KID_MAX + 1, "kmip:%s/%s", vault->name, uid);
}

/* The unique identifier in it; NULL, with the words, if it is not ours. */
static const char *uid_of(const struct vault *vault, const char *kid,
			  struct vault_answer *answer)
{
	const size_t len = strlen(vault->name);
	const char *uid = kid + strlen("kmip:") + len + 1;

	if (!strncmp(kid, "kmip:", 5) && !strncmp(kid + 5, vault->name, len) &&
	    kid[5 + len] == '/' && *uid && strlen(uid) <= KMIP_UID_MAX)
		return uid;
	vault_say(answer, VAULT_CORRUPT, NULL,
		  "'%.200s' names no key of vault '%s'", kid, vault->name);
	return NULL;
}

/* --- keys ----------------------------------------------------------------- */

static void describe(const struct vault *vault, const char *uid,
		     const struct kmip_attributes *key, struct vault_key *ret)
{
	vault_key_init(ret);
	make_kid(vault, uid, ret->kid);
	snprintf(ret->version, sizeof(ret->version), "%s", uid);
	ret->alg = ALG;
	ret->state = refusal_state_text(key->state);
	ret->key_type = key->algorithm == KMIP_AES ? "AES" :
			key->algorithm		   ? "other" :
						     "unknown";
	ret->size_bits = key->length_bits;
	if (key->usage) {
		ret->wrap = key->usage & KMIP_USE_ENCRYPT ? "yes" : "no";
		ret->unwrap = key->usage & KMIP_USE_DECRYPT ? "yes" : "no";
	}
	ret->expiry = key->stop_date ? "set" : "none";
	ret->expires_at = key->stop_date;
}

struct found {
	char uids[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1];
	int count;
	int newest;		    /* active one; -1 = none */
	struct kmip_attributes key; /* of the newest */
};

static enum vault_class find(const char *name, struct found *ret,
			     struct vault_answer *answer)
{
	struct kmip_attributes key;
	enum vault_class class;
	int i;

	ret->newest = -1;
	class = session_locate(&session, name, ret->uids, &ret->count, answer);
	for (i = 0; class == VAULT_OK && i < ret->count; i++) {
		class = session_attributes(&session, ret->uids[i], &key,
					   answer);
		/* destroyed since, or not ours to see */
		if (class == VAULT_DENIED) {
			class = VAULT_OK;
			continue;
		}
		/* of one second: servers name the newer one first */
		if (class != VAULT_OK || key.state != KMIP_ACTIVE ||
		    (ret->newest >= 0 &&
		     key.initial_date <= ret->key.initial_date))
			continue;
		ret->newest = i;
		ret->key = key;
	}
	return class;
}

/* Never a new key instead of one that its owner has taken out of use. */
static enum vault_class say_none(const struct vault *vault, const char *name,
				 const struct found *found,
				 struct vault_answer *answer)
{
	if (!found->count)
		return vault_say(answer, VAULT_DENIED, "deleted",
				 "there is no symmetric key '%.200s' in vault "
				 "'%s' that %s may see",
				 name, vault->name, session.link.certificate);
	return vault_say(answer, VAULT_DENIED, "disabled",
			 "no key '%.200s' in vault '%s' is active (%d found)",
			 name, vault->name, found->count);
}

/* Not a name, but perhaps a unique identifier, as in ours. */
static enum vault_class find_by_uid(const char *uid, struct found *ret,
				    struct vault_answer *answer)
{
	enum vault_class class;

	if (strlen(uid) > KMIP_UID_MAX || strpbrk(uid, " \t"))
		return VAULT_OK;
	class = session_attributes(&session, uid, &ret->key, answer);
	if (class == VAULT_DENIED) /* it is none, then */
		return VAULT_OK;
	if (class != VAULT_OK)
		return class;
	memcpy(ret->uids[0], uid, strlen(uid) + 1);
	ret->count = 1;
	ret->newest = ret->key.state == KMIP_ACTIVE ? 0 : -1;
	return VAULT_OK;
}

static enum vault_class use_key(struct vault *vault, const char *name,
				struct vault_key *ret,
				struct vault_answer *answer)
{
	struct found found;
	enum vault_class class;

	if (!*name || strlen(name) > KMIP_NAME_MAX)
		return vault_say(answer, VAULT_PARAMETER, "key", NULL);
	session_begin(&session);
	class = find(name, &found, answer);
	if (class == VAULT_OK && !found.count)
		class = find_by_uid(name, &found, answer);
	if (class != VAULT_OK)
		return class;
	if (found.newest < 0)
		return say_none(vault, name, &found, answer);
	describe(vault, found.uids[found.newest], &found.key, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class create_key(struct vault *vault, const char *name,
				   struct vault_key *ret,
				   struct vault_answer *answer)
{
	struct found found;
	enum vault_class class;

	session_begin(&session);
	class = find(name, &found, answer);
	if (class == VAULT_OK && !found.count) {
		class = session_create(&session, name, found.uids[0], answer);
		if (class == VAULT_OK)
			class = session_attributes(&session, found.uids[0],
						   &found.key, answer);
		found.newest = 0;
	}
	if (class != VAULT_OK)
		return class;
	if (found.newest < 0)
		return say_none(vault, name, &found, answer);
	describe(vault, found.uids[found.newest], &found.key, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

/* Another object of the same name; the old one stays as it is. */
static enum vault_class renew_key(struct vault *vault, const char *kid,
				  struct vault_key *ret,
				  struct vault_answer *answer)
{
	const char *uid = uid_of(vault, kid, answer);
	char renewed[KMIP_UID_MAX + 1];
	struct kmip_attributes key;
	enum vault_class class;

	if (!uid)
		return answer->class;
	session_begin(&session);
	class = session_attributes(&session, uid, &key, answer);
	if (class == VAULT_OK && !*key.name)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "key %s of vault '%s' has no name that a "
				 "newer one could have, too: name one that its "
				 "owner has made",
				 uid, vault->name);
	if (class == VAULT_OK)
		class = session_create(&session, key.name, renewed, answer);
	if (class == VAULT_OK)
		class = session_attributes(&session, renewed, &key, answer);
	if (class != VAULT_OK)
		return class;
	describe(vault, renewed, &key, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class describe_key(struct vault *vault, const char *kid,
				     struct vault_key *ret,
				     struct vault_answer *answer)
{
	const char *uid = uid_of(vault, kid, answer);
	struct kmip_attributes key;
	enum vault_class class;

	if (!uid)
		return answer->class;
	session_begin(&session);
	class = session_attributes(&session, uid, &key, answer);
	if (class != VAULT_OK)
		return class;
	describe(vault, uid, &key, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

/* --- wrap, unwrap --------------------------------------------------------- */

static enum vault_class wrap(struct vault *vault, const char *kid,
			     const struct svcenc_secret *plain,
			     struct svcenc_secret **ret_blob,
			     const char **ret_alg, struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	uint8_t iv[ENVELOPE_IV_SIZE], sealed[ENVELOPE_SEALED_SIZE];
	struct session_crypt crypt = {
		.iv = iv,
		.out = sealed,
		.out_len = sizeof(sealed),
	};
	enum vault_class class;
	int r;

	crypt.uid = uid_of(vault, kid, answer);
	if (!crypt.uid)
		return answer->class;
	if (svcenc_secret_random(ENVELOPE_KEY_SIZE, &key) < 0 ||
	    RAND_bytes(iv, sizeof(iv)) != 1)
		return vault_no_memory(vault, answer);
	crypt.in.bytes = svcenc_secret_peek(key);
	crypt.in.len = ENVELOPE_KEY_SIZE;
	session_begin(&session);
	class = session_encrypt(&session, &crypt, answer);
	if (class != VAULT_OK)
		return class;
	r = envelope_close(key, iv, sealed, plain, ret_blob);
	if (r == -EINVAL)
		return vault_say(answer, VAULT_PARAMETER, "plaintext", NULL);
	if (r < 0)
		return vault_no_memory(vault, answer);
	*ret_alg = ALG;
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class unwrap(struct vault *vault, const char *kid,
			       const struct svcenc_secret *blob,
			       struct svcenc_secret **ret_plain,
			       struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	struct session_crypt crypt = { .out_len = ENVELOPE_KEY_SIZE };
	enum vault_class class;
	int r = -EBADMSG;

	crypt.uid = uid_of(vault, kid, answer);
	if (!crypt.uid)
		return answer->class;
	key = svcenc_secret_new(ENVELOPE_KEY_SIZE);
	if (!key)
		return vault_no_memory(vault, answer);
	if (envelope_has_size(blob)) {
		crypt.iv = envelope_iv(blob);
		crypt.in.bytes = envelope_sealed(blob);
		crypt.in.len = ENVELOPE_SEALED_SIZE;
		crypt.out = svcenc_secret_bytes(key);
		session_begin(&session);
		class = session_decrypt(&session, &crypt, answer);
		if (class != VAULT_OK)
			return class;
		r = envelope_open(key, blob, ret_plain);
	}
	if (r == -EBADMSG)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "the blob does not open with key %s of vault "
				 "'%s'",
				 crypt.uid, vault->name);
	if (r < 0)
		return vault_no_memory(vault, answer);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static struct vault_ops ops = {
	.type = "kmip",
	.separates_from_root = true,
	.note = "the root keys of this vault stay in the KMIP server; root on "
		"this host can use them while its owner allows it, not copy "
		"them",
	.start = start,
	.create_key = create_key,
	.renew_key = renew_key,
	.use_key = use_key,
	.wrap = wrap,
	.unwrap = unwrap,
	.describe_key = describe_key,
	.calls = sandbox_network_calls,
	.soft = true, /* the resolver loads modules */
	.calls_at_once = 8,
};

int main(int argc, char **argv)
{
	ops.call_count = sandbox_network_call_count;
	return vault_main(&ops, argc, argv);
}
