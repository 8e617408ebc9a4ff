/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dm-log-writes log, and the contents that a device with a volatile cache
 * may be left with by a power cut in it.
 *
 * dm-log-writes logs a write when it has completed, but keeps it back until a
 * flush was sent after that; FUA writes and marks it logs at once. So in the
 * log, what lies behind the last flush is what may be lost, but for FUA
 * writes; and whatever a write could depend on (a flush, a FUA write, a mark,
 * each completed before it was sent) lies before it. Hence the states that
 * are tried, each of which a real disk may be left in:
 *
 *	all entries before N, without any subset of the sectors that were
 *	written behind the last flush among them and not with FUA,
 *	and entry N, which was under way, in part or not at all.
 *
 * A flush that a later one has overtaken logs what it took along too late, behind
 * marks that rely on it; lateflush.h puts that right.
 *
 * Where the log has a FUA write before an unflushed one that completed earlier,
 * and both are of the same sector, it has them in the wrong order. Whoever
 * records must not write that.
 */
#ifndef SVCENC_TEST_WRITELOG_H
#define SVCENC_TEST_WRITELOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum writelog_flags {
	LOG_FLUSH = 1,
	LOG_FUA = 2,
	LOG_DISCARD = 4,
	LOG_MARK = 8,
};

struct writelog_entry {
	uint64_t at;	/* bytes */
	uint64_t bytes; /* data; 0 for a mark or a bare flush */
	uint32_t flags;
	const unsigned char *data; /* a mark's text, with its NUL */
};

struct writelog {
	unsigned char *raw;
	struct writelog_entry *entry;
	unsigned int count;
};

/* Does it write, or discard, the byte @at of the device? */
static inline bool writelog_covers(const struct writelog_entry *entry,
				   uint64_t at)
{
	return entry->at <= at && at < entry->at + entry->bytes;
}

/* Reads the log on @path. Prints what is wrong and exits. */
void writelog_read(const char *path, struct writelog *ret);
void writelog_free(struct writelog *log);

/* A device on its way through a log. */
struct disk {
	const struct writelog *log;
	size_t bytes;
	size_t atom;	  /* what the data area writes atomically, bytes */
	size_t data_from; /* below it, 512 bytes are */
	unsigned char *durable;
	unsigned int next;    /* entry: what lies before it was done */
	unsigned int *cached; /* entries that may be lost, oldest first */
	unsigned int cached_count;
	unsigned int *fua; /* by 512 bytes: last FUA entry + 1 */
};

/* @base: @bytes of the device when the log began; copied. */
void disk_start(struct disk *disk, const struct writelog *log,
		const unsigned char *base, size_t bytes);
void disk_free(struct disk *disk);

/* Entry @disk->next has completed. */
void disk_step(struct disk *disk);

/*
 * What a cut now leaves, into @image: variant 0 nothing lost, 1 everything
 * that may be, others by chance, the same for the same variant and @seed.
 * False: no different from variant 0 (there is nothing to lose or to tear).
 */
bool disk_cut(const struct disk *disk, unsigned int variant, uint64_t seed,
	      unsigned char *image);

#endif
