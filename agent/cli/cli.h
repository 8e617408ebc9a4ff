/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command "svcenc": what its files share. It knows the protocol
 * (io.svcenc.Agent) and, for "table", the header decoder; never the kernel,
 * a vault or a key.
 *
 * A verb is data: words, method, operands, options, texts, and two functions.
 * Operands and options fill the parameters of the method by name, so most
 * verbs need no code but the printing of the reply.
 */
#ifndef SVCENC_CLI_H
#define SVCENC_CLI_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLI_SCHEMA "svcenc/1"
#define CLI_VERSION "0.1"

/* Part of the interface: scripts test them. */
enum cli_exit {
	CLI_OK = 0,
	CLI_USAGE = 1,
	CLI_PERMISSION = 2,
	CLI_MEMORY = 3,
	CLI_DEVICE = 4,
	CLI_BUSY = 5,
	CLI_UNREACHABLE = 6,
	CLI_DENIED = 7,
	CLI_PENDING = 8,
	CLI_INTEGRITY = 9,
	CLI_NO_AGENT = 10,
};

/* Which socket serves a method; ANY: operator, else officer. */
enum cli_role {
	CLI_ROLE_STATUS,
	CLI_ROLE_ANY,
	CLI_ROLE_OFFICER,
};

enum cli_kind {
	CLI_FLAG,     /* true */
	CLI_TEXT,     /* string as given */
	CLI_PATH,     /* made absolute, symbolic links kept */
	CLI_BYTES,    /* 4096, 64M, 1.. with K M G T, powers of 1024 */
	CLI_RATE,     /* bytes per second: 20 is MiB/s; 512K, 1G */
	CLI_DURATION, /* seconds: 30, 30s, 10m, 4h, 7d */
	CLI_NUMBER,
	CLI_LIST, /* a,b,c: an array of texts */
};

struct cli_option {
	const char *name;
	char letter; /* 0 = none */
	enum cli_kind kind;
	const char *parameter; /* NULL: not sent; read by cli_flag() */
	const char *argument;  /* what help calls its argument */
	const char *help;
	bool officer; /* with it the method wants officer.sock */
};

enum cli_need { CLI_REQUIRED, CLI_OPTIONAL, CLI_MANY };

struct cli_operand {
	const char *label; /* in help */
	const char *parameter;
	enum cli_kind kind;
	enum cli_need need; /* MANY: one or more, only as the last one */
};

enum { CLI_OPERANDS_MAX = 2, CLI_OPTIONS_MAX = 14 };

struct cli_verb;

/* One run of the program. */
struct cli {
	const char *socket_dir;
	bool json;
	bool help;
	bool version;
	bool patient; /* CLI_NO_AGENT is not said: the caller tries again */
	bool officer; /* an option asked for officer.sock */
	const struct cli_verb *verb;
	json_t *parameters; /* of the method */
	json_t *local;	    /* options that are not sent, by name */
};

struct cli_verb {
	const char *noun; /* NULL: the bare command */
	const char *verb;
	const char *alias;  /* short form, or NULL */
	const char *method; /* without the interface; NULL: run does it all */
	enum cli_role role;
	struct cli_operand operands[CLI_OPERANDS_MAX + 1];
	struct cli_option options[CLI_OPTIONS_MAX + 1];
	const char *brief;   /* half a line for the overview of verbs */
	const char *text;    /* more, for --help of the verb; or NULL */
	const char *example; /* complete command lines */
	/* Before the call; not CLI_OK ends the run. NULL: nothing. */
	int (*check)(struct cli *cli);
	/*
	 * After the call, before anything is printed; may put another reply
	 * in its place. Not CLI_OK ends the run. NULL: nothing.
	 */
	int (*wait)(struct cli *cli, json_t **reply);
	/* Instead of the call, for verbs without a method. */
	int (*run)(struct cli *cli);
	/* The reply for people; returns the exit code. */
	int (*print)(const struct cli *cli, const json_t *reply);
	/* What the reply means for scripts, printed either way. NULL: ok. */
	int (*judge)(const json_t *reply);
};

/* svcenc.c */
extern const struct cli_verb cli_verbs[]; /* ends with .verb = NULL */
extern const struct cli_verb cli_overview;
extern const struct cli_verb cli_retire; /* policy roll --retire */

/* options.c: fill @cli from the words; an exit code. */
int cli_parse_global(struct cli *cli, int argc, char **argv, int *ret_words);
int cli_parse_verb(struct cli *cli, int argc, char **argv);
bool cli_flag(const struct cli *cli, const char *option);

/* values.c: 0 or -EINVAL, -ERANGE; pure. */
int cli_parse_bytes(const char *text, json_int_t *ret);
int cli_parse_rate(const char *text, json_int_t *ret_per_second);
int cli_parse_duration(const char *text, json_int_t *ret_seconds);
/* Print into @buf and return it. */
enum { CLI_VALUE_SIZE = 48, CLI_LINE_SIZE = 192 };
const char *cli_format_bytes(json_int_t bytes, char buf[CLI_VALUE_SIZE]);
const char *cli_format_duration_ms(json_int_t ms, char buf[CLI_VALUE_SIZE]);
const char *cli_format_date(json_int_t seconds, char buf[CLI_VALUE_SIZE]);

