// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ends policy keys under full random load, again and again, and judges each
 * end by time stamps taken around the very system call:
 *
 *   I/O flowed until the call, and nothing had failed;
 *   of what was submitted after the bound of that way, nothing succeeded;
 *   the first failure came within the bound, and, for a lease, not before it;
 *   every failure was ENODEV (BLK_STS_OFFLINE), no read returned other bytes
 *   than were written, and after "unlock" I/O flows again;
 *   the bystanders, volumes of another key, never noticed.
 *
 * A bound of seconds is meant in seconds that the machine ran (stall.h); that
 * nothing succeeds after keyctl revoke has returned is meant as it stands.
 * Prints the distribution and "pass: ...", or what was wrong.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "load.h"
#include "stall.h"

static const char usage[] =
	"usage: svcenc-key-end --way WAY --keyring SERIAL [--repetitions N]\n"
	"         [--lease S] [--threads N] [--bystander DEVICE]...\n"
	"         VOLUME:NAME[,NAME]...\n"
	"Each argument is one key: VOLUME has the companions .key and .desc,\n"
	"NAMEs are the mapped devices that use it (named as for dmsetup).\n";

enum limits {
	MAX_VICTIMS = 32,
	MAX_NAMES = 4,
	MAX_BYSTANDERS = 4,
	/* I/Os per volume that prove flow before, and failures after an end. */
	FLOW_MIN = 24,
	FAILURES_MIN = 8,
	/* The random moment of the call lies within this of flow being seen. */
	PHASE_MS = 8,
	DISCARD_MAX = 5,
};

/* No I/O for this long right before the call would not be "flowed until". */
#define GAP_MAX_NS (500 * NS_PER_MS)
#define FLOW_WAIT_NS (10 * NS_PER_S)
/* How long after its bound an end may take to be seen by every volume. */
#define SEEN_WAIT_NS (5 * NS_PER_S)

struct victim {
	struct policy_key key;
	const char *names[MAX_NAMES];
	struct load *loads[MAX_NAMES];
	unsigned int name_count;
	int serial;
	/* Around add_key() and around the call that ends the key. */
	int64_t add_from, add_to;
	int64_t call_from, call_to;
	int64_t stall_ns; /* stall_ns() at the call, or at the lease's end */
	uint64_t ok_before;
	int64_t gap_ns;
	unsigned int in_flight;
};

struct sample {
	int64_t call_ns;
	int64_t failure_ns; /* first one, from the moment the way counts from */
	int64_t ok_before;
	int64_t gap_ns;
	int64_t in_flight;
	int64_t stall_ns;
};

static struct {
	enum end_way way;
	const char *way_text;
	int keyring;
	unsigned int repetitions;
	unsigned int lease_s;
	unsigned int threads;
	struct victim victims[MAX_VICTIMS];
	unsigned int victim_count;
	struct load *bystanders[MAX_BYSTANDERS];
	const char *bystander_paths[MAX_BYSTANDERS];
	unsigned int bystander_count;
	struct sample *samples;
	unsigned int sample_count;
	unsigned int late_count; /* bounds not kept; the rest still runs */
} run = { .repetitions = 200, .lease_s = 600, .threads = 3 };

