// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "session.h"
#include "refusal.h"

/* A request and its reply, in the secure heap: Encrypt carries a key. */
struct talk {
	enum kmip_operation operation;
	const char *uid; /* for words; NULL if it is about no key */
	struct ttlv_writer writer;
	struct svcenc_secret *request;
	struct svcenc_secret *bytes;
	struct kmip_reply reply; /* a view of bytes */
};

static void talk_end(struct talk *talk)
{
	svcenc_secret_freep(&talk->request);
	svcenc_secret_freep(&talk->bytes);
}
#define TALK_AUTO __attribute__((cleanup(talk_end)))

static enum vault_class talk_begin(struct session *session, struct talk *talk,
				   struct vault_answer *answer)
{
	talk->request = svcenc_secret_new(KMIP_REQUEST_MAX);
	talk->bytes = svcenc_secret_new(KMIP_REPLY_MAX);
	if (!talk->request || !talk->bytes)
		return vault_no_memory(session->link.vault, answer);
	talk->writer.bytes = svcenc_secret_bytes(talk->request);
	talk->writer.room = KMIP_REQUEST_MAX;
	return VAULT_OK;
}

static const char *vault_name(const struct session *session)
{
	return session->link.vault->name;
}

static enum vault_class say_nonsense(const struct session *session,
				     struct vault_answer *answer)
{
	return vault_say(answer, VAULT_CORRUPT, NULL,
			 "KMIP server %s of vault '%s' gives an answer that is "
			 "malformed or answers something else",
			 session->link.host, vault_name(session));
}

/* One exchange on the connection that is there. */
static enum vault_class exchange(struct session *session, struct talk *talk,
				 bool *ret_stale, struct vault_answer *answer)
{
	struct link_exchange bytes = {
		.request = talk->writer.bytes,
		.request_len = talk->writer.used,
		.reply = svcenc_secret_bytes(talk->bytes),
		.reply_room = KMIP_REPLY_MAX,
	};
	enum vault_class class;

	class = link_exchange(&session->link, &bytes, session->deadline_ms,
			      answer);
	*ret_stale = bytes.stale;
	if (class != VAULT_OK)
		return class;
	if (kmip_read_reply(bytes.reply, bytes.reply_len, talk->operation,
			    &talk->reply) < 0) {
		link_close(&session->link);
		return say_nonsense(session, answer);
	}
	return VAULT_OK;
}

/* Reason and words of a refusal, as its class. */
static enum vault_class say_refused(const struct session *session,
				    const struct talk *talk,
				    struct refusal refusal,
				    struct vault_answer *answer)
{
	const struct kmip_reply *reply = &talk->reply;

	return vault_say(
		answer, refusal.class, refusal.reason,
		"KMIP server %s of vault '%s' refuses operation 0x%02x "
		"on %s%s: reason 0x%02x%s%s",
		session->link.host, vault_name(session), talk->operation,
		talk->uid ? "key " : "", talk->uid ? talk->uid : "itself",
		reply->reason, *reply->message ? ", " : "", reply->message);
}

static enum vault_class negotiate(struct session *session,
				  struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = KMIP_DISCOVER_VERSIONS };
	enum vault_class class;
	bool stale;

	class = talk_begin(session, &talk, answer);
	if (class != VAULT_OK)
		return class;
	kmip_discover_versions(&talk.writer, KMIP_MINOR_MIN);
	class = exchange(session, &talk, &stale, answer);
	if (class != VAULT_OK)
		return class;
	if (!talk.reply.success && talk.reply.reason == KMIP_AUTHENTICATION)
		return say_refused(session, &talk,
				   refusal_of(talk.reply.reason,
					      KMIP_DISCOVER_VERSIONS),
				   answer);
	session->minor = talk.reply.success ? kmip_read_versions(&talk.reply) :
					      -1;
	if (session->minor > 0)
		return VAULT_OK;
	session->minor = 0;
	return vault_say(
		answer, VAULT_CORRUPT, NULL,
		"KMIP server %s of vault '%s' speaks none of KMIP 1.2, "
		"1.3 and 1.4: enable one of them there",
		session->link.host, vault_name(session));
}

static enum vault_class connect_anew(struct session *session,
				     struct vault_answer *answer)
{
	enum vault_class class;

	session->minor = 0;
	class = link_open(&session->link, session->deadline_ms, answer);
	if (class == VAULT_OK)
		class = negotiate(session, answer);
	if (class != VAULT_OK)
		link_close(&session->link);
	return class;
}

enum vault_class session_init(struct session *session,
			      const struct vault *vault,
			      struct vault_answer *answer)
{
	const char *const needed[] = { "server", "ca_file", "certificate",
				       "key_file" };
	size_t i;

