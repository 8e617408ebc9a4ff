// SPDX-License-Identifier: GPL-2.0-or-later
/* main() of svcenc: finds the verb, fills its parameters, calls, prints. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "proto.h"

static const struct cli_verb *find_by_alias(const char *word)
{
	const struct cli_verb *verb;

	for (verb = cli_verbs; verb->verb; verb++)
		if (verb->alias && !strcmp(verb->alias, word))
			return verb;
	return NULL;
}

static const struct cli_verb *find_by_words(const char *noun, const char *word)
{
	const struct cli_verb *verb;

	for (verb = cli_verbs; verb->verb; verb++)
		if (!strcmp(verb->noun, noun) && !strcmp(verb->verb, word))
			return verb;
	return NULL;
}

static int fail_to_find(struct cli *cli, const char *noun, const char *word)
{
	const bool help = word &&
			  (!strcmp(word, "--help") || !strcmp(word, "-h"));

	if (!cli_help_noun(help ? stdout : stderr, noun))
		return cli_fail(cli, CLI_USAGE, "svcenc --help",
				"there is no noun or short form '%s'", noun);
	if (help) {
		cli->verb = NULL;
		return CLI_OK;
	}
	if (!word || *word == '-')
		return cli_fail(cli, CLI_USAGE, "the verbs are listed above",
				"'%s' wants a verb", noun);
	return cli_fail(cli, CLI_USAGE, "the verbs are listed above",
			"'%s' has no verb '%s'", noun, word);
}

/*
 * @words: what follows the global options. *ret_used: how many are the verb's.
 * cli->verb NULL: help was printed, nothing is left to do.
 */
static int find_verb(struct cli *cli, int count, char **words, int *ret_used)
{
	*ret_used = 0;
	cli->verb = &cli_overview;
	if (!count)
		return CLI_OK;
	*ret_used = 1;
	cli->verb = find_by_alias(words[0]);
	if (cli->verb)
		return CLI_OK;
	*ret_used = 2;
	if (count >= 2)
		cli->verb = find_by_words(words[0], words[1]);
	if (cli->verb)
		return CLI_OK;
	return fail_to_find(cli, words[0], count >= 2 ? words[1] : NULL);
}

static int run_verb(struct cli *cli)
{
	const struct cli_verb *verb = cli->verb;
	json_t *reply = NULL;
	int code;

	if (verb->run)
		return verb->run(cli);
	code = verb->check ? verb->check(cli) : CLI_OK;
	if (code != CLI_OK)
		return code;
	verb = cli->verb; /* the check may have found that it is another one */
	code = cli_call(cli, verb->method, verb->role,
			json_incref(cli->parameters), &reply);
	if (code != CLI_OK)
		return code;
	if (verb->wait)
		code = verb->wait(cli, &reply);
	if (code == CLI_OK)
		code = cli->json ? cli_print_json(cli, reply) :
				   verb->print(cli, reply);
	if (code == CLI_OK && verb->judge)
		code = verb->judge(reply);
	json_decref(reply);
	return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	int first = 1, used = 0, code;

	code = cli_parse_global(cli, argc, argv, &first);
	if (code != CLI_OK)
		return code;
	if (!cli->help && !cli->version) {
		code = find_verb(cli, argc - first, argv + first, &used);
		if (code != CLI_OK || !cli->verb)
			return code;
		/* getopt wants a word in front: the last one of the verb. */
		first += used - 1;
		code = cli_parse_verb(cli, argc - first, argv + first);
		if (code != CLI_OK)
			return code;
	}
	if (cli->version)
		puts("svcenc " CLI_VERSION);
	else if (cli->help && cli->verb && cli->verb->noun)
		cli_help_verb(cli->verb);
	else if (cli->help)
		cli_help_all();
	else
		return run_verb(cli);
	return CLI_OK;
}

int main(int argc, char **argv)
{
	struct cli cli = { .socket_dir = "/run/svcenc" };
	int code;

	setlocale(LC_CTYPE, "");
	svcenc_proto_init();
	cli.parameters = json_object();
	cli.local = json_object();
	code = cli.parameters && cli.local ? run(&cli, argc, argv) :
					     cli_fail_memory(&cli);
	json_decref(cli.parameters);
	json_decref(cli.local);
	/* What was not written was not said. */
	if (fflush(stdout) == EOF && code == CLI_OK)
		code = cli_fail(&cli, CLI_DEVICE, NULL,
				"cannot write to standard output");
	return code;
}
