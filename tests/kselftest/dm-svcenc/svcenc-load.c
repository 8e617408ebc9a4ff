// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load from the command line: runs until SIGTERM or SIGINT (or for --seconds)
 * and then prints what it saw as NAME=VALUE, one a line. With --facts FILE it
 * also does so at its start and whenever it gets SIGUSR1, and forgets what it
 * saw: FILE is replaced as a whole.
 *
 * Exit status: 0 if no I/O failed and no read was wrong, 1 if any did, 2 for
 * anything else.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "load.h"

static const char usage[] =
	"usage: svcenc-load [--threads N] [--reads PERCENT] [--max-bytes N]\n"
	"                   [--seconds N] [--facts FILE] DEVICE\n";

struct options {
	struct load_plan plan;
	unsigned int seconds; /* 0 = until told to stop */
	const char *facts;
};

static void print_facts(FILE *out, const struct load_facts *f)
{
	fprintf(out, "ok=%" PRIu64 "\nfailed=%" PRIu64 "\n", f->ok, f->failed);
	fprintf(out, "not_offline=%" PRIu64 "\nwrong=%" PRIu64 "\n",
		f->not_offline, f->wrong);
	fprintf(out, "first_failure=%" PRId64 "\nfirst_error='%s'\n",
		f->first_failure_ns,
		f->first_errno ? strerror(f->first_errno) : "");
	fprintf(out, "last_ok_submit=%" PRId64 "\nlast_ok_end=%" PRId64 "\n",
		f->last_ok_submit_ns, f->last_ok_end_ns);
	fprintf(out, "slowest_us=%" PRId64 "\nin_flight=%u\n",
		f->slowest_ns / 1000, f->in_flight);
}

static int write_facts(struct load *load, const char *path)
{
	struct load_facts facts;
	char scratch[4096];
	FILE *out;

	snprintf(scratch, sizeof(scratch), "%s.new", path);
	out = fopen(scratch, "w");
	if (!out)
		return -errno;
	load_get(load, &facts);
	load_mark(load);
	print_facts(out, &facts);
	if (fclose(out) || rename(scratch, path))
		return -errno;
	return 0;
}

static int parse_number(const char *text, unsigned long min, unsigned long max,
			unsigned int *ret)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || end == text || value < min || value > max)
		return -EINVAL;
	*ret = (unsigned int)value;
	return 0;
}

static int parse_option(int c, struct options *opts)
{
	switch (c) {
	case 't':
		return parse_number(optarg, 1, 64, &opts->plan.threads);
	case 'r':
		return parse_number(optarg, 0, 100, &opts->plan.read_percent);
	case 'b':
		return parse_number(optarg, 4096, 1 << 20,
				    &opts->plan.max_bytes);
	case 's':
		return parse_number(optarg, 1, 86400, &opts->seconds);
	case 'f':
		opts->facts = optarg;
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_options(int argc, char **argv, struct options *opts)
{
	static const struct option names[] = {
		{ "threads", required_argument, NULL, 't' },
		{ "reads", required_argument, NULL, 'r' },
		{ "max-bytes", required_argument, NULL, 'b' },
		{ "seconds", required_argument, NULL, 's' },
		{ "facts", required_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (parse_option(c, opts))
			return -EINVAL;
	if (optind != argc - 1)
		return -EINVAL;
	opts->plan.max_bytes &= ~4095U;
	opts->plan.path = argv[optind];
	return 0;
}

/* Until a signal says stop, or the time is over. */
static int serve(struct load *load, const struct options *opts,
		 const sigset_t *signals)
{
	const int64_t end = now_ns() + opts->seconds * NS_PER_S;

	for (;;) {
		const int64_t left = end - now_ns();
		const struct timespec wait = { left / NS_PER_S,
					       left % NS_PER_S };
		int sig, rc;

		if (opts->seconds && left <= 0)
			return 0;
		sig = opts->seconds ? sigtimedwait(signals, NULL, &wait) :
				      sigwaitinfo(signals, NULL);
		if (sig != SIGUSR1) {
			if (sig > 0)
				return 0;
			continue; /* time is over, or interrupted */
		}
		rc = opts->facts ? write_facts(load, opts->facts) : 0;
		if (rc)
			return rc;
	}
}

int main(int argc, char **argv)
{
	struct options opts = { .plan = { .threads = 4,
					  .read_percent = 50,
					  .max_bytes = 64 << 10 } };
	struct load_facts facts;
	struct load *load;
	sigset_t signals;
	int rc;

	if (parse_options(argc, argv, &opts)) {
		fputs(usage, stderr);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* inherited by the threads */
	load = load_start(&opts.plan);
	if (!load) {
		fprintf(stderr, "svcenc-load: %s: %m\n", opts.plan.path);
		return 2;
	}
	rc = opts.facts ? write_facts(load, opts.facts) : 0;
	if (!rc)
		rc = serve(load, &opts, &signals);
	load_get(load, &facts);
	load_stop(load);
	print_facts(stdout, &facts);
	if (rc) {
		fprintf(stderr, "svcenc-load: %s: %s\n", opts.facts,
			strerror(-rc));
		return 2;
	}
	return facts.failed || facts.wrong;
}
