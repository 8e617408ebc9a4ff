// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policy key out of a volume's own policy records and the vaults that the
 * caller named. The records are hostile until their HMAC proves them: they
 * only choose among the caller's vaults and never name a path. Knows no
 * superblock and no volume key.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hierarchy.h"
#include "proto.h"
#include "recover.h"

enum {
	KEY_FILE_MAX = 4096,
	UNWRAP_TIMEOUT_MS = 30000,
};

int recover_vault_add(struct recover_vaults *vaults, const char *spec,
		      bool socket, struct recover_error *error)
{
	struct recover_vault *vault = &vaults->vault[vaults->count];
	const char *equals = strchr(spec, '='), *name = spec;
	char *copy = strdup(equals ? equals + 1 : spec);
	size_t len = equals ? (size_t)(equals - spec) : 0;

	if (!copy)
		return recover_fail(error, SVCENC_EXIT_MEMORY, NULL,
				    "out of memory");
	if (!equals) {
		name = basename(copy);
		len = strlen(name);
	}
	if (vaults->count == RECOVER_VAULTS_MAX || len >= SVCENC_NAME_SIZE) {
		free(copy);
		return recover_fail(
			error, SVCENC_EXIT_USAGE, NULL,
			"%s: too many vaults, or the name is too long", spec);
	}
	memset(vault->name, 0, sizeof(vault->name));
	memcpy(vault->name, name, len);
	free(copy);
	if (!svcenc_name_is_valid(vault->name) || (socket && !equals))
		return recover_fail(
			error, SVCENC_EXIT_USAGE,
			"give it as NAME=PATH, NAME as in the policy record (svcenc-dump shows it)",
			"%s: no valid vault name", spec);
	vault->path = equals ? equals + 1 : spec;
	vault->socket = socket;
	vaults->count++;
	return 0;
}

/* --- file vault, read directly --- */

/* "file:<vault>/<key name>/<version>" -> "<dir>/<key name>.<version>.key" */
static int key_path(const struct recover_vault *vault, const char *kid,
		    char *path, size_t size, struct recover_error *error)
{
	char copy[SVCENC_KID_MAX + 1], *name, *version;
	u64 number;
	int len;

	snprintf(copy, sizeof(copy), "%s", kid);
	name = strncmp(copy, "file:", 5) ? NULL : strchr(copy + 5, '/');
	version = name ? strrchr(name + 1, '/') : NULL;
	if (!version)
		goto malformed;
	*name++ = '\0';
	*version++ = '\0';
	if (strcmp(copy + 5, vault->name) || !svcenc_name_is_valid(name) ||
	    svcenc_u64_parse(version, U32_MAX, &number))
		goto malformed;
	len = snprintf(path, size, "%s/%s.%s.key", vault->path, name, version);
	if (len > 0 && (size_t)len < size)
		return 0;
malformed:
	return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
			    "key identifier %s is not one of file vault %s",
			    kid, vault->name);
}

static int read_key_file(const char *path, struct svcenc_secret **ret_text,
			 size_t *ret_len, struct recover_error *error)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL;
	struct stat st;
	ssize_t n = -1;
	int fd;

	text = svcenc_secret_new(KEY_FILE_MAX);
	if (!text)
		return recover_fail(error, SVCENC_EXIT_MEMORY, NULL,
				    "secure heap is exhausted");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		n = read(fd, svcenc_secret_bytes(text), KEY_FILE_MAX);
	else if (fd >= 0)
		errno = EINVAL;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return recover_fail(error,
				    errno == EACCES ? SVCENC_EXIT_PERMISSION :
						      SVCENC_EXIT_UNREACHABLE,
				    errno == EACCES ? "run it as root" : NULL,
				    "root key %s: %s", path, strerror(errno));
	if (n == KEY_FILE_MAX)
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "root key %s: longer than a key file",
				    path);
	*ret_text = text;
	*ret_len = (size_t)n;
	text = NULL;
	return 0;
}

