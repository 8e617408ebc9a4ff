// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc policy roll, rekey, set-roots, recover, test. The first four work in
 * calls of about a second each, so that the agent can see to others meanwhile:
 * this goes on behind the volume at which one stopped, and adds up.
 */
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* --- calls until it is done ----------------------------------------------- */

static json_t *next_parameters(const struct cli *cli, const char *after)
{
	json_t *parameters = json_copy(cli->parameters);

	if (parameters)
		json_object_set_new(parameters, "after", json_string(after));
	return parameters;
}

static void add_number(json_t *sum, const json_t *more, const char *name)
{
	json_object_set_new(
		sum, name,
		json_integer(cli_int(sum, name) + cli_int(more, name)));
}

/* What was said first stays; the policy is the last one. */
static void add_up(json_t *sum, json_t *more)
{
	json_t *roots = json_object_get(more, "roots");

	add_number(sum, more, "rewrapped");
	add_number(sum, more, "records");
	json_array_extend(json_object_get(sum, "unreached"),
			  json_object_get(more, "unreached"));
	json_object_set(sum, "policy", json_object_get(more, "policy"));
	json_object_set(sum, "next", json_object_get(more, "next"));
	if (roots)
		json_object_set(sum, "roots", roots);
}

static void say_progress(const struct cli *cli, const json_t *sum)
{
	if (cli->json || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%lld headers written",
		(long long)(cli_int(sum, "rewrapped") +
			    cli_int(sum, "records")));
	fflush(stderr);
}

static void end_progress(const struct cli *cli)
{
	if (!cli->json && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

int cli_change_wait(struct cli *cli, json_t **reply)
{
	json_t *more = NULL;
	char after[128];
	int code = CLI_OK;

	while (code == CLI_OK && *cli_text(*reply, "next")) {
		say_progress(cli, *reply);
		snprintf(after, sizeof(after), "%s", cli_text(*reply, "next"));
		code = cli_call(cli, cli->verb->method, cli->verb->role,
				next_parameters(cli, after), &more);
		if (code != CLI_OK)
			break;
		add_up(*reply, more);
		json_decref(more);
	}
	end_progress(cli);
	return code;
}

/* A volume that was not reached is no success, whatever else was. */
int cli_change_judge(const json_t *reply)
{
	return json_array_size(json_object_get(reply, "unreached")) ? CLI_BUSY :
								      CLI_OK;
}

/* --- what was done -------------------------------------------------------- */

static bool print_unreached(const json_t *reply)
{
	const json_t *unreached = json_object_get(reply, "unreached");
	struct cli_table table = {
		.headers = { "NOT REACHED", "DEVICE", "WHY", "CURE" },
	};
	bool ok = true;
	json_t *entry;
	size_t i;

	if (!json_array_size(unreached))
		return true;
	cli_say("%s", "");
	json_array_foreach(unreached, i, entry)
		ok = ok && cli_table_add(&table, cli_text(entry, "volume")) &&
		     cli_table_add(&table, cli_text(entry, "device")) &&
		     cli_table_add(&table, cli_text(entry, "why")) &&
		     cli_table_add(&table, cli_text(entry, "hint"));
	cli_table_print(&table, "");
	cli_note(
		"the header of a volume that was not reached is rewritten when it is next opened; until then keep its root keys enabled");
	return ok;
}

static bool print_checks(const json_t *reply)
{
	const json_t *checks = json_object_get(reply, "checks");
	struct cli_table table = {
		.headers = { "ROOT", "CHECK", "OUTCOME", "FOUND" },
	};
	bool ok = true;
	json_t *entry;
	size_t i;

	if (!json_array_size(checks))
		return true;
	json_array_foreach(checks, i, entry)
		ok = ok && cli_table_add(&table, cli_text(entry, "root")) &&
		     cli_table_add(&table, cli_text(entry, "check")) &&
		     cli_table_add(&table, cli_text(entry, "outcome")) &&
		     cli_table_add(&table, cli_text(entry, "found"));
	cli_table_print(&table, "");
	return ok;
}

bool cli_policy_print_checks(const json_t *reply)
{
	return print_checks(reply);
}

static int print(const struct cli *cli, const json_t *reply, const char *done,
		 const char *not_done)
{
	const json_t *policy = json_object_get(reply, "policy");

	if (!print_checks(reply))
		return cli_fail_memory(cli);
	cli_say("policy %s of tenant %s %s (key %s)", cli_text(policy, "name"),
		cli_text(policy, "tenant"),
		cli_bool(reply, "changed") ? done : not_done,
		cli_text(policy, "key"));
	cli_say("volumes rewrapped: %lld, policy records rewritten: %lld",
		(long long)cli_int(reply, "rewrapped"),
		(long long)cli_int(reply, "records"));
	cli_print_notes(reply, "notes");
	return print_unreached(reply) ? CLI_OK : cli_fail_memory(cli);
}

int cli_change_print_rolled(const struct cli *cli, const json_t *reply)
{
	return print(cli, reply, "is rolled: new versions of its root keys",
		     "has no newer root versions, or a roll was finished");
}

int cli_change_print_rekeyed(const struct cli *cli, const json_t *reply)
{
	return print(cli, reply, "has a new policy key",
		     "was being rekeyed: that is finished");
}

int cli_change_print_roots(const struct cli *cli, const json_t *reply)
{
	const json_t *policy = json_object_get(reply, "policy");
	const int code = print(cli, reply, "has new roots and a new policy key",
			       "has these roots");

	if (code == CLI_OK && cli_int(policy, "volumes"))
		cli_note(
			"the volume keys are those of before, under other roots; 'svcenc rotate VOLUME' makes new ones, in use");
	return code;
}

int cli_change_print_recovered(const struct cli *cli, const json_t *reply)
{
	return print(cli, reply, "has another root in place of the lost one",
		     "was being recovered: that is finished");
}

/* --- roll --retire -------------------------------------------------------- */

static const char *join(const json_t *texts, char buf[CLI_LINE_SIZE])
{
	const json_t *text;
	size_t i, at = 0;

	buf[0] = '\0';
	json_array_foreach(texts, i, text) {
		const int n = snprintf(buf + at, CLI_LINE_SIZE - at, "%s%s",
				       i ? "; " : "", json_string_value(text));

		if (n < 0 || (size_t)n >= CLI_LINE_SIZE - at)
			break;
		at += (size_t)n;
	}
	return buf;
}

int cli_change_print_retired(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "ROOT", "VAULT", "STATE", "KEY", "REFERENCED BY" },
	};
	char by[CLI_LINE_SIZE];
	bool ok = true;
	json_t *root;
	size_t i;

	json_array_foreach(json_object_get(reply, "roots"), i, root)
		ok = ok && cli_table_add(&table, cli_text(root, "role")) &&
		     cli_table_add(&table, cli_text(root, "vault")) &&
		     cli_table_add(&table, cli_text(root, "state")) &&
		     cli_table_add(&table, cli_text(root, "kid")) &&
		     cli_table_add(&table,
				   join(json_object_get(root, "referenced_by"),
					by));
	cli_table_print(&table, "no root keys");
	cli_note(
		"a version that is retired may be disabled in its vault, if no backup of a header needs it; one that is referenced may not");
	return ok && print_unreached(reply) ? CLI_OK : cli_fail_memory(cli);
}

