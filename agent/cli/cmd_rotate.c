// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "svcenc rotate": which action the options mean, waiting with progress, and
 * how a rotation is shown wherever a volume is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

enum {
	LOOK_MS = 500,
	PATIENCE_MS = 15 * 1000, /* with an agent that is being restarted */
	TENTHS = 10,
	HELD_LOOKS = 20, /* a suspend is shorter than that, as a rule */
};

/* --- how it is shown ------------------------------------------------------ */

/* "12.3%" */
static const char *format_share(const json_t *rotation,
				char buf[CLI_VALUE_SIZE])
{
	const double total = (double)cli_int(rotation, "total");

	snprintf(buf, CLI_VALUE_SIZE, "%.1f%%",
		 total ? 100.0 * (double)cli_int(rotation, "done") / total : 0);
	return buf;
}

/* ", 120 MiB/s, 3 min 5 s left", or as much of it as is known. */
static const char *format_pace(json_int_t speed, json_int_t left_ms,
			       char buf[CLI_LINE_SIZE])
{
	char bytes[CLI_VALUE_SIZE], left[CLI_VALUE_SIZE];

	buf[0] = '\0';
	if (speed > 0)
		snprintf(buf, CLI_LINE_SIZE, ", %s/s, %s left",
			 cli_format_bytes(speed, bytes),
			 cli_format_duration_ms(left_ms, left));
	return buf;
}

const char *cli_rotation_brief(const json_t *volume, char buf[CLI_LINE_SIZE])
{
	const json_t *rotation = json_object_get(volume, "rotation");
	const char *state = cli_text(rotation, "state");
	char share[CLI_VALUE_SIZE];

	if (!cli_int(rotation, "total"))
		snprintf(buf, CLI_LINE_SIZE, "%s", cli_text(volume, "state"));
	else
		snprintf(buf, CLI_LINE_SIZE, "%s, %s %s",
			 cli_text(volume, "state"),
			 strcmp(state, "running") ? state : "rotating",
			 format_share(rotation, share));
	return buf;
}

void cli_rotation_print_fields(const json_t *volume)
{
	const json_t *rotation = json_object_get(volume, "rotation");
	char done[CLI_VALUE_SIZE], total[CLI_VALUE_SIZE];
	char share[CLI_VALUE_SIZE], pace[CLI_LINE_SIZE];

	if (cli_int(rotation, "total"))
		cli_field("rotation", "%s, %s (%s of %s)%s",
			  cli_text(rotation, "state"),
			  format_share(rotation, share),
			  cli_format_bytes(cli_int(rotation, "done"), done),
			  cli_format_bytes(cli_int(rotation, "total"), total),
			  format_pace(cli_int(rotation, "speed"),
				      cli_int(rotation, "left_ms"), pace));
	if (cli_int(rotation, "limit"))
		cli_field("rotation limit", "%s/s",
			  cli_format_bytes(cli_int(rotation, "limit"), total));
	if (cli_int(rotation, "longest_park_us"))
		cli_field("longest park", "%.1f ms",
			  (double)cli_int(rotation, "longest_park_us") / 1000);
	if (cli_int(rotation, "unreadable"))
		cli_field("unreadable",
			  "%lld extents: reads fail until they are written",
			  (long long)cli_int(rotation, "unreadable"));
}

/* --- before the call ------------------------------------------------------ */

static const char *action_of(struct cli *cli)
{
	if (cli_flag(cli, "pause"))
		return "pause";
	return cli_flag(cli, "resume") ? "resume" : "start";
}

int cli_rotate_check(struct cli *cli)
{
	const bool pause = cli_flag(cli, "pause");
	const bool resume = cli_flag(cli, "resume");

	if (pause && resume)
		return cli_fail(cli, CLI_USAGE, "give one of them",
				"--pause and --resume contradict each other");
	if (pause && cli_flag(cli, "wait"))
		return cli_fail(
			cli, CLI_USAGE, "give one of them",
			"--pause and --wait: a paused rotation does not end");
	if (cli_flag(cli, "skip_unreadable") && !resume)
		return cli_fail(
			cli, CLI_USAGE,
			"it goes with --resume, when a rotation has stopped at a sector that cannot be read",
			"--skip-unreadable without --resume");
	return json_object_set_new(cli->parameters, "action",
				   json_string(action_of(cli))) < 0 ?
		       cli_fail_memory(cli) :
		       CLI_OK;
}

/* --- waiting -------------------------------------------------------------- */

struct waiting {
	const char *name;
	bool terminal; /* one line of it, renewed */
	bool quiet;    /* --json, and no terminal */
	int held;      /* looks in a row that found it so */
	int said;      /* tenths, by a line each, unless on a terminal */
	json_int_t began_ms;
	json_int_t began_done;
};

static json_int_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By our own looking; the agent's speed needs events, which may be lost. */
static const char *own_pace(const struct waiting *waiting,
			    const json_t *rotation, char buf[CLI_LINE_SIZE])
{
	const json_int_t done = cli_int(rotation, "done");
	const json_int_t ms = now_ms() - waiting->began_ms;
	const double speed = ms > 0 ? (double)(done - waiting->began_done) *
					      1000 / (double)ms :
				      0;

	if (speed < 1)
		return format_pace(0, -1, buf);
	return format_pace(
		(json_int_t)speed,
		(json_int_t)((double)(cli_int(rotation, "total") - done) *
			     1000 / speed),
		buf);
}