/* Called within the secret scope: the text holds the key in base64. */
static int parse_key_file(const char *path, const char *text, size_t len,
			  struct svcenc_secret **ret,
			  struct recover_error *error)
{
	const char *schema = NULL, *state = NULL, *alg = NULL, *key = NULL;
	SVCENC_JSON_AUTO json_t *json = NULL;

	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json ||
	    json_unpack(json, "{s:s, s:s, s:s, s:s}", "schema", &schema,
			"state", &state, "alg", &alg, "key", &key))
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "root key %s: not a key file", path);
	if (strcmp(schema, "svcenc-file-vault/1") || strcmp(alg, "A256KW"))
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "root key %s: unknown schema or algorithm",
				    path);
	if (strcmp(state, "enabled"))
		return recover_fail(error, SVCENC_EXIT_DENIED,
				    "enable the root key in its vault",
				    "root key %s is %s", path, state);
	if (svcenc_secret_from_base64(key, ret) ||
	    svcenc_secret_len(*ret) != 32)
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "root key %s: not 32 bytes of base64",
				    path);
	return 0;
}

static int root_key(const struct recover_vault *vault, const char *kid,
		    struct svcenc_secret **ret, struct recover_error *error)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL;
	char path[4096 + SVCENC_KID_MAX];
	size_t len = 0;
	int r;

	if (key_path(vault, kid, path, sizeof(path), error) ||
	    read_key_file(path, &text, &len, error))
		return -1;
	svcenc_secret_scope_enter();
	r = parse_key_file(path, (const char *)svcenc_secret_peek(text), len,
			   ret, error);
	svcenc_secret_scope_leave();
	return r;
}

/* RFC 3394. False: the blob is not a wrap under @kek. */
static bool unwrap_a256kw(const struct svcenc_secret *kek, const u8 *blob,
			  u32 blob_len, struct svcenc_secret **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0, rest = 0;
	bool good;

	key = svcenc_secret_new(SVCENC_POLICYKEY_SIZE);
	good = ctx && key && blob_len == SVCENC_POLICYKEY_SIZE + 8;
	if (good)
		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	good = good &&
	       EVP_DecryptInit_ex(ctx, EVP_aes_256_wrap(), NULL,
				  svcenc_secret_peek(kek), NULL) == 1 &&
	       EVP_DecryptUpdate(ctx, svcenc_secret_bytes(key), &len, blob,
				 (int)blob_len) == 1 &&
	       EVP_DecryptFinal_ex(ctx, svcenc_secret_bytes(key) + len,
				   &rest) == 1 &&
	       len + rest == SVCENC_POLICYKEY_SIZE;
	EVP_CIPHER_CTX_free(ctx);
	if (!good)
		return false;
	*ret = key;
	key = NULL;
	return true;
}

static int unwrap_by_directory(const struct recover_vault *vault,
			       const struct svcenc_record_wrap *wrap,
			       struct svcenc_secret **ret,
			       struct recover_error *error)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *kek = NULL;

	if (wrap->alg != SVCENC_ALG_A256KW)
		return recover_fail(
			error, SVCENC_EXIT_UNREACHABLE,
			"start the vault's worker and use --vault-socket",
			"%s: a file vault's directory cannot open this algorithm",
			wrap->kid);
	if (root_key(vault, wrap->kid, &kek, error))
		return -1;
	if (!unwrap_a256kw(kek, wrap->blob, wrap->blob_len, ret))
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "%s does not open its wrap", wrap->kid);
	return 0;
}

/* --- running worker --- */

/* The class of a vault's error by the last part of its name. */
static enum svcenc_exit class_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot && !strcmp(dot, ".Denied"))
		return SVCENC_EXIT_DENIED;
	if (dot && !strcmp(dot, ".Corrupt"))
		return SVCENC_EXIT_INTEGRITY;
	return SVCENC_EXIT_UNREACHABLE;
}

static int take_reply(const char *name, json_t *reply, const char *failed,
		      struct svcenc_secret **ret, struct recover_error *error)
{
	const char *text = NULL;

	if (failed) {
		json_unpack(reply, "{s:s}", "detail", &text);
		return recover_fail(error, class_of(failed), NULL,
				    "vault %s: %s: %s", name, failed,
				    text ? text : "no detail");
	}
	if (json_unpack(reply, "{s:s}", "plaintext", &text) ||
	    svcenc_secret_from_base64(text, ret) ||
	    svcenc_secret_len(*ret) != SVCENC_POLICYKEY_SIZE)
		return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
				    "vault %s: malformed answer", name);
	return 0;
}

