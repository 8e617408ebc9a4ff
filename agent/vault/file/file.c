// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "keys.h"
#include "wrap.h"

/* Making key files, and looking through their directory. */
static const int calls[] = {
	SCMP_SYS(getdents64), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(linkat),     SCMP_SYS(unlinkat),  SCMP_SYS(unlink),
	SCMP_SYS(fsync),
};

static struct key_folder folder_of(const struct vault *vault)
{
	return (struct key_folder){ vault->name,
				    vault_option(vault, "directory", "") };
}

static enum vault_class start(struct vault *vault, struct vault_answer *answer)
{
	if (wrap_init() < 0)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "OpenSSL has no AES-256-WRAP");
	if (*vault_option(vault, "directory", "") != '/')
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s' has no directory: set 'directory' "
				 "in vaults.d/%s.conf",
				 vault->name, vault->name);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static void describe(const struct key_folder *folder,
		     const struct root_key *root, struct vault_key *ret)
{
	const char *usable = root->state == KEY_ENABLED ? "yes" : "no";

	vault_kid(folder, root, ret->kid);
	snprintf(ret->version, sizeof(ret->version), "%u", root->version);
	ret->state = key_state_text(root->state);
	ret->alg = "A256KW";
	ret->key_type = "AES";
	ret->size_bits = 256;
	ret->wrap = usable;
	ret->unwrap = usable;
	ret->expiry = "none";
	ret->recovery = "none"; /* whoever deletes the file has deleted it */
}

static enum vault_class create_key(struct vault *vault, const char *name,
				   struct vault_key *ret,
				   struct vault_answer *answer)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	const struct key_folder folder = folder_of(vault);

	if (vault_find_or_make(&folder, name, &root, answer) != VAULT_OK)
		return answer->class;
	describe(&folder, &root, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

/* "NAME" or "NAME/VERSION" */
static enum vault_class use_key(struct vault *vault, const char *key,
				struct vault_key *ret,
				struct vault_answer *answer)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	const struct key_folder folder = folder_of(vault);
	char kid[SVCENC_KID_MAX + 1];
	enum vault_class class;

	if (!strchr(key, '/')) {
		class = vault_find(&folder, key, &root, answer);
	} else {
		snprintf(kid, sizeof(kid), "file:%s/%s", vault->name, key);
		class = vault_read_key(&folder, kid, &root, answer);
	}
	if (class != VAULT_OK)
		return class;
	describe(&folder, &root, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class usable_key(const struct vault *vault, const char *kid,
				   struct root_key *root,
				   struct vault_answer *answer)
{
	const struct key_folder folder = folder_of(vault);
	const enum vault_class class =
		vault_read_key(&folder, kid, root, answer);

	if (class != VAULT_OK || root->state == KEY_ENABLED)
		return class;
	return vault_say(answer, VAULT_DENIED, key_state_text(root->state),
			 "key '%s' version %u in vault '%s' is %s", root->name,
			 root->version, vault->name,
			 key_state_text(root->state));
}

static enum vault_class wrap(struct vault *vault, const char *kid,
			     const struct svcenc_secret *plain,
			     struct svcenc_secret **ret_blob,
			     const char **ret_alg, struct vault_answer *answer)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	int r;

	if (usable_key(vault, kid, &root, answer) != VAULT_OK)
		return answer->class;
	r = wrap_key(root.key, plain, ret_blob);
	if (r == -EINVAL)
		return vault_say(answer, VAULT_PARAMETER, "plaintext", NULL);
	if (r < 0)
		return vault_no_memory(vault, answer);
	*ret_alg = "A256KW";
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class unwrap(struct vault *vault, const char *kid,
			       const struct svcenc_secret *blob,
			       struct svcenc_secret **ret_plain,
			       struct vault_answer *answer)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	int r;

	if (usable_key(vault, kid, &root, answer) != VAULT_OK)
		return answer->class;
	r = unwrap_key(root.key, blob, ret_plain);
	if (r == -EBADMSG)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "the blob does not open with key '%s' version "
				 "%u of vault '%s'",
				 root.name, root.version, vault->name);
	if (r < 0)
		return vault_no_memory(vault, answer);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

static enum vault_class describe_key(struct vault *vault, const char *kid,
				     struct vault_key *ret,
				     struct vault_answer *answer)
{
	ROOT_KEY_AUTO struct root_key root = { .key = NULL };
	const struct key_folder folder = folder_of(vault);

	if (vault_read_key(&folder, kid, &root, answer) != VAULT_OK)
		return answer->class;
	describe(&folder, &root, ret);
	return vault_say(answer, VAULT_OK, NULL, NULL);
}

const struct vault_ops file_ops = {
	.type = "file",
	.separates_from_root = false,
	.note = "the root keys of this vault are files on this host: root can "
		"read them, so the vault separates nothing from root",
	.start = start,
	.create_key = create_key,
	.use_key = use_key,
	.wrap = wrap,
	.unwrap = unwrap,
	.describe_key = describe_key,
	.calls = calls,
	.call_count = sizeof(calls) / sizeof(calls[0]),
};
