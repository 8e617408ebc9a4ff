// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <jansson.h>

#include "assertion.h"
#include "proto.h"
#include "reply.h"
#include "say.h"
#include "token.h"

enum {
	FORM_MAX = 12000,
	EARLY_MS = 300000, /* before its end, or half its life if shorter */
	LIFE_MAX_S = 86400,
	RENEW_MS = 1000,  /* for an exchange of a token that is still good */
	RETRY_MS = 30000, /* until that is tried again */
};

#define FORM "application/x-www-form-urlencoded"
#define ASSERTION_TYPE \
	"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"

static const struct {
	const char *option;
	enum token_source source;
} sources[] = {
	[TOKEN_CLIENT_SECRET] = { "client_secret_file", TOKEN_CLIENT_SECRET },
	[TOKEN_CERTIFICATE] = { "certificate_file", TOKEN_CERTIFICATE },
	[TOKEN_FEDERATED] = { "federated_token_file", TOKEN_FEDERATED },
	[TOKEN_MANAGED_IDENTITY] = { "managed_identity",
				     TOKEN_MANAGED_IDENTITY },
};

/* --- settings ------------------------------------------------------------- */

/* Plain http is for the link-local endpoint of the host, and for none else. */
static bool is_local(const struct akv_url *url)
{
	return !strcmp(url->host, "169.254.169.254") ||
	       !strncmp(url->host, "127.", 4) || !strcmp(url->host, "::1");
}

static enum vault_class take_urls(const struct vault *vault, struct token *ret,
				  struct vault_answer *answer)
{
	const char *authority = vault_option(
		vault, "authority", "https://login.microsoftonline.com");
	const char *identity = vault_option(vault, "identity_endpoint",
					    "http://169.254.169.254");

	if (!akv_url_parse(authority, &ret->authority) ||
	    !ret->authority.https || ret->authority.path[0])
		return say_setting(vault, "authority", authority,
				   "'https://HOST' wanted", answer);
	if (!akv_url_parse(identity, &ret->identity.url) ||
	    (!ret->identity.url.https && !is_local(&ret->identity.url)))
		return say_setting(vault, "identity_endpoint", identity,
				   "https, or http on this host, wanted",
				   answer);
	return VAULT_OK;
}

enum vault_class token_init(const struct vault *vault, struct token *ret,
			    struct vault_answer *answer)
{
	const size_t count = sizeof(sources) / sizeof(sources[0]);
	unsigned int found = 0;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	for (i = 0; i < count; i++) {
		if (!vault_option(vault, sources[i].option, NULL))
			continue;
		ret->source = sources[i].source;
		found++;
	}
	if (found != 1)
		return say_setting(vault, "client_secret_file",
				   found ? "beside another one" : "missing",
				   "exactly one of client_secret_file, "
				   "certificate_file, federated_token_file and "
				   "managed_identity wanted",
				   answer);
	if (ret->source != TOKEN_MANAGED_IDENTITY &&
	    !vault_option(vault, "client_id", NULL))
		return say_setting(vault, "client_id", "missing",
				   "the application's identifier wanted",
				   answer);
	return take_urls(vault, ret, answer);
}

/* --- a form for the token endpoint ---------------------------------------- */

/* Appends; percent-encodes all but the unreserved characters if @encode. */
static int add(struct svcenc_secret *form, const char *text, bool encode)
{
	char *at = (char *)svcenc_secret_bytes(form);
	size_t used = strlen(at);

	for (; *text; text++) {
		if (used + 4 > svcenc_secret_len(form))
			return -EMSGSIZE;
		if (!encode ||
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			   "wxyz0123456789-._~",
			   *text))
			at[used++] = *text;
		else
			used += (size_t)sprintf(at + used, "%%%02X",
						(unsigned char)*text);
	}
	at[used] = '\0';
	return 0;
}

