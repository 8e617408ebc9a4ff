// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

static bool add_row(struct cli_table *table, const json_t *vault)
{
	return cli_table_add(table, cli_text(vault, "name")) &&
	       cli_table_add(table, cli_text(vault, "type")) &&
	       cli_table_add(table, cli_text(vault, "state")) &&
	       cli_table_add(table, cli_bool(vault, "separates_from_root") ?
					    "yes" :
					    "no") &&
	       cli_table_add(table, cli_text(vault, "user")) &&
	       cli_table_add(table, cli_text(vault, "start")) &&
	       cli_table_add(table, cli_text(vault, "directory")) &&
	       cli_table_add(table, cli_text(vault, "detail"));
}

int cli_vault_print_list(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "VAULT", "TYPE", "STATE", "SAFE FROM ROOT", "USER",
			     "START", "DIRECTORY", "DETAIL" },
	};
	bool ok = true;
	json_t *vault;
	size_t i;

	json_array_foreach(json_object_get(reply, "vaults"), i, vault)
		ok = ok && add_row(&table, vault);
	cli_table_print(&table, "no vaults are configured");
	return ok ? CLI_OK : cli_fail_memory(cli);
}

int cli_vault_print_test(const struct cli *cli, const json_t *reply)
{
	const json_t *vault = json_object_get(reply, "vault");
	char took[CLI_VALUE_SIZE];
	json_t *step;
	size_t i;

	(void)cli;
	json_array_foreach(json_object_get(reply, "steps"), i, step)
		cli_say("  %s",
			json_is_string(step) ? json_string_value(step) : "");
	cli_say("vault %s works (%s)", cli_text(vault, "name"),
		cli_format_duration_ms(cli_int(reply, "took_ms"), took));
	if (*cli_text(vault, "note"))
		cli_note("%s", cli_text(vault, "note"));
	return CLI_OK;
}
