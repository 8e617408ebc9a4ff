// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli.h"

/* True if the answer typed is a yes. */
static bool ask(const char *device)
{
	char answer[8] = "";

	fprintf(stderr,
		"This overwrites %s: what is on it will be lost. Go on? (yes/no) ",
		device);
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\n")] = '\0';
	return !strcasecmp(answer, "yes");
}

int cli_volume_check_format(struct cli *cli)
{
	const char *device = cli_text(cli->parameters, "device");

	if (cli_flag(cli, "yes"))
		return CLI_OK;
	if (isatty(STDIN_FILENO))
		return ask(device) ? CLI_OK :
				     cli_fail(cli, CLI_USAGE, NULL,
					      "%s is left as it is", device);
	/* Without force the agent itself refuses what is known to be in use
	 * or to hold something: then there is nothing to ask.
	 */
	if (cli_flag(cli, "force"))
		return cli_fail(
			cli, CLI_USAGE, "add --yes if all of it may be lost",
			"--force on %s, and nobody to ask (no terminal)",
			device);
	return CLI_OK;
}

/* --policy of "open": what /etc/svcenctab expects must be what is there. */
int cli_volume_check_policy(struct cli *cli)
{
	const char *wanted = cli_text(cli->local, "policy");
	const char *name = cli_text(cli->parameters, "name");
	const json_t *volume;
	json_t *reply = NULL;
	char found[256];
	int code;

	if (!*wanted)
		return CLI_OK;
	code = cli_call(cli, "VolumeStatus", CLI_ROLE_ANY,
			json_pack("{s:s}", "name", name), &reply);
	if (code != CLI_OK)
		return code;
	volume = json_object_get(reply, "volume");
	snprintf(found, sizeof(found), "%s/%s", cli_text(volume, "tenant"),
		 cli_text(volume, "policy"));
	if (strcmp(found, wanted))
		code = cli_fail(
			cli, CLI_DEVICE,
			"correct the policy in /etc/svcenctab, or the device",
			"volume %s is under policy %s, not %s", name, found,
			wanted);
	json_decref(reply);
	return code;
}

static void say_state(const json_t *volume, const char *what)
{
	char size[CLI_VALUE_SIZE];

	cli_say("volume %s %s (%s, tenant %s)", cli_text(volume, "name"), what,
		cli_format_bytes(cli_int(volume, "size"), size),
		cli_text(volume, "tenant"));
}

int cli_volume_print_created(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");

	(void)cli;
	say_state(volume, cli_bool(reply, "created") ? "is formatted" :
						       "was formatted already");
	cli_say("next: svcenc open %s", cli_text(volume, "name"));
	cli_print_notes(reply, "notes");
	return CLI_OK;
}

int cli_volume_print_opened(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");

	(void)cli;
	say_state(volume,
		  cli_bool(reply, "already") ? "was open already" : "is open");
	cli_say("%s", cli_text(volume, "path"));
	cli_print_notes(reply, "notes");
	return CLI_OK;
}

int cli_volume_print_closed(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");

	(void)cli;
	cli_say("volume %s %s", cli_text(volume, "name"),
		cli_bool(reply, "already") ? "was closed already" :
					     "is closed");
	return CLI_OK;
}

static bool add_row(struct cli_table *table, const json_t *volume)
{
	char size[CLI_VALUE_SIZE], state[CLI_LINE_SIZE];

	return cli_table_add(table, cli_text(volume, "name")) &&
	       cli_table_add(table, cli_rotation_brief(volume, state)) &&
	       cli_table_add(table, cli_text(volume, "tenant")) &&
	       cli_table_add(table, cli_text(volume, "policy")) &&
	       cli_table_add(table,
			     cli_format_bytes(cli_int(volume, "size"), size)) &&
	       cli_table_add(table, cli_text(volume, "device")) &&
	       cli_table_add(table, cli_text(volume, "path")) &&
	       cli_table_add(table, cli_text(volume, "why"));
}