	memset(session, 0, sizeof(*session));
	session->link.fd = -1;
	session->link.vault = vault;
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!vault_option(vault, needed[i], NULL))
			return vault_say(answer, VAULT_BADAUTH, NULL,
					 "vault '%s' has no '%s': set it in "
					 "vaults.d/%s.conf",
					 vault->name, needed[i], vault->name);
	session->link.ca_file = vault_option(vault, "ca_file", NULL);
	session->link.certificate = vault_option(vault, "certificate", NULL);
	if (link_set_server(&session->link,
			    vault_option(vault, "server", NULL)) < 0)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "'server' %s of vault '%s' is not HOST, "
				 "HOST:PORT or [ADDRESS]:PORT: correct it in "
				 "vaults.d/%s.conf",
				 vault_option(vault, "server", NULL),
				 vault->name, vault->name);
	return VAULT_OK;
}

void session_begin(struct session *session)
{
	session->deadline_ms = link_now_ms() + VAULT_DEADLINE_MS;
}

/*
 * Writes the request by @write, which knows the version only after there is a
 * connection. A connection that was kept may be gone by now without a word;
 * then, and only then, the request is made a second time, on a new one.
 */
static enum vault_class ask(struct session *session, struct talk *talk,
			    int (*write)(struct talk *talk, int minor,
					 const void *what),
			    const void *what, struct vault_answer *answer)
{
	bool kept = session->link.fd >= 0, stale = false;
	enum vault_class class;

	class = kept ? VAULT_OK : connect_anew(session, answer);
	if (class == VAULT_OK)
		class = talk_begin(session, talk, answer);
	if (class != VAULT_OK)
		return class;
	if (write(talk, session->minor, what) < 0)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "a request to vault '%s' would be too long",
				 vault_name(session));
	class = exchange(session, talk, &stale, answer);
	if (class == VAULT_OK || !kept || !stale)
		return class;
	class = connect_anew(session, answer);
	if (class != VAULT_OK)
		return class;
	talk->writer.used = 0;
	write(talk, session->minor, what);
	return exchange(session, talk, &stale, answer);
}

/* --- Locate, Create ------------------------------------------------------- */

static int write_locate(struct talk *talk, int minor, const void *name)
{
	return kmip_locate(&talk->writer, minor, name);
}

enum vault_class session_locate(struct session *session, const char *name,
				char ret[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1],
				int *ret_count, struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = KMIP_LOCATE };
	enum vault_class class;

	class = ask(session, &talk, write_locate, name, answer);
	if (class != VAULT_OK)
		return class;
	*ret_count = 0;
	if (!talk.reply.success && talk.reply.reason == KMIP_ITEM_NOT_FOUND)
		return VAULT_OK; /* so some servers say "none" */
	if (!talk.reply.success)
		return say_refused(session, &talk,
				   refusal_of(talk.reply.reason, KMIP_LOCATE),
				   answer);
	*ret_count = kmip_read_located(&talk.reply, ret);
	return *ret_count < 0 ? say_nonsense(session, answer) : VAULT_OK;
}

static int write_create(struct talk *talk, int minor, const void *name)
{
	return kmip_create(&talk->writer, minor, name);
}

static int write_activate(struct talk *talk, int minor, const void *uid)
{
	return kmip_activate(&talk->writer, minor, uid);
}

static enum vault_class activate(struct session *session, const char *uid,
				 struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = KMIP_ACTIVATE, .uid = uid };
	enum vault_class class;

	class = ask(session, &talk, write_activate, uid, answer);
	if (class == VAULT_OK && !talk.reply.success)
		class = say_refused(
			session, &talk,
			refusal_of(talk.reply.reason, KMIP_ACTIVATE), answer);
	return class;
}

enum vault_class session_create(struct session *session, const char *name,
				char ret[KMIP_UID_MAX + 1],
				struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = KMIP_CREATE };
	enum vault_class class;

	class = ask(session, &talk, write_create, name, answer);
	if (class != VAULT_OK)
		return class;
	if (!talk.reply.success)
		return say_refused(session, &talk,
				   refusal_of(talk.reply.reason, KMIP_CREATE),
				   answer);
	if (kmip_read_uid(&talk.reply, ret) < 0)
		return say_nonsense(session, answer);
	return activate(session, ret, answer);
}

/* --- Get Attributes ------------------------------------------------------- */

static int write_attributes(struct talk *talk, int minor, const void *uid)
{
	return kmip_get_attributes(&talk->writer, minor, uid);
}

