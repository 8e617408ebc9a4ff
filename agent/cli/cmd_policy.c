// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli.h"

int cli_policy_print_created(const struct cli *cli, const json_t *reply)
{
	const json_t *policy = json_object_get(reply, "policy");

	if (!cli_policy_print_checks(reply))
		return cli_fail_memory(cli);
	cli_say("policy %s of tenant %s %s", cli_text(policy, "name"),
		cli_text(policy, "tenant"),
		cli_bool(reply, "created") ? "is made" : "was there already");
	return CLI_OK;
}

static const char *lease_text(const json_t *policy, char buf[CLI_VALUE_SIZE])
{
	if (!cli_bool(policy, "key_live"))
		return "not in the kernel";
	return cli_format_duration_ms(cli_int(policy, "lease_left_ms"), buf);
}

static bool add_row(struct cli_table *table, const json_t *policy)
{
	char volumes[CLI_VALUE_SIZE], lease[CLI_VALUE_SIZE];

	snprintf(volumes, sizeof(volumes), "%lld/%lld",
		 (long long)cli_int(policy, "open_volumes"),
		 (long long)cli_int(policy, "volumes"));
	return cli_table_add(table, cli_text(policy, "tenant")) &&
	       cli_table_add(table, cli_text(policy, "name")) &&
	       cli_table_add(table, cli_text(policy, "kind")) &&
	       cli_table_add(table, cli_text(policy, "state")) &&
	       cli_table_add(table, volumes) &&
	       cli_table_add(table, lease_text(policy, lease)) &&
	       cli_table_add(table, cli_text(policy, "why"));
}

bool cli_policy_print_table(const json_t *policies)
{
	struct cli_table table = {
		.headers = { "TENANT", "POLICY", "KIND", "STATE", "OPEN",
			     "LEASE LEFT", "WHY" },
	};
	bool ok = true;
	json_t *policy;
	size_t i;

	json_array_foreach(policies, i, policy)
		ok = ok && add_row(&table, policy);
	cli_table_print(&table, "no policies");
	return ok;
}

int cli_policy_print_list(const struct cli *cli, const json_t *reply)
{
	return cli_policy_print_table(json_object_get(reply, "policies")) ?
		       CLI_OK :
		       cli_fail_memory(cli);
}

static bool add_root(struct cli_table *table, const json_t *root)
{
	char answer[128], age[CLI_VALUE_SIZE];
	const char *reason = cli_text(root, "reason");

	snprintf(answer, sizeof(answer), "%s%s%s%s", cli_text(root, "answer"),
		 *reason ? " (" : "", reason, *reason ? ")" : "");
	return cli_table_add(table, cli_text(root, "role")) &&
	       cli_table_add(table, cli_text(root, "vault")) &&
	       cli_table_add(table, answer) &&
	       cli_table_add(table,
			     cli_format_duration_ms(
				     cli_int(root, "answer_age_ms"), age)) &&
	       cli_table_add(table, cli_text(root, "kid")) &&
	       cli_table_add(table, cli_text(root, "detail"));
}

static bool print_roots(const json_t *roots)
{
	struct cli_table table = {
		.headers = { "ROOT", "VAULT", "ANSWER", "AGE", "KEY",
			     "DETAIL" },
	};
	bool ok = true;
	json_t *root;
	size_t i;

	json_array_foreach(roots, i, root)
		ok = ok && add_root(&table, root);
	cli_table_print(&table, "no root keys");
	return ok;
}

static void print_rules(const json_t *policy)
{
	char value[CLI_VALUE_SIZE];

	cli_field("availability", "%s", cli_text(policy, "availability"));
	cli_field("on withdrawal", "%s", cli_text(policy, "on_withdrawal"));
	cli_field("lease", "%s",
		  cli_format_duration_ms(cli_int(policy, "lease_s") * 1000,
					 value));
	cli_field("probe", "%s",
		  cli_format_duration_ms(cli_int(policy, "probe_s") * 1000,
					 value));
	cli_field("fallback max", "%s",
		  cli_format_duration_ms(
			  cli_int(policy, "fallback_max_s") * 1000, value));
}

