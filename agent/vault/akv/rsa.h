/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrapping here, with the public half of a key: RSA-OAEP with SHA-256 for hash
 * and mask (RFC 8017). Remembers public halves: a version of a key never
 * changes. Knows no vault.
 */
#ifndef SVCENC_VAULT_AKV_RSA_H
#define SVCENC_VAULT_AKV_RSA_H

#include "kid.h"
#include "reply.h"
#include "secret.h"

/* Whether the public half of that version is known. */
bool rsa_knows(const struct akv_kid *kid);
/* Takes it; the oldest of 64 makes room. -EINVAL: it is no RSA key. */
int rsa_learn(const struct akv_kid *kid, const struct akv_public *public);
/* -ENOENT: not known; -EINVAL: @plain is too long for it. */
int rsa_wrap(const struct akv_kid *kid, const struct svcenc_secret *plain,
	     struct svcenc_secret **ret);

#endif
