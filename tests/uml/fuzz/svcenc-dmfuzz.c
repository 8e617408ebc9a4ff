// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzes what root can send to the target: tables, messages, device-mapper
 * ioctls, netlink messages, keys. A volume named "steady" is in use all the
 * time; it must not notice.
 *
 *   svcenc-dmfuzz [--seed N] [--cases N] [--from N] [--race]
 *       STEADY_DEVICE STEADY VICTIM_DEVICE VICTIM FRESH_DEVICE FRESH
 *       NEXT AUTHORISATION
 *
 * STEADY ... NEXT are files whose companions (.uuid, .desc, .sectors, .key)
 * describe a volume in use, a keyed one, a fresh one, and a key with the
 * AUTHORISATION to rewrap VICTIM to it. A case depends on seed and number
 * alone (and on what the cases before it left). --race: a second process sends
 * cases of its own at the same time.
 *
 * Exit status: 0 all in order, and of every kind some were accepted and some
 * refused; 1 not so, with the cases between the last two looks; 2 set-up.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "genl.h"

enum { LOOK_EVERY = 250, TELL_EVERY = 5000 };

struct options {
	uint64_t seed, cases, from;
	bool race;
};

/* Between the two processes of a race. */
struct shared {
	atomic_ulong accepted[FUZZ_KIND_COUNT];
	atomic_ulong refused[FUZZ_KIND_COUNT];
	atomic_bool pause, paused, over;
};

static struct fuzz_world world;
static struct shared *shared;

static const char *const kind_names[] = {
#define x(number, name) name,
	FUZZ_KINDS(x)
#undef x
};

static void run_case(uint64_t seed, uint64_t number)
{
	enum fuzz_kind kind;

	fuzz_seed(seed, number);
	kind = fuzz_below(FUZZ_KIND_COUNT);
	if (fuzz_case(&world, kind))
		atomic_fetch_add(&shared->refused[kind], 1);
	else
		atomic_fetch_add(&shared->accepted[kind], 1);
}

/* ------------------------------------------------------------------- race */

static void race(uint64_t seed)
{
	uint64_t number = 0;

	while (!atomic_load(&shared->over)) {
		if (atomic_load(&shared->pause)) {
			atomic_store(&shared->paused, true);
			usleep(500);
			continue;
		}
		atomic_store(&shared->paused, false);
		run_case(seed, number++);
	}
	exit(0);
}

static pid_t race_start(uint64_t seed)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	race(seed ^ 0x5eedULL);
	return 0;
}

static void race_pause(bool pause)
{
	atomic_store(&shared->pause, pause);
	while (pause && !atomic_load(&shared->paused))
		usleep(500);
	atomic_store(&shared->paused, false);
}

/* ------------------------------------------------------------------- loop */

static bool look(const struct options *opts, pid_t load)
{
	bool good;

	if (opts->race)
		race_pause(true);
	good = fuzz_load_alive(load);
	if (!good)
		puts("inconsistent: the load on the steady volume has ended");
	good = good && fuzz_check(&world);
	if (opts->race)
		race_pause(false);
	return good;
}

static bool all_cases(const struct options *opts, pid_t load)
{
	const uint64_t end = opts->from + opts->cases;
	uint64_t number;

	for (number = opts->from; number < end; number++) {
		run_case(opts->seed, number);
		if ((number + 1) % TELL_EVERY == 0) {
			printf("seed %" PRIu64 ": case %" PRIu64 "\n",
			       opts->seed, number + 1);
			fflush(stdout);
		}
		if ((number + 1) % LOOK_EVERY && number + 1 < end)
			continue;
		if (!look(opts, load)) {
			printf("seed %" PRIu64 ": between case %" PRIu64
			       " and %" PRIu64 "\n",
			       opts->seed, number - number % LOOK_EVERY,
			       number);
			return false;
		}
	}
	return true;
}

/* False if a kind was only ever accepted or only ever refused. */
static bool report(const struct options *opts, time_t begin)
{
	unsigned long accepted, refused;
	bool both = true;
	int kind;

	for (kind = 0; kind < FUZZ_KIND_COUNT; kind++) {
		accepted = atomic_load(&shared->accepted[kind]);
		refused = atomic_load(&shared->refused[kind]);
		printf("%s: accepted=%lu refused=%lu\n", kind_names[kind],
		       accepted, refused);
		both = both && accepted && refused;
	}
	printf("seed=%" PRIu64 " cases=%" PRIu64 " from=%" PRIu64
	       " race=%d seconds=%ld\n",
	       opts->seed, opts->cases, opts->from, opts->race,
	       (long)(time(NULL) - begin));
	/* A few cases do not say much. */
	return both || opts->cases < 1000;
}

static int run(const struct options *opts)
{
	const time_t begin = time(NULL);
	const pid_t load = fuzz_load_start();
	pid_t racer = 0;
	bool good;

	if (load < 0) {
		fputs("svcenc-dmfuzz: no load on the steady volume\n", stderr);
		return 2;
	}
	if (opts->race)
		racer = race_start(opts->seed);
	good = all_cases(opts, load);
	if (racer) {
		atomic_store(&shared->over, true);
		waitpid(racer, NULL, 0);
		good = fuzz_check(&world) && good;
	}
	good = fuzz_load_end(load) && good;
	return report(opts, begin) && good ? 0 : 1;
}

/* ----------------------------------------------------------------- set-up */

static int set_up(char **argv)
{
	int fd, rc;

	world.steady.device = argv[0];
	world.victim.device = argv[2];
	world.fresh.device = argv[4];
	snprintf(world.auth, sizeof(world.auth), "%s", argv[7]);
	rc = volume_read(argv[1], &world.steady.id);
	if (!rc)
		rc = volume_read(argv[3], &world.victim.id);
	if (!rc)
		rc = volume_read(argv[5], &world.fresh.id);
	if (!rc)
		rc = volume_read(argv[6], &world.next);
	if (!rc)
		rc = dmraw_open();
	if (!rc)
		rc = fuzz_raw_setup();
	if (rc)
		return rc;
	world.keyring = key_keyring();
	fd = genl_open();
	world.family = genl_family(fd);
	close(fd);
	if (world.keyring < 0 || world.family < 0)
		return -ENOENT;
	return fuzz_check_setup(&world);
}

static int parse(int argc, char **argv, struct options *opts)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "cases", required_argument, NULL, 'c' },
		{ "from", required_argument, NULL, 'f' },
		{ "race", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 's')
			opts->seed = strtoull(optarg, NULL, 0);
		else if (c == 'c')
			opts->cases = strtoull(optarg, NULL, 0);
		else if (c == 'f')
			opts->from = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			opts->race = true;
		else
			return -EINVAL;
	}
	return optind + 8 == argc ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
	struct options opts = { .seed = 1, .cases = 10000 };
	int rc;

	if (parse(argc, argv, &opts)) {
		fputs("usage: svcenc-dmfuzz [--seed N] [--cases N] [--from N] [--race]\n"
		      "           STEADY_DEVICE STEADY VICTIM_DEVICE VICTIM FRESH_DEVICE FRESH\n"
		      "           NEXT AUTHORISATION\n",
		      stderr);
		return 2;
	}
	world.race = opts.race;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	rc = shared == MAP_FAILED ? -errno : set_up(argv + optind);
	if (rc) {
		fprintf(stderr, "svcenc-dmfuzz: set-up: %s\n",
			strerror(rc < 0 ? -rc : rc));
		return 2;
	}
	return run(&opts);
}
