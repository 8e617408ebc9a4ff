// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors, notes and --json: what scripts and people look for first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* Bytes from elsewhere must not steer the terminal. */
static void print_clean(FILE *file, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	for (; *at; at++)
		fputc(*at < ' ' || *at == 0x7f ? '?' : *at, file);
}

static void print_error_json(int exit_code, const char *hint,
			     const char *message)
{
	json_t *object;

	object = json_pack("{s:s, s:{s:s, s:s, s:i}}", "schema", CLI_SCHEMA,
			   "error", "message", message, "hint",
			   hint ? hint : "", "exit", exit_code);
	if (object)
		json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

int cli_fail(const struct cli *cli, int exit_code, const char *hint,
	     const char *format, ...)
{
	char *message = NULL;
	va_list args;

	if (cli->patient && exit_code == CLI_NO_AGENT)
		return exit_code;
	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	fputs("svcenc: error: ", stderr);
	print_clean(stderr, message ? message : "out of memory");
	fputc('\n', stderr);
	if (hint && *hint) {
		fputs("svcenc: hint: ", stderr);
		print_clean(stderr, hint);
		fputc('\n', stderr);
	}
	if (cli->json)
		print_error_json(exit_code, hint,
				 message ? message : "out of memory");
	free(message);
	return exit_code;
}

int cli_fail_memory(const struct cli *cli)
{
	return cli_fail(cli, CLI_MEMORY, NULL, "out of memory");
}

void cli_note(const char *format, ...)
{
	char *message = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	va_end(args);
	if (!message)
		return;
	fputs("svcenc: note: ", stderr);
	print_clean(stderr, message);
	fputc('\n', stderr);
	free(message);
}

void cli_print_notes(const json_t *reply, const char *member)
{
	json_t *note;
	size_t i;

	json_array_foreach(json_object_get(reply, member), i, note)
		if (json_is_string(note))
			cli_note("%s", json_string_value(note));
}

int cli_print_json(const struct cli *cli, const json_t *reply)
{
	json_t *object = json_pack("{s:s}", "schema", CLI_SCHEMA);
	int exit_code = CLI_OK;

	if (!object || json_object_update(object, (json_t *)reply) < 0 ||
	    json_dumpf(object, stdout, JSON_INDENT(2)) < 0)
		exit_code = cli_fail_memory(cli);
	else
		putchar('\n');
	json_decref(object);
	return exit_code;
}
