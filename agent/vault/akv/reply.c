// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "reply.h"

/* --- base64url ------------------------------------------------------------ */

static void translate(char *text, const char *from, const char *to)
{
	for (; *text; text++) {
		if (*text == from[0])
			*text = to[0];
		else if (*text == from[1])
			*text = to[1];
	}
}

int akv_base64url(const struct svcenc_secret *bytes,
		  struct svcenc_secret **ret_text)
{
	struct svcenc_secret *text = NULL;
	char *at;
	int r;

	r = svcenc_secret_to_base64(bytes, &text);
	if (r < 0)
		return r;
	at = (char *)svcenc_secret_bytes(text);
	translate(at, "+/", "-_");
	at[strcspn(at, "=")] = '\0';
	*ret_text = text;
	return 0;
}

int akv_base64url_decode(const char *text, struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *padded = NULL;
	const size_t len = strlen(text);
	char *at;

	if (!len || len % 4 == 1 || strpbrk(text, "+/="))
		return -EINVAL;
	padded = svcenc_secret_new(len + 4);
	if (!padded)
		return -ENOMEM;
	at = (char *)svcenc_secret_bytes(padded);
	memcpy(at, text, len);
	translate(at, "-_", "+/");
	memcpy(at + len, "===", (4 - len % 4) % 4);
	return svcenc_secret_from_base64(at, ret);
}

/* --- errors --------------------------------------------------------------- */

/* Printable ASCII only; the rest becomes '?'. */
static void copy_words(const json_t *json, char *ret, size_t size)
{
	const char *text = json_string_value(json);
	size_t i;

	for (i = 0; text && text[i] && i + 1 < size; i++)
		ret[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	ret[i] = '\0';
}

void akv_error_read(const json_t *json, struct akv_error *ret)
{
	const json_t *error = json_object_get(json, "error");
	const json_t *inner = json_object_get(error, "innererror");

	if (!inner) /* both spellings are in use */
		inner = json_object_get(error, "innerError");
	copy_words(json_object_get(error, "code"), ret->code,
		   sizeof(ret->code));
	copy_words(json_object_get(error, "message"), ret->message,
		   sizeof(ret->message));
	copy_words(json_object_get(inner, "code"), ret->inner,
		   sizeof(ret->inner));
}

#define GRANT                                                                   \
	"grant the worker's principal wrapKey and unwrapKey at the vault (and " \
	"get, for names without a version)"

static const struct {
	long status;
	const char *code; /* the inner one, or the outer; NULL = any other */
	struct akv_meaning meaning;
} meanings[] = {
	{ 400, NULL, { VAULT_CORRUPT, NULL, "" } },
	{ 401,
	  NULL,
	  { VAULT_BADAUTH, NULL,
	    "the vault does not accept the token: see 'tenant' and "
	    "'client_id'" } },
	{ 403, "KeyDisabled", { VAULT_DENIED, "disabled", "" } },
	{ 403, "KeyExpired", { VAULT_DENIED, "expired", "" } },
	{ 403, "KeyNotYetValid", { VAULT_DENIED, "expired", "" } },
	{ 403,
	  "ForbiddenByFirewall",
	  { VAULT_DENIED, "network-rule",
	    "have the vault's network rules let this host in" } },
	{ 403,
	  "ForbiddenByConnection",
	  { VAULT_DENIED, "network-rule",
	    "have the vault's network rules let this host in" } },
	{ 403, NULL, { VAULT_DENIED, "permission", GRANT } },
	{ 404, "KeyNotFound", { VAULT_DENIED, "deleted", "" } },
	{ 404, NULL, { VAULT_CORRUPT, NULL, "is 'url' that of a vault?" } },
	{ 408, NULL, { VAULT_UNREACHABLE, NULL, "" } },
	{ 409,
	  "ObjectIsDeletedButRecoverable",
	  { VAULT_DENIED, "deleted", "" } },
	{ 409, "ObjectIsBeingDeleted", { VAULT_DENIED, "deleted", "" } },
	{ 409, NULL, { VAULT_UNREACHABLE, NULL, "" } },
	{ 429, NULL, { VAULT_THROTTLED, NULL, "" } },
};

void akv_meaning_of(long status, const struct akv_error *error,
		    struct akv_meaning *ret)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].status != status)
			continue;
		if (!meanings[i].code ||
		    !strcmp(meanings[i].code, error->inner) ||
		    !strcmp(meanings[i].code, error->code)) {
			*ret = meanings[i].meaning;
			return;
		}
	}
	*ret = (struct akv_meaning){ VAULT_CORRUPT, NULL,
				     "is 'url' that of a vault?" };
	if (status == 200)
		ret->class = VAULT_OK;
	if (status >= 500 && status < 600)
		*ret = (struct akv_meaning){ VAULT_UNREACHABLE, NULL, "" };
}

/* --- keys ----------------------------------------------------------------- */

