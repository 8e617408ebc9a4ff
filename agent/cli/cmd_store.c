// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli.h"

static bool add_row(struct cli_table *table, const json_t *result)
{
	return cli_table_add(table, cli_text(result, "device")) &&
	       cli_table_add(table, cli_text(result, "outcome")) &&
	       cli_table_add(table, cli_text(result, "volume")) &&
	       cli_table_add(table, cli_text(result, "tenant")) &&
	       cli_table_add(table, cli_text(result, "policy")) &&
	       cli_table_add(table, cli_text(result, "why"));
}

/* One refused device does not hide the others, but shows in the status. */
int cli_store_print_recovered(const struct cli *cli, const json_t *reply)
{
	struct cli_table table = {
		.headers = { "DEVICE", "OUTCOME", "VOLUME", "TENANT", "POLICY",
			     "WHY" },
	};
	bool ok = true, refused = false;
	json_t *result;
	size_t i;

	json_array_foreach(json_object_get(reply, "results"), i, result) {
		ok = ok && add_row(&table, result);
		if (!strcmp(cli_text(result, "outcome"), "refused"))
			refused = true;
	}
	cli_table_print(&table, "no devices");
	if (!ok)
		return cli_fail_memory(cli);
	cli_say("the store now has %lld tenants, %lld policies, %lld volumes",
		(long long)cli_int(reply, "tenants"),
		(long long)cli_int(reply, "policies"),
		(long long)cli_int(reply, "volumes"));
	return refused ? CLI_INTEGRITY : CLI_OK;
}
