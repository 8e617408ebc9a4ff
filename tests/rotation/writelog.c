// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stamp.h"
#include "writelog.h"

enum { SECTOR = 512 };

static void __attribute__((noreturn)) die(const char *path, const char *what)
{
	fprintf(stderr, "writelog: %s: %s\n", path, what);
	exit(1);
}

static void *must(void *memory)
{
	if (!memory)
		die("memory", "there is none left");
	return memory;
}

/* ----------------------------------------------------------------- reading */

struct raw_super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sector_size;
} __attribute__((packed));

struct raw_entry {
	uint64_t sector;
	uint64_t sectors;
	uint64_t flags;
	uint64_t text_bytes;
};

/* Grows the part of the log that is in memory to @bytes. */
static void load_to(int fd, const char *path, struct writelog *log,
		    size_t *have, size_t bytes)
{
	const size_t step = 1 << 20, want = (bytes / step + 1) * step;

	if (*have >= bytes)
		return;
	log->raw = must(realloc(log->raw, want));
	while (*have < want) {
		const ssize_t n =
			pread(fd, log->raw + *have, want - *have, (off_t)*have);

		if (n < 0)
			die(path, strerror(errno));
		if (!n)
			break;
		*have += (size_t)n;
	}
	if (*have < bytes)
		die(path, "ends in the middle of an entry");
}

/* Offsets stand in for pointers until the log is in memory as a whole. */
static void read_entries(int fd, const char *path, struct writelog *log,
			 uint32_t unit)
{
	size_t have = 0, at = unit;
	unsigned int i;

	for (i = 0; i < log->count; i++) {
		struct writelog_entry *entry = &log->entry[i];
		struct raw_entry raw;

		load_to(fd, path, log, &have, at + unit);
		memcpy(&raw, log->raw + at, sizeof(raw));
		entry->flags = (uint32_t)raw.flags;
		entry->at = raw.sector * unit;
		entry->data = (void *)(at + sizeof(raw));
		at += unit;
		if (raw.flags & LOG_MARK)
			continue;
		if (raw.flags & LOG_DISCARD)
			die(path, "has a discard: not made for that");
		entry->bytes = raw.sectors * unit;
		entry->data = (void *)at;
		at += entry->bytes;
		load_to(fd, path, log, &have, at);
	}
	for (i = 0; i < log->count; i++)
		log->entry[i].data = log->raw + (size_t)log->entry[i].data;
}

void writelog_read(const char *path, struct writelog *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct raw_super super;

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		die(path, strerror(errno));
	/* what another user wrote is not in this one's page cache */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (pread(fd, &super, sizeof(super), 0) != sizeof(super) ||
	    super.magic != 0x6a736677736872ULL || super.version != 1 ||
	    super.entries > 10000000 || super.sector_size < SECTOR)
		die(path, "no log of dm-log-writes, version 1");
	ret->count = (unsigned int)super.entries;
	ret->entry = must(calloc(ret->count + 1, sizeof(*ret->entry)));
	read_entries(fd, path, ret, super.sector_size);
	close(fd);
}

void writelog_free(struct writelog *log)
{
	free(log->raw);
	free(log->entry);
}

/* -------------------------------------------------------------------- disk */

void disk_start(struct disk *disk, const struct writelog *log,
		const unsigned char *base, size_t bytes)
{
	disk->log = log;
	disk->bytes = bytes;
	disk->durable = must(malloc(bytes));
	memcpy(disk->durable, base, bytes);
	disk->next = disk->cached_count = 0;
	disk->cached = must(calloc(log->count + 1, sizeof(unsigned int)));
	disk->fua = must(calloc(bytes / SECTOR, sizeof(unsigned int)));
}

void disk_free(struct disk *disk)
{
	free(disk->durable);
	free(disk->cached);
	free(disk->fua);
}

static void check_bounds(const struct disk *disk,
			 const struct writelog_entry *entry)
{
	if (entry->at + entry->bytes > disk->bytes)
		die("log", "an entry lies behind the device's end");
}

