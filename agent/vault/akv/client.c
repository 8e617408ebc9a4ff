// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "client.h"
#include "proto.h"
#include "say.h"

#define API_VERSION "7.4"

enum { QUIET_MAX_S = 60 };

enum vault_class client_init(const struct vault *vault, struct akv *akv,
			     struct vault_answer *answer)
{
	const char *url = vault_option(vault, "url", "");
	const char *resource = vault_option(vault, "resource", NULL);
	const char *ca_file = vault_option(vault, "ca_file", NULL);
	const char *wrap = vault_option(vault, "wrap", "local");
	const char *proxy = vault_option(vault, "proxy", NULL);
	struct akv_url through;

	if (!akv_url_parse(url, &akv->url) || !akv->url.https ||
	    akv->url.path[0])
		return say_setting(vault, "url", url,
				   "'https://VAULT.vault.azure.net' wanted",
				   answer);
	if (resource &&
	    (!akv_url_parse(resource, &akv->resource) || !akv->resource.https))
		return say_setting(vault, "resource", resource,
				   "'https://HOST' wanted", answer);
	if (ca_file && *ca_file != '/')
		return say_setting(vault, "ca_file", ca_file,
				   "absolute path wanted", answer);
	if (strcmp(wrap, "local") && strcmp(wrap, "remote"))
		return say_setting(vault, "wrap", wrap,
				   "'local' or 'remote' wanted", answer);
	if (proxy && (!akv_url_parse(proxy, &through) || through.path[0]))
		return say_setting(vault, "proxy", proxy,
				   "'http://HOST:PORT' or 'https://HOST:PORT' "
				   "wanted, without a user",
				   answer);
	akv->http = http_new(ca_file, proxy ? &through : NULL);
	if (!akv->http)
		return vault_no_memory(vault, answer);
	return token_init(vault, &akv->token, answer);
}

/* --- one request ---------------------------------------------------------- */

static void new_uuid(char ret[40])
{
	unsigned char b[16] = { 0 };

	(void)RAND_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(ret, 40,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
		 b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* Without a token nothing but the path is sent. */
static void perform(struct akv *akv, const struct client_call *call,
		    const struct svcenc_secret *bearer, struct http_reply *ret)
{
	char path[512], header[80];

	http_reply_clear(ret);
	new_uuid(akv->request_uuid);
	snprintf(path, sizeof(path), "%s?api-version=" API_VERSION, call->path);
	snprintf(header, sizeof(header), "x-ms-client-request-id: %s",
		 akv->request_uuid);
	http_perform(akv->http,
		     &(struct http_request){
			     .server = &akv->url,
			     .path = path,
			     .post = call->post,
			     .content_type = "application/json",
			     .body = bearer ? call->body : NULL,
			     .bearer = bearer,
			     .header = header,
			     .deadline_ms = akv->deadline_ms,
		     },
		     ret);
}

/* --- challenges ----------------------------------------------------------- */

/* A 401: the place where a wrong vault is found out. */
static enum vault_class take_challenge(struct vault *vault, struct akv *akv,
				       const struct http_reply *reply,
				       struct vault_answer *answer)
{
	struct akv_challenge challenge;

	akv->challenged = false;
	if (!akv_challenge_parse(reply->challenge, &challenge))
		return vault_say(
			answer, VAULT_CORRUPT, NULL,
			"vault '%s' does not say whom to ask for a "
			"token: is 'url' of vaults.d/%s.conf that of a "
			"key vault?",
			vault->name, vault->name);
	if (akv->resource.host[0] ?
		    !akv_url_same_host(&akv->resource, &challenge.resource) :
		    !akv_challenge_covers(&challenge, &akv->url))
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s' wants a token for %s, under which "
				 "its host %s does not lie: no token was sent; "
				 "correct 'url' in vaults.d/%s.conf, or name "
				 "this in 'resource' if it is right",
				 vault->name, challenge.resource.host,
				 akv->url.host, vault->name);
	akv->challenge = challenge;
	akv->challenged = true;
	return VAULT_OK;
}

/* Asks with nothing in hand, to be told what is wanted. */
static enum vault_class get_challenge(struct vault *vault, struct akv *akv,
				      const struct client_call *call,
				      struct http_reply *reply,
				      struct vault_answer *answer)
{
	perform(akv, call, NULL, reply);
	if (reply->outcome != HTTP_ANSWERED)
		return say_outcome(vault, reply, "it", answer);
	if (reply->status == 401)
		return take_challenge(vault, akv, reply, answer);
	if (reply->status == 200)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "vault '%s' answers without asking for a "
				 "token: it is no key vault",
				 vault->name);
	return vault_say(answer, VAULT_OK, NULL, NULL); /* see judge() */
}