static void url_text(const struct akv_url *url, const char *tail, char *ret,
		     size_t size)
{
	const bool usual = !strcmp(url->port, url->https ? "443" : "80");

	snprintf(ret, size, "%s://%s%s%s%s%s", url->https ? "https" : "http",
		 url->host, usual ? "" : ":", usual ? "" : url->port, url->path,
		 tail);
}

/* A JWT that stands for us: signed here, or handed to us in a file. */
static enum vault_class get_assertion(const struct vault *vault,
				      const struct token *token,
				      const char *endpoint,
				      struct svcenc_secret **ret,
				      struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *pem = NULL;
	const struct assertion assertion = {
		.audience = endpoint,
		.client_id = vault_option(vault, "client_id", ""),
		.now_s = time(NULL),
	};
	int r;

	if (token->source == TOKEN_FEDERATED)
		return vault_read_credential(vault, "federated_token_file",
					     true, ret, answer);
	if (vault_read_credential(vault, "certificate_file", false, &pem,
				  answer) != VAULT_OK)
		return answer->class;
	r = assertion_make(&assertion, pem, ret);
	if (!r)
		return VAULT_OK;
	if (r == -ENOMEM)
		return vault_no_memory(vault, answer);
	return say_setting(vault, "certificate_file",
			   vault_option(vault, "certificate_file", ""),
			   "PEM of an RSA key without a passphrase and of its "
			   "certificate wanted",
			   answer);
}

static enum vault_class add_credential(const struct vault *vault,
				       const struct token *token,
				       const char *endpoint,
				       struct svcenc_secret *form,
				       struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *credential = NULL;
	enum vault_class class;
	const char *text;

	if (token->source == TOKEN_CLIENT_SECRET)
		class = vault_read_credential(vault, "client_secret_file", true,
					      &credential, answer);
	else
		class = get_assertion(vault, token, endpoint, &credential,
				      answer);
	if (class != VAULT_OK)
		return class;
	text = token->source == TOKEN_CLIENT_SECRET ?
		       "&client_secret=" :
		       "&client_assertion_type=" ASSERTION_TYPE
		       "&client_assertion=";
	if (add(form, text, false) < 0 ||
	    add(form, (const char *)svcenc_secret_peek(credential), true) < 0)
		return say_setting(vault, sources[token->source].option,
				   "its file", "a shorter credential wanted",
				   answer);
	return VAULT_OK;
}

/* Claims come base64-encoded and go as they are inside. */
static int add_claims(struct svcenc_secret *form, const char *base64)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *claims = NULL, *text = NULL;

	if (!*base64)
		return 0;
	if (svcenc_secret_from_base64(base64, &claims) < 0)
		return -EINVAL;
	text = svcenc_secret_new(svcenc_secret_len(claims) + 1);
	if (!text)
		return -ENOMEM;
	memcpy(svcenc_secret_bytes(text), svcenc_secret_peek(claims),
	       svcenc_secret_len(claims));
	if (add(form, "&claims=", false) < 0)
		return -EMSGSIZE;
	return add(form, (const char *)svcenc_secret_peek(text), true);
}

static enum vault_class
make_form(const struct vault *vault, const struct token *token,
	  const struct akv_challenge *challenge, const char *endpoint,
	  struct svcenc_secret *form, struct vault_answer *answer)
{
	char scope[AKV_HOST_SIZE + AKV_PATH_SIZE + 32];

	url_text(&challenge->resource, "/.default", scope, sizeof(scope));
	if (add(form, "grant_type=client_credentials&client_id=", false) < 0 ||
	    add(form, vault_option(vault, "client_id", ""), true) < 0 ||
	    add(form, "&scope=", false) < 0 || add(form, scope, true) < 0 ||
	    add_claims(form, challenge->claims) < 0)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "vault '%s' asks for a token with claims that "
				 "cannot be understood",
				 vault->name);
	return add_credential(vault, token, endpoint, form, answer);
}

/* --- the answer ----------------------------------------------------------- */

