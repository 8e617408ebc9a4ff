// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cuts the power at every entry of a recorded log, and at each of them with
 * unflushed writes lost and torn in several ways; opens each with the real
 * target and wants every sector to be the one that was flushed last, or a
 * later one, before and after the rotation has gone on to its end. For a
 * sample of the cuts the recovery itself is recorded, and cut at every entry.
 *
 *	crash-replay [options] DEVICE PREFIX SECTOR BASE LOG FACTS
 *
 *	DEVICE	for the states, as large as BASE
 *	PREFIX	the volume's companions (PREFIX.key, ...)
 *	BASE	what the device held when the log began
 *	LOG	of dm-log-writes, from crash-load FACTS
 *
 *	--variants N	ways of losing and tearing, per entry (default 2)
 *	--points N	only so many states, spread over the log by chance
 *	--second N	about so many of them with a recorded recovery
 *	--second-log DEVICE	for those records
 *	--second-points N	only so many states of each such record
 *	--at-least N	fail if fewer cuts than that were tried
 *	--seed N
 *	--entry N --variant N	only that state: to look at a failure
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "crashtarget.h"
#include "stamp.h"
#include "writelog.h"

enum {
	FAILURES_SHOWN = 5,
	DATA_FROM = 4 << 20,
	SPARE = 1 << 20,
	LATE_MAX = 10,
	PROGRESS = 1000
};

struct replay {
	struct crash_target target;
	struct writelog log;
	struct crash_versions versions;
	struct crash_versions second_versions;
	unsigned char *base, *image, *second_image;
	const char *second_log;
	/* facts by number: index of the first, sector and version */
	struct fact {
		uint64_t sector;
		uint32_t version;
		uint32_t number;
	} * facts;
	unsigned int fact_count;
	unsigned int variants;
	uint64_t points, seed;
	unsigned int seconds;
	uint64_t second_points, at_least;
	long only_entry, only_variant;
	uint64_t tried, tried_second, first_recoveries, failed;
};

static void __attribute__((noreturn)) die(const char *path, const char *what)
{
	fprintf(stderr, "crash-replay: %s: %s\n", path, what);
	exit(2);
}

static void *must(void *memory)
{
	if (!memory)
		die("memory", "there is none left");
	return memory;
}

/* ---------------------------------------------------------------- reading */

static unsigned char *read_base(const char *path, size_t bytes)
{
	unsigned char *base = must(malloc(bytes));
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;

	while (fd >= 0 && have < bytes) {
		const ssize_t n = read(fd, base + have, bytes - have);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	if (have != bytes)
		die(path, "cannot be read, or is too short");
	close(fd);
	return base;
}

static void add_fact(struct replay *replay, uint64_t number, uint64_t sector,
		     uint64_t version)
{
	if (!(replay->fact_count & (replay->fact_count + 1)))
		replay->facts = must(
			realloc(replay->facts, (2 * (size_t)replay->fact_count +
						2) * sizeof(*replay->facts)));
	replay->facts[replay->fact_count++] =
		(struct fact){ .sector = sector,
			       .version = (uint32_t)version,
			       .number = (uint32_t)number };
}

static void read_facts(struct replay *replay, const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long number, sector, version, issued = 0;
	char line[128];

	if (!file)
		die(path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "fact %llu %llu %llu", &number, &sector,
			   &version) == 3 &&
		    sector < replay->target.sectors) {
			add_fact(replay, number, sector, version);
		} else if (sscanf(line, "issued %llu %llu", &sector,
				  &version) == 2 &&
			   sector < replay->target.sectors) {
			replay->versions.highest[sector] = (uint32_t)version;
			issued++;
		} else {
			die(path, line);
		}
	}
	fclose(file);
	if (issued != replay->target.sectors || !replay->fact_count)
		die(path, "does not speak of every sector");
}

static void new_versions(struct crash_versions *versions, uint64_t sectors)
{
	uint64_t x;

	versions->lowest = must(calloc(sectors, sizeof(uint32_t)));
	versions->highest = must(calloc(sectors, sizeof(uint32_t)));
	versions->found = must(calloc(sectors, sizeof(uint32_t)));
	for (x = 0; x < sectors; x++)
		versions->lowest[x] = versions->highest[x] = 1;
}

/* The cut is behind this mark: its facts hold. */
static void pass_mark(struct replay *replay, const char *text)
{
	unsigned int number, i;

	if (sscanf(text, "f%u", &number) != 1)
		return;
	for (i = 0; i < replay->fact_count; i++)
		if (replay->facts[i].number == number)
			replay->versions.lowest[replay->facts[i].sector] =
				replay->facts[i].version;
}

/* ---------------------------------------------------- flushes that were late */

