// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line: from a verb's operands and options (data, cli.h) to the
 * parameters of its method. Prints what is wrong with it, decides nothing
 * else.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "step.h"

enum {
	OPT_JSON = 0x100,
	OPT_SOCKET_DIR,
	OPT_VERB_FIRST = 0x200, /* + index in the verb's options */
	LONG_OPTIONS_MAX = CLI_OPTIONS_MAX + 8,
};

static const struct option common[] = { { "help", no_argument, NULL, 'h' },
					{ "json", no_argument, NULL, OPT_JSON },
					{ "socket-dir", required_argument, NULL,
					  OPT_SOCKET_DIR },
					{ "version", no_argument, NULL, 'V' },
					SVCENC_STEP_LONGOPTS };
enum { COMMON_COUNT = sizeof(common) / sizeof(common[0]) };

/* True if it was one of the common options. */
static bool take_common(struct cli *cli, int opt)
{
	switch (opt) {
	case 'h':
		cli->help = true;
		return true;
	case 'V':
		cli->version = true;
		return true;
	case OPT_JSON:
		cli->json = true;
		return true;
	case OPT_SOCKET_DIR:
		cli->socket_dir = optarg;
		return true;
	}
	return svcenc_step_option(opt, optarg) == 1;
}

static int fail_option(const struct cli *cli, int opt, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = { '-', (char)optopt, '\0' };

	if (optopt > 0 && optopt < 0x80)
		word = letter;
	return cli_fail(cli, CLI_USAGE, "see --help",
			opt == ':' ? "option %s wants an argument" :
				     "there is no option %s",
			word);
}

int cli_parse_global(struct cli *cli, int argc, char **argv, int *ret_words)
{
	struct option options[COMMON_COUNT + 1] = { 0 };
	int opt;

	memcpy(options, common, sizeof(common));
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	while ((opt = getopt_long(argc, argv, "+:hV", options, NULL)) != -1)
		if (!take_common(cli, opt))
			return fail_option(cli, opt, argv);
	*ret_words = optind;
	return CLI_OK;
}

/* An absolute path: the agent's working directory is not ours. */
static char *absolute_path(const char *path)
{
	char *cwd, *result = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	if (cwd && asprintf(&result, "%s/%s", cwd, path) < 0)
		result = NULL;
	free(cwd);
	return result;
}

static json_t *path_value(const char *text)
{
	char *path = absolute_path(text);
	json_t *value = path ? json_string(path) : NULL;

	free(path);
	return value;
}

static const char *wanted(enum cli_kind kind)
{
	switch (kind) {
	case CLI_BYTES:
		return "wanted is a number of bytes, or one with K, M, G or T: 64M";
	case CLI_RATE:
		return "wanted is a number of MiB per second, or one with K, M or G; 0 for no limit";
	case CLI_DURATION:
		return "wanted is a number of seconds, or one with s, m, h or d: 10m";
	case CLI_NUMBER:
		return "wanted is a number";
	case CLI_LIST:
		return "wanted are words with commas between them";
	default:
		return "wanted is text in UTF-8";
	}
}

static json_t *list_value(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; list; text = end + 1) {
		end = strchrnul(text, ',');
		json_array_append_new(list,
				      json_stringn(text, (size_t)(end - text)));
		if (!*end)
			break;
	}
	return list;
}

/* @name: of the option or operand, for the message. */
static int make_value(const struct cli *cli, enum cli_kind kind,
		      const char *name, const char *text, json_t **ret)
{
	json_int_t number = 0;
	json_t *value = NULL;
	int r = 0;

	switch (kind) {
	case CLI_FLAG:
		value = json_true();
		break;
	case CLI_TEXT:
		value = json_string(text);
		break;
	case CLI_PATH:
		value = *text ? path_value(text) : NULL;
		break;
	case CLI_LIST:
		value = list_value(text);
		break;
	case CLI_BYTES:
		r = cli_parse_bytes(text, &number);
		break;
	case CLI_RATE:
		r = cli_parse_rate(text, &number);
		break;
	case CLI_DURATION:
		r = cli_parse_duration(text, &number);
		break;
	case CLI_NUMBER:
		r = cli_parse_bytes(text, &number);
		if (text[strspn(text, "0123456789")])
			r = -EINVAL;
		break;
	}
	if (r == 0 && !value && kind >= CLI_BYTES && kind <= CLI_NUMBER)
		value = json_integer(number);
	if (!value)
		return cli_fail(cli, CLI_USAGE, wanted(kind),
				"%s: '%s' is not usable", name, text);
	*ret = value;
	return CLI_OK;
}

