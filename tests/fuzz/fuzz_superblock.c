// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Superblock decoder. Claims: no input makes it misbehave; what it accepts
 * is inside all limits and is encoded again to the very same bytes, so that
 * no accepted bit is lost or invented.
 */
#include "fuzz.h"
#include "ondisk.h"

static void make_template(bool rotating, u8 image[SVCENC_SB_SIZE])
{
	struct svcenc_sb sb = {
		.cipher = 1,
		.sector_size = 512,
		.keyed = true,
		.seq = 9,
		.data_offset = SVCENC_HEADER_SIZE,
		.data_len = 1 << 20,
		.spare_len = SVCENC_MIB,
		.epoch = 1,
	};

	sb.uuid.b[0] = 1;
	sb.key.policy.b[0] = 2;
	sb.key.version = 1;
	sb.current_.nonce[0] = 3;
	if (rotating) {
		sb.incompat = SVCENC_INCOMPAT_DEFINED;
		sb.direction = SVCENC_DIRECTION_UP;
		sb.watermark = 100;
		sb.next.nonce[0] = 4;
		sb.extent_count = 1;
		sb.extents[0] = (struct svcenc_extent){ 5, 6 };
	}
	svcenc_sb_encode(&sb, image);
}

static void check_accepted(const struct svcenc_sb *sb, const u8 *image)
{
	const u64 bytes = svcenc_sb_device_bytes(sb);
	u8 again[SVCENC_SB_SIZE];
	u32 i;

	CLAIM(bytes <= SVCENC_DEVICE_MAX && bytes > sb->data_offset);
	CLAIM(svcenc_sb_data_start(sb) + sb->data_len <= bytes);
	CLAIM(svcenc_sb_data_start(sb) >= SVCENC_HEADER_SIZE);
	CLAIM(sb->seq && sb->seq + 1);
	CLAIM(sb->extent_count <= SVCENC_EXTENTS_MAX);
	for (i = 0; i < sb->extent_count; i++)
		CLAIM(sb->extents[i].start + sb->extents[i].sectors <=
		      sb->data_len / 512);
	CLAIM(!sb->keyed == !sb->epoch);
	svcenc_sb_encode(sb, again);
	CLAIM(!memcmp(image, again, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static const u64 supported[] = { 0, SVCENC_INCOMPAT_ROTATING,
					 SVCENC_INCOMPAT_UNREADABLE,
					 SVCENC_INCOMPAT_DEFINED };
	u8 image[SVCENC_SB_SIZE] = { 0 }, mac[SVCENC_SB_MAC_SIZE];
	struct svcenc_sb sb;
	uint8_t mode;

	if (!size)
		return 0;
	mode = *input++;
	size--;
	if (mode & 1) {
		make_template(mode & 2, image);
		fuzz_patch(input, size, image, sizeof(image));
	} else {
		memcpy(image, input,
		       size < sizeof(image) ? size : sizeof(image));
	}
	if (mode & 4) {
		memcpy(mac, image + SVCENC_SB_MAC_SPAN, sizeof(mac));
		svcenc_sb_set_mac(image, mac);
	}
	if (svcenc_sb_decode(image, supported[mode >> 3 & 3], &sb) ==
	    SVCENC_SB_NONE)
		check_accepted(&sb, image);
	return 0;
}

/* The templates are valid, or the claims above would never be asked. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	u8 image[SVCENC_SB_SIZE];
	struct svcenc_sb sb;

	(void)argc;
	(void)argv;
	make_template(false, image);
	CLAIM(!svcenc_sb_decode(image, 0, &sb));
	check_accepted(&sb, image);
	make_template(true, image);
	CLAIM(!svcenc_sb_decode(image, SVCENC_INCOMPAT_DEFINED, &sb));
	check_accepted(&sb, image);
	return 0;
}