/*
 * dm-log-writes hands what is unflushed to a flush when it is sent, and logs it
 * when that has completed. Whoever sent it may lose the processor in between: a
 * later flush finds nothing, completes first, and the mark behind it speaks of
 * writes that the log has only afterwards, in the group of the late flush. On
 * the device the later flush has made them durable, so that is where the group
 * belongs. It is seen by a fact whose versions are more than there were writes.
 * More than a few of them would be writes that were acknowledged too early.
 */
struct lateness {
	uint32_t *version; /* of the last fact, by sector */
	uint32_t *writes;  /* logged since then, wherever the sector may lie */
	unsigned int last_flush;
};

static void count_place(const struct replay *replay, struct lateness *late,
			const struct writelog_entry *entry, uint64_t base)
{
	const uint64_t size = replay->target.sector_size;
	uint64_t at;

	for (at = entry->at; at < entry->at + entry->bytes; at += size)
		if (at >= base && (at - base) / size < replay->target.sectors)
			late->writes[(at - base) / size]++;
}

static bool covers(const struct writelog_entry *entry, uint64_t at)
{
	return entry->at <= at && at < entry->at + entry->bytes;
}

static bool is_held_back(const struct writelog_entry *entry)
{
	return entry->bytes &&
	       !(entry->flags & (LOG_FUA | LOG_FLUSH | LOG_MARK));
}

/* The group behind @mark with a write to @sector goes before the flush @to. */
static bool move_group(struct replay *replay, unsigned int mark,
		       unsigned int to, uint64_t sector)
{
	const uint64_t low = DATA_FROM + sector * replay->target.sector_size;
	struct writelog_entry *entry = replay->log.entry, *group;
	unsigned int from, end = mark + 1;
	bool found = false;

	do {
		for (from = end;
		     from < replay->log.count && !is_held_back(&entry[from]);
		     from++)
			;
		for (end = from;
		     end < replay->log.count && is_held_back(&entry[end]);
		     end++)
			found |= covers(&entry[end], low) ||
				 covers(&entry[end], low + SPARE);
	} while (!found && end < replay->log.count);
	if (!found)
		return false;
	group = must(malloc((end - from) * sizeof(*group)));
	memcpy(group, entry + from, (end - from) * sizeof(*group));
	memmove(entry + to + (end - from), entry + to,
		(from - to) * sizeof(*entry));
	memcpy(entry + to, group, (end - from) * sizeof(*group));
	free(group);
	return true;
}

/* True if a group was moved: look again from the start. */
static bool find_late(struct replay *replay, struct lateness *late)
{
	unsigned int i, fact = 0;

	for (i = 0; i < replay->log.count; i++) {
		const struct writelog_entry *entry = &replay->log.entry[i];
		unsigned int number;

		if (entry->flags & LOG_FLUSH)
			late->last_flush = i;
		if (!(entry->flags & LOG_MARK)) {
			count_place(replay, late, entry, DATA_FROM);
			count_place(replay, late, entry, DATA_FROM + SPARE);
			continue;
		}
		if (sscanf((const char *)entry->data, "f%u", &number) != 1)
			continue;
		for (; fact < replay->fact_count &&
		       replay->facts[fact].number == number;
		     fact++) {
			const struct fact *f = &replay->facts[fact];

			if (f->version - late->version[f->sector] >
				    late->writes[f->sector] &&
			    move_group(replay, i, late->last_flush, f->sector))
				return true;
			late->version[f->sector] = f->version;
			late->writes[f->sector] = 0;
		}
	}
	return false;
}

static unsigned int put_late_flushes_right(struct replay *replay)
{
	const uint64_t sectors = replay->target.sectors;
	unsigned int moved = 0;
	struct lateness late;
	bool again;
	uint64_t x;

	do {
		late.version = must(calloc(sectors, sizeof(uint32_t)));
		late.writes = must(calloc(sectors, sizeof(uint32_t)));
		late.last_flush = 0;
		for (x = 0; x < sectors; x++)
			late.version[x] = 1;
		again = find_late(replay, &late);
		free(late.version);
		free(late.writes);
		moved += again;
	} while (again && moved <= LATE_MAX);
	if (moved)
		printf("replay: %u flushes had been overtaken by later ones\n",
		       moved);
	return moved;
}

/* ----------------------------------------------------------------- trying */

/*
 * What became of a sector until the cut: each write to where it lies before or
 * after a rotation, each flush behind one, each mark with a fact about it.
 */
