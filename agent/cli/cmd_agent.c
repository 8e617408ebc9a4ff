// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

void cli_agent_print_fields(const json_t *status)
{
	char value[CLI_VALUE_SIZE];

	cli_field("agent", "svcencd %s, pid %lld, up %s",
		  cli_text(status, "version"),
		  (long long)cli_int(status, "pid"),
		  cli_format_duration_ms(cli_int(status, "uptime_ms"), value));
	cli_field("kernel", "%s%s%s", cli_text(status, "kernel"),
		  *cli_text(status, "kernel_detail") ? ": " : "",
		  cli_text(status, "kernel_detail"));
	cli_field("store", "%s, state %lld", cli_text(status, "store"),
		  (long long)cli_int(status, "store_counter"));
	cli_field("tenants", "%lld", (long long)cli_int(status, "tenants"));
	cli_field("policies", "%lld, not active: %lld",
		  (long long)cli_int(status, "policies"),
		  (long long)cli_int(status, "policies_not_active"));
	if (cli_int(status, "policies_probed") <
	    cli_int(status, "policies_found"))
		cli_field("start", "%lld of %lld policies in use probed",
			  (long long)cli_int(status, "policies_probed"),
			  (long long)cli_int(status, "policies_found"));
	cli_field("volumes", "%lld, open: %lld, locked: %lld",
		  (long long)cli_int(status, "volumes"),
		  (long long)cli_int(status, "volumes_open"),
		  (long long)cli_int(status, "volumes_locked"));
	cli_field("vaults", "%lld, unreachable: %lld",
		  (long long)cli_int(status, "vaults"),
		  (long long)cli_int(status, "vaults_unreachable"));
}

int cli_agent_print_status(const struct cli *cli, const json_t *reply)
{
	(void)cli;
	cli_agent_print_fields(reply);
	cli_print_notes(reply, "warnings");
	return CLI_OK;
}

static bool add_event(struct cli_table *table, const json_t *event)
{
	char number[CLI_VALUE_SIZE], date[CLI_VALUE_SIZE];
	const char *state = cli_text(event, "state");

	snprintf(number, sizeof(number), "%lld",
		 (long long)cli_int(event, "number"));
	return cli_table_add(table, number) &&
	       cli_table_add(table,
			     cli_format_date(cli_int(event, "time"), date)) &&
	       cli_table_add(table, cli_text(event, "policy")) &&
	       cli_table_add(table,
			     *state ? state : cli_text(event, "event")) &&
	       cli_table_add(table, cli_text(event, "root_a")) &&
	       cli_table_add(table, cli_text(event, "root_b")) &&
	       cli_table_add(table, cli_text(event, "why"));
}

int cli_agent_print_events(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "NUMBER", "TIME", "POLICY", "EVENT", "ROOT A",
			     "ROOT B", "WHY" },
	};
	bool ok = true;
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(reply, "events"), i, event)
		ok = ok && add_event(&table, event);
	cli_table_print(&table, "no events");
	return ok ? CLI_OK : cli_fail_memory(cli);
}
