/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root keys as files: finding, making, reading them. Refuses directories and
 * files that are open to others. Knows no protocol and no wrapping.
 *
 *   DIRECTORY/<key name>.<version>.key   mode 0600, owner = the worker
 *   {"schema": "svcenc-file-vault/1", "name", "version", "state": "enabled" |
 *    "disabled" | "deleted", "alg": "A256KW", "key": base64 of 32 bytes}
 *
 * A directory is opened anew for each request: what an administrator mends
 * or takes away takes effect at once.
 */
#ifndef SVCENC_VAULT_FILE_KEYS_H
#define SVCENC_VAULT_FILE_KEYS_H

#include <stdint.h>

#include "answer.h"
#include "policyrec.h"
#include "secret.h"

enum key_state { KEY_ENABLED, KEY_DISABLED, KEY_DELETED };
const char *key_state_text(enum key_state state);

struct root_key {
	char name[SVCENC_NAME_SIZE];
	uint32_t version;
	enum key_state state;
	struct svcenc_secret *key;
};

void root_key_clear(struct root_key *root);
#define ROOT_KEY_AUTO __attribute__((cleanup(root_key_clear)))

struct key_folder {
	const char *name; /* the vault's */
	const char *directory;
};

/* "file:<vault>/<key name>/<version>" */
void vault_kid(const struct key_folder *vault, const struct root_key *root,
	       char ret[SVCENC_KID_MAX + 1]);

/* Reads the key whatever its state is; the caller looks at that. */
enum vault_class vault_read_key(const struct key_folder *vault, const char *kid,
				struct root_key *ret,
				struct vault_answer *answer);

/* The newest enabled version. */
enum vault_class vault_find(const struct key_folder *vault, const char *name,
			    struct root_key *ret, struct vault_answer *answer);

/* The newest enabled version, made as version 1 if there is none at all. */
enum vault_class vault_find_or_make(const struct key_folder *vault,
				    const char *name, struct root_key *ret,
				    struct vault_answer *answer);

#endif
