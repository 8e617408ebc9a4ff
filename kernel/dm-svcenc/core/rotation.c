// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "rotation.h"

void svcenc_rotation_load(const struct svcenc_sb *sb,
			  struct svcenc_rotation *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->direction = sb->direction;
	ret->place = sb->place;
	ret->length = sb->data_len / 512;
	ret->spare = sb->spare_len / 512;
	ret->durable = sb->watermark;
}

static u32 other_place(u32 place)
{
	return place == SVCENC_PLACE_LOW ? SVCENC_PLACE_HIGH : SVCENC_PLACE_LOW;
}

/* W once all claimed batches are durable. */
static u64 front(const struct svcenc_rotation *r)
{
	return r->batches ? r->edge[r->batches - 1] : r->durable;
}

/* Has a W at @edge passed sector @x? */
static bool passed(const struct svcenc_rotation *r, u64 edge, u64 x)
{
	return r->direction == SVCENC_DIRECTION_DOWN ? x < edge : x >= edge;
}

static enum svcenc_zone zone_of(const struct svcenc_rotation *r, u64 x)
{
	if (!svcenc_rotation_running(r) || !passed(r, front(r), x))
		return SVCENC_ZONE_CURRENT;
	return passed(r, r->durable, x) ? SVCENC_ZONE_NEXT : SVCENC_ZONE_WINDOW;
}

/* @sectors from @start, cut at @edge if it lies inside. */
static u64 cut(u64 start, u64 sectors, u64 edge)
{
	return edge > start && edge - start < sectors ? edge - start : sectors;
}

struct svcenc_spot svcenc_rotation_find(const struct svcenc_rotation *r,
					u64 start, u64 sectors)
{
	struct svcenc_spot spot = {
		.zone = zone_of(r, start),
		.place = r->place,
		.sectors = sectors,
	};
	unsigned int i;

	if (!svcenc_rotation_running(r))
		return spot;
	if (spot.zone == SVCENC_ZONE_NEXT)
		spot.place = other_place(r->place);
	spot.sectors = cut(start, spot.sectors, r->durable);
	for (i = 0; i < r->batches; i++)
		spot.sectors = cut(start, spot.sectors, r->edge[i]);
	return spot;
}

static u64 distance(u64 a, u64 b)
{
	return a < b ? b - a : a - b;
}

/* Sectors from W at @from to W at @to. */
static struct svcenc_run between(u64 from, u64 to)
{
	return (struct svcenc_run){
		.start = from < to ? from : to,
		.sectors = distance(from, to),
	};
}

static u64 down_to(u64 x, u64 unit)
{
	return x / unit * unit;
}

static u64 up_to(u64 x, u64 unit)
{
	return down_to(x + unit - 1, unit);
}

struct svcenc_run svcenc_rotation_claim(struct svcenc_rotation *r, u64 want,
					u64 unit)
{
	const u64 from = front(r);
	const bool down = r->direction == SVCENC_DIRECTION_DOWN;
	const u64 left = down ? r->length - from : from;
	u64 room = r->spare - distance(r->durable, from);
	u64 to;

	if (!svcenc_rotation_running(r) || r->batches == SVCENC_BATCHES)
		return (struct svcenc_run){ 0 };
	if (want < room)
		room = want;
	if (left <= room)
		to = down ? r->length : 0;
	else
		to = down ? down_to(from + room, unit) : up_to(from - room, unit);
	if (down ? to <= from : to >= from)
		return (struct svcenc_run){ 0 };
	r->edge[r->batches++] = to;
	return between(from, to);
}

struct svcenc_run svcenc_rotation_oldest(const struct svcenc_rotation *r)
{
	return between(r->durable, r->edge[0]);
}

u64 svcenc_rotation_next_durable(const struct svcenc_rotation *r)
{
	return r->edge[0];
}

void svcenc_rotation_advance(struct svcenc_rotation *r)
{
	unsigned int i;

	r->durable = r->edge[0];
	r->batches--;
	for (i = 0; i < r->batches; i++)
		r->edge[i] = r->edge[i + 1];
}

void svcenc_rotation_abandon(struct svcenc_rotation *r)
{
	r->batches = 0;
}

u64 svcenc_rotation_done(const struct svcenc_rotation *r)
{
	switch (r->direction) {
	case SVCENC_DIRECTION_DOWN:
		return r->durable;
	case SVCENC_DIRECTION_UP:
		return r->length - r->durable;
	default:
		return 0;
	}
}

bool svcenc_rotation_all_moved(const struct svcenc_rotation *r)
{
	return svcenc_rotation_running(r) &&
	       svcenc_rotation_done(r) == r->length;
}

struct svcenc_run svcenc_rotation_spare(const struct svcenc_rotation *r)
{
	return (struct svcenc_run){
		.start = r->direction == SVCENC_DIRECTION_DOWN ? r->length : 0,
		.sectors = r->spare,
	};
}

u64 svcenc_rotation_base(const struct svcenc_rotation *r, u32 place)
{
	return place == SVCENC_PLACE_HIGH ? r->spare : 0;
}

void svcenc_sb_rotation_begin(struct svcenc_sb *sb)
{
	const bool down = sb->place == SVCENC_PLACE_HIGH;

	sb->incompat |= SVCENC_INCOMPAT_ROTATING;
	sb->direction = down ? SVCENC_DIRECTION_DOWN : SVCENC_DIRECTION_UP;
	sb->watermark = down ? 0 : sb->data_len / 512;
}

void svcenc_sb_rotation_end(struct svcenc_sb *sb)
{
	sb->incompat &= ~SVCENC_INCOMPAT_ROTATING;
	sb->direction = SVCENC_DIRECTION_NONE;
	sb->watermark = 0;
	sb->place = other_place(sb->place);
	sb->epoch++;
	sb->current_ = sb->next;
	memset(&sb->next, 0, sizeof(sb->next));
}
