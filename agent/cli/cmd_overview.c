// SPDX-License-Identifier: GPL-2.0-or-later
/* Bare "svcenc": the agent in one line, then a line per volume. */
#include "cli.h"

static void print_agent(const json_t *status)
{
	char value[CLI_VALUE_SIZE];

	cli_say("svcencd %s, up %s, kernel %s; %lld of %lld volumes open, %lld locked; %lld of %lld vaults unreachable",
		cli_text(status, "version"),
		cli_format_duration_ms(cli_int(status, "uptime_ms"), value),
		cli_text(status, "kernel"),
		(long long)cli_int(status, "volumes_open"),
		(long long)cli_int(status, "volumes"),
		(long long)cli_int(status, "volumes_locked"),
		(long long)cli_int(status, "vaults_unreachable"),
		(long long)cli_int(status, "vaults"));
}

static int print_both(const struct cli *cli, json_t *status, json_t *list)
{
	json_t *object;
	int code;

	if (!cli->json) {
		print_agent(status);
		cli_print_notes(status, "warnings");
		return cli_volume_print_table(
			       json_object_get(list, "volumes")) ?
			       CLI_OK :
			       cli_fail_memory(cli);
	}
	object = json_pack("{s:O, s:O}", "agent", status, "volumes",
			   json_object_get(list, "volumes"));
	code = object ? cli_print_json(cli, object) : cli_fail_memory(cli);
	json_decref(object);
	return code;
}

int cli_overview_run(struct cli *cli)
{
	json_t *status = NULL, *list = NULL;
	int code;

	code = cli_call(cli, "GetStatus", CLI_ROLE_STATUS, NULL, &status);
	if (code == CLI_OK)
		code = cli_call(cli, "ListVolumes", CLI_ROLE_ANY, NULL, &list);
	if (code == CLI_OK)
		code = print_both(cli, status, list);
	/* Who may not see volumes is told so, after what he may see. */
	else if (status && !cli->json)
		print_agent(status);
	json_decref(status);
	json_decref(list);
	return code;
}
