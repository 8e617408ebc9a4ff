// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* ----------------------------------------------------------------- tables */

static void add(char text[FUZZ_TEXT], const char *more)
{
	strncat(text, more, FUZZ_TEXT - strlen(text) - 1);
}

static void add_options(char text[FUZZ_TEXT])
{
	static const char *const options[] = {
		" allow_discards",
		" initialize",
		" grow",
		" min_seq:1",
		" min_seq:2",
		" min_seq:3",
		" min_seq:0",
		" same_cpu_crypt",
		" min_seq:18446744073709551615",
	};
	const uint32_t count = fuzz_below(4);
	char number[32];
	uint32_t i;

	if (!count && fuzz_chance(2))
		return;
	snprintf(number, sizeof(number), " %u",
		 fuzz_chance(12) ? (uint32_t)fuzz_number() : count);
	add(text, number);
	for (i = 0; i < count; i++)
		add(text,
		    options[fuzz_chance(6) ? fuzz_below(sizeof(options) /
							sizeof(options[0])) :
					     fuzz_below(5)]);
}

static uint64_t length_for(const struct volume *id)
{
	if (!fuzz_chance(4))
		return id->sectors;
	return fuzz_chance(2) ? id->sectors + 8 * fuzz_below(1024) :
				fuzz_number();
}

void fuzz_table(const struct fuzz_world *world, char text[FUZZ_TEXT],
		uint64_t *ret_sectors)
{
	const struct fuzz_volume *volumes[] = { &world->victim, &world->victim,
						&world->fresh, &world->steady };
	const struct fuzz_volume *volume = volumes[fuzz_below(4)];
	const struct volume *id =
		fuzz_chance(12) ? &volumes[fuzz_below(4)]->id : &volume->id;

	snprintf(text, FUZZ_TEXT, "%s %s %s", volume->device, id->uuid,
		 fuzz_chance(12) ? world->next.desc : id->desc);
	if (fuzz_chance(2))
		add_options(text);
	while (fuzz_chance(3))
		fuzz_mutate(text, FUZZ_TEXT / 2);
	*ret_sectors = length_for(&volume->id);
}

static void add_target(struct dm_ioctl *io, uint64_t start)
{
	static const char *const types[] = { "zero", "error", "svcenc",
					     "linear" };

	dmraw_target(io, start, 1 + fuzz_below(1000), types[fuzz_below(4)], "");
}

static int create(const struct fuzz_world *world, const char *name)
{
	char uuid[DM_UUID_LEN] = "";

	if (!fuzz_chance(4))
		snprintf(uuid, sizeof(uuid), "SVCENC-1-%s-%s",
			 fuzz_chance(4) ? world->fresh.id.uuid :
					  world->victim.id.uuid,
			 name);
	if (fuzz_chance(16))
		fuzz_mutate(uuid, sizeof(uuid));
	return dmraw_create(name, uuid, NULL);
}

static int case_table(const struct fuzz_world *world)
{
	static char text[FUZZ_TEXT];
	const char *name = fuzz_name();
	struct dm_ioctl *io;
	uint64_t sectors;
	int rc;

	if (dmraw_flags(name) == -ENXIO)
		create(world, name);
	fuzz_table(world, text, &sectors);
	io = dmraw_begin(name);
	if (fuzz_chance(8))
		io->flags |= DM_READONLY_FLAG;
	if (fuzz_chance(32))
		add_target(io, 0);
	dmraw_target(io, fuzz_chance(24) ? fuzz_number() : 0, sectors,
		     fuzz_chance(32) ? "crypt" : "svcenc", text);
	if (fuzz_chance(32))
		add_target(io, sectors);
	rc = dmraw_call(DM_TABLE_LOAD, io);
	if (!rc && !fuzz_chance(3))
		dmraw_resume(name);
	return rc;
}

/* --------------------------------------------------------------- messages */

