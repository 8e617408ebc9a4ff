/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The policy record: a copy of a policy's wraps and key identifiers that
 * every volume carries in its header, so that losing the agent's store loses
 * no data. No rules, no credentials. The kernel never reads it; the agent's
 * unprivileged side reads it as hostile input, and recovery talks only to
 * vaults that are configured on the host, whatever the record names.
 *
 * Two copies, 16 KiB each, at 1 MiB and 2 MiB (ondisk.h). They may differ:
 * while a policy key changes, copy 1 is already of the new version and copy 2
 * still of the old one; whoever recovers takes the copy whose policy and
 * version the superblock names. HMAC-SHA-256 under subkey "svcenc record".
 *
 * offset size
 *      0    8  magic "svcencPR"
 *      8    4  CRC32C of the 16 KiB, this field as zero
 *     12    4  version 1
 *     16   16  volume uuid
 *     32   16  policy uuid
 *     48    4  policy key version
 *     52    4  number of wraps, 1..8
 *     56    8  generation, rises with each rewrite
 *     64   16  tenant uuid
 *     80   64  tenant name   } NUL-padded, [A-Za-z0-9._-], not empty
 *    144   64  policy name   }
 *    208   64  volume name   }
 *    272  240  reserved, zero
 *    512 8 * 1728  wraps:
 *              0    4  role: 1 root a, 2 root b, 3 availability
 *              4    4  algorithm (enum svcenc_wrap_alg)
 *              8    4  length of the key identifier, 1..512
 *             12    4  length of the blob, 1..1024
 *             16   64  vault name, like the names above
 *             80  512  key identifier with version, printable ASCII, NUL-padded
 *            592 1024  blob, NUL-padded
 *           1616  112  reserved, zero
 *  14336 2016  reserved, zero
 *  16352   32  HMAC of [0, 16352), CRC field as zero
 */
#ifndef SVCENC_CORE_POLICYREC_H
#define SVCENC_CORE_POLICYREC_H

#include "ondisk.h"

#define SVCENC_RECORD_MAGIC "svcencPR"

enum svcenc_record_limits {
	SVCENC_RECORD_SIZE = 16384,
	SVCENC_RECORD_MAC_SIZE = 32,
	SVCENC_RECORD_MAC_SPAN = SVCENC_RECORD_SIZE - SVCENC_RECORD_MAC_SIZE,
	SVCENC_RECORD_VERSION = 1,
	SVCENC_RECORD_WRAPS = 8,
	SVCENC_NAME_SIZE = 64, /* with the NUL: names have 1..63 characters */
	SVCENC_KID_MAX = 512,
	SVCENC_BLOB_MAX = 1024,
};

enum svcenc_role {
	SVCENC_ROLE_A = 1,
	SVCENC_ROLE_B = 2,
	SVCENC_ROLE_AVAILABILITY = 3,
};

enum svcenc_wrap_alg {
	SVCENC_ALG_A256KW = 1,	     /* RFC 3394 */
	SVCENC_ALG_A256KWP = 2,	     /* RFC 5649 */
	SVCENC_ALG_RSA_OAEP_256 = 3, /* SHA-256, MGF1-SHA-256 */
	SVCENC_ALG_RSA_OAEP_SHA1 = 4,
	SVCENC_ALG_OPAQUE = 5, /* only the vault knows how to read the blob */
};

struct svcenc_record_wrap {
	u32 role;
	u32 alg;
	char vault[SVCENC_NAME_SIZE];
	char kid[SVCENC_KID_MAX + 1];
	u32 blob_len;
	u8 blob[SVCENC_BLOB_MAX];
};

struct svcenc_record {
	struct svcenc_uuid volume;
	struct svcenc_keyid key;
	struct svcenc_uuid tenant;
	u64 generation;
	char tenant_name[SVCENC_NAME_SIZE];
	char policy_name[SVCENC_NAME_SIZE];
	char volume_name[SVCENC_NAME_SIZE];
	u32 wrap_count;
	struct svcenc_record_wrap wraps[SVCENC_RECORD_WRAPS];
	u8 mac[SVCENC_RECORD_MAC_SIZE];
};

#define SVCENC_RECORD_DEFECTS(x)                                               \
	x(NONE, "valid")                                                       \
	x(MAGIC, "no policy record here (bad magic)")                          \
	x(CRC, "policy record checksum does not match (torn write or rot)")    \
	x(VERSION, "policy record version is not 1")                           \
	x(RESERVED, "policy record has reserved bytes that are not zero")      \
	x(IDENTITY, "policy record has a zero uuid, version or generation")    \
	x(NAME, "policy record has a malformed tenant, policy or volume name") \
	x(WRAP_COUNT, "policy record has no wraps or more than 8")             \
	x(WRAP, "policy record has a malformed wrap")                          \
	x(ROLE, "policy record has a role twice or an unknown role")

enum svcenc_record_defect {
#define x(name, text) SVCENC_RECORD_DEFECT_##name,
	SVCENC_RECORD_DEFECTS(x)
#undef x
};

const char *svcenc_record_defect_text(enum svcenc_record_defect defect);

/* 1..63 characters of [A-Za-z0-9._-], not beginning with '.' or '-'. */
bool svcenc_name_is_valid(const char *name);

/* As svcenc_sb_decode(): @ret is undefined unless NONE is returned. */
enum svcenc_record_defect svcenc_record_decode(const void *buf,
					       struct svcenc_record *ret);
void svcenc_record_encode(const struct svcenc_record *record, void *buf);

/* The span of the HMAC: @buf's first 16352 bytes with the CRC field zero. */
void svcenc_record_for_mac(const void *buf, u8 span[SVCENC_RECORD_MAC_SPAN]);
void svcenc_record_set_mac(void *buf, const u8 mac[SVCENC_RECORD_MAC_SIZE]);

#endif