/* help.c */
void cli_help_all(void);
void cli_help_verb(const struct cli_verb *verb);
/* All verbs of @noun; false if there is no such noun. */
bool cli_help_noun(FILE *file, const char *noun);

/*
 * call.c: one call. CLI_OK: *ret_reply is to be freed; otherwise the error
 * has been printed and its exit code is returned. Steals @parameters.
 */
int cli_call(const struct cli *cli, const char *method, enum cli_role role,
	     json_t *parameters, json_t **ret_reply);

/*
 * report.c: "svcenc: error: ..." and "svcenc: hint: ..." on stderr, and with
 * --json the same as an object on stdout. Returns @exit_code. @hint may be
 * NULL or "".
 */
__attribute__((format(printf, 4, 5))) int cli_fail(const struct cli *cli,
						   int exit_code,
						   const char *hint,
						   const char *format, ...);
int cli_fail_memory(const struct cli *cli);
/* "svcenc: note: ..." on stderr. */
__attribute__((format(printf, 1, 2))) void cli_note(const char *format, ...);
void cli_print_notes(const json_t *reply, const char *member);
/* The object with "schema" in front, on stdout. Returns CLI_OK or _MEMORY. */
int cli_print_json(const struct cli *cli, const json_t *reply);

/* output.c: text on stdout. Bytes from elsewhere never reach the terminal as
 * control characters.
 */
__attribute__((format(printf, 1, 2))) void cli_say(const char *format, ...);
__attribute__((format(printf, 2, 3))) void cli_field(const char *name,
						     const char *format, ...);

enum { CLI_COLUMNS_MAX = 8 };
struct cli_table {
	const char *headers[CLI_COLUMNS_MAX + 1]; /* ends with NULL */
	char **cells;				  /* row by row */
	size_t cell_count;
};
/* Copies @text. False: no memory. */
bool cli_table_add(struct cli_table *table, const char *text);
/* Prints and frees; @empty is said if there are no rows. */
void cli_table_print(struct cli_table *table, const char *empty);

/* Members of a reply; "" / 0 / false where missing or of another type. */
const char *cli_text(const json_t *object, const char *member);
json_int_t cli_int(const json_t *object, const char *member);
bool cli_bool(const json_t *object, const char *member);

/* One file per noun. */
int cli_overview_run(struct cli *cli);
int cli_agent_print_status(const struct cli *cli, const json_t *reply);
int cli_agent_print_events(const struct cli *cli, const json_t *reply);
int cli_policy_print_granted(const struct cli *cli, const json_t *reply);
void cli_agent_print_fields(const json_t *status);
int cli_tenant_print_created(const struct cli *cli, const json_t *reply);
int cli_tenant_print_list(const struct cli *cli, const json_t *reply);
int cli_tenant_print_one(const struct cli *cli, const json_t *reply);
int cli_policy_print_created(const struct cli *cli, const json_t *reply);
int cli_policy_print_list(const struct cli *cli, const json_t *reply);
int cli_policy_print_one(const struct cli *cli, const json_t *reply);
bool cli_policy_print_table(const json_t *policies);
bool cli_policy_print_checks(const json_t *reply);
int cli_policy_print_test(const struct cli *cli, const json_t *reply);
int cli_policy_judge_test(const json_t *reply);
int cli_change_check_roll(struct cli *cli);
int cli_change_wait(struct cli *cli, json_t **reply);
int cli_change_judge(const json_t *reply);
int cli_change_judge_retired(const json_t *reply);
int cli_change_print_rolled(const struct cli *cli, const json_t *reply);
int cli_change_print_rekeyed(const struct cli *cli, const json_t *reply);
int cli_change_print_roots(const struct cli *cli, const json_t *reply);
int cli_change_print_recovered(const struct cli *cli, const json_t *reply);
int cli_change_print_retired(const struct cli *cli, const json_t *reply);
int cli_vault_print_list(const struct cli *cli, const json_t *reply);
int cli_vault_print_test(const struct cli *cli, const json_t *reply);
int cli_volume_check_format(struct cli *cli);
int cli_volume_check_policy(struct cli *cli);
int cli_volume_print_created(const struct cli *cli, const json_t *reply);
int cli_volume_print_opened(const struct cli *cli, const json_t *reply);
int cli_volume_print_closed(const struct cli *cli, const json_t *reply);
int cli_volume_print_list(const struct cli *cli, const json_t *reply);
int cli_volume_print_status(const struct cli *cli, const json_t *reply);
int cli_volume_print_resized(const struct cli *cli, const json_t *reply);
bool cli_volume_print_table(const json_t *volumes);
int cli_policy_check_grant(struct cli *cli);
int cli_rotate_check(struct cli *cli);
int cli_rotate_wait(struct cli *cli, json_t **reply);
int cli_rotate_print(const struct cli *cli, const json_t *reply);
/* "active", "active, rotating 12.3%" */
const char *cli_rotation_brief(const json_t *volume, char buf[CLI_LINE_SIZE]);
void cli_rotation_print_fields(const json_t *volume);
int cli_table_run(struct cli *cli);
int cli_store_print_recovered(const struct cli *cli, const json_t *reply);

#endif