void fuzz_message(const struct fuzz_world *world, char text[FUZZ_TEXT])
{
	static const char *const words[] = {
		"rotate start", "rotate rate 1000", "@cancel_deferred_remove",
		"unlock",	"rewrap",	    "unlock a b c",
	};

	switch (fuzz_below(4)) {
	case 0:
		snprintf(text, FUZZ_TEXT, "%s",
			 words[fuzz_below(sizeof(words) / sizeof(words[0]))]);
		break;
	case 1:
		snprintf(text, FUZZ_TEXT, "rewrap %s %s", world->next.desc,
			 world->auth);
		break;
	default:
		snprintf(text, FUZZ_TEXT, "unlock %s",
			 fuzz_chance(3) ? world->steady.id.desc :
			 fuzz_chance(4) ? world->next.desc :
					  world->victim.id.desc);
	}
	while (fuzz_chance(3))
		fuzz_mutate(text, FUZZ_TEXT / 2);
}

/*
 * As device-mapper takes the first word out: spaces before it (0xa0 is one to
 * the kernel) do not count, nor does a backslash before a character of it.
 */
static bool rotates(const char *text)
{
	const char *wanted = "rotate";

	while (isspace((unsigned char)*text) || (unsigned char)*text == 0xa0)
		text++;
	for (; *wanted; wanted++, text++) {
		text += *text == '\\';
		if (*text != *wanted)
			return false;
	}
	return true;
}

/* What would rightly rotate the steady volume is sent to others only. */
static const char *receiver_of(const char *text)
{
	return fuzz_chance(3) && !rotates(text) ? FUZZ_STEADY_NAME :
						  fuzz_name();
}

static int case_message(const struct fuzz_world *world)
{
	static char text[FUZZ_TEXT];
	struct dm_ioctl *io;

	fuzz_message(world, text);
	io = dmraw_begin(receiver_of(text));
	dmraw_message(io, text);
	if (fuzz_chance(16))
		((struct dm_target_msg *)((char *)io + io->data_start))->sector =
			fuzz_number();
	return dmraw_call(DM_TARGET_MSG, io);
}

/* ------------------------------------------------------------------ state */

/* Some I/O on a device that is not suspended, whatever it is. */
static int some_io(const char *name)
{
	static uint8_t block[4096] __attribute__((aligned(4096)));
	struct dm_ioctl *io = dmraw_begin(name);
	ssize_t n;
	int fd, rc;

	rc = dmraw_call(DM_DEV_STATUS, io);
	if (rc)
		return rc;
	if (io->flags & DM_SUSPEND_FLAG)
		return -EAGAIN;
	fd = dmraw_open_device(io->dev, O_RDWR);
	if (fd < 0)
		return fd;
	n = pread(fd, block, sizeof(block), 4096 * (off_t)fuzz_below(2048));
	rc = n < 0 ? -errno : 0;
	if (!rc && pwrite(fd, block, sizeof(block),
			  FUZZ_PLAIN + 4096 * (off_t)fuzz_below(1024)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int suspend_or_resume(const char *name)
{
	struct dm_ioctl *io = dmraw_begin(name);

	io->flags = fuzz_chance(3) ? DM_SUSPEND_FLAG : 0;
	if (fuzz_chance(3))
		io->flags |= DM_NOFLUSH_FLAG;
	if (fuzz_chance(3))
		io->flags |= DM_SKIP_LOCKFS_FLAG;
	return dmraw_call(DM_DEV_SUSPEND, io);
}

static int case_state(const struct fuzz_world *world)
{
	const char *name = fuzz_name();

	switch (fuzz_below(8)) {
	case 0:
		return create(world, name);
	case 1:
		return dmraw_clear(name);
	case 2:
		return dmraw_remove(name);
	case 3:
		return dmraw_status(name,
				    fuzz_chance(2) ? 0 : DM_STATUS_TABLE_FLAG) ?
			       0 :
			       -errno;
	case 4:
	case 5:
		/* Racing, the device could be suspended under the I/O. */
		return world->race ? dmraw_flags(name) < 0 : some_io(name);
	default:
		return suspend_or_resume(name);
	}
}

int fuzz_case(const struct fuzz_world *world, enum fuzz_kind kind)
{
	switch (kind) {
	case FUZZ_TABLE:
		return case_table(world);
	case FUZZ_MESSAGE:
		return case_message(world);
	case FUZZ_IOCTL:
		return fuzz_ioctl(world);
	case FUZZ_NETLINK:
		return fuzz_netlink(world);
	case FUZZ_KEY:
		return fuzz_key(world);
	default:
		return case_state(world);
	}
}
