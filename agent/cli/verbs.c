// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of verbs: what there is to say to svcenc, and to whom it goes. */
#include "cli.h"

#define TENANT_OPTION(text)                                             \
	{                                                               \
		.name = "tenant", .letter = 't', .kind = CLI_TEXT,      \
		.parameter = "tenant", .argument = "NAME", .help = text \
	}

#define TEXT_OPTION(option, member, label, text)                       \
	{                                                              \
		.name = option, .kind = CLI_TEXT, .parameter = member, \
		.argument = label, .help = text                        \
	}

#define DURATION_OPTION(option, member, text)                              \
	{                                                                  \
		.name = option, .kind = CLI_DURATION, .parameter = member, \
		.argument = "TIME", .help = text                           \
	}

#define FLAG_OPTION(option, member, text)                              \
	{                                                              \
		.name = option, .kind = CLI_FLAG, .parameter = member, \
		.help = text                                           \
	}

#define NAME_OPERAND                                   \
	{                                              \
		"NAME", "name", CLI_TEXT, CLI_REQUIRED \
	}

#define POLICY_OPERANDS                                                      \
	{                                                                    \
		{ "TENANT", "tenant", CLI_TEXT, CLI_REQUIRED }, NAME_OPERAND \
	}

#define ACCEPT_OPTION                                           \
	FLAG_OPTION(                                            \
		"accept-unrecoverable", "accept_unrecoverable", \
		"also keys that their vault cannot bring back once deleted")

#define AVAILABILITY_VAULT_OPTION                                        \
	TEXT_OPTION("vault-availability", "vault_availability", "VAULT", \
		    "vault of the availability key (default: availability)")

const struct cli_verb cli_overview = {
	.verb = "overview",
	.run = cli_overview_run,
	.brief = "show the state: the agent, and a line per volume",
	.example = "svcenc",
};

const struct cli_verb cli_retire = {
	.noun = "policy",
	.verb = "roll",
	.method = "RetireRoots",
	.role = CLI_ROLE_OFFICER,
	.wait = cli_change_wait,
	.print = cli_change_print_retired,
	.judge = cli_change_judge_retired,
};

