/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent computes with a policy key: subkeys, the public check value,
 * MACs of policy records, authorisations to rewrap. Byte layouts come from
 * core/keyfmt.h, primitives from OpenSSL. Knows no vault, store or kernel.
 * Never sees a volume key: those exist in the kernel only.
 *
 * 0 or a negative errno: -ENOMEM (secure heap), -EIO (OpenSSL refuses).
 */
#ifndef SVCENC_LIB_HIERARCHY_H
#define SVCENC_LIB_HIERARCHY_H

#include "keyfmt.h"
#include "policyrec.h"
#include "secret.h"

int svcenc_hierarchy_subkey(const struct svcenc_secret *policy_key,
			    const struct svcenc_keyid *id, const char *label,
			    struct svcenc_secret **ret);

int svcenc_hierarchy_check(const struct svcenc_secret *policy_key,
			   const struct svcenc_keyid *id,
			   u8 ret[SVCENC_CHECK_SIZE]);

/* Encodes @record into @buf with its MAC; record->key names @policy_key. */
int svcenc_hierarchy_seal_record(const struct svcenc_secret *policy_key,
				 const struct svcenc_record *record,
				 u8 buf[SVCENC_RECORD_SIZE]);

/*
 * Verifies the MAC of an undecoded record image, which is hostile until this
 * has returned 0; looks at no field of it. -EBADMSG: forged, or of another
 * key.
 */
int svcenc_hierarchy_verify_record(const struct svcenc_secret *policy_key,
				   const struct svcenc_keyid *id,
				   const u8 buf[SVCENC_RECORD_SIZE]);

/* Permission to rewrap a volume's key; @policy_key is rewrap->from's. */
int svcenc_hierarchy_authorise_rewrap(const struct svcenc_secret *policy_key,
				      const struct svcenc_rewrap *rewrap,
				      u8 ret[SVCENC_AUTH_SIZE]);

/* HMAC-SHA-256 and SHA-256, also for the store and for probe blobs. */
int svcenc_hierarchy_hmac(const struct svcenc_secret *key, const void *text,
			  size_t len, u8 ret[32]);
int svcenc_hierarchy_sha256(const void *text, size_t len, u8 ret[32]);

#endif