/* Number, or a text of one: both are in use. */
static int64_t seconds_of(const json_t *json)
{
	long long value = json_is_integer(json) ? json_integer_value(json) : 0;

	if (json_is_string(json))
		value = strtoll(json_string_value(json), NULL, 10);
	return value > LIFE_MAX_S ? LIFE_MAX_S : value > 0 ? value : 0;
}

static enum vault_class refused(const struct vault *vault,
				const struct http_reply *reply,
				const json_t *json, struct vault_answer *answer)
{
	const char *error = json_string_value(json_object_get(json, "error"));
	const char *words =
		json_string_value(json_object_get(json, "error_description"));

	if (reply->status == 429)
		return say_throttled(vault, reply, "its token endpoint",
				     answer);
	if (reply->status >= 500 || reply->status == 408 ||
	    (error && !strcmp(error, "temporarily_unavailable")))
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "the token endpoint of vault '%s' has a fault "
				 "(HTTP %ld)",
				 vault->name, reply->status);
	return vault_say(
		answer, VAULT_BADAUTH, NULL,
		"the token endpoint of vault '%s' gives no token (HTTP "
		"%ld %.40s): %.200s: correct the credential that "
		"vaults.d/%s.conf names",
		vault->name, reply->status, error ? error : "",
		words ? words : "no reason said", vault->name);
}

static enum vault_class keep(const struct vault *vault, struct token *token,
			     const struct akv_url *resource, const json_t *json,
			     struct vault_answer *answer)
{
	const char *text =
		json_string_value(json_object_get(json, "access_token"));
	const char *type =
		json_string_value(json_object_get(json, "token_type"));
	const int64_t life_ms =
		seconds_of(json_object_get(json, "expires_in")) * 1000;
	const int64_t early = life_ms / 2 < EARLY_MS ? life_ms / 2 : EARLY_MS;
	struct svcenc_secret *bearer;

	/* it goes into a header field: nothing but what a token consists of */
	if (!text || !*text || !life_ms ||
	    (type && strcasecmp(type, "Bearer")) ||
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			 "0123456789-._~+/=") != strlen(text))
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "the token endpoint of vault '%s' gives a "
				 "malformed answer",
				 vault->name);
	bearer = svcenc_secret_new(strlen(text) + 1);
	if (!bearer)
		return vault_no_memory(vault, answer);
	strcpy((char *)svcenc_secret_bytes(bearer), text);
	token_forget(token);
	token->bearer = bearer;
	token->resource = *resource;
	token->end_ms = http_now_ms() + life_ms;
	token->renew_ms = token->end_ms - early;
	return VAULT_OK;
}

/* Takes the token out of a reply that holds one. */
static enum vault_class take(const struct vault *vault, struct token *token,
			     const struct akv_challenge *challenge,
			     const struct http_reply *reply,
			     struct vault_answer *answer)
{
	SVCENC_JSON_AUTO json_t *json = NULL;

	if (reply->outcome != HTTP_ANSWERED)
		return say_outcome(vault, reply, "its token endpoint", answer);
	svcenc_secret_scope_enter();
	json = json_loadb((const char *)svcenc_secret_peek(reply->body),
			  reply->body_len, JSON_REJECT_DUPLICATES, NULL);
	svcenc_secret_scope_leave();
	if (reply->status != 200)
		return refused(vault, reply, json, answer);
	return keep(vault, token, &challenge->resource, json, answer);
}

/* --- asking --------------------------------------------------------------- */

static enum vault_class ask_authority(const struct vault *vault,
				      struct http *http, struct token *token,
				      const struct akv_challenge *challenge,
				      int64_t deadline_ms,
				      struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *room = NULL, *form = NULL;
	HTTP_REPLY_AUTO struct http_reply reply = { .body = NULL };
	char path[AKV_TENANT_SIZE + 32], endpoint[512];
	const char *text;

	snprintf(path, sizeof(path), "/%s/oauth2/v2.0/token",
		 challenge->tenant);
	url_text(&token->authority, path, endpoint, sizeof(endpoint));
	room = svcenc_secret_new(FORM_MAX);
	if (!room)
		return vault_no_memory(vault, answer);
	if (make_form(vault, token, challenge, endpoint, room, answer) !=
	    VAULT_OK)
		return answer->class;
	text = (const char *)svcenc_secret_peek(room);
	if (svcenc_secret_move_bytes((void *)text, strlen(text), &form) < 0)
		return vault_no_memory(vault, answer);
	http_perform(http,
		     &(struct http_request){ .server = &token->authority,
					     .path = path,
					     .post = true,
					     .content_type = FORM,
					     .body = form,
					     .deadline_ms = deadline_ms },
		     &reply);
	return take(vault, token, challenge, &reply, answer);
}

