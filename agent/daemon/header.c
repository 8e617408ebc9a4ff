// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "header.h"
#include "hierarchy.h"
#include "step.h"

enum { SMALL_DEVICE_SPARES = 16 }; /* the spare is a 16th at most */

static int io_fault(const struct sys_device *device, const char *verb,
		    const char *what, int error, struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
			 "%s: cannot %s %s: %s", device->path, verb, what,
			 error == -ERANGE ? "the device is too small" :
					    strerror(-error));
	return svcenc_fault_hint(fault, "is it the right device, and healthy? "
					"See 'lsblk' and the kernel log");
}

int header_read(const struct sys_device *device, struct header *ret,
		struct svcenc_fault *fault)
{
	u8 image[SVCENC_SB_SIZE];
	unsigned int copy;
	int r;

	memset(ret, 0, sizeof(*ret));
	for (copy = 0; copy < SVCENC_SB_COPIES; copy++) {
		const struct svcenc_sb *sb = &ret->sb[copy];

		r = sys_device_read_superblock(device, copy, image);
		if (r < 0)
			return io_fault(device, "read",
					copy ? "superblock copy 2" :
					       "superblock copy 1",
					r, fault);
		ret->defect[copy] = svcenc_sb_decode(
			image, SVCENC_INCOMPAT_SUPPORTED, &ret->sb[copy]);
		if (ret->defect[copy] != SVCENC_SB_NONE)
			continue;
		ret->keyed = ret->keyed || sb->keyed;
		if (!ret->newest || sb->seq > ret->newest->seq)
			ret->newest = sb;
	}
	return 0;
}

bool header_is_of(const struct header *header, const struct svcenc_uuid *uuid)
{
	unsigned int copy;

	for (copy = 0; copy < SVCENC_SB_COPIES; copy++)
		if (header->defect[copy] == SVCENC_SB_NONE &&
		    svcenc_uuid_equal(&header->sb[copy].uuid, uuid))
			return true;
	return false;
}

static u64 round_down(u64 bytes)
{
	return bytes / SVCENC_MIB * SVCENC_MIB;
}

int header_plan(u64 bytes, u64 *size, u64 *spare, struct svcenc_fault *fault)
{
	u64 room;

	if (bytes > SVCENC_DEVICE_MAX)
		bytes = SVCENC_DEVICE_MAX;
	if (bytes < SVCENC_HEADER_SIZE + 2 * SVCENC_MIB) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "the device has %llu bytes; the smallest "
				 "volume needs %llu",
				 (unsigned long long)bytes,
				 SVCENC_HEADER_SIZE + 2 * SVCENC_MIB);
		return svcenc_fault_hint(fault, "choose a larger device");
	}
	room = bytes - SVCENC_HEADER_SIZE;
	if (!*spare) {
		*spare = round_down(room / SMALL_DEVICE_SPARES);
		if (*spare > SVCENC_SPARE_DEFAULT)
			*spare = SVCENC_SPARE_DEFAULT;
		if (!*spare)
			*spare = SVCENC_MIB;
	}
	if (*spare % SVCENC_MIB || *spare > SVCENC_SPARE_MAX ||
	    *spare >= room) {
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "a spare of %llu bytes is not a multiple of "
				 "1 MiB, above 16 GiB, or leaves no room for "
				 "data",
				 (unsigned long long)*spare);
		return svcenc_fault_hint(fault, "leave it out: 64 MiB is the "
						"default");
	}
	if (!*size)
		*size = round_down(room - *spare);
	if (!*size || *size > room - *spare) {
		svcenc_fault_set(fault, SVCENC_FAULT_WRONG_DEVICE,
				 "%llu bytes of data do not fit beside the "
				 "header and a spare of %llu",
				 (unsigned long long)*size,
				 (unsigned long long)*spare);
		return svcenc_fault_hint(fault, "leave the size out to use all "
						"that fits");
	}
	return 0;
}

void header_make_record(const struct tenant *tenant,
			const struct policy *policy,
			const struct volume *volume, struct svcenc_record *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->volume = volume->uuid;
	ret->key = policy->key;
	ret->tenant = tenant->uuid;
	ret->generation = volume->record_generation;
	memcpy(ret->tenant_name, tenant->name, sizeof(ret->tenant_name));
	memcpy(ret->policy_name, policy->name, sizeof(ret->policy_name));
	memcpy(ret->volume_name, volume->name, sizeof(ret->volume_name));
	ret->wrap_count = MODEL_ROLES;
	memcpy(ret->wraps, policy->wraps, sizeof(policy->wraps));
}

