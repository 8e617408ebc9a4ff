// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "proto.h"
#include "service.h"

#define INTERFACE "io.svcenc.Vault."

static json_t *parameter_error(const char *name)
{
	return svcenc_proto_error("org.varlink.service.InvalidParameter",
				  json_pack("{s:s}", "parameter", name));
}

/* Details may quote what a stranger's server said: "?" where it is no text. */
static json_t *detail_of(const struct vault_answer *answer)
{
	json_t *text = json_string(answer->detail);
	char plain[sizeof(answer->detail)];
	size_t i;

	if (text)
		return text;
	for (i = 0; answer->detail[i]; i++)
		plain[i] = (signed char)answer->detail[i] < ' ' ?
				   '?' :
				   answer->detail[i];
	plain[i] = '\0';
	return json_string(plain);
}

static json_t *answer_error(const struct vault_answer *answer)
{
	static const char *const errors[] = {
		[VAULT_THROTTLED] = INTERFACE "Throttled",
		[VAULT_UNREACHABLE] = INTERFACE "Unreachable",
		[VAULT_DENIED] = INTERFACE "Denied",
		[VAULT_BADAUTH] = INTERFACE "BadAuth",
		[VAULT_CORRUPT] = INTERFACE "Corrupt",
	};
	json_t *parameters;

	if (answer->class == VAULT_PARAMETER)
		return parameter_error(answer->reason);
	parameters = json_pack("{s:o}", "detail", detail_of(answer));
	if (!parameters)
		return NULL;
	if (answer->class == VAULT_THROTTLED)
		json_object_set_new(parameters, "retry_after_s",
				    json_integer(answer->retry_after_s));
	if (answer->class == VAULT_DENIED || *answer->reason)
		json_object_set_new(parameters, "reason",
				    json_string(answer->reason));
	return svcenc_proto_error(errors[answer->class], parameters);
}

static json_t *get_info(struct vault *vault, json_t *parameters)
{
	const struct vault_ops *ops = vault->ops;

	if (json_object_size(parameters))
		return parameter_error("parameters");
	return svcenc_proto_reply(json_pack(
		"{s:s, s:s, s:b, s:s, s:b}", "name", vault->name, "type",
		ops->type, "separates_from_root", ops->separates_from_root,
		"note", ops->note, "creates_keys", ops->create_key != NULL));
}

static json_t *reply_kid(const struct vault_key *key)
{
	return svcenc_proto_reply(
		json_pack("{s:s, s:s}", "kid", key->kid, "alg", key->alg));
}

/* The methods that name a version of a key: one argument, one answer. */
typedef enum vault_class key_op(struct vault *vault, const char *argument,
				struct vault_key *ret,
				struct vault_answer *answer);

/* @cure: for a vault that has no @op. */
static json_t *name_key(struct vault *vault, json_t *parameters,
			const char *field, key_op *op, const char *cure)
{
	struct vault_answer answer;
	struct vault_key key;
	const char *argument;

	if (json_unpack(parameters, "{s:s !}", field, &argument) < 0)
		return parameter_error(field);
	vault_key_init(&key);
	if (!op)
		vault_say(&answer, VAULT_DENIED, "permission",
			  "vault '%s' makes no keys: have its owner make %s",
			  vault->name, cure);
	else if (op(vault, argument, &key, &answer) == VAULT_OK)
		return reply_kid(&key);
	return answer_error(&answer);
}

static json_t *create_key(struct vault *vault, json_t *parameters)
{
	return name_key(vault, parameters, "name", vault->ops->create_key,
			"one, and name that");
}

static json_t *renew_key(struct vault *vault, json_t *parameters)
{
	return name_key(vault, parameters, "kid", vault->ops->renew_key,
			"a new version");
}

static json_t *use_key(struct vault *vault, json_t *parameters)
{
	return name_key(vault, parameters, "key", vault->ops->use_key, "one");
}