__attribute__((noreturn, format(printf, 1, 2))) static void
fail(const char *format, ...)
{
	va_list args;

	printf("FAILED after %u ends by %s: ", run.sample_count, run.way_text);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

/* A bound was not kept: the test has failed, but shall show how often. */
static __attribute__((format(printf, 1, 2))) void late(const char *format, ...)
{
	va_list args;

	printf("LATE at end %u by %s: ", run.sample_count + 1, run.way_text);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	run.late_count++;
}

static double ms(int64_t ns)
{
	return (double)ns / NS_PER_MS;
}

/* ------------------------------------------------------------ the bounds */

/* The key's end counts from here ... */
static int64_t reference_ns(const struct victim *v)
{
	return run.way == END_LEASE ? v->add_from + run.lease_s * NS_PER_S :
				      v->call_from;
}

/* ... and must have been seen by everybody here (design, section 5.1). */
static int64_t bound_ns(const struct victim *v)
{
	switch (run.way) {
	case END_REVOKE:
		return v->call_to;
	case END_LEASE:
		return v->add_to + run.lease_s * NS_PER_S + NS_PER_S;
	case END_TIMEOUT: /* of one second, looked at once a second */
		return v->call_to + 2 * NS_PER_S + 100 * NS_PER_MS;
	default:
		return v->call_to + NS_PER_S;
	}
}

/* -------------------------------------------------------------- one end */

static void begin(struct victim *v)
{
	char message[96];
	unsigned int i;
	int rc;

	v->add_from = now_ns();
	v->serial = key_add(&v->key, run.lease_s, run.keyring);
	v->add_to = now_ns();
	if (v->serial < 0)
		fail("add_key: %s", strerror(-v->serial));
	snprintf(message, sizeof(message), "unlock %s", v->key.description);
	for (i = 0; i < v->name_count; i++) {
		rc = dm_message(v->names[i], message);
		if (rc)
			fail("%s: unlock: %s", v->names[i], strerror(-rc));
		load_mark(v->loads[i]);
	}
}

static void check_undisturbed(const char *name, const struct load_facts *f)
{
	if (f->failed)
		fail("%s: %" PRIu64 " I/Os failed while the key was live (%s)",
		     name, f->failed, strerror(f->first_errno));
	if (f->wrong)
		fail("%s: %" PRIu64 " reads returned other bytes than written",
		     name, f->wrong);
}

/*
 * A lease that is over before flow was seen proves nothing: the machine was
 * too slow for this round.
 */
static bool too_slow(const struct victim *v, const struct load_facts *facts)
{
	return run.way == END_LEASE && facts->failed &&
	       facts->first_failure_ns >= reference_ns(v);
}

static bool wait_flow(const struct victim *v, const char *name,
		      struct load *load)
{
	const int64_t deadline = now_ns() + FLOW_WAIT_NS;
	struct load_facts facts;

	for (;;) {
		load_get(load, &facts);
		if (too_slow(v, &facts))
			return false;
		check_undisturbed(name, &facts);
		if (facts.ok >= FLOW_MIN)
			return true;
		if (now_ns() > deadline)
			fail("%s: I/O does not flow: %" PRIu64 " of %u I/Os",
			     name, facts.ok, FLOW_MIN);
		sleep_ns(NS_PER_MS);
	}
}

static bool wait_all_flow(struct victim *v)
{
	unsigned int i;

	for (i = 0; i < v->name_count; i++)
		if (!wait_flow(v, v->names[i], v->loads[i]))
			return false;
	return true;
}

/* The last look before the call: what flowed, and how recently. */
static bool look_before(struct victim *v)
{
	struct load_facts facts;
	unsigned int i;

	v->ok_before = 0;
	v->gap_ns = 0;
	v->in_flight = 0;
	for (i = 0; i < v->name_count; i++) {
		int64_t gap;

		load_get(v->loads[i], &facts);
		if (too_slow(v, &facts))
			return false;
		check_undisturbed(v->names[i], &facts);
		v->ok_before += facts.ok;
		v->in_flight += facts.in_flight;
		gap = now_ns() - facts.last_ok_end_ns;
		if (gap > v->gap_ns)
			v->gap_ns = gap;
	}
	return true;
}

static bool end(struct victim *v)
{
	int rc;

	sleep_ns(rand() % (PHASE_MS * 1000) * 1000LL);
	if (!look_before(v))
		return false;
	v->stall_ns = stall_ns();
	v->call_from = now_ns();
	rc = key_end(run.way, v->serial, run.keyring);
	v->call_to = now_ns();
	if (rc)
		fail("keyctl %s: %s", run.way_text, strerror(-rc));
	if (v->gap_ns > GAP_MAX_NS)
		fail("I/O did not flow until the call: %.1f ms without any",
		     ms(v->gap_ns));
	return true;
}

static void judge(struct victim *v, const char *name,
		  const struct load_facts *f)
{
	int64_t bound = bound_ns(v);

	if (run.way != END_REVOKE)
		bound += stall_ns() - v->stall_ns;

	if (f->last_ok_submit_ns > bound)
		late("%s: an I/O submitted %.3f ms after the bound succeeded",
		     name, ms(f->last_ok_submit_ns - bound));
	if (run.way == END_LEASE && f->first_failure_ns < reference_ns(v))
		fail("%s: an I/O failed %.3f ms before the lease's end", name,
		     ms(reference_ns(v) - f->first_failure_ns));
	if (run.way != END_REVOKE && f->first_failure_ns > bound)
		late("%s: the first failure came %.3f ms after the bound", name,
		     ms(f->first_failure_ns - bound));
	if (f->not_offline)
		fail("%s: %" PRIu64 " failures were not ENODEV (first: %s)",
		     name, f->not_offline, strerror(f->first_errno));
	if (f->wrong)
		fail("%s: %" PRIu64 " reads returned other bytes than written",
		     name, f->wrong);
}

/* When enough was seen after the end: a failure alone proves little. */
static void wait_seen(struct victim *v, const char *name, struct load *load,
		      struct load_facts *ret)
{
	const int64_t deadline = bound_ns(v) + SEEN_WAIT_NS;

	for (;;) {
		load_get(load, ret);
		if (ret->failed >= FAILURES_MIN * run.threads)
			return;
		if (now_ns() > deadline)
			fail("%s: only %" PRIu64 " I/Os have failed", name,
			     ret->failed);
		sleep_ns(NS_PER_MS);
	}
}

static void await_end(struct victim *v)
{
	struct sample *sample = &run.samples[run.sample_count];
	struct load_facts facts;
	unsigned int i;

	for (i = 0; i < v->name_count; i++) {
		int64_t failure;

		wait_seen(v, v->names[i], v->loads[i], &facts);
		judge(v, v->names[i], &facts);
		failure = facts.first_failure_ns - reference_ns(v);
		if (!i || failure > sample->failure_ns)
			sample->failure_ns = failure; /* of the slower volume */
	}
	sample->call_ns = v->call_to - v->call_from;
	sample->ok_before = (int64_t)v->ok_before;
	sample->gap_ns = v->gap_ns;
	sample->in_flight = v->in_flight;
	sample->stall_ns = stall_ns() - v->stall_ns;
	run.sample_count++;
}

/* ----------------------------------------------------------- many of them */

/* What ends by the clock ends for all keys together, to save time. */
static bool by_clock(void)
{
	return run.way == END_LEASE || run.way == END_TIMEOUT;
}

/*
 * A key without links is found by a worker some grace periods later: those of
 * all keys are waited for together. "clear" ends them all by one call, so it
 * has one key only; after "revoke" there is nothing to wait for.
 */
static bool by_worker(void)
{
	return run.way == END_UNLINK || run.way == END_INVALIDATE;
}

/* A stall counts only if it lies after the lease's end. */
static void await_leases(void)
{
	unsigned int i;

	for (i = 0; i < run.victim_count; i++) {
		const int64_t left = reference_ns(&run.victims[i]) - now_ns();

		if (left > 0)
			sleep_ns(left);
		run.victims[i].stall_ns = stall_ns();
	}
}

/* False if the round proved nothing, see too_slow(). */
static bool one_round(void)
{
	unsigned int i;

	for (i = 0; i < run.victim_count; i++)
		begin(&run.victims[i]);
	for (i = 0; i < run.victim_count; i++)
		if (!wait_all_flow(&run.victims[i]))
			return false;
	for (i = 0; i < run.victim_count; i++) {
		if (!end(&run.victims[i]))
			return false;
		if (!by_clock() && !by_worker())
			await_end(&run.victims[i]);
	}
	if (run.way == END_LEASE)
		await_leases();
	for (i = 0; (by_clock() || by_worker()) && i < run.victim_count; i++)
		await_end(&run.victims[i]);
	return true;
}

static void all_rounds(void)
{
	unsigned int discarded = 0;

	while (run.sample_count < run.repetitions)
		if (!one_round() && ++discarded > DISCARD_MAX)
			fail("the machine is too slow for leases of %u s",
			     run.lease_s);
	if (discarded)
		printf("%u rounds discarded: leases over before flow was seen\n",
		       discarded);
}

static uint64_t check_bystanders(void)
{
	struct load_facts facts;
	uint64_t ok = 0;
	unsigned int i;

	for (i = 0; i < run.bystander_count; i++) {
		load_get(run.bystanders[i], &facts);
		check_undisturbed(run.bystander_paths[i], &facts);
		if (!facts.ok)
			fail("%s: the bystander did no I/O",
			     run.bystander_paths[i]);
		ok += facts.ok;
	}
	return ok;
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* @member: offset of an int64_t in struct sample. */
static void print_distribution(const char *what, size_t member, double unit)
{
	const unsigned int n = run.sample_count;
	int64_t *values = calloc(n, sizeof(*values));
	unsigned int i;

	if (!values)
		fail("out of memory");
	for (i = 0; i < n; i++)
		values[i] = *(int64_t *)((char *)&run.samples[i] + member);
	qsort(values, n, sizeof(*values), compare);
	printf("%-38s min %10.3f  median %10.3f  p99 %10.3f  max %10.3f\n",
	       what, (double)values[0] / unit, (double)values[n / 2] / unit,
	       (double)values[(n * 99 + 99) / 100 - 1] / unit,
	       (double)values[n - 1] / unit);
	free(values);
}

static void print_result(uint64_t bystander_ok)
{
	print_distribution("duration of the call, ms",
			   offsetof(struct sample, call_ns), NS_PER_MS);
	print_distribution(run.way == END_LEASE ?
				   "first failure after lease end, ms" :
				   "first failure after the call, ms",
			   offsetof(struct sample, failure_ns), NS_PER_MS);
	print_distribution("I/Os before the end, each ok",
			   offsetof(struct sample, ok_before), 1);
	print_distribution("I/Os in flight at the call",
			   offsetof(struct sample, in_flight), 1);
	print_distribution("since the last ok I/O at the call, ms",
			   offsetof(struct sample, gap_ns), NS_PER_MS);
	print_distribution("the machine stood still meanwhile, ms",
			   offsetof(struct sample, stall_ns), NS_PER_MS);
	printf("bystander: %" PRIu64 " I/Os, none failed\n", bystander_ok);
	if (run.late_count)
		fail("%u times beyond the bound", run.late_count);
	printf("pass: %u ends by %s\n", run.sample_count, run.way_text);
}

/* -------------------------------------------------------------- start-up */

static struct load *start(const char *path, unsigned int threads)
{
	const struct load_plan plan = { .path = path,
					.threads = threads,
					.read_percent = 50,
					.max_bytes = 16 << 10 };
	struct load *load = load_start(&plan);

	if (!load)
		fail("%s: %m", path);
	return load;
}

static void add_victim(char *text)
{
	struct victim *v = &run.victims[run.victim_count];
	char *names = strrchr(text, ':');
	char *name;
	int rc;

	if (run.victim_count == MAX_VICTIMS || !names)
		fail("bad argument %s", text);
	*names++ = '\0';
	rc = policy_key_read(text, &v->key);
	if (rc)
		fail("%s: companions .desc and .key: %s", text, strerror(-rc));
	for (name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		if (v->name_count == MAX_NAMES)
			fail("too many devices of one key");
		v->names[v->name_count++] = name;
	}
	run.victim_count++;
}

static void start_loads(void)
{
	char path[256];
	unsigned int i, j;

	for (i = 0; i < run.victim_count; i++) {
		struct victim *v = &run.victims[i];

		for (j = 0; j < v->name_count; j++) {
			snprintf(path, sizeof(path), "/dev/mapper/%s",
				 v->names[j]);
			v->loads[j] = start(path, run.threads);
		}
	}
	for (i = 0; i < run.bystander_count; i++)
		run.bystanders[i] = start(run.bystander_paths[i], 1);
}

static void stop_loads(void)
{
	unsigned int i, j;

	for (i = 0; i < run.victim_count; i++)
		for (j = 0; j < run.victims[i].name_count; j++)
			load_stop(run.victims[i].loads[j]);
	for (i = 0; i < run.bystander_count; i++)
		load_stop(run.bystanders[i]);
}

static void parse_option(int c)
{
	switch (c) {
	case 'w':
		run.way_text = optarg;
		run.way = end_way_parse(optarg);
		break;
	case 'k':
		run.keyring = atoi(optarg);
		break;
	case 'n':
		run.repetitions = (unsigned int)atoi(optarg);
		break;
	case 'l':
		run.lease_s = (unsigned int)atoi(optarg);
		break;
	case 't':
		run.threads = (unsigned int)atoi(optarg);
		break;
	case 'b':
		if (run.bystander_count < MAX_BYSTANDERS) {
			run.bystander_paths[run.bystander_count++] = optarg;
			break;
		}
		/* fall through */
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

static void parse_options(int argc, char **argv)
{
	static const struct option names[] = {
		{ "way", required_argument, NULL, 'w' },
		{ "keyring", required_argument, NULL, 'k' },
		{ "repetitions", required_argument, NULL, 'n' },
		{ "lease", required_argument, NULL, 'l' },
		{ "threads", required_argument, NULL, 't' },
		{ "bystander", required_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		parse_option(c);
	while (optind < argc)
		add_victim(argv[optind++]);
	if (!run.way_text || run.way == END_WAY_COUNT || !run.keyring ||
	    !run.victim_count || !run.repetitions || !run.threads) {
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	uint64_t bystander_ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse_options(argc, argv);
	run.samples = calloc(run.repetitions + run.victim_count,
			     sizeof(*run.samples));
	if (!run.samples)
		fail("out of memory");
	if (stall_watch())
		fail("real-time threads are not possible here");
	start_loads();
	all_rounds();
	bystander_ok = check_bystanders();
	stop_loads();
	print_result(bystander_ok);
	free(run.samples);
	return 0;
}
