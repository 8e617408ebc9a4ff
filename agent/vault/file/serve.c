// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto.h"
#include "serve.h"
#include "wrap.h"

#define INTERFACE "io.svcenc.Vault."

static const char note[] =
	"the root keys of this vault are files on this host: root can read "
	"them, so the vault separates nothing from root";

static json_t *parameter_error(const char *name)
{
	return svcenc_proto_error("org.varlink.service.InvalidParameter",
				  json_pack("{s:s}", "parameter", name));
}

static json_t *answer_error(const struct vault_answer *answer)
{
	switch (answer->class) {
	case VAULT_DENIED:
		return svcenc_proto_error(INTERFACE "Denied",
					  json_pack("{s:s, s:s}", "reason",
						    answer->reason, "detail",
						    answer->detail));
	case VAULT_BADAUTH:
		return svcenc_proto_error(INTERFACE "BadAuth",
					  json_pack("{s:s}", "detail",
						    answer->detail));
	case VAULT_CORRUPT:
		return svcenc_proto_error(INTERFACE "Corrupt",
					  json_pack("{s:s}", "detail",
						    answer->detail));
	default:
		return svcenc_proto_error(INTERFACE "Unreachable",
					  json_pack("{s:s}", "detail",
						    answer->detail));
	}
}

static json_t *get_info(const struct vault *vault, json_t *parameters)
{
	if (json_object_size(parameters))
		return parameter_error("parameters");
	return svcenc_proto_reply(
		json_pack("{s:s, s:s, s:b, s:s}", "name", vault->name, "type",
			  "file", "separates_from_root", 0, "note", note));
}

static json_t *create_key(const struct vault *vault, json_t *parameters)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	struct vault_answer answer;
	char kid[SVCENC_KID_MAX + 1];
	const char *name;

	if (json_unpack(parameters, "{s:s !}", "name", &name) < 0)
		return parameter_error("name");
	if (vault_find_or_make(vault, name, &root, &answer) != VAULT_OK)
		return answer_error(&answer);
	vault_kid(vault, &root, kid);
	return svcenc_proto_reply(
		json_pack("{s:s, s:s}", "kid", kid, "alg", "A256KW"));
}

static enum vault_class usable_key(const struct vault *vault, const char *kid,
				   struct root_key *root,
				   struct vault_answer *answer)
{
	const enum vault_class class = vault_read_key(vault, kid, root, answer);

	if (class != VAULT_OK || root->state == KEY_ENABLED)
		return class;
	return vault_say(answer, VAULT_DENIED, key_state_text(root->state),
			 "key '%s' version %u in vault '%s' is %s", root->name,
			 root->version, vault->name,
			 key_state_text(root->state));
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

static json_t *wrap(const struct vault *vault, json_t *parameters)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL, *blob = NULL;
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	struct vault_answer answer;
	const char *kid, *text;
	int r;

	if (json_unpack(parameters, "{s:s, s:s !}", "kid", &kid, "plaintext",
			&text) < 0)
		return parameter_error("kid");
	if (svcenc_secret_from_base64(text, &plain) < 0)
		return parameter_error("plaintext");
	if (usable_key(vault, kid, &root, &answer) != VAULT_OK)
		return answer_error(&answer);
	r = wrap_key(root.key, plain, &blob);
	if (r == -EINVAL)
		return parameter_error("plaintext");
	return r < 0 ? NULL : reply_bytes("blob", blob, "A256KW");
}

static json_t *unwrap(const struct vault *vault, json_t *parameters)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *plain = NULL, *blob = NULL;
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	struct vault_answer answer;
	const char *kid, *text;
	int r;

	if (json_unpack(parameters, "{s:s, s:s !}", "kid", &kid, "blob",
			&text) < 0)
		return parameter_error("kid");
	if (svcenc_secret_from_base64(text, &blob) < 0)
		return parameter_error("blob");
	if (usable_key(vault, kid, &root, &answer) != VAULT_OK)
		return answer_error(&answer);
	r = unwrap_key(root.key, blob, &plain);
	if (r == -EBADMSG) {
		vault_say(&answer, VAULT_CORRUPT, NULL,
			  "the blob does not open with key '%s' version %u of "
			  "vault '%s'",
			  root.name, root.version, vault->name);
		return answer_error(&answer);
	}
	return r < 0 ? NULL : reply_bytes("plaintext", plain, NULL);
}

static json_t *describe_key(const struct vault *vault, json_t *parameters)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	struct vault_answer answer;
	const char *kid;

	if (json_unpack(parameters, "{s:s !}", "kid", &kid) < 0)
		return parameter_error("kid");
	if (vault_read_key(vault, kid, &root, &answer) != VAULT_OK)
		return answer_error(&answer);
	return svcenc_proto_reply(json_pack("{s:s, s:s, s:s, s:I}", "kid", kid,
					    "state", key_state_text(root.state),
					    "alg", "A256KW", "version",
					    (json_int_t)root.version));
}

static const struct {
	const char *name;
	json_t *(*serve)(const struct vault *vault, json_t *parameters);
} methods[] = {
	{ INTERFACE "GetInfo", get_info },
	{ INTERFACE "CreateKey", create_key },
	{ INTERFACE "Wrap", wrap },
	{ INTERFACE "Unwrap", unwrap },
	{ INTERFACE "DescribeKey", describe_key },
};

json_t *serve_message(const struct vault *vault, json_t *message)
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
		reply = methods[i].serve(vault, call.parameters);
		if (reply)
			return reply;
		vault_say(&answer, VAULT_UNREACHABLE, NULL,
			  "vault '%s' has no memory left", vault->name);
		return answer_error(&answer);
	}
	return svcenc_proto_error("org.varlink.service.MethodNotFound",
				  json_pack("{s:s}", "method", call.method));
}
