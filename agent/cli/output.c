// SPDX-License-Identifier: GPL-2.0-or-later
/* Text for people on stdout: sentences, fields, tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

enum { FIELD_WIDTH = 16 };

/* In place: bytes from elsewhere must not steer the terminal. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void cli_say(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text) {
		clean(text);
		puts(text);
	}
	free(text);
}

void cli_field(const char *name, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text && *text) {
		clean(text);
		printf("%-*s %s\n", FIELD_WIDTH, name, text);
	}
	free(text);
}

bool cli_table_add(struct cli_table *table, const char *text)
{
	char **larger = reallocarray(table->cells, table->cell_count + 1,
				     sizeof(*table->cells));

	if (!larger)
		return false;
	table->cells = larger;
	table->cells[table->cell_count] = strdup(*text ? text : "-");
	if (!table->cells[table->cell_count])
		return false;
	clean(table->cells[table->cell_count]);
	table->cell_count++;
	return true;
}

static size_t column_width(const struct cli_table *table, size_t columns,
			   size_t column)
{
	size_t width = strlen(table->headers[column]), i;

	for (i = column; i < table->cell_count; i += columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

static void print_cell(const char *text, size_t width, bool last)
{
	if (last)
		puts(text);
	else
		printf("%-*s  ", (int)width, text);
}

void cli_table_print(struct cli_table *table, const char *empty)
{
	size_t columns = 0, i;
	size_t width[CLI_COLUMNS_MAX];

	while (table->headers[columns])
		columns++;
	for (i = 0; i < columns; i++)
		width[i] = column_width(table, columns, i);
	if (!table->cell_count)
		puts(empty);
	for (i = 0; table->cell_count && i < columns; i++)
		print_cell(table->headers[i], width[i], i + 1 == columns);
	for (i = 0; i < table->cell_count; i++) {
		print_cell(table->cells[i], width[i % columns],
			   (i + 1) % columns == 0);
		free(table->cells[i]);
	}
	free(table->cells);
	table->cells = NULL;
	table->cell_count = 0;
}

const char *cli_text(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

json_int_t cli_int(const json_t *object, const char *member)
{
	return json_integer_value(json_object_get(object, member));
}

bool cli_bool(const json_t *object, const char *member)
{
	return json_is_true(json_object_get(object, member));
}