bool cli_volume_print_table(const json_t *volumes)
{
	struct cli_table table = {
		.headers = { "VOLUME", "STATE", "TENANT", "POLICY", "SIZE",
			     "DEVICE", "PATH", "WHY" },
	};
	bool ok = true;
	json_t *volume;
	size_t i;

	json_array_foreach(volumes, i, volume)
		ok = ok && add_row(&table, volume);
	cli_table_print(&table, "no volumes yet (svcenc format NAME DEVICE)");
	return ok;
}

int cli_volume_print_list(const struct cli *cli, const json_t *reply)
{
	return cli_volume_print_table(json_object_get(reply, "volumes")) ?
		       CLI_OK :
		       cli_fail_memory(cli);
}

static void print_counters(const json_t *counters)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)counters, name, value)
		if (json_integer_value(value))
			cli_field(name, "%lld",
				  (long long)json_integer_value(value));
}

static void print_sizes(const json_t *volume)
{
	char size[CLI_VALUE_SIZE], whole[CLI_VALUE_SIZE], spare[CLI_VALUE_SIZE];

	cli_field("size", "%s, spare %s, device %s",
		  cli_format_bytes(cli_int(volume, "size"), size),
		  cli_format_bytes(cli_int(volume, "spare"), spare),
		  cli_format_bytes(cli_int(volume, "device_size"), whole));
	cli_field("sector size", "%lld",
		  (long long)cli_int(volume, "sector_size"));
	cli_field("discards", "%s",
		  cli_bool(volume, "allow_discards") ? "passed down" :
						       "not passed down");
	cli_field("epoch", "%lld", (long long)cli_int(volume, "epoch"));
	cli_field("header seq", "%lld", (long long)cli_int(volume, "seq"));
	cli_rotation_print_fields(volume);
}

int cli_volume_print_status(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");
	const json_t *policy = json_object_get(reply, "policy");
	char value[CLI_VALUE_SIZE];

	(void)cli;
	cli_field("volume", "%s", cli_text(volume, "name"));
	cli_field("state", "%s", cli_text(volume, "state"));
	cli_field("why", "%s", cli_text(volume, "why"));
	cli_field("path", "%s", cli_text(volume, "path"));
	cli_field("device", "%s", cli_text(volume, "device"));
	cli_field("uuid", "%s", cli_text(volume, "uuid"));
	cli_field("tenant", "%s", cli_text(volume, "tenant"));
	cli_field("policy", "%s, %s%s%s", cli_text(volume, "policy"),
		  cli_text(policy, "state"),
		  *cli_text(policy, "why") ? ": " : "",
		  cli_text(policy, "why"));
	cli_field("key", "%s", cli_text(volume, "key"));
	if (cli_bool(policy, "key_live"))
		cli_field("lease left", "%s",
			  cli_format_duration_ms(
				  cli_int(policy, "lease_left_ms"), value));
	cli_field("on withdrawal", "%s", cli_text(volume, "on_withdrawal"));
	print_sizes(volume);
	cli_field("created", "%s",
		  cli_format_date(cli_int(volume, "created"), value));
	print_counters(json_object_get(volume, "counters"));
	return CLI_OK;
}

int cli_volume_print_resized(const struct cli *cli, const json_t *reply)
{
	const json_t *volume = json_object_get(reply, "volume");
	char before[CLI_VALUE_SIZE], after[CLI_VALUE_SIZE];

	(void)cli;
	cli_format_bytes(cli_int(reply, "old_size"), before);
	cli_format_bytes(cli_int(reply, "new_size"), after);
	if (cli_int(reply, "old_size") == cli_int(reply, "new_size"))
		cli_say("volume %s already has all that its device has room for (%s)",
			cli_text(volume, "name"), after);
	else
		cli_say("volume %s has grown from %s to %s",
			cli_text(volume, "name"), before, after);
	return CLI_OK;
}