static void show_history(const struct replay *replay, const struct disk *disk,
			 uint64_t sector)
{
	const uint64_t low = DATA_FROM + sector * replay->target.sector_size;
	bool news = false;
	unsigned int i, j, number;

	for (i = 0; i <= disk->next && i < disk->log->count; i++) {
		const struct writelog_entry *entry = &disk->log->entry[i];
		const bool is_low = covers(entry, low);
		const bool is_high = covers(entry, low + SPARE);
		const bool is_header = entry->bytes && entry->at < DATA_FROM;

		if (entry->flags & LOG_MARK) {
			if (sscanf((const char *)entry->data, "f%u", &number) !=
			    1)
				continue;
			for (j = 0; j < replay->fact_count; j++)
				if (replay->facts[j].number == number &&
				    replay->facts[j].sector == sector)
					printf("  %u: mark %u, version %u\n", i,
					       number,
					       replay->facts[j].version);
		} else if (is_low || is_high ||
			   (news && entry->flags & LOG_FLUSH) || is_header) {
			printf("  %u: %s%s%s %llu bytes\n", i,
			       is_low	 ? "low" :
			       is_high	 ? "high" :
			       is_header ? "superblock" :
					   "",
			       entry->flags & LOG_FLUSH ? " flush" : "",
			       entry->flags & LOG_FUA ? " FUA" : "",
			       (unsigned long long)entry->bytes);
			news = is_low || is_high;
		}
	}
}

static void complain(struct replay *replay, const char *what,
		     const struct disk *disk, unsigned int variant,
		     const char *wrong)
{
	unsigned long long sector;

	if (replay->failed++ >= FAILURES_SHOWN)
		return;
	printf("FAILED: %s before entry %u of %u, variant %u: %s\n", what,
	       disk->next, disk->log->count, variant, wrong);
	if (sscanf(wrong, "sector %llu", &sector) == 1)
		show_history(replay, disk, sector);
}

/* N of @states in all, spread by chance; all if N is 0. */
static bool by_chance(uint64_t *random, uint64_t n, uint64_t states)
{
	return !n || stamp_random(random) % states < n;
}

static void try_second(struct replay *replay, const struct disk *disk,
		       unsigned int variant)
{
	const char *wrong;

	if (!disk_cut(disk, variant, replay->seed, replay->second_image))
		return;
	wrong = crash_put(&replay->target, replay->second_image);
	if (!wrong)
		wrong = crash_try(&replay->target, NULL, replay->second_image,
				  &replay->second_versions);
	replay->tried_second++;
	if (wrong)
		complain(replay, "second cut", disk, variant, wrong);
}

/* The recovery of the state in replay->image, cut at each of its entries. */
static void cut_recovery(struct replay *replay)
{
	const size_t bytes = replay->target.sectors * sizeof(uint32_t);
	struct crash_versions *again = &replay->second_versions;
	struct writelog log;
	struct disk disk;
	uint64_t random;
	unsigned int v;

	/* nobody writes: a second cut changes nothing that was read */
	memcpy(again->lowest, replay->versions.found, bytes);
	memcpy(again->highest, replay->versions.found, bytes);
	writelog_read(replay->second_log, &log);
	random = replay->seed + replay->tried;
	disk_start(&disk, &log, replay->image, replay->target.bytes);
	disk.atom = replay->target.sector_size;
	disk.data_from = DATA_FROM;
	for (;;) {
		for (v = 0; v < replay->variants; v++)
			if (by_chance(&random, replay->second_points,
				      (uint64_t)(log.count + 1) *
					      replay->variants))
				try_second(replay, &disk, v);
		if (disk.next == log.count)
			break;
		disk_step(&disk);
	}
	disk_free(&disk);
	writelog_free(&log);
}

static void try_state(struct replay *replay, const struct disk *disk,
		      unsigned int variant, bool record)
{
	const char *wrong = crash_put(&replay->target, replay->image);

	if (!wrong)
		wrong = crash_try(&replay->target,
				  record ? replay->second_log : NULL,
				  replay->image, &replay->versions);
	replay->tried++;
	if (replay->tried % PROGRESS == 0)
		printf("replay: %llu cuts so far, %llu failed\n",
		       (unsigned long long)replay->tried,
		       (unsigned long long)replay->failed);
	if (wrong) {
		complain(replay, "cut", disk, variant, wrong);
	} else if (record) {
		replay->first_recoveries++;
		cut_recovery(replay);
	}
}

static bool is_chosen(struct replay *replay, unsigned int entry,
		      unsigned int variant, uint64_t *random)
{
	if (replay->only_entry >= 0)
		return entry == (unsigned int)replay->only_entry &&
		       variant == (unsigned int)replay->only_variant;
	return by_chance(random, replay->points,
			 (uint64_t)(replay->log.count + 1) * replay->variants);
}

