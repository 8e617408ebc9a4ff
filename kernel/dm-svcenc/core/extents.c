// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "extents.h"

void svcenc_extents_load(const struct svcenc_sb *sb, struct svcenc_extents *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->count = sb->extent_count;
	memcpy(ret->extent, sb->extents, ret->count * sizeof(ret->extent[0]));
}

void svcenc_extents_store(const struct svcenc_extents *extents,
			  struct svcenc_sb *sb)
{
	memset(sb->extents, 0, sizeof(sb->extents));
	memcpy(sb->extents, extents->extent,
	       extents->count * sizeof(sb->extents[0]));
	sb->extent_count = extents->count;
	if (extents->count)
		sb->incompat |= SVCENC_INCOMPAT_UNREADABLE;
	else
		sb->incompat &= ~SVCENC_INCOMPAT_UNREADABLE;
}

static u64 end_of(const struct svcenc_extent *extent)
{
	return extent->start + extent->sectors;
}

bool svcenc_extents_overlap(const struct svcenc_extents *extents,
			    const struct svcenc_run *run)
{
	u32 i;

	for (i = 0; i < extents->count; i++)
		if (extents->extent[i].start < run->start + run->sectors &&
		    run->start < end_of(&extents->extent[i]))
			return true;
	return false;
}

/*
 * Replaces the entries [@from, @to) by the @count of @pieces. -ENOSPC if there
 * is no room for them.
 */
static int splice(struct svcenc_extents *extents, u32 from, u32 to,
		  const struct svcenc_extent *pieces, u32 count)
{
	const u32 behind = extents->count - to;
	struct svcenc_extent *at = &extents->extent[from];
	u32 i;

	if (from + count + behind > SVCENC_EXTENTS_MAX)
		return -ENOSPC;
	memmove(at + count, &extents->extent[to], behind * sizeof(*at));
	for (i = 0; i < count; i++)
		at[i] = pieces[i];
	extents->count = from + count + behind;
	return 0;
}

int svcenc_extents_add(struct svcenc_extents *extents,
		       const struct svcenc_run *run)
{
	u64 start = run->start, end = run->start + run->sectors;
	struct svcenc_extent whole;
	u32 from = 0, to;

	while (from < extents->count && end_of(&extents->extent[from]) < start)
		from++;
	/* All that the run overlaps or touches become one with it. */
	for (to = from; to < extents->count && extents->extent[to].start <= end;
	     to++) {
		if (extents->extent[to].start < start)
			start = extents->extent[to].start;
		if (end_of(&extents->extent[to]) > end)
			end = end_of(&extents->extent[to]);
	}
	if (end - start > U32_MAX)
		return -ENOSPC;
	whole.start = start;
	whole.sectors = (u32)(end - start);
	return splice(extents, from, to, &whole, 1);
}

int svcenc_extents_remove(struct svcenc_extents *extents,
			  const struct svcenc_run *run)
{
	const u64 start = run->start, end = run->start + run->sectors;
	struct svcenc_extent left[2]; /* what stays of the first and the last */
	u32 from = 0, to, count = 0;

	while (from < extents->count && end_of(&extents->extent[from]) <= start)
		from++;
	to = from;
	while (to < extents->count && extents->extent[to].start < end)
		to++;
	if (from == to)
		return 0;
	if (extents->extent[from].start < start) {
		left[count].start = extents->extent[from].start;
		left[count].sectors = (u32)(start - left[count].start);
		count++;
	}
	if (end_of(&extents->extent[to - 1]) > end) {
		left[count].start = end;
		left[count].sectors =
			(u32)(end_of(&extents->extent[to - 1]) - end);
		count++;
	}
	return splice(extents, from, to, left, count);
}
