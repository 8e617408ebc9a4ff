// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Device-mapper ioctls as no library would send them: sizes, offsets, counts
 * and strings that lie. The buffer ends at a page that cannot be touched.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

enum { GUARD = 4096, MUTATIONS = 3 };

static char *buffer;

int fuzz_raw_setup(void)
{
	buffer = mmap(NULL, DMRAW_BUFFER + GUARD, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer == MAP_FAILED)
		return -errno;
	return mprotect(buffer + DMRAW_BUFFER, GUARD, PROT_NONE) ? -errno : 0;
}

/* Not DM_DEV_WAIT without a wrong event number: it would wait. */
static const unsigned long commands[] = {
	DM_VERSION,	     DM_REMOVE_ALL,   DM_LIST_DEVICES,
	DM_DEV_CREATE,	     DM_DEV_REMOVE,   DM_DEV_RENAME,
	DM_DEV_SUSPEND,	     DM_DEV_STATUS,   DM_DEV_WAIT,
	DM_TABLE_LOAD,	     DM_TABLE_LOAD,   DM_TABLE_LOAD,
	DM_TABLE_LOAD,	     DM_TABLE_CLEAR,  DM_TABLE_DEPS,
	DM_TABLE_STATUS,     DM_TABLE_STATUS, DM_LIST_VERSIONS,
	DM_TARGET_MSG,	     DM_TARGET_MSG,   DM_TARGET_MSG,
	DM_DEV_SET_GEOMETRY, DM_DEV_ARM_POLL, DM_GET_TARGET_VERSION,
};

static void fill_payload(const struct fuzz_world *world, unsigned long command,
			 struct dm_ioctl *io)
{
	static char text[FUZZ_TEXT];
	uint64_t sectors;
	uint32_t i;

	switch (command) {
	case DM_TABLE_LOAD:
		for (i = 1 + fuzz_chance(4); i; i--) {
			fuzz_table(world, text, &sectors);
			dmraw_target(io, 0, sectors, "svcenc", text);
		}
		break;
	case DM_TARGET_MSG:
		fuzz_message(world, text);
		dmraw_message(io, text);
		break;
	case DM_DEV_RENAME:
		snprintf((char *)io + io->data_start, 64, "%s", fuzz_name());
		break;
	case DM_DEV_SET_GEOMETRY:
		snprintf((char *)io + io->data_start, 64, "%u 16 63 0",
			 fuzz_below(2000));
		break;
	case DM_GET_TARGET_VERSION:
		snprintf(io->name, sizeof(io->name), "svcenc");
		break;
	}
}

static uint32_t hostile_offset(void)
{
	static const uint32_t edges[] = {
		0,
		4,
		304,
		305,
		312,
		313,
		352,
		DMRAW_BUFFER,
		0xfffffff8,
		0xffffffff,
		0x80000000,
		0x7fffffff,
		DMRAW_BUFFER - 1,
		DMRAW_BUFFER - 40,
	};

	return fuzz_chance(3) ?
		       (uint32_t)fuzz_number() :
		       edges[fuzz_below(sizeof(edges) / sizeof(edges[0]))];
}

/*
 * device-mapper takes up to a gigabyte, and then really allocates it: what is
 * too large for this machine is made too large for device-mapper.
 */
static uint32_t hostile_size(void)
{
	const uint32_t size = hostile_offset();

	return size > DMRAW_BUFFER * 16 ? size | 0x80000000 : size;
}

static void mutate_target(struct dm_ioctl *io)
{
	struct dm_target_spec *spec = (void *)(io + 1);

	switch (fuzz_below(5)) {
	case 0:
		spec->next = hostile_offset();
		break;
	case 1:
		spec->length = fuzz_number();
		break;
	case 2:
		spec->sector_start = fuzz_number();
		break;
	case 3:
		memset(spec->target_type, 's', sizeof(spec->target_type));
		break;
	default: /* not a NUL to the end */
		memset(spec + 1, 'x',
		       DMRAW_BUFFER - sizeof(*io) - sizeof(*spec));
	}
}

/* A name of 128 characters and no NUL; the steady one's is never made. */
static void mutate_name(struct dm_ioctl *io)
{
	if (fuzz_chance(2))
		memset(io->name, 'n', sizeof(io->name));
	else
		io->name[fuzz_below(8)] = (char)fuzz_random();
}

static void mutate(struct dm_ioctl *io)
{
	switch (fuzz_below(10)) {
	case 0:
		io->version[fuzz_below(3)] = (uint32_t)fuzz_number();
		break;
	case 1:
		io->data_size = hostile_size();
		break;
	case 2:
		io->data_start = hostile_offset();
		break;
	case 3:
		io->target_count = (uint32_t)fuzz_number();
		break;
	case 4:
		io->flags = (uint32_t)fuzz_random();
		break;
	case 5:
		io->flags ^= 1U << fuzz_below(20);
		break;
	case 6:
		io->dev = fuzz_chance(2) ? fuzz_number() | 0xfff00 : 0;
		break;
	case 7:
		memset(io->uuid, 'u', 1 + fuzz_below(sizeof(io->uuid)));
		break;
	case 8:
		mutate_name(io);
		break;
	default:
		mutate_target(io);
	}
}

int fuzz_ioctl(const struct fuzz_world *world)
{
	const unsigned long command =
		commands[fuzz_below(sizeof(commands) / sizeof(commands[0]))];
	struct dm_ioctl *made = dmraw_begin(fuzz_name());
	struct dm_ioctl *io = (void *)buffer;
	uint32_t i;

	fill_payload(world, command, made);
	/* Also a buffer so short that the answer does not fit. */
	if (fuzz_chance(8))
		made->data_size = (uint32_t)sizeof(*made) + fuzz_below(200);
	memcpy(io, made, DMRAW_BUFFER);
	for (i = fuzz_below(MUTATIONS + 1); i; i--)
		mutate(io);
	if (command == DM_DEV_WAIT)
		io->event_nr = 0x7fffffff;
	/* It would wait for the steady one, and catch it when its load ends. */
	if (command == DM_REMOVE_ALL)
		io->flags &= ~DM_DEFERRED_REMOVE;
	return dmraw_call(command, io);
}