static const char *allows(const json_t *operations, const char *operation)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(operations))
		return "unknown";
	json_array_foreach(operations, i, item)
		if (json_is_string(item) &&
		    !strcmp(json_string_value(item), operation))
			return "yes";
	return "no";
}

static void read_attributes(const json_t *attributes, struct vault_key *ret)
{
	const json_t *enabled = json_object_get(attributes, "enabled");
	const json_t *exp = json_object_get(attributes, "exp");
	const char *level =
		json_string_value(json_object_get(attributes, "recoveryLevel"));
	const json_int_t days = json_integer_value(
		json_object_get(attributes, "recoverableDays"));

	if (json_is_boolean(enabled))
		ret->state = json_is_true(enabled) ? "enabled" : "disabled";
	ret->expiry = json_is_integer(exp) ? "set" : "none";
	ret->expires_at = json_integer_value(exp);
	ret->recovery_days = days > 0 && days < 36500 ? (unsigned int)days : 0;
	if (!level)
		return;
	if (!strstr(level, "Recoverable"))
		ret->recovery = "none";
	else if (strstr(level, "Purgeable"))
		ret->recovery = "soft-delete";
	else
		ret->recovery = "protected";
}

static size_t read_number(const json_t *json, uint8_t *ret, size_t size)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *bytes = NULL;
	const char *text = json_string_value(json);
	size_t len, zeros = 0;

	if (!text || akv_base64url_decode(text, &bytes) < 0)
		return 0;
	len = svcenc_secret_len(bytes);
	while (zeros < len && !svcenc_secret_peek(bytes)[zeros])
		zeros++;
	if (len - zeros > size)
		return 0;
	memcpy(ret, svcenc_secret_peek(bytes) + zeros, len - zeros);
	return len - zeros;
}

static bool read_rsa(const json_t *key, struct vault_key *ret,
		     struct akv_public *ret_public)
{
	ret_public->n_len = read_number(json_object_get(key, "n"),
					ret_public->n, sizeof(ret_public->n));
	ret_public->e_len = read_number(json_object_get(key, "e"),
					ret_public->e, sizeof(ret_public->e));
	if (!ret_public->n_len || !ret_public->e_len)
		return false;
	ret->key_type = "RSA";
	ret->size_bits = (unsigned int)ret_public->n_len * 8;
	/* the only sizes of the service; a key of another one is none of its */
	if (ret->size_bits == 2048 || ret->size_bits == 3072 ||
	    ret->size_bits == 4096)
		ret->alg = "RSA-OAEP-256";
	return true;
}

static void read_oct(const json_t *key, struct vault_key *ret)
{
	const json_int_t size =
		json_integer_value(json_object_get(key, "key_size"));

	ret->key_type = "AES";
	ret->size_bits = size > 0 && size <= 256 ? (unsigned int)size : 0;
	/* not every version of the service tells the size */
	if (!ret->size_bits || ret->size_bits == 256)
		ret->alg = "A256KW";
}

bool akv_key_read(const json_t *json, const struct akv_url *vault,
		  struct vault_key *ret, struct akv_public *ret_public)
{
	const json_t *key = json_object_get(json, "key");
	const char *kid = json_string_value(json_object_get(key, "kid"));
	const char *kty = json_string_value(json_object_get(key, "kty"));
	struct akv_kid parsed;

	memset(ret_public, 0, sizeof(*ret_public));
	vault_key_init(ret);
	if (!kid || !kty || !akv_kid_parse(vault, kid, &parsed) ||
	    !parsed.version[0])
		return false;
	akv_kid_print(vault, &parsed, ret->kid);
	snprintf(ret->version, sizeof(ret->version), "%s", parsed.version);
	ret->wrap = allows(json_object_get(key, "key_ops"), "wrapKey");
	ret->unwrap = allows(json_object_get(key, "key_ops"), "unwrapKey");
	read_attributes(json_object_get(json, "attributes"), ret);
	ret->alg = NULL;
	if (!strcmp(kty, "RSA") || !strcmp(kty, "RSA-HSM"))
		return read_rsa(key, ret, ret_public);
	if (!strcmp(kty, "oct") || !strcmp(kty, "oct-HSM"))
		read_oct(key, ret);
	else
		ret->key_type = "other";
	return true;
}

int akv_value_read(const json_t *json, const struct akv_url *vault,
		   const struct akv_kid *wanted, struct akv_kid *ret_kid,
		   struct svcenc_secret **ret)
{
	const char *kid = json_string_value(json_object_get(json, "kid"));
	const char *value = json_string_value(json_object_get(json, "value"));

	if (!kid || !value || !akv_kid_parse(vault, kid, ret_kid) ||
	    !ret_kid->version[0])
		return -EBADMSG;
	if (wanted->version[0] ? !akv_kid_same(ret_kid, wanted) :
				 strcasecmp(ret_kid->name, wanted->name))
		return -EBADMSG;
	return akv_base64url_decode(value, ret) == -ENOMEM ? -ENOMEM :
	       *ret					   ? 0 :
							     -EBADMSG;
}
