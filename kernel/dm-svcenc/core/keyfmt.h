/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The byte strings that go into the key hierarchy's cryptography: inputs of
 * the key derivation, associated data of a wrap, the message of a rewrap
 * authorisation, the payload of a kernel key. Lays out bytes; computes
 * nothing. Both sides (kernel crypto API, OpenSSL) feed these to their own
 * primitives.
 *
 *   policy key P (256 bit)
 *     subkey(label) = HMAC-SHA-256(P, kdf_input(label))      SP 800-108 CTR
 *       "svcenc wrap"    AES-256-GCM key that wraps volume keys     kernel
 *       "svcenc mac"     HMAC-SHA-256 key of superblocks            kernel
 *       "svcenc rewrap"  HMAC-SHA-256 key of rewrap authorisations  both
 *       "svcenc record"  HMAC-SHA-256 key of policy records         agent
 *       "svcenc check"   first 16 bytes are the public check value  both
 *
 * The labels differ and none is a prefix of another followed by NUL, and the
 * context binds policy and version, so no two subkeys share an input.
 */
#ifndef SVCENC_CORE_KEYFMT_H
#define SVCENC_CORE_KEYFMT_H

#include "ondisk.h"

enum svcenc_key_sizes {
	SVCENC_POLICYKEY_SIZE = 32,
	SVCENC_SUBKEY_SIZE = 32,
	SVCENC_CHECK_SIZE = 16,
	SVCENC_CHECK_TEXT = 2 * SVCENC_CHECK_SIZE,
	SVCENC_AUTH_SIZE = 32, /* rewrap authorisation */
	SVCENC_AUTH_TEXT = 2 * SVCENC_AUTH_SIZE,
};

#define SVCENC_LABEL_WRAP "svcenc wrap"
#define SVCENC_LABEL_MAC "svcenc mac"
#define SVCENC_LABEL_REWRAP "svcenc rewrap"
#define SVCENC_LABEL_RECORD "svcenc record"
#define SVCENC_LABEL_CHECK "svcenc check"

/*
 * be32(1) || label || 0x00 || policy uuid || be32(version) || be32(256):
 * one block of SP 800-108r1 counter mode, context = uuid || version.
 * Returns the length written, at most SVCENC_KDF_INPUT_MAX. @label has at
 * most 16 characters.
 */
enum { SVCENC_KDF_INPUT_MAX = 4 + 16 + 1 + 16 + 4 + 4 };

size_t svcenc_kdf_input(const char *label, const struct svcenc_keyid *id,
			u8 buf[SVCENC_KDF_INPUT_MAX]);

/*
 * AAD of a volume key's wrap: "svcenc volume key" || volume uuid ||
 * le64(epoch) || le32(cipher) || le32(sector size) || policy uuid ||
 * le32(key version). @epoch is given apart: epoch or epoch + 1.
 */
enum { SVCENC_WRAP_AAD_SIZE = 17 + 16 + 8 + 4 + 4 + 16 + 4 };

void svcenc_wrap_aad(const struct svcenc_sb *sb, u64 epoch,
		     u8 buf[SVCENC_WRAP_AAD_SIZE]);

/*
 * Message of the authorisation to rewrap a volume key from policy key @from
 * to @to: "svcenc rewrap authorisation" || volume uuid || from uuid ||
 * be32(from version) || to uuid || be32(to version) || to check value. Its
 * HMAC under @from's rewrap key is the authorisation.
 */
enum { SVCENC_REWRAP_MSG_SIZE = 27 + 16 + 2 * (16 + 4) + SVCENC_CHECK_SIZE };

struct svcenc_rewrap {
	struct svcenc_uuid volume;
	struct svcenc_keyid from;
	struct svcenc_keyid to;
	u8 to_check[SVCENC_CHECK_SIZE];
};

void svcenc_rewrap_message(const struct svcenc_rewrap *rewrap,
			   u8 buf[SVCENC_REWRAP_MSG_SIZE]);

/*
 * Message whose HMAC-SHA-256 under the 64-byte volume key, cut to 16 bytes,
 * is the key's fingerprint in the superblock's history:
 * "svcenc fingerprint" || volume uuid.
 */
enum { SVCENC_FINGERPRINT_MSG_SIZE = 18 + 16 };

void svcenc_fingerprint_message(const struct svcenc_uuid *volume,
				u8 buf[SVCENC_FINGERPRINT_MSG_SIZE]);

/*
 * Payload of add_key("svcenc", "svcenc:<policy uuid>:<version>", ...).
 * There is no default lease and no update: to renew a lease, use the LEASE
 * command or add the same bytes again.
 */
struct svcenc_key_payload {
	__le32 version; /* 1 */
	__le32 lease_s; /* seconds, SVCENC_LEASE_MIN_S..SVCENC_LEASE_MAX_S */
	u8 key[SVCENC_POLICYKEY_SIZE];
};

static_assert(sizeof(struct svcenc_key_payload) == 40);

enum svcenc_lease_limits {
	SVCENC_PAYLOAD_VERSION = 1,
	SVCENC_LEASE_MIN_S = 1,
	SVCENC_LEASE_MAX_S = 7 * 24 * 3600,
};

#endif