int cli_change_judge_retired(const json_t *reply)
{
	json_t *root;
	size_t i;

	json_array_foreach(json_object_get(reply, "roots"), i, root)
		if (!strcmp(cli_text(root, "state"), "referenced"))
			return CLI_BUSY;
	return CLI_OK;
}

/* --retire looks, and rolls nothing. */
int cli_change_check_roll(struct cli *cli)
{
	if (!cli_flag(cli, "retire"))
		return CLI_OK;
	if (json_object_get(cli->parameters, "roots"))
		return cli_fail(cli, CLI_USAGE,
				"--retire is about all roots of a policy",
				"--retire and --root do not go together");
	cli->verb = &cli_retire;
	return CLI_OK;
}

/* --- test ----------------------------------------------------------------- */

int cli_policy_print_test(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "ROOT", "VAULT", "ANSWER", "REASON", "TOOK",
			     "DETAIL" },
	};
	char took[CLI_VALUE_SIZE];
	bool ok = true;
	json_t *root;
	size_t i;

	json_array_foreach(json_object_get(reply, "roots"), i, root) {
		snprintf(took, sizeof(took), "%lld ms",
			 (long long)cli_int(root, "took_ms"));
		ok = ok && cli_table_add(&table, cli_text(root, "role")) &&
		     cli_table_add(&table, cli_text(root, "vault")) &&
		     cli_table_add(&table, cli_text(root, "answer")) &&
		     cli_table_add(&table, cli_text(root, "reason")) &&
		     cli_table_add(&table, took) &&
		     cli_table_add(&table, cli_text(root, "detail"));
	}
	cli_table_print(&table, "making the policy was cut short");
	return ok ? CLI_OK : cli_fail_memory(cli);
}

/* The gravest answer: one that time does not mend comes before an outage. */
int cli_policy_judge_test(const json_t *reply)
{
	static const struct {
		const char *answer;
		int code;
	} gravity[] = {
		{ "corrupt", CLI_INTEGRITY },
		{ "badauth", CLI_PERMISSION },
		{ "denied", CLI_DENIED },
		{ "unreachable", CLI_UNREACHABLE },
		{ "throttled", CLI_UNREACHABLE },
	};
	json_t *root;
	size_t i, k;

	for (k = 0; k < sizeof(gravity) / sizeof(gravity[0]); k++)
		json_array_foreach(json_object_get(reply, "roots"), i, root)
			if (!strcmp(cli_text(root, "answer"),
				    gravity[k].answer))
				return gravity[k].code;
	return CLI_OK;
}