/* With a token; once more if another one is wanted. */
static enum vault_class ask_with_token(struct vault *vault, struct akv *akv,
				       const struct client_call *call,
				       struct http_reply *reply,
				       struct vault_answer *answer)
{
	const struct svcenc_secret *bearer = NULL;
	int tries;

	for (tries = 0; tries < 2; tries++) {
		if (token_get(vault, akv->http, &akv->token, &akv->challenge,
			      akv->deadline_ms, &bearer, answer) != VAULT_OK)
			return answer->class;
		perform(akv, call, bearer, reply);
		if (reply->outcome != HTTP_ANSWERED)
			return say_outcome(vault, reply, "it", answer);
		if (reply->status != 401)
			break;
		token_forget(&akv->token);
		if (take_challenge(vault, akv, reply, answer) != VAULT_OK)
			return answer->class;
	}
	/* claims are for one token, not for all to come */
	akv->challenge.claims[0] = '\0';
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

/* --- answers -------------------------------------------------------------- */

static enum vault_class refused(struct vault *vault, struct akv *akv,
				const struct http_reply *reply,
				const json_t *json, struct vault_answer *answer)
{
	struct akv_meaning meaning;
	struct akv_error error;

	akv_error_read(json, &error);
	akv_meaning_of(reply->status, &error, &meaning);
	if (meaning.class == VAULT_THROTTLED) {
		const unsigned int wait_s = reply->retry_after_s < QUIET_MAX_S ?
						    reply->retry_after_s :
						    QUIET_MAX_S;

		akv->quiet_until_ms = http_now_ms() + 1000LL * wait_s;
		return say_throttled(vault, reply, "it", answer);
	}
	/* what may be cut off comes last */
	return vault_say(answer, meaning.class, meaning.reason,
			 "vault '%s' says HTTP %ld %s%s%s (request %s, "
			 "x-ms-request-id %s)%s%s%s%s",
			 vault->name, reply->status, error.code,
			 *error.inner ? "/" : "", error.inner,
			 akv->request_uuid,
			 reply->request_id[0] ? reply->request_id : "none",
			 *meaning.cure ? "; " : "", meaning.cure,
			 *error.message ? ": " : "", error.message);
}

static enum vault_class judge(struct vault *vault, struct akv *akv,
			      const struct client_call *call,
			      const struct http_reply *reply, json_t **ret_json,
			      struct vault_answer *answer)
{
	SVCENC_JSON_AUTO json_t *json = NULL;

	if (call->secret)
		svcenc_secret_scope_enter();
	json = json_loadb((const char *)svcenc_secret_peek(reply->body),
			  reply->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (call->secret)
		svcenc_secret_scope_leave();
	if (reply->status != 200)
		return refused(vault, akv, reply, json, answer);
	if (!json_is_object(json))
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "vault '%s' gives an answer that is no JSON "
				 "object; request %s, x-ms-request-id %s",
				 vault->name, akv->request_uuid,
				 reply->request_id[0] ? reply->request_id :
							"none");
	*ret_json = json;
	json = NULL;
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

enum vault_class client_call(struct vault *vault,
			     const struct client_call *call, json_t **ret_json,
			     struct vault_answer *answer)
{
	HTTP_REPLY_AUTO struct http_reply reply = { .body = NULL };
	struct akv *akv = vault->own;
	const int64_t quiet_ms = akv->quiet_until_ms - http_now_ms();

	if (quiet_ms > 0) {
		vault_say(answer, VAULT_THROTTLED, NULL,
			  "vault '%s' has asked to be left alone for a while",
			  vault->name);
		answer->retry_after_s = (unsigned int)(quiet_ms / 1000) + 1;
		return VAULT_THROTTLED;
	}
	if (!akv->challenged &&
	    get_challenge(vault, akv, call, &reply, answer) != VAULT_OK)
		return answer->class;
	if (akv->challenged &&
	    ask_with_token(vault, akv, call, &reply, answer) != VAULT_OK)
		return answer->class;
	return judge(vault, akv, call, &reply, ret_json, answer);
}