static enum vault_class ask_host(const struct vault *vault, struct http *http,
				 struct token *token,
				 const struct akv_challenge *challenge,
				 int64_t deadline_ms,
				 struct vault_answer *answer)
{
	HTTP_REPLY_AUTO struct http_reply reply = { .body = NULL };
	char resource[AKV_HOST_SIZE + AKV_PATH_SIZE + 32];

	url_text(&challenge->resource, "", resource, sizeof(resource));
	if (identity_ask(vault, http, &token->identity, resource, deadline_ms,
			 &reply, answer) != VAULT_OK)
		return answer->class;
	return take(vault, token, challenge, &reply, answer);
}

static enum vault_class check_authority(const struct vault *vault,
					const struct token *token,
					const struct akv_challenge *challenge,
					struct vault_answer *answer)
{
	const char *tenant = vault_option(vault, "tenant", NULL);

	if (!akv_url_same_host(&challenge->authority, &token->authority))
		return vault_say(
			answer, VAULT_BADAUTH, NULL,
			"vault '%s' sends us to the authority %s, which "
			"is not 'authority' of vaults.d/%s.conf (%s): "
			"no credential was sent",
			vault->name, challenge->authority.host, vault->name,
			token->authority.host);
	if (tenant && strcasecmp(tenant, challenge->tenant))
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s' belongs to tenant %s, not to "
				 "'tenant' of vaults.d/%s.conf (%s): no "
				 "credential was sent",
				 vault->name, challenge->tenant, vault->name,
				 tenant);
	return VAULT_OK;
}

static bool is_good(const struct token *token,
		    const struct akv_challenge *challenge, int64_t until_ms)
{
	return token->bearer && http_now_ms() < until_ms &&
	       akv_url_same_host(&token->resource, &challenge->resource);
}

static enum vault_class renew(const struct vault *vault, struct http *http,
			      struct token *token,
			      const struct akv_challenge *challenge,
			      int64_t deadline_ms, struct vault_answer *answer)
{
	if (token->source == TOKEN_MANAGED_IDENTITY)
		return ask_host(vault, http, token, challenge, deadline_ms,
				answer);
	if (check_authority(vault, token, challenge, answer) != VAULT_OK)
		return answer->class;
	return ask_authority(vault, http, token, challenge, deadline_ms,
			     answer);
}

enum vault_class
token_get(const struct vault *vault, struct http *http, struct token *token,
	  const struct akv_challenge *challenge, int64_t deadline_ms,
	  const struct svcenc_secret **ret_bearer, struct vault_answer *answer)
{
	const bool holds = is_good(token, challenge, token->end_ms);
	const int64_t soon_ms = http_now_ms() + RENEW_MS;

	if (!holds) {
		if (renew(vault, http, token, challenge, deadline_ms, answer) !=
		    VAULT_OK)
			return answer->class;
	} else if (http_now_ms() >= token->renew_ms &&
		   renew(vault, http, token, challenge,
			 soon_ms < deadline_ms ? soon_ms : deadline_ms,
			 answer) != VAULT_OK) {
		/* an old one does as long as it lasts; time is left for it */
		token->renew_ms = http_now_ms() + RETRY_MS;
	}
	*ret_bearer = token->bearer;
	return VAULT_OK;
}

void token_forget(struct token *token)
{
	token->bearer = svcenc_secret_free(token->bearer);
}