/* {name: base64 of @bytes, plus alg if given}, in the secure heap */
static json_t *reply_bytes(const char *name, const struct svcenc_secret *bytes,
			   const char *alg)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL;
	json_t *parameters;

	if (svcenc_secret_to_base64(bytes, &text) < 0)
		return NULL;
	svcenc_secret_scope_enter();
	parameters = json_pack("{s:s}", name,
			       (const char *)svcenc_secret_peek(text));
	svcenc_secret_scope_leave();
	if (alg && parameters)
		json_object_set_new(parameters, "alg", json_string(alg));
	return parameters ? svcenc_proto_reply(parameters) : NULL;
}

static json_t *wrap(struct vault *vault, json_t *parameters)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL, *blob = NULL;
	const char *kid, *text, *alg = NULL;
	struct vault_answer answer;

	if (json_unpack(parameters, "{s:s, s:s !}", "kid", &kid, "plaintext",
			&text) < 0)
		return parameter_error("kid");
	if (svcenc_secret_from_base64(text, &plain) < 0 ||
	    svcenc_secret_len(plain) > VAULT_PLAIN_MAX)
		return parameter_error("plaintext");
	if (vault->ops->wrap(vault, kid, plain, &blob, &alg, &answer) !=
	    VAULT_OK)
		return answer_error(&answer);
	return reply_bytes("blob", blob, alg);
}

static json_t *unwrap(struct vault *vault, json_t *parameters)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL, *blob = NULL;
	struct vault_answer answer;
	const char *kid, *text;

	if (json_unpack(parameters, "{s:s, s:s !}", "kid", &kid, "blob",
			&text) < 0)
		return parameter_error("kid");
	if (svcenc_secret_from_base64(text, &blob) < 0)
		return parameter_error("blob");
	if (vault->ops->unwrap(vault, kid, blob, &plain, &answer) != VAULT_OK)
		return answer_error(&answer);
	return reply_bytes("plaintext", plain, NULL);
}

static json_t *describe_key(struct vault *vault, json_t *parameters)
{
	struct vault_answer answer;
	struct vault_key key;
	const char *kid;

	if (json_unpack(parameters, "{s:s !}", "kid", &kid) < 0)
		return parameter_error("kid");
	vault_key_init(&key);
	if (vault->ops->describe_key(vault, kid, &key, &answer) != VAULT_OK)
		return answer_error(&answer);
	return svcenc_proto_reply(json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:s, s:i}",
		"kid", key.kid, "version", key.version, "state", key.state,
		"alg", key.alg, "key_type", key.key_type, "size_bits",
		(int)key.size_bits, "wrap", key.wrap, "unwrap", key.unwrap,
		"expiry", key.expiry, "expires_at", (json_int_t)key.expires_at,
		"recovery", key.recovery, "recovery_days",
		(int)key.recovery_days));
}

static const struct {
	const char *name;
	json_t *(*serve)(struct vault *vault, json_t *parameters);
	bool always; /* also of a vault that is set up wrongly */
} methods[] = {
	{ INTERFACE "GetInfo", get_info, true },
	{ INTERFACE "CreateKey", create_key, false },
	{ INTERFACE "RenewKey", renew_key, false },
	{ INTERFACE "UseKey", use_key, false },
	{ INTERFACE "Wrap", wrap, false },
	{ INTERFACE "Unwrap", unwrap, false },
	{ INTERFACE "DescribeKey", describe_key, false },
};

json_t *serve_message(struct vault *vault, const struct vault_answer *broken,
		      json_t *message)
{
	struct svcenc_call call;
	struct vault_answer answer;
	json_t *reply;
	size_t i;

	if (svcenc_proto_parse_call(message, &call) < 0)
		return parameter_error("method");
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, call.method))
			continue;
		if (broken->class != VAULT_OK && !methods[i].always)
			return answer_error(broken);
		reply = methods[i].serve(vault, call.parameters);
		if (reply)
			return reply;
		(void)vault_no_memory(vault, &answer);
		return answer_error(&answer);
	}
	return svcenc_proto_error("org.varlink.service.MethodNotFound",
				  json_pack("{s:s}", "method", call.method));
}
