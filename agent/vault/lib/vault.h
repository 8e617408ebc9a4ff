/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a back end is: a table of functions that answer in classes, and the
 * settings of its one vault. The rest of a worker (socket, peer, Varlink,
 * sandbox, locked memory) is vault_main() and knows nothing of any vault.
 *
 * A process serves one vault, one request at a time, without threads; several
 * processes may serve the same one (calls_at_once), each as if it were alone. A
 * request should be answered within VAULT_DEADLINE_MS: svcencd waits a little
 * longer than that, then calls the vault unreachable.
 */
#ifndef SVCENC_VAULT_LIB_VAULT_H
#define SVCENC_VAULT_LIB_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "policyrec.h"
#include "secret.h"
#include "vaulttypes.h"

enum {
	VAULT_DEADLINE_MS = 2500,
	VAULT_PLAIN_MAX = 256, /* bytes that Wrap takes */
	VAULT_VERSION_SIZE = 64,
};

struct vault {
	const char *name;
	const struct vault_ops *ops;
	/* and one for a default that svcencd gives */
	struct svcenc_vault_option options[SVCENC_VAULT_OPTIONS + 1];
	size_t option_count;
	void *own; /* the back end's, from start() on */
};

/*
 * What a vault tells of a key. vault_key_init() sets every field to "unknown";
 * texts are constants from the lists in io.svcenc.Vault.
 */
struct vault_key {
	char kid[SVCENC_KID_MAX + 1]; /* names one version */
	char version[VAULT_VERSION_SIZE];
	/* A256KW, A256KWP, RSA-OAEP-256, RSA-OAEP, opaque; none: cannot wrap */
	const char *alg;
	const char *state;	/* enabled, disabled, deleted, unknown */
	const char *key_type;	/* AES, RSA, other, unknown */
	unsigned int size_bits; /* 0 = unknown */
	const char *wrap;	/* yes, no, unknown: allowed operations */
	const char *unwrap;
	const char *expiry;	    /* none, set, unknown */
	int64_t expires_at;	    /* seconds since 1970, if set */
	const char *recovery;	    /* none, soft-delete, protected, unknown */
	unsigned int recovery_days; /* 0 = unknown */
};

void vault_key_init(struct vault_key *key);

/*
 * All fill @answer by vault_say() and return its class; outputs are set only
 * on VAULT_OK. Each is called again and again over the life of the process
 * and asks the vault anew: what its owner changes takes effect at once.
 */
struct vault_ops {
	const char *type; /* program svcenc-vault-TYPE, type = TYPE */
	/* False if root on this host can read the root keys. */
	bool separates_from_root;
	const char *note; /* for people */

	/*
	 * Once, before the sandbox closes: fetch algorithms, check settings.
	 * If it is not OK, its answer is the answer to every request: a vault
	 * that is set up wrongly says why, instead of being silent.
	 */
	enum vault_class (*start)(struct vault *vault,
				  struct vault_answer *answer);
	/* Finds or makes a key by name. NULL: this vault makes no keys. */
	enum vault_class (*create_key)(struct vault *vault, const char *name,
				       struct vault_key *ret,
				       struct vault_answer *answer);
	/*
	 * Makes a version newer than @kid's of a key that create_key() has
	 * made. NULL: this vault makes none.
	 */
	enum vault_class (*renew_key)(struct vault *vault, const char *kid,
				      struct vault_key *ret,
				      struct vault_answer *answer);
	/*
	 * Finds the key that is called @key in the vault's own terms, its
	 * newest usable version if @key names none; makes nothing.
	 */
	enum vault_class (*use_key)(struct vault *vault, const char *key,
				    struct vault_key *ret,
				    struct vault_answer *answer);
	enum vault_class (*wrap)(struct vault *vault, const char *kid,
				 const struct svcenc_secret *plain,
				 struct svcenc_secret **ret_blob,
				 const char **ret_alg,
				 struct vault_answer *answer);
	enum vault_class (*unwrap)(struct vault *vault, const char *kid,
				   const struct svcenc_secret *blob,
				   struct svcenc_secret **ret_plain,
				   struct vault_answer *answer);
	enum vault_class (*describe_key)(struct vault *vault, const char *kid,
					 struct vault_key *ret,
					 struct vault_answer *answer);

	/*
	 * System calls that it needs beyond those of vault_main(), of
	 * sandbox.h. @soft: others fail with EPERM instead of killing the
	 * process, for back ends with code of strangers in them (resolver
	 * modules, PKCS#11 modules); what can start a program or touch another
	 * process kills it nevertheless.
	 */
	const int *calls;
	size_t call_count;
	bool soft;
	/*
	 * Processes, unless setting "calls_at_once" says otherwise: for vaults
	 * that are far away. 0: one, and there is no such setting.
	 */
	unsigned int calls_at_once;
};

/* Value of a setting, or @fallback (which may be NULL). */
const char *vault_option(const struct vault *vault, const char *name,
			 const char *fallback);
/* Appends a setting. -EINVAL: not one of this type, too long, too many. */
int vault_option_set(struct vault *vault, const char *name, const char *value);

/*
 * Reads the file that setting @option names: a secret. A relative name lies in
 * $CREDENTIALS_DIRECTORY; an absolute one must belong to the worker's user or
 * root and be closed to all others. Newlines at the end of a @text are cut off,
 * and it ends with a NUL. BADAUTH with the cure if that cannot be done.
 */
enum vault_class vault_read_credential(const struct vault *vault,
				       const char *option, bool text,
				       struct svcenc_secret **ret,
				       struct vault_answer *answer);

enum vault_class vault_no_memory(const struct vault *vault,
				 struct vault_answer *answer);

/* The rest of main(). Exit status. */
int vault_main(const struct vault_ops *ops, int argc, char **argv);
/* Locked memory, JSON on it; for programs with another job as well. */
int vault_main_init(const char *type);

#endif
