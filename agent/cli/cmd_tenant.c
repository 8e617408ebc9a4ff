// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli.h"

int cli_tenant_print_created(const struct cli *cli, const json_t *reply)
{
	const json_t *tenant = json_object_get(reply, "tenant");

	(void)cli;
	cli_say("tenant %s %s", cli_text(tenant, "name"),
		cli_bool(reply, "created") ?
			"is made, with its provider policy" :
			"was there already");
	return CLI_OK;
}

static bool add_row(struct cli_table *table, const json_t *tenant)
{
	char policies[CLI_VALUE_SIZE], volumes[CLI_VALUE_SIZE];
	char created[CLI_VALUE_SIZE];

	snprintf(policies, sizeof(policies), "%lld",
		 (long long)cli_int(tenant, "policies"));
	snprintf(volumes, sizeof(volumes), "%lld",
		 (long long)cli_int(tenant, "volumes"));
	return cli_table_add(table, cli_text(tenant, "name")) &&
	       cli_table_add(table, policies) &&
	       cli_table_add(table, volumes) &&
	       cli_table_add(table, cli_format_date(cli_int(tenant, "created"),
						    created)) &&
	       cli_table_add(table, cli_text(tenant, "uuid"));
}

int cli_tenant_print_list(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "TENANT", "POLICIES", "VOLUMES", "CREATED",
			     "UUID" },
	};
	bool ok = true;
	json_t *tenant;
	size_t i;

	json_array_foreach(json_object_get(reply, "tenants"), i, tenant)
		ok = ok && add_row(&table, tenant);
	cli_table_print(&table, "no tenants yet (svcenc tenant create NAME)");
	return ok ? CLI_OK : cli_fail_memory(cli);
}

int cli_tenant_print_one(const struct cli *cli, const json_t *reply)
{
	const json_t *tenant = json_object_get(reply, "tenant");
	char created[CLI_VALUE_SIZE];

	cli_field("tenant", "%s", cli_text(tenant, "name"));
	cli_field("uuid", "%s", cli_text(tenant, "uuid"));
	cli_field("created", "%s",
		  cli_format_date(cli_int(tenant, "created"), created));
	cli_say("%s", "");
	if (!cli_policy_print_table(json_object_get(reply, "policies")))
		return cli_fail_memory(cli);
	cli_say("%s", "");
	if (!cli_volume_print_table(json_object_get(reply, "volumes")))
		return cli_fail_memory(cli);
	return CLI_OK;
}