int header_write_record(const struct sys_device *device, unsigned int copy,
			const struct svcenc_record *record,
			const struct svcenc_secret *policy_key,
			struct svcenc_fault *fault)
{
	u8 image[SVCENC_RECORD_SIZE];
	int r;

	r = svcenc_hierarchy_seal_record(policy_key, record, image);
	if (r < 0)
		return svcenc_fault_memory(fault);
	r = sys_device_write_record(device, copy, image);
	return r < 0 ? io_fault(device, "write", "the policy record", r,
				fault) :
		       0;
}

/* Over vault, key identifier and blob of each root, and their lengths. */
static int hash_wraps(const struct svcenc_record_wrap *wraps, u8 ret[32])
{
	u8 hashes[MODEL_ROLES][32];
	unsigned int i;
	int r = 0;

	for (i = 0; !r && i < MODEL_ROLES; i++) {
		struct svcenc_record_wrap wrap;

		memset(&wrap, 0, sizeof(wrap)); /* padding is hashed, too */
		wrap.role = wraps[i].role;
		wrap.alg = wraps[i].alg;
		wrap.blob_len = wraps[i].blob_len;
		memcpy(wrap.vault, wraps[i].vault, strlen(wraps[i].vault));
		memcpy(wrap.kid, wraps[i].kid, strlen(wraps[i].kid));
		memcpy(wrap.blob, wraps[i].blob, wraps[i].blob_len);
		r = svcenc_hierarchy_sha256(&wrap, sizeof(wrap), hashes[i]);
	}
	return r < 0 ? r : svcenc_hierarchy_sha256(hashes, sizeof(hashes), ret);
}

int header_note_record(struct volume *volume,
		       const struct svcenc_record_wrap *wraps)
{
	unsigned int i;
	int r;

	memset(volume->record_roots, 0, sizeof(volume->record_roots));
	r = hash_wraps(wraps, volume->record_hash);
	for (i = 0; !r && i < MODEL_ROLES; i++) {
		memcpy(volume->record_roots[i].vault, wraps[i].vault,
		       strlen(wraps[i].vault));
		memcpy(volume->record_roots[i].kid, wraps[i].kid,
		       strlen(wraps[i].kid));
	}
	return r;
}

bool header_record_has(const struct volume *volume,
		       const struct svcenc_record_wrap *wraps)
{
	u8 hash[32];

	return volume->record_roots[0].vault[0] && !hash_wraps(wraps, hash) &&
	       !memcmp(hash, volume->record_hash, sizeof(hash));
}

static int write_records(const struct sys_device *device,
			 const struct svcenc_record *record,
			 const struct svcenc_secret *policy_key,
			 struct svcenc_fault *fault)
{
	unsigned int copy;
	int r = 0;

	for (copy = 0; !r && copy < 2; copy++) {
		svcenc_step("format-record");
		r = header_write_record(device, copy, record, policy_key,
					fault);
	}
	return r;
}

static int write_superblocks(const struct sys_device *device, const u8 *image,
			     struct svcenc_fault *fault)
{
	unsigned int copy = SVCENC_SB_COPIES;
	int r;

	while (copy--) {
		svcenc_step("format-superblock");
		r = sys_device_write_superblock(device, copy, image);
		if (r < 0)
			return io_fault(device, "write", "a superblock", r,
					fault);
	}
	return 0;
}

int header_format(const struct sys_device *device, const struct volume *volume,
		  const struct svcenc_record *record,
		  const struct svcenc_secret *policy_key,
		  struct svcenc_fault *fault)
{
	static const u8 nothing[SVCENC_SB_SIZE];
	const struct svcenc_format format = {
		.uuid = volume->uuid,
		.key = volume->key,
		.sector_size = volume->sector_size,
		.data_len = volume->data_len,
		.spare_len = volume->spare_len,
	};
	enum svcenc_sb_defect defect;
	u8 image[SVCENC_SB_SIZE];
	struct svcenc_sb sb;
	int r;

	defect = svcenc_sb_format(&format, &sb);
	if (defect != SVCENC_SB_NONE)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE, "%s",
					svcenc_sb_defect_text(defect));
	svcenc_sb_encode(&sb, image);
	r = write_superblocks(device, nothing, fault);
	if (!r)
		r = write_records(device, record, policy_key, fault);
	if (!r)
		r = write_superblocks(device, image, fault);
	svcenc_step("format-written");
	return r;
}
