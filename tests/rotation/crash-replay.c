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
 *	--until-failed N	stop once so many states have failed
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
#include "lateflush.h"
#include "stamp.h"
#include "writelog.h"

enum {
	FAILURES_SHOWN = 5,
	DATA_FROM = 4 << 20,
	SPARE = 1 << 20,
	PROGRESS = 1000
};

struct replay {
	struct crash_target target;
	struct writelog log;
	struct crash_versions versions;
	struct crash_versions second_versions;
	unsigned char *base, *image, *second_image;
	const char *second_log;
	struct crash_facts facts;
	unsigned int variants;
	uint64_t points, seed;
	unsigned int seconds;
	uint64_t second_points, at_least, until_failed;
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
	struct crash_facts *facts = &replay->facts;

	if (!(facts->count & (facts->count + 1)))
		facts->fact =
			must(realloc(facts->fact, (2 * (size_t)facts->count +
						   2) * sizeof(*facts->fact)));
	facts->fact[facts->count++] =
		(struct crash_fact){ .sector = sector,
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
	if (issued != replay->target.sectors || !replay->facts.count)
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
	const struct crash_fact *fact = replay->facts.fact;
	const struct crash_fact *const end = fact + replay->facts.count;
	unsigned int number;

	if (sscanf(text, "f%u", &number) != 1)
		return;
	for (; fact < end; fact++)
		if (fact->number == number)
			replay->versions.lowest[fact->sector] = fact->version;
}

static void put_late_flushes_right(struct replay *replay, const char *path)
{
	const struct crash_layout layout = {
		.sectors = replay->target.sectors,
		.sector_size = replay->target.sector_size,
		.low = DATA_FROM,
		.high = DATA_FROM + SPARE,
	};
	const unsigned int moved =
		lateflush_put_right(&replay->log, &replay->facts, &layout);

	if (moved > LATE_MAX)
		die(path, "has writes behind the flushes of too many marks");
	if (moved)
		printf("replay: %u flushes had been overtaken by later ones\n",
		       moved);
}

/* ----------------------------------------------------------------- trying */

/*
 * What became of a sector until the cut: each write to where it lies before or
 * after a rotation, each flush behind one, each mark with a fact about it.
 */
static void show_history(const struct replay *replay, const struct disk *disk,
			 uint64_t sector)
{
	const struct crash_fact *fact = replay->facts.fact;
	const uint64_t low = DATA_FROM + sector * replay->target.sector_size;
	bool news = false;
	unsigned int i, j, number;

	for (i = 0; i <= disk->next && i < disk->log->count; i++) {
		const struct writelog_entry *entry = &disk->log->entry[i];
		const bool is_low = writelog_covers(entry, low);
		const bool is_high = writelog_covers(entry, low + SPARE);
		const bool is_header = entry->bytes && entry->at < DATA_FROM;

		if (entry->flags & LOG_MARK) {
			if (sscanf((const char *)entry->data, "f%u", &number) !=
			    1)
				continue;
			for (j = 0; j < replay->facts.count; j++)
				if (fact[j].number == number &&
				    fact[j].sector == sector)
					printf("  %u: mark %u, version %u\n", i,
					       number, fact[j].version);
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
		if (disk.next == replay->log.count ||
		    (replay->until_failed &&
		     replay->failed >= replay->until_failed))
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
		{ "until-failed", required_argument, NULL, 'f' },
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
		case 'f':
			replay->until_failed = strtoull(optarg, NULL, 0);
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
	put_late_flushes_right(&replay, argv[4]);
	try_log(&replay);
	report(&replay, start);
	if (replay.tried < replay.at_least)
		printf("replay: fewer cuts than %llu\n",
		       (unsigned long long)replay.at_least);
	return replay.failed || !replay.tried ||
	       replay.tried < replay.at_least ||
	       (replay.seconds && !replay.tried_second);
}
