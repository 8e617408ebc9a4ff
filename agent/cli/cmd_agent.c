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
