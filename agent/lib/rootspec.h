/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How people name a root key: [TYPE:]VAULT:KEY. VAULT is a vault configured on
 * this host, KEY what the key is called there, in that vault's own terms (a
 * name for file and akv, a PKCS#11 URI for pkcs11); it may contain colons.
 * TYPE may stand in front for the reader's sake and must then be the vault's.
 * Pure.
 */
#ifndef SVCENC_LIB_ROOTSPEC_H
#define SVCENC_LIB_ROOTSPEC_H

#include "config.h"

enum { SVCENC_ROOT_KEY_MAX = 255 };

struct svcenc_rootspec {
	char vault[SVCENC_NAME_SIZE];
	char key[SVCENC_ROOT_KEY_MAX + 1]; /* printable, no blanks */
};

/* USAGE or NOT_FOUND, with the cure, if it names nothing. */
int svcenc_rootspec_parse(const struct svcenc_config *config, const char *text,
			  struct svcenc_rootspec *ret,
			  struct svcenc_fault *fault);

/*
 * The key's name in its vault, out of an identifier that names one version: for
 * a policy that was recovered, of which nobody knows how its roots were named.
 * Where the form is not known it is the identifier itself.
 */
void svcenc_rootspec_from_kid(const char *kid,
			      char ret[SVCENC_ROOT_KEY_MAX + 1]);

#endif
