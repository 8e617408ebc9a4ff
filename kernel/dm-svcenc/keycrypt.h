/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a policy key can do: MAC a superblock, wrap and unwrap volume keys,
 * check a rewrap authorisation. keycrypt.c is the only file that computes
 * with raw key bytes; every function below takes or leaves them wiped. It
 * knows nothing of keyrings, leases, devices or who is allowed to ask, and
 * does not lock: volumekey.c keeps the transforms alive around each call.
 *
 * All functions sleep, none may be called with a spinlock held.
 */
#ifndef SVCENC_KEYCRYPT_H
#define SVCENC_KEYCRYPT_H

#include "core/keyfmt.h"

struct crypto_skcipher;
struct svcenc_keycrypt;

/*
 * Derives the subkeys of policy key @bytes, named @id, and builds their
 * transforms. The caller wipes @bytes. ERR_PTR on failure.
 */
struct svcenc_keycrypt *
svcenc_keycrypt_new(const struct svcenc_keyid *id,
		    const u8 bytes[SVCENC_POLICYKEY_SIZE]);

/* Frees and zeroes the transforms. NULL is allowed. */
void svcenc_keycrypt_free(struct svcenc_keycrypt *kc);

/* The public check value, SVCENC_CHECK_SIZE bytes. */
const u8 *svcenc_keycrypt_check(const struct svcenc_keycrypt *kc);

/* HMAC-SHA-256 of a superblock's span. */
int svcenc_keycrypt_mac(struct svcenc_keycrypt *kc,
			const u8 span[SVCENC_SB_MAC_SPAN],
			u8 mac[SVCENC_SB_MAC_SIZE]);

/* 0, or -EKEYREJECTED if @auth does not authorise @rewrap. */
int svcenc_keycrypt_authorised(struct svcenc_keycrypt *from,
			       const struct svcenc_rewrap *rewrap,
			       const u8 auth[SVCENC_AUTH_SIZE]);

/*
 * Makes a random volume key for sb->epoch, stores its wrap and fingerprint
 * in @sb and sets it on @tfm. The random generator must be ready.
 */
int svcenc_keycrypt_make_volume(struct svcenc_keycrypt *kc,
				struct svcenc_sb *sb,
				struct crypto_skcipher *tfm);

/*
 * Unwraps sb->current_ and sets it on @tfm. -EBADMSG: the wrap does not
 * belong to this volume, epoch, cipher, sector size and key. -EKEYREJECTED:
 * both XTS halves are equal, or the fingerprint is not the one recorded for
 * this epoch or is that of an earlier one.
 */
int svcenc_keycrypt_open_volume(struct svcenc_keycrypt *kc,
				const struct svcenc_sb *sb,
				struct crypto_skcipher *tfm);

/*
 * Unwraps from->current_ under @old and stores it wrapped under @new in
 * to->current_, for the identity that to->key names.
 */
int svcenc_keycrypt_rewrap(struct svcenc_keycrypt *old,
			   const struct svcenc_sb *from,
			   struct svcenc_keycrypt *new, struct svcenc_sb *to);

#endif