static void say_progress(struct waiting *waiting, const json_t *rotation)
{
	const json_int_t done = cli_int(rotation, "done");
	const json_int_t total = cli_int(rotation, "total");
	char share[CLI_VALUE_SIZE], pace[CLI_LINE_SIZE];
	int tenth;

	format_share(rotation, share);
	own_pace(waiting, rotation, pace);
	if (waiting->terminal) {
		fprintf(stderr, "\r\033[K%s: %s%s", waiting->name, share, pace);
		fflush(stderr);
		return;
	}
	tenth = (int)((double)done / (double)total * TENTHS);
	if (waiting->quiet || tenth <= waiting->said)
		return;
	waiting->said = tenth;
	cli_say("%s: %s%s", waiting->name, share, pace);
	fflush(stdout);
}

static void end_line(const struct waiting *waiting)
{
	if (waiting->terminal)
		fputs("\r\033[K", stderr);
}

static int fail_stopped(const struct cli *cli, int exit_code,
			const json_t *volume)
{
	const json_t *rotation = json_object_get(volume, "rotation");
	const char *name = cli_text(volume, "name");
	const char *why = cli_text(volume, "why");
	char share[CLI_VALUE_SIZE], hint[CLI_LINE_SIZE];

	snprintf(
		hint, sizeof(hint),
		"'svcenc rotate %s --resume'; the journal of svcencd has the reason",
		name);
	return cli_fail(cli, exit_code, *why ? why : hint,
			"rotation of volume %s stopped at %s: %s", name,
			format_share(rotation, share),
			cli_text(rotation, "state"));
}

/* It will not go on by itself: CLI_OK if it may. */
static int stopped(const struct cli *cli, struct waiting *waiting,
		   const json_t *volume)
{
	static const struct {
		const char *state;
		int exit_code;
	} stops[] = {
		{ "paused", CLI_BUSY },
		{ "read-error", CLI_DEVICE },
		{ "write-error", CLI_DEVICE },
		{ "superblock-error", CLI_DEVICE },
		{ "locked", CLI_PERMISSION },
	};
	const char *state =
		cli_text(json_object_get(volume, "rotation"), "state");
	char hint[CLI_LINE_SIZE];
	size_t i;

	if (!strcmp(cli_text(volume, "state"), "closed")) {
		snprintf(
			hint, sizeof(hint),
			"'svcenc open %s': an unfinished rotation goes on then",
			waiting->name);
		return cli_fail(cli, CLI_BUSY, hint,
				"volume %s was closed meanwhile",
				waiting->name);
	}
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (!strcmp(state, stops[i].state))
			return fail_stopped(cli, stops[i].exit_code, volume);
	waiting->held = strcmp(state, "held") ? 0 : waiting->held + 1;
	return waiting->held > HELD_LOOKS ?
		       fail_stopped(cli, CLI_DEVICE, volume) :
		       CLI_OK;
}

static void nap(void)
{
	const struct timespec pause = { LOOK_MS / 1000,
					LOOK_MS % 1000 * 1000000L };

	(void)nanosleep(&pause, NULL);
}

/* The rotation does not need the agent: it may go away and come back. */
static int look(struct cli *cli, const char *name, json_t **reply)
{
	const json_int_t end = now_ms() + PATIENCE_MS;
	json_t *next = NULL;
	int code;

	do {
		nap();
		cli->patient = now_ms() < end;
		code = cli_call(cli, "VolumeStatus", CLI_ROLE_ANY,
				json_pack("{s:s}", "name", name), &next);
	} while (code == CLI_NO_AGENT && cli->patient);
	cli->patient = false;
	if (code != CLI_OK)
		return code;
	json_decref(*reply);
	*reply = next;
	return CLI_OK;
}

/* *@reply: with "volume" in it; of the last look in the end. */
int cli_rotate_wait(struct cli *cli, json_t **reply)
{
	struct waiting waiting = {
		.name = cli_text(cli->parameters, "name"),
		.terminal = isatty(STDERR_FILENO),
		.quiet = cli->json,
		.began_ms = now_ms(),
		.said = -1,
	};
	const json_t *volume = json_object_get(*reply, "volume");
	const json_t *rotation = json_object_get(volume, "rotation");
	int code = CLI_OK;

	if (!cli_flag(cli, "wait"))
		return CLI_OK;
	waiting.began_done = cli_int(rotation, "done");
	while (code == CLI_OK && cli_int(rotation, "total")) {
		say_progress(&waiting, rotation);
		code = look(cli, waiting.name, reply);
		volume = json_object_get(*reply, "volume");
		rotation = json_object_get(volume, "rotation");
		if (code == CLI_OK) {
			end_line(&waiting);
			code = stopped(cli, &waiting, volume);
		}
	}
	return code;
}

/* --- after it ------------------------------------------------------------- */

int cli_rotate_print(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");
	const json_t *rotation = json_object_get(volume, "rotation");
	const char *name = cli_text(volume, "name");
	char share[CLI_VALUE_SIZE];

	if (!cli_int(rotation, "total")) {
		cli_say("volume %s is rotated: epoch %lld", name,
			(long long)cli_int(volume, "epoch"));
		return CLI_OK;
	}
	format_share(rotation, share);
	if (cli_flag(cli, "pause")) {
		cli_say("rotation of volume %s is paused at %s, until the volume is closed or",
			name, share);
		cli_say("svcenc rotate %s --resume", name);
		return CLI_OK;
	}
	cli_say("volume %s is being rotated: %s of %lld MiB", name, share,
		(long long)(cli_int(rotation, "total") >> 20));
	cli_say("next: svcenc status %s", name);
	return CLI_OK;
}
