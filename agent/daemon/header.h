/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header on a volume's device, as far as the agent reads and writes it:
 * fresh superblocks and policy records at format, a look at both superblock
 * copies before an open. The look finds what can be said without a key; what
 * counts is the kernel's own check of the MAC.
 *
 * A superblock is decoded here, with root's rights: it is one fixed struct
 * without a length or offset that is followed, checked by the same code as in
 * the kernel, and fuzzed. The policy record, which has lists and texts and is
 * opened with a key of its own naming, goes through worker_parse_record().
 */
#ifndef SVCENC_DAEMON_HEADER_H
#define SVCENC_DAEMON_HEADER_H

#include "device.h"
#include "model.h"
#include "secret.h"

struct header {
	enum svcenc_sb_defect defect[SVCENC_SB_COPIES];
	struct svcenc_sb sb[SVCENC_SB_COPIES]; /* if the defect is NONE */
	const struct svcenc_sb *newest; /* NULL if both copies are defect */
	bool keyed;			/* any valid copy is */
};

int header_read(const struct sys_device *device, struct header *ret,
		struct svcenc_fault *fault);

/* True if a valid copy belongs to that volume. */
bool header_is_of(const struct header *header, const struct svcenc_uuid *uuid);

/*
 * Sizes of a new volume on a device of @bytes: *size (0 = all that fits) and
 * *spare (0 = 64 MiB, less on a small device) are filled in.
 */
int header_plan(u64 bytes, u64 *size, u64 *spare, struct svcenc_fault *fault);

/* What @volume's header is to say of @policy. */
void header_make_record(const struct tenant *tenant,
			const struct policy *policy,
			const struct volume *volume, struct svcenc_record *ret);

/* Seals @record under @policy_key and writes it as copy @copy, 0 or 1. */
int header_write_record(const struct sys_device *device, unsigned int copy,
			const struct svcenc_record *record,
			const struct svcenc_secret *policy_key,
			struct svcenc_fault *fault);

/*
 * Notes in @volume which root versions both copies of its record name now.
 * -EIO: OpenSSL refuses; then they count as not known.
 */
int header_note_record(struct volume *volume,
		       const struct svcenc_record_wrap *wraps);
/* True if the record in the header has just these wraps, as far as is known. */
bool header_record_has(const struct volume *volume,
		       const struct svcenc_record_wrap *wraps);

/*
 * Writes a fresh header for @volume; the device is held exclusively. Order:
 * both superblock copies are wiped, both records written, then copy 2 and
 * copy 1 of the superblock: a device with a valid copy 1 is complete.
 */
int header_format(const struct sys_device *device, const struct volume *volume,
		  const struct svcenc_record *record,
		  const struct svcenc_secret *policy_key,
		  struct svcenc_fault *fault);

#endif