const struct cli_verb cli_verbs[] = {
	{
		.noun = "tenant",
		.verb = "create",
		.method = "CreateTenant",
		.role = CLI_ROLE_OFFICER,
		.operands = { NAME_OPERAND },
		.print = cli_tenant_print_created,
		.brief = "make a tenant with its own provider policy",
		.text = "Makes a fresh policy key, wrapped by three root keys in the vaults a, b and\n"
			"availability. Giving the command again finishes a run that was cut short.",
		.example = "svcenc tenant create alpha",
	},
	{
		.noun = "tenant",
		.verb = "list",
		.method = "ListTenants",
		.role = CLI_ROLE_ANY,
		.print = cli_tenant_print_list,
		.brief = "list the tenants",
		.example = "svcenc tenant list",
	},
	{
		.noun = "tenant",
		.verb = "show",
		.method = "ShowTenant",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.print = cli_tenant_print_one,
		.brief = "show a tenant, its policies and volumes",
		.example = "svcenc tenant show alpha",
	},
	{
		.noun = "policy",
		.verb = "create",
		.method = "CreatePolicy",
		.role = CLI_ROLE_OFFICER,
		.operands = POLICY_OPERANDS,
		.options = {
			TEXT_OPTION("root-a", "root_a", "VAULT:KEY",
				    "a customer's root key a, which is there already"),
			TEXT_OPTION("root-b", "root_b", "VAULT:KEY",
				    "root key b, in another vault"),
			ACCEPT_OPTION,
			TEXT_OPTION("vault-a", "vault_a", "VAULT",
				    "vault in which root key a is made (default: a)"),
			TEXT_OPTION("vault-b", "vault_b", "VAULT",
				    "vault in which root key b is made (default: b)"),
			AVAILABILITY_VAULT_OPTION,
			TEXT_OPTION("availability-vault", "vault_availability",
				    "VAULT", "the same"),
			TEXT_OPTION("availability", "availability", "RULE",
				    "never, transient or ask: when the availability key may help"),
			TEXT_OPTION("on-withdrawal", "on_withdrawal", "RULE",
				    "shutdown or fail: what happens to mounted filesystems"),
			DURATION_OPTION("lease", "lease_s",
					"how long the kernel may go on without the agent"),
			DURATION_OPTION("probe", "probe_s",
					"how often the vaults are asked"),
			DURATION_OPTION("fallback-max", "fallback_max_s",
					"how long the availability key may help"),
		},
		.print = cli_policy_print_created,
		.brief = "make a policy of a tenant",
		.text = "With --root-a and --root-b its roots are keys that their owner has made, in two\n"
			"vaults; each is checked (type, size, operations, expiry, recovery, a round trip)\n"
			"before anything is made. Without, the agent makes keys in its own vaults.",
		.example = "svcenc policy create alpha own --root-a cust-a:payroll --root-b cust-b:payroll",
	},
	{
		.noun = "policy",
		.verb = "list",
		.method = "ListPolicies",
		.role = CLI_ROLE_ANY,
		.options = { TENANT_OPTION("only of this tenant") },
		.print = cli_policy_print_list,
		.brief = "list the policies",
		.example = "svcenc policy list --tenant alpha",
	},
	{
		.noun = "policy",
		.verb = "show",
		.method = "ShowPolicy",
		.role = CLI_ROLE_ANY,
		.operands = POLICY_OPERANDS,
		.print = cli_policy_print_one,
		.brief = "show a policy: rules, root keys, lease",
		.example = "svcenc policy show alpha provider",
	},
	{
		.noun = "policy",
		.verb = "test",
		.method = "TestPolicy",
		.role = CLI_ROLE_ANY,
		.operands = POLICY_OPERANDS,
		.print = cli_policy_print_test,
		.judge = cli_policy_judge_test,
		.brief = "ask each root to open something, and show how long it took",
		.text = "Changes nothing: not the policy's state, not a lease. The exit status is that of\n"
			"the gravest answer.",
		.example = "svcenc policy test alpha provider",
	},
	{
		.noun = "policy",
		.verb = "roll",
		.method = "RollPolicy",
		.role = CLI_ROLE_OFFICER,
		.operands = POLICY_OPERANDS,
		.options = {
			{ .name = "root", .kind = CLI_LIST, .parameter = "roots",
			  .argument = "a,b,availability",
			  .help = "only these (default: a,b)" },
			{ .name = "retire", .kind = CLI_FLAG,
			  .help = "roll nothing: show which former versions are still referenced, by what, and forget the others" },
		},
		.check = cli_change_check_roll,
		.wait = cli_change_wait,
		.print = cli_change_print_rolled,
		.judge = cli_change_judge,
		.brief = "take new versions of the root keys; no data moves",
		.text = "A new version of a key that the agent has made is made; of a customer's key its\n"
			"owner makes it first. The policy key is wrapped by it, opened again, stored, and\n"
			"the headers of its volumes are rewritten. Given again it finishes what was cut\n"
			"short.",
		.example = "svcenc policy roll alpha own && svcenc policy roll alpha own --retire",
	},
	{
		.noun = "policy",
		.verb = "rekey",
		.method = "RekeyPolicy",
		.role = CLI_ROLE_OFFICER,
		.operands = POLICY_OPERANDS,
		.wait = cli_change_wait,
		.print = cli_change_print_rekeyed,
		.judge = cli_change_judge,
		.brief = "make a new policy key and rewrap all volumes; no data moves",
		.text = "Open volumes are rewrapped in use, closed ones are mapped for a moment. Those not\n"
			"reached are listed, stay under the earlier key, and follow when they are opened.\n"
			"Given again after it was cut short it goes on; else it makes one more key.",
		.example = "svcenc policy rekey alpha provider",
	},
	{
		.noun = "policy",
		.verb = "set-roots",
		.method = "SetPolicyRoots",
		.role = CLI_ROLE_OFFICER,
		.operands = POLICY_OPERANDS,
		.options = {
			TEXT_OPTION("root-a", "root_a", "VAULT:KEY",
				    "a customer's root key a, which is there already"),
			TEXT_OPTION("root-b", "root_b", "VAULT:KEY",
				    "root key b, in another vault"),
			FLAG_OPTION("provider", "provider",
				    "back to the provider's roots, in vaults a and b"),
			TEXT_OPTION("vault-availability", "vault_availability",
				    "VAULT",
				    "vault of the availability key (default: as it is)"),
			ACCEPT_OPTION,
		},
		.wait = cli_change_wait,
		.print = cli_change_print_roots,
		.judge = cli_change_judge,
		.brief = "put a policy under other roots: a customer's, or the provider's",
		.text = "A rekey under other roots, the same command in both directions. The old roots are\n"
			"needed until no header is left behind.",
		.example = "svcenc policy set-roots alpha provider --root-a cust-a:payroll --root-b cust-b:payroll",
	},
	{
		.noun = "policy",
		.verb = "recover",
		.method = "RecoverPolicy",
		.role = CLI_ROLE_OFFICER,
		.operands = POLICY_OPERANDS,
		.options = {
			TEXT_OPTION("lost", "lost", "a|b|availability",
				    "the root that is lost for good"),
			TEXT_OPTION("root", "root", "VAULT:KEY",
				    "the key in its place (default: a new one in the same vault)"),
			ACCEPT_OPTION,
		},
		.wait = cli_change_wait,
		.print = cli_change_print_recovered,
		.judge = cli_change_judge,
		.brief = "replace a root that is lost for good; no data is touched",
		.text = "The policy key is opened by the other root or, as the policy's rules allow, by the\n"
			"availability key. Refused while the root still opens.",
		.example = "svcenc policy recover alpha own --lost a --root cust-c:payroll",
	},
	{
		.noun = "policy",
		.verb = "grant",
		.method = "GrantFallback",
		.role = CLI_ROLE_OFFICER,
		.operands = { { "TENANT", "tenant", CLI_TEXT, CLI_REQUIRED },
			      NAME_OPERAND },
		.options = {
			TEXT_OPTION("reason", "reason", "TEXT",
				    "why; for the audit trail and the tenant"),
			DURATION_OPTION("for", "for_s",
					"for how long, from now"),
		},
		.check = cli_policy_check_grant,
		.print = cli_policy_print_granted,
		.brief = "let the availability key bridge an outage (officers)",
		.text = "For policies with availability = ask. It is used only while both vaults are\n"
			"unreachable or throttle, never against a denial, and no longer than granted.\n"
			"Another grant replaces this one.",
		.example = "svcenc policy grant alpha strict --reason 'vault outage, ticket 4711' --for 2h",
	},
	{
		.noun = "policy",
		.verb = "ungrant",
		.method = "RevokeGrant",
		.role = CLI_ROLE_OFFICER,
		.operands = { { "TENANT", "tenant", CLI_TEXT, CLI_REQUIRED },
			      NAME_OPERAND },
		.print = cli_policy_print_granted,
		.brief = "take a grant back; a fallback by it ends now (officers)",
		.example = "svcenc policy ungrant alpha strict",
	},
	{
		.noun = "vault",
		.verb = "list",
		.method = "ListVaults",
		.role = CLI_ROLE_ANY,
		.print = cli_vault_print_list,
		.brief = "list the vaults and whether they answer",
		.example = "svcenc vault list",
	},
	{
		.noun = "vault",
		.verb = "test",
		.method = "TestVault",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.print = cli_vault_print_test,
		.brief = "wrap and unwrap a random number with a key made for that",
		.example = "svcenc vault test a",
	},
	{
		.noun = "volume",
		.verb = "create",
		.alias = "format",
		.method = "CreateVolume",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND,
			      { "DEVICE", "device", CLI_PATH, CLI_REQUIRED } },
		.options = {
			TENANT_OPTION("whose data it is (default: default, made on first use)"),
			TEXT_OPTION("policy", "policy", "NAME",
				    "policy of the tenant (default: provider)"),
			{ .name = "sector-size", .kind = CLI_BYTES,
			  .parameter = "sector_size", .argument = "BYTES",
			  .help = "4096 (default) or 512" },
			{ .name = "spare", .kind = CLI_BYTES,
			  .parameter = "spare", .argument = "SIZE",
			  .help = "space kept for rotation (default: 64M, less on small devices)" },
			{ .name = "size", .kind = CLI_BYTES,
			  .parameter = "size", .argument = "SIZE",
			  .help = "size of the volume (default: all that fits)" },
			FLAG_OPTION("discard", "allow_discards",
				    "pass discards down (shows which sectors are unused)"),
			FLAG_OPTION("force", "force",
				    "also over a device on which something is known to lie"),
			{ .name = "yes", .letter = 'y', .kind = CLI_FLAG,
			  .help = "do not ask" },
		},
		.check = cli_volume_check_format,
		.print = cli_volume_print_created,
		.brief = "format a device as a volume",
		.text = "Overwrites the device's first 4 MiB; what lay on it is lost. On a terminal it\n"
			"asks first. Elsewhere it does not ask, and refuses a device with a known\n"
			"signature unless --force and --yes are given. The volume key is made later, in\n"
			"the kernel, by the first 'svcenc open'.",
		.example = "svcenc format data /dev/vg/data --tenant alpha",
	},
	{
		.noun = "volume",
		.verb = "open",
		.alias = "open",
		.method = "OpenVolume",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND,
			      { "DEVICE", "device", CLI_PATH, CLI_OPTIONAL } },
		.options = {
			FLAG_OPTION("discard", "allow_discards",
				    "pass discards down, whatever was said at format"),
			FLAG_OPTION("readonly", "readonly", "map it read-only"),
			TEXT_OPTION("on-withdrawal", "on_withdrawal", "RULE",
				    "shutdown, fail or policy: of this volume's filesystem"),
			{ .name = "policy", .kind = CLI_TEXT, .argument = "TENANT/POLICY",
			  .help = "refuse if it is under another policy" },
			{ .name = "accept-rollback", .kind = CLI_FLAG,
			  .parameter = "accept_rollback", .officer = true,
			  .help = "open a header older than known: a restored backup (officers)" },
		},
		.check = cli_volume_check_policy,
		.print = cli_volume_print_opened,
		.brief = "open a volume, or unlock it again",
		.text = "Afterwards it is /dev/mapper/NAME. DEVICE is wanted only when the path has\n"
			"changed since the format.",
		.example = "svcenc open data && mount /dev/mapper/data /srv",
	},
	{
		.noun = "volume",
		.verb = "close",
		.alias = "close",
		.method = "CloseVolume",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.print = cli_volume_print_closed,
		.brief = "close a volume",
		.example = "umount /srv && svcenc close data",
	},
	{
		.noun = "volume",
		.verb = "status",
		.alias = "status",
		.method = "VolumeStatus",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.print = cli_volume_print_status,
		.brief = "show a volume",
		.example = "svcenc status data",
	},
	{
		.noun = "volume",
		.verb = "list",
		.method = "ListVolumes",
		.role = CLI_ROLE_ANY,
		.options = { TENANT_OPTION("only of this tenant") },
		.print = cli_volume_print_list,
		.brief = "list the volumes",
		.example = "svcenc volume list --json",
	},
	{
		.noun = "volume",
		.verb = "resize",
		.alias = "resize",
		.method = "ResizeVolume",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.print = cli_volume_print_resized,
		.brief = "grow an open volume to all that its device has room for",
		.example = "lvextend -L +10G vg/data && svcenc resize data && xfs_growfs /srv",
	},
	{
		.noun = "volume",
		.verb = "rotate",
		.alias = "rotate",
		.method = "RotateVolume",
		.role = CLI_ROLE_ANY,
		.operands = { NAME_OPERAND },
		.options = {
			{ .name = "wait", .letter = 'w', .kind = CLI_FLAG,
			  .help = "wait for the end, and show how far it is" },
			{ .name = "rate", .kind = CLI_RATE, .parameter = "rate",
			  .argument = "MiB/s",
			  .help = "at most that fast; 0: no limit (default)" },
			{ .name = "pause", .kind = CLI_FLAG,
			  .help = "stop until --resume, or until the volume is opened anew" },
			{ .name = "resume", .kind = CLI_FLAG,
			  .help = "go on, after --pause or an error" },
			FLAG_OPTION("skip-unreadable", "skip_unreadable",
				    "with --resume: pass over sectors that cannot be read"),
		},
		.check = cli_rotate_check,
		.wait = cli_rotate_wait,
		.print = cli_rotate_print,
		.brief = "give an open volume a new key, in use, every sector",
		.text = "Works in the kernel and returns at once, but for --wait. It goes on after a close\n"
			"or a reboot by itself. With --resume, --rate changes the limit of one under way,\n"
			"and --wait waits for it. Sectors passed over fail to be read until written.",
		.example = "svcenc rotate data --wait --rate 200",
	},
	{
		.noun = "volume",
		.verb = "table",
		.alias = "table",
		.run = cli_table_run,
		.operands = { { "DEVICE", "device", CLI_PATH, CLI_REQUIRED } },
		.options = {
			FLAG_OPTION("discard", "allow_discards",
				    "with option allow_discards"),
		},
		.brief = "print the line for dmsetup, from the header alone",
		.text = "Works without the agent: the policy key must be in the kernel already, and the\n"
			"volume then lives until that key's lease ends.",
		.example = "svcenc table /dev/vg/data | dmsetup create data",
	},
	{
		.noun = "agent",
		.verb = "status",
		.method = "GetStatus",
		.role = CLI_ROLE_STATUS,
		.print = cli_agent_print_status,
		.brief = "show the agent's state, in counts only",
		.example = "svcenc agent status",
	},
	{
		.noun = "agent",
		.verb = "events",
		.method = "ListEvents",
		.role = CLI_ROLE_ANY,
		.options = {
			{ .name = "after", .kind = CLI_NUMBER,
			  .parameter = "after", .argument = "NUMBER",
			  .help = "only later ones" },
		},
		.print = cli_agent_print_events,
		.brief = "show what happened to policies since svcencd started",
		.example = "svcenc agent events --after 12 --json",
	},
	{
		.noun = "store",
		.verb = "recover",
		.method = "RecoverStore",
		.role = CLI_ROLE_OFFICER,
		.operands = { { "DEVICE", "devices", CLI_PATH, CLI_MANY } },
		.print = cli_store_print_recovered,
		.brief = "rebuild a lost store from volumes' headers and the vaults",
		.text = "Takes tenants, policies and volumes from the policy records in the headers.\n"
			"Asks configured vaults only, takes nothing whose MAC does not match, and leaves\n"
			"alone what the store still knows.",
		.example = "svcenc store recover /dev/vg/data /dev/vg/logs",
	},
	{ .verb = NULL },
};