/* Entry @i, from @offset in it, unless a FUA write came later. */
static void put(const struct disk *disk, unsigned char *image, unsigned int i,
		size_t offset, size_t bytes)
{
	const struct writelog_entry *entry = &disk->log->entry[i];
	size_t at;

	for (at = offset; at < offset + bytes; at += SECTOR)
		if (disk->fua[(entry->at + at) / SECTOR] <= i)
			memcpy(image + entry->at + at, entry->data + at,
			       SECTOR);
}

static void put_all_cached(const struct disk *disk, unsigned char *image)
{
	unsigned int i;

	for (i = 0; i < disk->cached_count; i++)
		put(disk, image, disk->cached[i], 0,
		    disk->log->entry[disk->cached[i]].bytes);
}

void disk_step(struct disk *disk)
{
	const unsigned int i = disk->next++;
	const struct writelog_entry *entry = &disk->log->entry[i];
	size_t at;

	if (entry->flags & LOG_MARK)
		return;
	check_bounds(disk, entry);
	if (entry->flags & LOG_FLUSH) {
		put_all_cached(disk, disk->durable);
		disk->cached_count = 0;
	}
	if (!entry->bytes)
		return;
	if (!(entry->flags & LOG_FUA)) {
		disk->cached[disk->cached_count++] = i;
		return;
	}
	put(disk, disk->durable, i, 0, entry->bytes);
	for (at = 0; at < entry->bytes; at += SECTOR)
		disk->fua[(entry->at + at) / SECTOR] = i + 1;
}

/* How much of the cache a cut takes. */
enum taste { HALF_OF_ALL, BLOCK_BY_BLOCK, ONE_LOST, ONE_KEPT, TASTES };

static size_t atom_of(const struct disk *disk,
		      const struct writelog_entry *entry)
{
	return entry->at < disk->data_from ? SECTOR : disk->atom;
}

/* The atoms of entry @i that chance keeps. */
static void put_some(const struct disk *disk, unsigned char *image,
		     unsigned int i, uint64_t *random)
{
	const struct writelog_entry *entry = &disk->log->entry[i];
	const size_t atom = atom_of(disk, entry);
	size_t at;

	for (at = 0; at < entry->bytes; at += atom)
		if (stamp_random(random) & 1)
			put(disk, image, i, at, atom);
}

static void put_cached(const struct disk *disk, unsigned char *image,
		       uint64_t *random)
{
	const enum taste taste = stamp_random(random) % TASTES;
	const unsigned int one = disk->cached_count ?
					 (unsigned int)(stamp_random(random) %
							disk->cached_count) :
					 0;
	unsigned int i;

	for (i = 0; i < disk->cached_count; i++) {
		const unsigned int entry = disk->cached[i];
		const bool keep = taste == HALF_OF_ALL ?
					  stamp_random(random) & 1 :
				  taste == ONE_LOST ? i != one :
						      i == one;

		if (taste == BLOCK_BY_BLOCK)
			put_some(disk, image, entry, random);
		else if (keep)
			put(disk, image, entry, 0,
			    disk->log->entry[entry].bytes);
	}
}

bool disk_cut(const struct disk *disk, unsigned int variant, uint64_t seed,
	      unsigned char *image)
{
	const struct writelog_entry *next = &disk->log->entry[disk->next];
	const bool tears = disk->next < disk->log->count && next->bytes &&
			   !(next->flags & LOG_MARK);
	uint64_t random = (seed << 32 ^ disk->next) * 64 + variant;

	memcpy(image, disk->durable, disk->bytes);
	if (variant == 0) {
		put_all_cached(disk, image);
		return true;
	}
	if (!disk->cached_count && !tears)
		return false;
	if (variant == 1)
		return disk->cached_count > 0;
	/* its flush comes first: then nothing of before is lost */
	if (tears && stamp_random(&random) & 1) {
		check_bounds(disk, next);
		if (next->flags & LOG_FLUSH)
			put_all_cached(disk, image);
		else
			put_cached(disk, image, &random);
		put_some(disk, image, disk->next, &random);
		return true;
	}
	if (!disk->cached_count)
		return false;
	put_cached(disk, image, &random);
	return true;
}
