/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of svcenc-recover, the one program outside the kernel that ever holds
 * a volume key: recover_vault.c gets a policy key out of vaults,
 * recover_volume.c turns it into an authentic superblock and a volume key,
 * recover_data.c decrypts. All keys live in agent/lib/secret.h's heap.
 *
 * Functions return 0 or -1 with *@error filled; they print nothing.
 */
#ifndef SVCENC_TOOLS_RECOVER_H
#define SVCENC_TOOLS_RECOVER_H

#include "header.h"
#include "secret.h"

/* What goes wrong, in words, and the exit status that goes with it. */
struct recover_error {
	enum svcenc_exit exit;
	char message[512];
	char hint[256]; /* "" = none */
};

/* Fills @error and returns -1. @hint may be NULL. */
__attribute__((format(printf, 4, 5))) int
recover_fail(struct recover_error *error, enum svcenc_exit code,
	     const char *hint, const char *format, ...);

/* --- recover_vault.c --- */

enum { RECOVER_VAULTS_MAX = 16 };

/*
 * A vault named by the caller, never by a record: directory of a file vault,
 * or socket of a running worker.
 */
struct recover_vault {
	char name[SVCENC_NAME_SIZE];
	const char *path;
	bool socket;
};

struct recover_vaults {
	unsigned int count;
	struct recover_vault vault[RECOVER_VAULTS_MAX];
};

/* Takes "[NAME=]PATH"; without NAME a directory's last part is the name. */
int recover_vault_add(struct recover_vaults *vaults, const char *spec,
		      bool socket, struct recover_error *error);

/*
 * Opens policy key @id with the first wrap that a vault opens and whose
 * policy record then proves authentic. @id is what a superblock names.
 */
int recover_policy_key(const struct svcenc_header *header,
		       const struct svcenc_keyid *id,
		       const struct recover_vaults *vaults,
		       struct svcenc_secret **ret, struct recover_error *error);

/* --- recover_volume.c --- */

/* All that it takes to decrypt a volume. */
struct recover_volume {
	const struct svcenc_sb *sb; /* points into the header */
	struct svcenc_secret *current_;
	struct svcenc_secret *next; /* NULL unless stopped in a rotation */
};

/*
 * Chooses the superblock as the kernel would (@copy = -1) or takes copy 0 or
 * 1, authenticates it, and unwraps its volume keys.
 */
int recover_volume_keys(struct svcenc_header *header, int copy,
			const struct recover_vaults *vaults,
			struct recover_volume *ret,
			struct recover_error *error);

void recover_volume_wipe(struct recover_volume *volume);

/* --- recover_data.c --- */

struct recover_output {
	int fd;
	bool sparse; /* leave holes where a whole block is zero */
};

/*
 * Decrypts all of the volume from @device to @output, wherever a rotation has
 * stopped. Sectors that the header lists as unreadable become zeroes.
 */
int recover_data(int device, const struct recover_volume *volume,
		 const struct recover_output *output,
		 struct recover_error *error);

#endif