enum vault_class session_attributes(struct session *session, const char *uid,
				    struct kmip_attributes *ret,
				    struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = KMIP_GET_ATTRIBUTES,
				       .uid = uid };
	enum vault_class class;

	class = ask(session, &talk, write_attributes, uid, answer);
	if (class != VAULT_OK)
		return class;
	if (!talk.reply.success)
		return say_refused(session, &talk,
				   refusal_of(talk.reply.reason,
					      KMIP_GET_ATTRIBUTES),
				   answer);
	return kmip_read_attributes(&talk.reply, ret) < 0 ?
		       say_nonsense(session, answer) :
		       VAULT_OK;
}

/* --- Encrypt, Decrypt ----------------------------------------------------- */

static int write_crypt(struct talk *talk, int minor, const void *what)
{
	const struct session_crypt *crypt = what;

	return kmip_crypt(&talk->writer, minor, talk->operation, crypt->uid,
			  crypt->iv, crypt->in);
}

/* DENIED as it stands in @answer; better words and reason if there are. */
static enum vault_class explain_denial(struct session *session, const char *uid,
				       struct vault_answer *answer)
{
	struct kmip_attributes key;
	struct vault_answer ignored;
	const char *state;

	if (session_attributes(session, uid, &key, &ignored) != VAULT_OK)
		return answer->class;
	state = refusal_state_text(key.state);
	if (key.state == KMIP_ACTIVE)
		return answer->class;
	return vault_say(answer, VAULT_DENIED, state,
			 "key %s of vault '%s' is %s: its state is %u where 2, "
			 "active, is needed",
			 uid, vault_name(session), state, key.state);
}

/* Asks, and copies what came out; *@ret is for a refusal. */
static enum vault_class crypt_once(struct session *session,
				   enum kmip_operation operation,
				   const struct session_crypt *crypt,
				   struct refusal *ret,
				   struct vault_answer *answer)
{
	TALK_AUTO struct talk talk = { .operation = operation,
				       .uid = crypt->uid };
	enum vault_class class;
	struct ttlv_view out;

	*ret = (struct refusal){ VAULT_OK, NULL, REFUSAL_FINAL };
	class = ask(session, &talk, write_crypt, crypt, answer);
	if (class != VAULT_OK)
		return class;
	if (!talk.reply.success) {
		*ret = refusal_of(talk.reply.reason, operation);
		return say_refused(session, &talk, *ret, answer);
	}
	if (kmip_read_data(&talk.reply, &out) < 0)
		return say_nonsense(session, answer);
	if (out.len != crypt->out_len)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "key %s of vault '%s' makes %zu bytes of "
				 "something that should be %zu",
				 crypt->uid, vault_name(session), out.len,
				 crypt->out_len);
	memcpy(crypt->out, out.bytes, out.len);
	return VAULT_OK;
}

enum vault_class session_encrypt(struct session *session,
				 const struct session_crypt *crypt,
				 struct vault_answer *answer)
{
	struct refusal refusal;
	enum vault_class class;

	class = crypt_once(session, KMIP_ENCRYPT, crypt, &refusal, answer);
	return refusal.next == REFUSAL_ASK_STATE ?
		       explain_denial(session, crypt->uid, answer) :
		       class;
}

/* Does the key encrypt and decrypt a number that nobody can have damaged? */
static bool key_works(struct session *session, const char *uid)
{
	uint8_t iv[KMIP_IV_SIZE], number[16], sealed[32], opened[16];
	struct vault_answer ignored;
	struct refusal refusal;
	struct session_crypt crypt = {
		.uid = uid,
		.iv = iv,
		.in = { number, sizeof(number) },
		.out = sealed,
		.out_len = sizeof(sealed),
	};

	if (RAND_bytes(iv, sizeof(iv)) != 1 ||
	    RAND_bytes(number, sizeof(number)) != 1 ||
	    crypt_once(session, KMIP_ENCRYPT, &crypt, &refusal, &ignored) !=
		    VAULT_OK)
		return false;
	crypt.in = (struct ttlv_view){ sealed, sizeof(sealed) };
	crypt.out = opened;
	crypt.out_len = sizeof(opened);
	return crypt_once(session, KMIP_DECRYPT, &crypt, &refusal, &ignored) ==
		       VAULT_OK &&
	       !CRYPTO_memcmp(number, opened, sizeof(number));
}

enum vault_class session_decrypt(struct session *session,
				 const struct session_crypt *crypt,
				 struct vault_answer *answer)
{
	struct refusal refusal;
	enum vault_class class;

	class = crypt_once(session, KMIP_DECRYPT, crypt, &refusal, answer);
	if (refusal.next == REFUSAL_ASK_STATE)
		return explain_denial(session, crypt->uid, answer);
	if (refusal.next == REFUSAL_ASK_ROUND_TRIP &&
	    key_works(session, crypt->uid))
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "the blob does not open with key %s of vault "
				 "'%s', which opens others",
				 crypt->uid, vault_name(session));
	return class;
}
