// SPDX-License-Identifier: GPL-2.0-or-later
/* --help, made from the table of verbs. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char head[] =
	"svcenc: service encryption, one encrypted volume per tenant\n"
	"\n"
	"usage: svcenc [--json] [--socket-dir DIR] [NOUN VERB [OPERAND...] [OPTION...]]\n"
	"       svcenc                     the state: the agent, and a line per volume\n"
	"\n";

static const char tail[] =
	"\n"
	"Everywhere: --json for machines (\"schema\": \"" CLI_SCHEMA
	"\"), --help for one\n"
	"verb with an example, --socket-dir DIR instead of /run/svcenc, --version.\n"
	"\n"
	"example, on a machine with nothing configured:\n"
	"  svcenc format data /dev/vg/data\n"
	"  svcenc open data\n"
	"  mkfs.xfs /dev/mapper/data && mount /dev/mapper/data /srv\n"
	"  umount /srv && svcenc close data\n"
	"\n"
	"exit status: 0 ok, 1 usage, 2 no permission or key, 3 memory, 4 wrong device,\n"
	"5 exists or busy, 6 vault unreachable (try again), 7 denied by the customer's\n"
	"vault, 8 approval pending, 9 integrity failure, 10 agent not running\n";

static void print_synopsis(FILE *file, const struct cli_verb *verb)
{
	const struct cli_operand *operand;

	fprintf(file, "svcenc %s %s", verb->noun, verb->verb);
	for (operand = verb->operands; operand->label; operand++)
		fprintf(file,
			operand->need == CLI_OPTIONAL ? " [%s]" :
			operand->need == CLI_MANY     ? " %s..." :
							" %s",
			operand->label);
}

static void print_line(FILE *file, const struct cli_verb *verb)
{
	char words[64];

	snprintf(words, sizeof(words), "%s %s", verb->noun, verb->verb);
	fprintf(file, "  %-17s %s", words, verb->brief);
	if (verb->alias)
		fprintf(file, " (short: svcenc %s)", verb->alias);
	fputc('\n', file);
}

void cli_help_all(void)
{
	const struct cli_verb *verb;

	fputs(head, stdout);
	for (verb = cli_verbs; verb->verb; verb++)
		print_line(stdout, verb);
	fputs(tail, stdout);
}

bool cli_help_noun(FILE *file, const char *noun)
{
	const struct cli_verb *verb;
	bool found = false;

	for (verb = cli_verbs; verb->verb; verb++) {
		if (strcmp(verb->noun, noun))
			continue;
		print_line(file, verb);
		found = true;
	}
	return found;
}

static void print_option(const struct cli_option *option)
{
	char words[64];

	snprintf(words, sizeof(words), "%c%c%s --%s%s%s",
		 option->letter ? '-' : ' ',
		 option->letter ? option->letter : ' ',
		 option->letter ? "," : " ", option->name,
		 option->argument ? " " : "",
		 option->argument ? option->argument : "");
	printf("  %-28s %s\n", words, option->help);
}

void cli_help_verb(const struct cli_verb *verb)
{
	const struct cli_option *option;

	fputs("usage: ", stdout);
	print_synopsis(stdout, verb);
	fputs(" [OPTION...]\n", stdout);
	if (verb->alias)
		printf("short: svcenc %s ...\n", verb->alias);
	printf("\n%s\n", verb->brief);
	if (verb->text)
		printf("\n%s\n", verb->text);
	fputs("\noptions:\n", stdout);
	for (option = verb->options; option->name; option++)
		print_option(option);
	printf("  %-28s %s\n", "    --json", "for machines");
	printf("\nexample:\n  %s\n", verb->example);
}
