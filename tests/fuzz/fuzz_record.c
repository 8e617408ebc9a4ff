// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Policy record decoder, which reads what anybody may have written. Claims:
 * no input makes it misbehave; every accepted string is terminated, printable
 * and within its limits; what is accepted is encoded again to the same bytes.
 */
#include "fuzz.h"
#include "policyrec.h"

static void make_template(u8 image[SVCENC_RECORD_SIZE])
{
	static struct svcenc_record r;

	memset(&r, 0, sizeof(r));
	r.volume.b[0] = r.tenant.b[0] = r.key.policy.b[0] = 1;
	r.key.version = 1;
	r.generation = 1;
	strcpy(r.tenant_name, "tenant");
	strcpy(r.policy_name, "policy");
	strcpy(r.volume_name, "volume");
	r.wrap_count = 3;
	for (u32 i = 0; i < 3; i++) {
		r.wraps[i].role = i + 1;
		r.wraps[i].alg = SVCENC_ALG_A256KW;
		strcpy(r.wraps[i].vault, "vault");
		strcpy(r.wraps[i].kid, "file:vault/key/1");
		r.wraps[i].blob_len = 40;
		memset(r.wraps[i].blob, 0x77, 40);
	}
	svcenc_record_encode(&r, image);
}

static void check_accepted(const struct svcenc_record *r, const u8 *image)
{
	static u8 again[SVCENC_RECORD_SIZE];
	u32 i;

	CLAIM(svcenc_name_is_valid(r->tenant_name));
	CLAIM(svcenc_name_is_valid(r->policy_name));
	CLAIM(svcenc_name_is_valid(r->volume_name));
	CLAIM(r->wrap_count && r->wrap_count <= SVCENC_RECORD_WRAPS);
	for (i = 0; i < r->wrap_count; i++) {
		const char *c = r->wraps[i].kid;

		CLAIM(svcenc_name_is_valid(r->wraps[i].vault));
		CLAIM(strnlen(c, SVCENC_KID_MAX + 1) <= SVCENC_KID_MAX && *c);
		for (; *c; c++)
			CLAIM(*c > ' ' && *c <= '~');
		CLAIM(r->wraps[i].blob_len <= SVCENC_BLOB_MAX);
	}
	svcenc_record_encode(r, again);
	CLAIM(!memcmp(image, again, sizeof(again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record record;
	u8 mac[SVCENC_RECORD_MAC_SIZE];
	uint8_t mode;

	if (!size)
		return 0;
	mode = *input++;
	size--;
	if (mode & 1) {
		make_template(image);
		fuzz_patch(input, size, image, sizeof(image));
	} else {
		memset(image, 0, sizeof(image));
		memcpy(image, input,
		       size < sizeof(image) ? size : sizeof(image));
	}
	if (mode & 4) {
		memcpy(mac, image + SVCENC_RECORD_MAC_SPAN, sizeof(mac));
		svcenc_record_set_mac(image, mac);
	}
	memset(&record, 0x55, sizeof(record));
	if (svcenc_record_decode(image, &record) == SVCENC_RECORD_DEFECT_NONE)
		check_accepted(&record, image);
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static u8 image[SVCENC_RECORD_SIZE];
	static struct svcenc_record record;

	(void)argc;
	(void)argv;
	make_template(image);
	CLAIM(!svcenc_record_decode(image, &record));
	check_accepted(&record, image);
	return 0;
}
