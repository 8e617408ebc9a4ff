/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The list of a volume's sectors that could not be read when they were
 * rotated: sorted, disjoint runs of logical sectors, as the superblock holds
 * them. They give an I/O error until they are overwritten. Pure.
 */
#ifndef SVCENC_CORE_EXTENTS_H
#define SVCENC_CORE_EXTENTS_H

#include "rotation.h"

struct svcenc_extents {
	u32 count;
	struct svcenc_extent extent[SVCENC_EXTENTS_MAX];
};

void svcenc_extents_load(const struct svcenc_sb *sb,
			 struct svcenc_extents *ret);

/* Writes the list into @sb, and the feature bit that goes with it. */
void svcenc_extents_store(const struct svcenc_extents *extents,
			  struct svcenc_sb *sb);

bool svcenc_extents_overlap(const struct svcenc_extents *extents,
			    const struct svcenc_run *run);

/*
 * Adds or removes the sectors of @run. -ENOSPC if the list would need more
 * than SVCENC_EXTENTS_MAX runs: then it is unchanged.
 */
int svcenc_extents_add(struct svcenc_extents *extents,
		       const struct svcenc_run *run);
int svcenc_extents_remove(struct svcenc_extents *extents,
			  const struct svcenc_run *run);

#endif
