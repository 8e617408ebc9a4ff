// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for a number of seconds: load on a volume, while other
 * threads add its key and end it in any way, renew it, unlock the volume,
 * suspend, resume and reload it, ask for status and table. Calls may fail as
 * they like; what must hold is that I/O either succeeds with right bytes or
 * fails with ENODEV, that every call comes back, and that in the end, with the
 * key added, the volume unlocks. What the kernel itself finds wrong is seen
 * by who runs this.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "control.h"
#include "load.h"

static const char *name;
static int keyring;
static struct policy_key key;
static char unlock_message[96];
static char table[1024]; /* "<length> <arguments>" of the target */
static atomic_bool stop;

enum call { ADD, END, UNLOCK, SUSPEND, RESUME, LOAD, STATUS, CALLS };

static const char *const call_names[] = { "add",    "end",  "unlock", "suspend",
					  "resume", "load", "status" };

static _Atomic uint64_t done[CALLS], failed[CALLS];

static void count(enum call call, int rc)
{
	atomic_fetch_add(&done[call], 1);
	if (rc < 0)
		atomic_fetch_add(&failed[call], 1);
}

struct dm_call {
	struct dm_ioctl head;
	struct dm_target_spec spec;
	char text[2048];
} __attribute__((packed));

static void prepare(struct dm_call *call, uint32_t flags)
{
	memset(call, 0, sizeof(*call));
	call->head.version[0] = DM_VERSION_MAJOR;
	call->head.data_size = sizeof(*call);
	call->head.data_start = sizeof(call->head);
	call->head.flags = flags;
	snprintf(call->head.name, sizeof(call->head.name), "%s", name);
}

static int dm_call(unsigned long request, struct dm_call *call)
{
	const int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, request, call) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int dm_suspend_or_resume(uint32_t flags)
{
	struct dm_call call;

	prepare(&call, flags);
	return dm_call(DM_DEV_SUSPEND, &call);
}

static int dm_load(void)
{
	struct dm_call call;
	char *words;

	prepare(&call, 0);
	call.head.target_count = 1;
	call.spec.length = strtoull(table, &words, 10);
	strcpy(call.spec.target_type, "svcenc");
	snprintf(call.text, sizeof(call.text), "%s", words + 1);
	return dm_call(DM_TABLE_LOAD, &call);
}

static int dm_status(uint32_t flags)
{
	struct dm_call call;

	prepare(&call, flags);
	return dm_call(DM_TABLE_STATUS, &call);
}

static void *change_keys(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;
	int serial = -1;

	while (!atomic_load(&stop)) {
		static const enum end_way ways[] = { END_REVOKE, END_UNLINK,
						     END_CLEAR, END_INVALIDATE,
						     END_TIMEOUT };
		const unsigned int pick = (unsigned int)rand_r(&seed);

		if (pick & 1) {
			serial = key_add(&key, 1 + pick % 3, keyring);
			count(ADD, serial);
		} else if (serial > 0) {
			count(END,
			      key_end(ways[(pick >> 4) % 5], serial, keyring));
		}
		sleep_ns((pick >> 8) % 4000 * 1000LL);
	}
	return NULL;
}

static void *unlock(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg;

	while (!atomic_load(&stop)) {
		count(UNLOCK, dm_message(name, unlock_message));
		count(STATUS,
		      dm_status(rand_r(&seed) & 1 ? DM_STATUS_TABLE_FLAG : 0));
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
			count(LOAD, dm_load());
		count(SUSPEND,
		      dm_suspend_or_resume(DM_SUSPEND_FLAG |
					   (pick & 2 ? DM_NOFLUSH_FLAG : 0)));
		sleep_ns((pick >> 8) % 4000 * 1000LL);
		count(RESUME, dm_suspend_or_resume(0));
		sleep_ns((pick >> 8) % 9000 * 1000LL);
	}
	return NULL;
}

static void run_threads(unsigned int seconds)
{
	static void *(*const jobs[])(void *) = { change_keys, change_keys,
						 unlock, change_tables };
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

	dm_suspend_or_resume(0);
	for (tries = 0; tries < 100; tries++) {
		key_add(&key, 600, keyring);
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

static int judge(const struct load_facts *facts)
{
	unsigned int i;

	for (i = 0; i < CALLS; i++)
		printf("%s: %" PRIu64 " calls, %" PRIu64 " refused\n",
		       call_names[i], done[i], failed[i]);
	printf("I/O: %" PRIu64 " ok, %" PRIu64 " failed, %" PRIu64
	       " of them not with ENODEV, %" PRIu64 " wrong\n",
	       facts->ok, facts->failed, facts->not_offline, facts->wrong);
	return facts->not_offline || facts->wrong || !facts->ok ||
	       !facts->failed;
}

int main(int argc, char **argv)
{
	struct load_plan plan = { .threads = 3,
				  .read_percent = 50,
				  .max_bytes = 64 << 10 };
	struct load_facts facts;
	struct load *load;
	char path[256];
	int bad;

	if (argc != 6 || policy_key_read(argv[1], &key)) {
		fputs("usage: svcenc-key-race VOLUME NAME KEYRING SECONDS '<length> <arguments>'\n",
		      stderr);
		return 2;
	}
	name = argv[2];
	keyring = atoi(argv[3]);
	snprintf(table, sizeof(table), "%s", argv[5]);
	snprintf(unlock_message, sizeof(unlock_message), "unlock %s",
		 key.description);
	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	plan.path = path;
	load = load_start(&plan);
	if (!load) {
		fprintf(stderr, "svcenc-key-race: %s: %m\n", path);
		return 2;
	}
	run_threads((unsigned int)atoi(argv[4]));
	load_get(load, &facts);
	bad = judge(&facts);
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
