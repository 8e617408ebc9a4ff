// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends a key in each way in each situation of its volume. What must hold in a
 * cell, situations.c knows; here is in which order they run, that each has an
 * end, and how they went.
 *
 *   svcenc-key-matrix [--rounds N] [--waves N] [--seed N] MODULE FILE:BELOW...
 *
 * FILE has the companions of a volume (.uuid, .desc, .key, .sectors) that lies
 * on the mapped device BELOW, a linear one. Ways that end a key at once come
 * one after the other, with N rounds where two calls race, on the first
 * volume. Those that come by the clock run side by side, a volume each, in N
 * waves. The module is unloaded and loaded again, from the file MODULE.
 *
 * Prints a line for each cell, "ok WAY SITUATION ..." or "not ok ..."; exit
 * status 0 when all cells ran and are well, 1 when not, 2: usage.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmcall.h"
#include "matrix.h"

enum { VOLUMES_MAX = 32, PHASE_MS = 4, HANGS_S = 100 };

static struct {
	const char *module;
	struct volume_spec volumes[VOLUMES_MAX];
	unsigned int volume_count;
	unsigned int rounds, waves, seed;
} run = { .rounds = 3, .waves = 1, .seed = 1 };

static struct tally {
	unsigned int well, other, failed;
} tallies[END_WAY_COUNT][SITUATION_COUNT];

struct child {
	pid_t pid;
	struct tally *tally;
};

static bool is_by_clock(enum end_way way)
{
	return way == END_LEASE || way == END_TIMEOUT;
}

static int64_t random_phase(enum situation situation)
{
	if (!situation_is_race(situation))
		return 0;
	return rand() % (2 * PHASE_MS * 1000) * 1000LL - PHASE_MS * NS_PER_MS;
}

/* -------------------------------------------------------------------- cells */

static struct child start(enum end_way way, enum situation situation,
			  const struct volume_spec *volume)
{
	struct cell cell = { .way = way,
			     .situation = situation,
			     .phase_ns = random_phase(situation),
			     .volume = volume,
			     .module = run.module };
	struct child child = { .tally = &tallies[way][situation] };

	child.pid = fork();
	if (child.pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!child.pid)
		_exit(matrix_run(&cell));
	return child;
}

/* A cell that does not end is a fault that no kill helps against. */
static int await(const struct child *child)
{
	const int64_t deadline = now_ns() + HANGS_S * NS_PER_S;
	int status;

	while (!waitpid(child->pid, &status, WNOHANG)) {
		if (now_ns() > deadline) {
			printf("# it hangs, process %d\n", (int)child->pid);
			return OUTCOME_FAILED;
		}
		sleep_ns(NS_PER_MS / 2);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : OUTCOME_FAILED;
}

/* False if it failed. */
static bool finish(const struct child *child)
{
	switch (await(child)) {
	case OUTCOME_WELL:
		child->tally->well++;
		return true;
	case OUTCOME_OTHER:
		child->tally->other++;
		return true;
	default:
		child->tally->failed++;
		return false;
	}
}

/* ------------------------------------------------------------- their order */

static bool one_after_the_other(enum end_way way, enum situation situation,
				unsigned int times)
{
	struct child child;

	if (!situation_is_race(situation))
		times = 1;
	while (times--) {
		child = start(way, situation, &run.volumes[0]);
		if (!finish(&child))
			return false;
	}
	return true;
}

static bool at_once(bool alone)
{
	int situation, way;

	for (situation = 0; situation < SITUATION_COUNT; situation++) {
		if (situation_is_alone(situation) != alone)
			continue;
		for (way = 0; way < END_WAY_COUNT; way++) {
			if (!alone && is_by_clock(way))
				continue;
			if (!one_after_the_other(way, situation,
						 is_by_clock(way) ? run.waves :
								    run.rounds))
				return false;
		}
	}
	return true;
}

static bool wave(void)
{
	struct child children[VOLUMES_MAX];
	unsigned int i, count = 0;
	int situation, way;
	bool good = true;

	for (situation = 0; situation < SITUATION_COUNT; situation++)
		for (way = 0; way < END_WAY_COUNT; way++)
			if (is_by_clock(way) &&
			    !situation_is_alone(situation)) {
				children[count] = start(way, situation,
							&run.volumes[count]);
				count++;
			}
	for (i = 0; i < count; i++)
		good &= finish(&children[i]);
	return good;
}

static unsigned int wave_size(void)
{
	unsigned int size = 0;
	int situation;

	for (situation = 0; situation < SITUATION_COUNT; situation++)
		size += situation_is_alone(situation) ? 0 : 2;
	return size;
}

static bool run_all(void)
{
	unsigned int i;

	if (!at_once(false))
		return false;
	for (i = 0; i < run.waves; i++)
		if (!wave())
			return false;
	return at_once(true);
}

/* ------------------------------------------------------------ what is told */

static void report(void)
{
	int situation, way;

	for (situation = 0; situation < SITUATION_COUNT; situation++)
		for (way = 0; way < END_WAY_COUNT; way++) {
			const struct tally *tally = &tallies[way][situation];
			const unsigned int rounds =
				tally->well + tally->other + tally->failed;

			printf("%sok %s %s rounds=%u",
			       tally->failed || !rounds ? "not " : "",
			       end_way_name(way), situation_name(situation),
			       rounds);
			if (tally->other)
				printf(" end-first=%u", tally->other);
			putchar('\n');
		}
}

/* ------------------------------------------------------------------ set-up */

static int usage(void)
{
	fprintf(stderr,
		"usage: svcenc-key-matrix [--rounds N] [--waves N] [--seed N] MODULE FILE:BELOW...\n"
		"wanted: %u volumes at least, %d at most\n",
		wave_size(), VOLUMES_MAX);
	return 2;
}

static void read_volume(struct volume_spec *volume, char *argument)
{
	struct dmcall call;
	char *colon = strchr(argument, ':');
	int rc;

	if (!colon)
		exit(usage());
	*colon = '\0';
	volume->file = argument;
	volume->below = colon + 1;
	dmcall_prepare(&call, volume->below, DM_STATUS_TABLE_FLAG);
	rc = dmcall_send(DM_TABLE_STATUS, &call);
	if (rc) {
		fprintf(stderr, "%s: %s\n", volume->below, strerror(-rc));
		exit(2);
	}
	volume->below_sectors = call.spec.length;
	snprintf(volume->below_words, sizeof(volume->below_words), "%s",
		 call.text);
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "waves", required_argument, NULL, 'w' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	int option, i;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned int *value = option == 'r' ? &run.rounds :
				      option == 'w' ? &run.waves :
				      option == 's' ? &run.seed :
						      NULL;

		if (!value)
			exit(usage());
		*value = (unsigned int)strtoul(optarg, NULL, 10);
	}
	if (argc - optind - 1 < (int)wave_size() ||
	    argc - optind - 1 > VOLUMES_MAX || !run.rounds || !run.waves)
		exit(usage());
	run.module = argv[optind];
	for (i = optind + 1; i < argc; i++)
		read_volume(&run.volumes[run.volume_count++], argv[i]);
}

int main(int argc, char **argv)
{
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(argc, argv);
	srand(run.seed);
	good = run_all();
	report();
	return !good;
}