/* Spread over those that are tried: not all states there are differ. */
static bool is_recorded(const struct replay *replay)
{
	const uint64_t states =
		replay->points ?
			replay->points :
			(uint64_t)(replay->log.count + 1) * replay->variants;
	const uint64_t step = replay->seconds ? states / 2 / replay->seconds :
						0;

	return replay->seconds &&
	       (step < 2 || replay->tried % step == step / 2);
}

static void try_entry(struct replay *replay, const struct disk *disk,
		      uint64_t *random)
{
	unsigned int variant;

	for (variant = 0; variant < replay->variants; variant++)
		if (is_chosen(replay, disk->next, variant, random) &&
		    disk_cut(disk, variant, replay->seed, replay->image))
			try_state(replay, disk, variant, is_recorded(replay));
}

static void try_log(struct replay *replay)
{
	uint64_t random = replay->seed;
	struct disk disk;

	disk_start(&disk, &replay->log, replay->base, replay->target.bytes);
	disk.atom = replay->target.sector_size;
	disk.data_from = DATA_FROM;
	for (;;) {
		const struct writelog_entry *entry =
			&replay->log.entry[disk.next];

		try_entry(replay, &disk, &random);
		if (disk.next == replay->log.count)
			break;
		if (entry->flags & LOG_MARK)
			pass_mark(replay, (const char *)entry->data);
		disk_step(&disk);
	}
	disk_free(&disk);
}

/* ------------------------------------------------------------------- main */

static void parse_options(struct replay *replay, int argc, char **argv)
{
	static const struct option options[] = {
		{ "variants", required_argument, NULL, 'v' },
		{ "points", required_argument, NULL, 'p' },
		{ "second", required_argument, NULL, '2' },
		{ "second-log", required_argument, NULL, 'l' },
		{ "second-points", required_argument, NULL, 'P' },
		{ "at-least", required_argument, NULL, 'a' },
		{ "seed", required_argument, NULL, 's' },
		{ "entry", required_argument, NULL, 'e' },
		{ "variant", required_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'v':
			replay->variants = (unsigned int)atoi(optarg);
			break;
		case 'p':
			replay->points = strtoull(optarg, NULL, 0);
			break;
		case '2':
			replay->seconds = (unsigned int)atoi(optarg);
			break;
		case 'l':
			replay->second_log = optarg;
			break;
		case 'P':
			replay->second_points = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			replay->at_least = strtoull(optarg, NULL, 0);
			break;
		case 's':
			replay->seed = strtoull(optarg, NULL, 0);
			break;
		case 'e':
			replay->only_entry = atol(optarg);
			break;
		case 'V':
			replay->only_variant = atol(optarg);
			break;
		default:
			exit(2);
		}
	if (argc - optind != 6 || (replay->seconds && !replay->second_log))
		die("usage", "see the head of crash-replay.c");
}

static void report(const struct replay *replay, time_t start)
{
	printf("replay: %u log entries, seed %llu, up to %u variants: %llu cuts, and %llu second cuts in %llu recoveries\n",
	       replay->log.count, (unsigned long long)replay->seed,
	       replay->variants, (unsigned long long)replay->tried,
	       (unsigned long long)replay->tried_second,
	       (unsigned long long)replay->first_recoveries);
	printf("replay: %llu opened in mid-rotation, %llu of those came to their end; %llu unflushed versions lost, %llu states failed, %lld s\n",
	       (unsigned long long)crash_counts.opened_rotating,
	       (unsigned long long)crash_counts.finished,
	       (unsigned long long)crash_counts.lost,
	       (unsigned long long)replay->failed,
	       (long long)(time(NULL) - start));
}

int main(int argc, char **argv)
{
	static struct replay replay = { .variants = 2,
					.seed = 1,
					.only_entry = -1 };
	const time_t start = time(NULL);

	parse_options(&replay, argc, argv);
	argv += optind;
	setlinebuf(stdout);
	crash_target_start(&replay.target, argv[0], argv[1],
			   (size_t)atoi(argv[2]));
	new_versions(&replay.versions, replay.target.sectors);
	new_versions(&replay.second_versions, replay.target.sectors);
	replay.base = read_base(argv[3], replay.target.bytes);
	replay.image = must(malloc(replay.target.bytes));
	replay.second_image = must(malloc(replay.target.bytes));
	writelog_read(argv[4], &replay.log);
	read_facts(&replay, argv[5]);
	if (put_late_flushes_right(&replay) > LATE_MAX)
		die(argv[4], "has writes behind the flushes of too many marks");
	try_log(&replay);
	report(&replay, start);
	if (replay.tried < replay.at_least)
		printf("replay: fewer cuts than %llu\n",
		       (unsigned long long)replay.at_least);
	return replay.failed || !replay.tried ||
	       replay.tried < replay.at_least ||
	       (replay.seconds && !replay.tried_second);
}
