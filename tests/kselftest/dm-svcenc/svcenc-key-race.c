// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for a number of seconds: load on a volume, while other
 * threads add its key and end it in any way, renew its lease, unlock the
 * volume, suspend, resume and reload it, start, pause and resume rotations of
 * it, ask for status and table; and open, rotate, rewrap to and fro, and remove
 * a second volume of the same key. Calls may
 * fail as they like; what must hold is that I/O either succeeds with right
 * bytes or fails with ENODEV, that every call comes back, that each kind was
 * there often enough to race with the others, and that in the end, with the
 * key added, the volume unlocks. What the kernel itself finds wrong is seen by
 * who runs this.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "dmcall.h"
#include "lease.h"
#include "load.h"

static const char usage[] =
	"usage: svcenc-key-race VOLUME NAME KEYRING SECONDS '<length> <arguments>'\n"
	"         NEW NAME2 '<length> <device> <uuid>' TO_NEW BACK\n"
	"NEW: a key's companions; the last four are for a second volume under the\n"
	"key of VOLUME, with the authorisations of its rewraps.\n";

static const char *name;
static int keyring;
static struct policy_key keys[2]; /* that of the volume, and the new one */
static char unlock_message[96];
static struct dmcall_table table = { .type = "svcenc" };
static const char *second_name, *second_words, *authorisation[2];
static uint64_t second_sectors;
static atomic_bool stop;

/* Calls of which each must be both taken and refused: there were races. */
#define RACERS(x)                                                             \
	x(ADD, "add") x(END, "end") x(UNLOCK, "unlock") x(SUSPEND, "suspend") \
		x(RESUME, "resume") x(LOAD, "load") x(STATUS, "status")       \
			x(LEASE, "lease") x(OPEN, "open") x(REWRAP, "rewrap") \
				x(ROTATE, "rotate") x(REMOVE, "remove")

enum call {
#define x(id, text) id,
	RACERS(x)
#undef x
		CALLS
};

static const char *const call_names[] = {
#define x(id, text) text,
	RACERS(x)
#undef x
};

static _Atomic uint64_t done[CALLS], failed[CALLS];

static int count(enum call call, int rc)
{
	atomic_fetch_add(&done[call], 1);
	if (rc < 0)
		atomic_fetch_add(&failed[call], 1);
	return rc;
}

static void *change_keys(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	int serials[2] = { -1, -1 };

	while (!atomic_load(&stop)) {
		static const enum end_way ways[] = { END_REVOKE, END_UNLINK,
						     END_CLEAR, END_INVALIDATE,
						     END_TIMEOUT };
		const unsigned int pick = (unsigned int)rand_r(&seed);
		const unsigned int which = pick >> 1 & 1;

		if (pick & 1) {
			serials[which] =
				key_add(&keys[which], 1 + pick % 3, keyring);
			count(ADD, serials[which]);
		} else if (serials[which] > 0) {
			count(END, key_end(ways[(pick >> 4) % 5],
					   serials[which], keyring));
		}
		sleep_ns((pick >> 8) % 4000 * 1000LL);
	}
	return NULL;
}

static void *renew_leases(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	struct lease_socket socket;

	if (lease_connect(&socket))
		exit(2);
	while (!atomic_load(&stop)) {
		const unsigned int pick = (unsigned int)rand_r(&seed);

		count(LEASE, lease_renew(&socket, keys[pick & 1].description,
					 1 + pick % 3));
		sleep_ns((pick >> 8) % 6000 * 1000LL);
	}
	return NULL;
}

static void *unlock(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		count(UNLOCK, dm_message(name, unlock_message));
		count(STATUS, dmcall_status(name, rand_r(&seed) & 1 ?
							  DM_STATUS_TABLE_FLAG :
							  0));
		sleep_ns(rand_r(&seed) % 3000 * 1000LL);
	}
	return NULL;
}

static void *change_tables(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		const int pick = rand_r(&seed);

		if (pick & 1)
			count(LOAD, dmcall_load(name, &table, 0));
		count(SUSPEND,
		      dmcall_suspend(name, pick & 2 ? DM_NOFLUSH_FLAG : 0));
		sleep_ns((pick >> 8) % 4000 * 1000LL);
		count(RESUME, dmcall_resume(name));
		sleep_ns((pick >> 8) % 9000 * 1000LL);
	}
	return NULL;
}

static void *rotate(void *arg)
{
	static const char *const messages[] = {
		"rotate start",	 "rotate start", "rotate resume",
		"rotate resume", "rotate pause", "rotate rate 4096",
		"rotate rate 0",
	};
	enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		const unsigned int pick = (unsigned int)rand_r(&seed);

		count(ROTATE, dm_message(name, messages[pick % MESSAGES]));
		sleep_ns((pick >> 8) % 8000 * 1000LL);
	}
	return NULL;
}

static int open_second(unsigned int under)
{
	char words[512];
	const struct dmcall_table second = { .type = "svcenc",
					     .sectors = second_sectors,
					     .words = words };
	int rc;

	snprintf(words, sizeof(words), "%s %s", second_words,
		 keys[under].description);
	rc = dmcall_create(second_name, NULL, NULL);
	if (!rc)
		rc = dmcall_load(second_name, &second, 0);
	return rc ? rc : dmcall_resume(second_name);
}