static int take_option(struct cli *cli, const struct cli_option *option)
{
	const char *key = option->parameter ? option->parameter : option->name;
	json_t *object = option->parameter ? cli->parameters : cli->local;
	char name[64];
	json_t *value;
	int code;

	snprintf(name, sizeof(name), "--%s", option->name);
	if (json_object_get(object, key))
		return cli_fail(cli, CLI_USAGE, "give it once",
				"option %s is given twice", name);
	code = make_value(cli, option->kind, name, optarg ? optarg : "",
			  &value);
	if (code != CLI_OK)
		return code;
	if (json_object_set_new(object, key, value) < 0)
		return cli_fail_memory(cli);
	cli->officer |= option->officer;
	return CLI_OK;
}

struct getopt_tables {
	struct option options[LONG_OPTIONS_MAX + 1];
	char letters[8 + 2 * CLI_OPTIONS_MAX];
};

/* ":" first: a missing argument is told apart from an unknown option. */
static void build_tables(const struct cli_verb *verb,
			 struct getopt_tables *tables)
{
	const struct cli_option *option;
	size_t i, at = COMMON_COUNT, letters = 3;

	memset(tables, 0, sizeof(*tables));
	memcpy(tables->options, common, sizeof(common));
	memcpy(tables->letters, ":hV", 3);
	for (i = 0; i < CLI_OPTIONS_MAX && verb->options[i].name; i++) {
		option = &verb->options[i];
		tables->options[at++] = (struct option){
			.name = option->name,
			.has_arg = option->kind == CLI_FLAG ? no_argument :
							      required_argument,
			.val = OPT_VERB_FIRST + (int)i,
		};
		if (!option->letter)
			continue;
		tables->letters[letters++] = option->letter;
		if (option->kind != CLI_FLAG)
			tables->letters[letters++] = ':';
	}
}

static const struct cli_option *find_option(const struct cli_verb *verb,
					    int opt)
{
	size_t i;

	for (i = 0; i < CLI_OPTIONS_MAX && verb->options[i].name; i++)
		if (opt == OPT_VERB_FIRST + (int)i ||
		    (verb->options[i].letter && opt == verb->options[i].letter))
			return &verb->options[i];
	return NULL;
}

static int take_operand(struct cli *cli, const struct cli_operand *operand,
			const char *word)
{
	json_t *value, *list;
	int code;

	code = make_value(cli, operand->kind, operand->label, word, &value);
	if (code != CLI_OK)
		return code;
	if (operand->need != CLI_MANY)
		return json_object_set_new(cli->parameters, operand->parameter,
					   value) < 0 ?
			       cli_fail_memory(cli) :
			       CLI_OK;
	list = json_object_get(cli->parameters, operand->parameter);
	if (!list) {
		list = json_array();
		json_object_set_new(cli->parameters, operand->parameter, list);
	}
	return json_array_append_new(list, value) < 0 ? cli_fail_memory(cli) :
							CLI_OK;
}

static int take_operands(struct cli *cli, int count, char **words)
{
	const struct cli_operand *operand = cli->verb->operands;
	bool given = false;
	int i, code;

	for (i = 0; i < count; i++) {
		if (!operand->label)
			return cli_fail(cli, CLI_USAGE, "see --help",
					"'%s' is one word too many", words[i]);
		code = take_operand(cli, operand, words[i]);
		if (code != CLI_OK)
			return code;
		given = operand->need == CLI_MANY;
		if (!given)
			operand++;
	}
	if (operand->label && operand->need != CLI_OPTIONAL && !given)
		return cli_fail(cli, CLI_USAGE, cli->verb->example,
				"%s is missing", operand->label);
	return CLI_OK;
}

int cli_parse_verb(struct cli *cli, int argc, char **argv)
{
	const struct cli_option *option;
	struct getopt_tables tables;
	int opt, code;

	build_tables(cli->verb, &tables);
	opterr = 0;
	optind = 0;
	while ((opt = getopt_long(argc, argv, tables.letters, tables.options,
				  NULL)) != -1) {
		option = find_option(cli->verb, opt);
		if (!option && !take_common(cli, opt))
			return fail_option(cli, opt, argv);
		code = option ? take_option(cli, option) : CLI_OK;
		if (code != CLI_OK)
			return code;
	}
	if (cli->help || cli->version)
		return CLI_OK;
	return take_operands(cli, argc - optind, argv + optind);
}

bool cli_flag(const struct cli *cli, const char *option)
{
	return json_is_true(json_object_get(cli->local, option)) ||
	       json_is_true(json_object_get(cli->parameters, option));
}