static void print_fallback(const json_t *policy)
{
	const long long left = (long long)cli_int(policy, "grant_left_ms");
	char value[CLI_VALUE_SIZE];

	if (!strcmp(cli_text(policy, "state"), "fallback"))
		cli_field("fallback", "the availability key is in use for %s",
			  cli_format_duration_ms(cli_int(policy, "fallback_ms"),
						 value));
	if (left > 0)
		cli_field("grant", "%s left: %s",
			  cli_format_duration_ms(left, value),
			  cli_text(policy, "grant"));
	else if (*cli_text(policy, "grant"))
		cli_field("grant", "has ended: %s", cli_text(policy, "grant"));
}

/* Volumes whose header is to be rewritten when they are next opened. */
static void print_names(const char *label, const json_t *names)
{
	const json_t *name;
	size_t i;

	json_array_foreach(names, i, name) {
		cli_field(i ? "" : label, "%s", json_string_value(name));
	}
}

int cli_policy_print_one(const struct cli *cli, const json_t *reply)
{
	const json_t *policy = json_object_get(reply, "policy");
	char value[CLI_VALUE_SIZE];

	cli_field("tenant", "%s", cli_text(policy, "tenant"));
	cli_field("policy", "%s", cli_text(policy, "name"));
	cli_field("kind", "%s", cli_text(policy, "kind"));
	cli_field("state", "%s", cli_text(policy, "state"));
	cli_field("why", "%s", cli_text(policy, "why"));
	cli_field("key", "%s", cli_text(policy, "key"));
	cli_field("check value", "%s", cli_text(policy, "check"));
	cli_field("lease left", "%s", lease_text(policy, value));
	if (*cli_text(policy, "task"))
		cli_field("to be finished", "%s", cli_text(policy, "task"));
	print_names("earlier keys", json_object_get(policy, "superseded_keys"));
	print_names("left behind", json_object_get(policy, "left_behind"));
	if (cli_bool(policy, "held"))
		cli_field(
			"held",
			"ended by hand; 'svcenc open' of a volume brings it back");
	print_rules(policy);
	print_fallback(policy);
	cli_field("volumes", "%lld, open: %lld",
		  (long long)cli_int(policy, "volumes"),
		  (long long)cli_int(policy, "open_volumes"));
	cli_field("created", "%s",
		  cli_format_date(cli_int(policy, "created"), value));
	cli_say("%s", "");
	if (!print_roots(json_object_get(policy, "roots")))
		return cli_fail_memory(cli);
	if (!cli_bool(policy, "separates_from_root"))
		cli_note(
			"root on this host can read a root key of this policy: its vault separates nothing from root");
	return CLI_OK;
}

int cli_policy_check_grant(struct cli *cli)
{
	if (!*cli_text(cli->parameters, "reason"))
		return cli_fail(cli, CLI_USAGE,
				"it goes into the audit trail, and the tenant "
				"sees it",
				"--reason is missing");
	if (!json_object_get(cli->parameters, "for_s"))
		return cli_fail(cli, CLI_USAGE, "for instance --for 2h",
				"--for is missing");
	return CLI_OK;
}

int cli_policy_print_granted(const struct cli *cli, const json_t *reply)
{
	const json_t *policy = json_object_get(reply, "policy");
	char value[CLI_VALUE_SIZE];

	(void)cli;
	if (cli_int(policy, "grant_left_ms") < 0)
		cli_say("policy %s of tenant %s has no grant now",
			cli_text(policy, "name"), cli_text(policy, "tenant"));
	else
		cli_say("the availability key of policy %s of tenant %s may "
			"bridge an outage for %s",
			cli_text(policy, "name"), cli_text(policy, "tenant"),
			cli_format_duration_ms(cli_int(policy, "grant_left_ms"),
					       value));
	return CLI_OK;
}