static int rewrap_second(unsigned int under)
{
	char message[192];

	snprintf(message, sizeof(message), "rewrap %s %s",
		 keys[!under].description, authorisation[under]);
	return dm_message(second_name, message);
}

/* Which key the header is under, only a successful rewrap changes. */
static void *come_and_go(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	unsigned int under = 0;

	while (!atomic_load(&stop)) {
		int tries = rand_r(&seed) % 3;

		count(OPEN, open_second(under));
		if (rand_r(&seed) & 1)
			count(ROTATE, dm_message(second_name, "rotate start"));
		for (; tries; tries--) {
			if (!count(REWRAP, rewrap_second(under)))
				under = !under;
			sleep_ns(rand_r(&seed) % 2000 * 1000LL);
		}
		count(STATUS, dmcall_status(second_name, 0));
		count(REMOVE, dmcall_remove(second_name, 0));
	}
	return NULL;
}

static void run_threads(unsigned int seconds)
{
	static void *(*const jobs[])(void *) = {
		change_keys, change_keys,   renew_leases, unlock,
		rotate,	     change_tables, come_and_go,
	};
	enum { JOBS = sizeof(jobs) / sizeof(jobs[0]) };
	pthread_t threads[JOBS];
	uintptr_t i;

	for (i = 0; i < JOBS; i++)
		if (pthread_create(&threads[i], NULL, jobs[i], (void *)(i + 1)))
			exit(2);
	sleep_ns(seconds * NS_PER_S);
	atomic_store(&stop, true);
	for (i = 0; i < JOBS; i++)
		pthread_join(threads[i], NULL);
}

/* With the key there, everything must be well again. */
static int recover(struct load *load)
{
	struct load_facts facts;
	int tries;

	dmcall_resume(name);
	for (tries = 0; tries < 100; tries++) {
		key_add(&keys[0], 600, keyring);
		if (!dm_message(name, unlock_message)) {
			load_mark(load);
			sleep_ns(NS_PER_S / 2);
			load_get(load, &facts);
			if (facts.ok && !facts.failed)
				return 0;
		}
		sleep_ns(50 * NS_PER_MS); /* a dying key may still be there */
	}
	return -EIO;
}

/* Fewer of a kind would hardly be a race; so many are there on any machine. */
enum { CALLS_MIN = 15 };

static int judge(const struct load_facts *facts, unsigned int seconds)
{
	uint64_t all = 0;
	unsigned int i;
	int bad = 0;

	for (i = 0; i < CALLS; i++) {
		printf("%s: %" PRIu64 " calls, %" PRIu64 " refused\n",
		       call_names[i], done[i], failed[i]);
		all += done[i];
		if (done[i] < CALLS_MIN || done[i] == failed[i]) {
			printf("%s: too few, at least %u are wanted\n",
			       call_names[i], CALLS_MIN);
			bad = 1;
		}
	}
	printf("%" PRIu64 " calls in %u s raced\n", all, seconds);
	printf("I/O: %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
	       " of them not with ENODEV, %" PRIu64 " wrong\n",
	       facts->ok, facts->failed, facts->not_offline, facts->wrong);
	return bad || facts->not_offline || facts->wrong || !facts->ok ||
	       !facts->failed;
}

/* What the arguments say; false if they are none. */
static bool take_arguments(int argc, char **argv)
{
	char *words;

	if (argc != 11 || policy_key_read(argv[1], &keys[0]) ||
	    policy_key_read(argv[6], &keys[1]))
		return false;
	name = argv[2];
	keyring = atoi(argv[3]);
	table.sectors = strtoull(argv[5], &words, 10);
	if (!*words)
		return false;
	table.words = words + 1;
	snprintf(unlock_message, sizeof(unlock_message), "unlock %s",
		 keys[0].description);
	second_name = argv[7];
	second_sectors = strtoull(argv[8], &words, 10);
	if (!*words)
		return false;
	second_words = words + 1;
	authorisation[0] = argv[9];
	authorisation[1] = argv[10];
	return true;
}

int main(int argc, char **argv)
{
	struct load_plan plan = { .threads = 3,
				  .read_percent = 50,
				  .max_bytes = 64 << 10 };
	struct load_facts facts;
	unsigned int seconds;
	struct load *load;
	char path[256];
	int bad;

	if (!take_arguments(argc, argv)) {
		fputs(usage, stderr);
		return 2;
	}
	seconds = (unsigned int)atoi(argv[4]);
	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	plan.path = path;
	load = load_start(&plan);
	if (!load) {
		fprintf(stderr, "svcenc-key-race: %s: %m\n", path);
		return 2;
	}
	run_threads(seconds);
	load_get(load, &facts);
	bad = judge(&facts, seconds);
	if (recover(load)) {
		puts("the volume does not unlock again");
		bad = 1;
	}
	load_get(load, &facts);
	load_stop(load);
	if (facts.wrong)
		bad = 1;
	puts(bad ? "FAILED" : "pass");
	return bad;
}
