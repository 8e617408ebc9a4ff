/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The superblock of a svcenc volume: layout, decoding, validation, encoding,
 * and the choice between two copies. Pure: knows no device, key or MAC
 * algorithm; the caller computes the HMAC over svcenc_sb_mac_span().
 *
 * A volume on its device (bytes; little-endian; all of it 1 MiB aligned):
 *
 *   0      superblock copy 1         4 KiB used
 *   1 MiB  policy record copy 1      16 KiB used (policyrec.h)
 *   2 MiB  policy record copy 2      16 KiB used
 *   3 MiB  superblock copy 2         4 KiB used
 *   4 MiB  data area                 data_len + spare_len bytes
 *
 * Logical sector x lives at data_offset + x (place LOW) or at data_offset +
 * spare_len + x (place HIGH). The spare is what lets a rotation move every
 * sector without ever overwriting ciphertext that is still needed.
 *
 * Both copies are always equal but for the moment of a commit, which writes
 * them one after the other, copy 1 first. CRC32C finds rot, HMAC-SHA-256
 * (under the policy key's MAC key) finds forgery.
 */
#ifndef SVCENC_CORE_ONDISK_H
#define SVCENC_CORE_ONDISK_H

#include "ident.h"

#define SVCENC_MIB (1ULL << 20)

enum svcenc_layout {
	SVCENC_SB_SIZE = 4096,
	SVCENC_SB_COPIES = 2,
	SVCENC_SB_MAC_SIZE = 32,
	SVCENC_SB_VERSION = 1,
	SVCENC_EXTENTS_MAX = 128,
	SVCENC_HISTORY_MAX = 16,
	SVCENC_FINGERPRINT_SIZE = 16,
	SVCENC_NONCE_SIZE = 12,
	SVCENC_TAG_SIZE = 16,
	SVCENC_VOLKEY_SIZE = 64, /* AES-256-XTS: two 256-bit keys */
};

#define SVCENC_SB1_OFFSET 0ULL
#define SVCENC_RECORD1_OFFSET (1 * SVCENC_MIB)
#define SVCENC_RECORD2_OFFSET (2 * SVCENC_MIB)
#define SVCENC_SB2_OFFSET (3 * SVCENC_MIB)
#define SVCENC_HEADER_SIZE (4 * SVCENC_MIB)
#define SVCENC_SPARE_DEFAULT (64 * SVCENC_MIB)
#define SVCENC_SPARE_MAX (1ULL << 34)
/* dm counts 512-byte sectors in 63 bits; everything must stay below that. */
#define SVCENC_DEVICE_MAX (1ULL << 62)

#define SVCENC_SB_MAGIC "svcencSB"

enum svcenc_cipher_id {
	SVCENC_CIPHER_AES256_XTS_PLAIN64 = 1,
};

/*
 * Incompatible features: whoever does not know a bit must not open. They are
 * set exactly while the fields they name are in use.
 */
#define SVCENC_INCOMPAT_ROTATING (1ULL << 0)   /* direction, watermark, next */
#define SVCENC_INCOMPAT_UNREADABLE (1ULL << 1) /* extent list is not empty */
#define SVCENC_INCOMPAT_DEFINED \
	(SVCENC_INCOMPAT_ROTATING | SVCENC_INCOMPAT_UNREADABLE)
/* What this version of the target can open. */
#define SVCENC_INCOMPAT_SUPPORTED SVCENC_INCOMPAT_DEFINED

enum svcenc_place {
	SVCENC_PLACE_LOW = 0,
	SVCENC_PLACE_HIGH = 1,
};

enum svcenc_direction {
	SVCENC_DIRECTION_NONE = 0,
	SVCENC_DIRECTION_DOWN = 1, /* from HIGH to LOW, watermark ascends */
	SVCENC_DIRECTION_UP = 2,   /* from LOW to HIGH, watermark descends */
};

/* AES-256-GCM wrap of a volume key; AAD as keyfmt.h builds it. */
struct svcenc_wrap {
	u8 nonce[SVCENC_NONCE_SIZE];
	u8 ciphertext[SVCENC_VOLKEY_SIZE];
	u8 tag[SVCENC_TAG_SIZE];
	u8 reserved[4];
};

static_assert(sizeof(struct svcenc_wrap) == 96);

struct svcenc_extent_disk {
	__le64 start;   /* logical 512-byte sector */
	__le32 sectors; /* 512-byte sectors, > 0 */
	__le32 reserved;
};

static_assert(sizeof(struct svcenc_extent_disk) == 16);

/* OFFSET SIZE; reserved bytes are zero, and checked to be. */
struct svcenc_sb_disk {
	u8 magic[8];		      /*    0   8 SVCENC_SB_MAGIC */
	__le32 crc;		      /*    8   4 CRC32C of all, this = 0 */
	__le32 version;		      /*   12   4 1 */
	__le64 incompat;	      /*   16   8 */
	__le64 ro_compat;	      /*   24   8 unknown bit: read-only */
	__le64 compat;		      /*   32   8 unknown bit: ignored */
	struct svcenc_uuid uuid;      /*   40  16 of the volume */
	struct svcenc_uuid policy;    /*   56  16 whose key protects this */
	__le32 policy_version;	      /*   72   4 */
	__le32 cipher;		      /*   76   4 enum svcenc_cipher_id */
	__le32 sector_size;	      /*   80   4 bytes, 512 or 4096 */
	__le32 keyed;		      /*   84   4 0 = fresh, 1 = has a key */
	__le64 seq;		      /*   88   8 rises with each commit */
	__le64 sb2_offset;	      /*   96   8 bytes, 3 MiB */
	__le64 record_offset;	      /*  104   8 bytes, 1 MiB */
	__le64 record_len;	      /*  112   8 bytes, 2 MiB: both copies */
	__le64 data_offset;	      /*  120   8 bytes, >= 4 MiB */
	__le64 data_len;	      /*  128   8 bytes */
	__le64 spare_len;	      /*  136   8 bytes, > 0 */
	__le64 epoch;		      /*  144   8 of the current key, 0 fresh */
	__le32 place;		      /*  152   4 enum svcenc_place */
	__le32 direction;	      /*  156   4 enum svcenc_direction */
	__le64 watermark;	      /*  160   8 logical 512-byte sector */
	struct svcenc_wrap current_;  /*  168  96 volume key of epoch */
	struct svcenc_wrap next;      /*  264  96 of epoch + 1 */
	u8 history[SVCENC_HISTORY_MAX]
		  [SVCENC_FINGERPRINT_SIZE]; /* 360 256 epoch e in slot e % 16 */
	__le32 extent_count;	      /*  616   4 <= 128 */
	u8 reserved0[404];	      /*  620 404 */
	struct svcenc_extent_disk extents[SVCENC_EXTENTS_MAX]; /* 1024 2048 */
	u8 reserved1[992];	      /* 3072 992 */
	u8 mac[SVCENC_SB_MAC_SIZE];   /* 4064  32 of [0, 4064), crc = 0 */
};

static_assert(sizeof(struct svcenc_sb_disk) == SVCENC_SB_SIZE);
static_assert(offsetof(struct svcenc_sb_disk, epoch) == 144);
static_assert(offsetof(struct svcenc_sb_disk, current_) == 168);
static_assert(offsetof(struct svcenc_sb_disk, history) == 360);
static_assert(offsetof(struct svcenc_sb_disk, extent_count) == 616);
static_assert(offsetof(struct svcenc_sb_disk, extents) == 1024);
static_assert(offsetof(struct svcenc_sb_disk, reserved1) == 3072);
static_assert(offsetof(struct svcenc_sb_disk, mac) == 4064);

struct svcenc_extent {
	u64 start;
	u32 sectors;
};

/* The same in CPU order; filled only by svcenc_sb_decode() and format. */
struct svcenc_sb {
	u64 incompat;
	u64 ro_compat;
	u64 compat;
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	u32 cipher;
	u32 sector_size;
	bool keyed;
	u64 seq;
	u64 data_offset;
	u64 data_len;
	u64 spare_len;
	u64 epoch;
	u32 place;
	u32 direction;
	u64 watermark;
	struct svcenc_wrap current_;
	struct svcenc_wrap next;
	u8 history[SVCENC_HISTORY_MAX][SVCENC_FINGERPRINT_SIZE];
	u32 extent_count;
	struct svcenc_extent extents[SVCENC_EXTENTS_MAX];
	u8 mac[SVCENC_SB_MAC_SIZE];
};

/*
 * Why a superblock is not usable, in the order the checks run. The texts are
 * part of the interface: kernel log, svcenc-dump and the tests use them.
 */
#define SVCENC_SB_DEFECTS(x)                                                   \
	x(NONE, "valid")                                                       \
	x(MAGIC_DEFECT, "no svcenc superblock here (bad magic)")                      \
	x(CRC, "checksum does not match (torn write or rot)")                  \
	x(VERSION_DEFECT, "format version is not 1")                                  \
	x(INCOMPAT, "unknown incompatible feature bit")                        \
	x(UNSUPPORTED, "feature in use that this version cannot open")         \
	x(RESERVED, "reserved bytes are not zero")                             \
	x(UUID, "volume uuid is zero")                                         \
	x(POLICY, "policy uuid or key version is zero")                        \
	x(CIPHER, "cipher is not aes-xts-plain64 with 512-bit key")            \
	x(SECTOR_SIZE, "sector size is neither 512 nor 4096")                  \
	x(SEQ, "sequence number is zero or at its end")                        \
	x(HEADER_LAYOUT, "superblock or record offsets are not the fixed ones")\
	x(DATA_OFFSET, "data offset is below 4 MiB or not 1 MiB aligned")      \
	x(DATA_LEN, "data length is zero or not a multiple of the sector size")\
	x(SPARE, "spare is zero, too large or not 1 MiB aligned")              \
	x(OVERFLOW, "data area reaches beyond the largest device")             \
	x(PLACE, "place of the data is neither low nor high")                  \
	x(KEYED, "keyed flag is neither 0 nor 1")                              \
	x(FRESH, "fresh header carries key, epoch or MAC")                     \
	x(EPOCH, "keyed header with epoch 0 or without a wrap")                \
	x(ROTATION, "rotation fields contradict each other")                   \
	x(EXTENTS, "unreadable-extent list is malformed")

enum svcenc_sb_defect {
#define x(name, text) SVCENC_SB_##name,
	SVCENC_SB_DEFECTS(x)
#undef x
};

const char *svcenc_sb_defect_text(enum svcenc_sb_defect defect);

/*
 * Decodes and validates the 4096 bytes at @buf into @ret, in one pass over a
 * buffer that the caller does not let change meanwhile. @supported: the
 * INCOMPAT bits the caller can handle. @ret is undefined unless NONE is
 * returned. The HMAC is not looked at.
 */
enum svcenc_sb_defect svcenc_sb_decode(const void *buf, u64 supported,
				       struct svcenc_sb *ret);

/* Writes 4096 bytes but for MAC and CRC: svcenc_sb_set_mac() must follow. */
void svcenc_sb_fill(const struct svcenc_sb *sb, void *buf);

/* Writes 4096 bytes with mac = sb->mac and the matching CRC. */
void svcenc_sb_encode(const struct svcenc_sb *sb, void *buf);

/*
 * The bytes that the HMAC covers: [0, 4064) of an image whose crc field is
 * taken as zero. svcenc_sb_for_mac() copies them into @span.
 */
enum { SVCENC_SB_MAC_SPAN = SVCENC_SB_SIZE - SVCENC_SB_MAC_SIZE };

void svcenc_sb_for_mac(const void *buf, u8 span[SVCENC_SB_MAC_SPAN]);

/* Puts @mac into the image at @buf and renews its CRC. */
void svcenc_sb_set_mac(void *buf, const u8 mac[SVCENC_SB_MAC_SIZE]);

/* Bytes a device must have for this volume. */
u64 svcenc_sb_device_bytes(const struct svcenc_sb *sb);

/* Byte on the device where logical byte 0 lives while not rotating. */
u64 svcenc_sb_data_start(const struct svcenc_sb *sb);

/*
 * Fills @ret for a new volume: fresh, place LOW, seq 1. @data_len in bytes.
 * Returns the defect that makes the parameters unusable, else NONE.
 */
struct svcenc_format {
	struct svcenc_uuid uuid;
	struct svcenc_keyid key;
	u32 sector_size;
	u64 data_len;
	u64 spare_len;
};

enum svcenc_sb_defect svcenc_sb_format(const struct svcenc_format *format,
				       struct svcenc_sb *ret);

/* How one copy looks to the holder of a policy key. */
enum svcenc_copy_state {
	SVCENC_COPY_ROTTEN,  /* not decodable: MAGIC or CRC, nothing else */
	SVCENC_COPY_INVALID, /* CRC is right, contents are not */
	SVCENC_COPY_FRESH,   /* never keyed */
	SVCENC_COPY_FOREIGN, /* keyed under another policy key */
	SVCENC_COPY_FORGED,  /* our key, wrong HMAC */
	SVCENC_COPY_GOOD,    /* our key, right HMAC */
};

struct svcenc_copy {
	enum svcenc_copy_state state;
	u64 seq; /* unless ROTTEN or INVALID */
};

/* What to do with two copies; the texts go to log, event and status. */
#define SVCENC_PICKS(x)                                                        \
	x(FIRST, "copy 1")                                                     \
	x(SECOND, "copy 2")                                                    \
	x(FRESH, "the volume has no key yet: open it once with 'initialize'")  \
	x(NEVER_KEYED_TORN, "one copy is unreadable and the other was never "  \
	  "keyed: format the volume again")                                    \
	x(ROTTEN, "both superblock copies are unreadable")                     \
	x(INVALID, "a superblock copy is malformed")                           \
	x(FORGED, "superblock is forged: HMAC does not match")                 \
	x(OTHER_KEY, "superblock is protected by another policy key")          \
	x(CONFLICT, "superblock copies contradict each other at one sequence " \
	  "number")                                                            \
	x(FRESH_ABOVE, "a fresh superblock copy lies beside a keyed one with " \
	  "a lower sequence number")

enum svcenc_pick {
#define x(name, text) SVCENC_PICK_##name,
	SVCENC_PICKS(x)
#undef x
};

const char *svcenc_pick_text(enum svcenc_pick pick);

/*
 * The rule of design section 5.3. @same: the two images are byte for byte
 * equal. On FIRST or SECOND, *@ret_repair says that the other copy is stale
 * or rotten and must be rewritten before the first I/O.
 */
enum svcenc_pick svcenc_sb_pick(const struct svcenc_copy copy[SVCENC_SB_COPIES],
				bool same, bool *ret_repair);

#endif