static json_t *unwrap_parameters(const struct svcenc_record_wrap *wrap)
{
	char text[4 * ((SVCENC_BLOB_MAX + 2) / 3) + 1];

	EVP_EncodeBlock((u8 *)text, wrap->blob, (int)wrap->blob_len);
	return json_pack("{s:s, s:s}", "kid", wrap->kid, "blob", text);
}

static int unwrap_by_socket(const struct recover_vault *vault,
			    const struct svcenc_record_wrap *wrap,
			    struct svcenc_secret **ret,
			    struct recover_error *error)
{
	SVCENC_CLIENT_AUTO struct svcenc_client *client = NULL;
	SVCENC_JSON_AUTO json_t *reply = NULL;
	char *failed = NULL;
	struct stat st;
	int r;

	/* The directory is root's to give: its owner is who may serve here. */
	r = lstat(vault->path, &st) ?
		    -errno :
	    !S_ISSOCK(st.st_mode) ?
		    -ENOTSOCK :
		    svcenc_client_open(vault->path, st.st_uid, true, &client);
	if (!r)
		r = svcenc_client_call(client, "io.svcenc.Vault.Unwrap",
				       unwrap_parameters(wrap),
				       UNWRAP_TIMEOUT_MS, &reply, &failed);
	if (r < 0)
		return recover_fail(
			error, SVCENC_EXIT_UNREACHABLE,
			"start the vault's worker, or give its directory with --vault-dir",
			"vault %s, socket %s: %s", vault->name, vault->path,
			strerror(-r));
	r = take_reply(vault->name, reply, failed, ret, error);
	free(failed);
	return r;
}

/* --- one wrap after the other --- */

static int open_wrap(const struct recover_vaults *vaults,
		     const struct svcenc_record_wrap *wrap,
		     struct svcenc_secret **ret, struct recover_error *error)
{
	unsigned int i;

	for (i = 0; i < vaults->count; i++) {
		const struct recover_vault *vault = &vaults->vault[i];
		int r;

		if (strcmp(vault->name, wrap->vault))
			continue;
		r = vault->socket ?
			    unwrap_by_socket(vault, wrap, ret, error) :
			    unwrap_by_directory(vault, wrap, ret, error);
		if (!r)
			return 0;
	}
	return -1;
}

static int open_record(const struct svcenc_header_record *record,
		       const struct recover_vaults *vaults,
		       struct svcenc_secret **ret, struct recover_error *error)
{
	const struct svcenc_record *r = &record->record;
	u32 i;

	for (i = 0; i < r->wrap_count; i++) {
		SVCENC_SECRET_AUTO struct svcenc_secret *key = NULL;

		if (open_wrap(vaults, &r->wraps[i], &key, error))
			continue;
		if (svcenc_hierarchy_verify_record(key, &r->key, record->raw)) {
			recover_fail(
				error, SVCENC_EXIT_INTEGRITY, NULL,
				"policy record is forged: HMAC does not match");
			continue;
		}
		*ret = key;
		key = NULL;
		return 0;
	}
	return -1;
}

int recover_policy_key(const struct svcenc_header *header,
		       const struct svcenc_keyid *id,
		       const struct recover_vaults *vaults,
		       struct svcenc_secret **ret, struct recover_error *error)
{
	char text[SVCENC_KEYID_TEXT + 1];
	int i;

	svcenc_keyid_print(id, text);
	recover_fail(
		error, SVCENC_EXIT_PERMISSION,
		"svcenc-dump shows the vaults in the policy record; give one with --vault-dir NAME=DIR",
		"none of the vaults given holds a wrap of policy key %s", text);
	for (i = 0; i < 2; i++) {
		const struct svcenc_header_record *r = &header->record[i];

		if (!r->present || r->defect ||
		    !svcenc_keyid_equal(&r->record.key, id))
			continue;
		if (!open_record(r, vaults, ret, error))
			return 0;
	}
	return -1;
}
