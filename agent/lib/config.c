// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"

enum { METRICS_S = 15 };

struct parse {
	struct svcenc_config *config;
	struct svcenc_vault_config *vault; /* of the file being read */
	const char *path;
	struct svcenc_fault *fault;
};

static int refuse(struct parse *parse, const char *name, const char *why)
{
	svcenc_fault_set(parse->fault, SVCENC_FAULT_USAGE, "%s: '%s': %s",
			 parse->path, name, why);
	svcenc_fault_hint(parse->fault, "correct the line; svcencd.conf(5) "
					"lists sections and keys");
	return 0;
}

static bool parse_seconds(const char *text, uint32_t *ret)
{
	u64 value;

	if (svcenc_u64_parse(text, U32_MAX, &value) < 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int copy_value(struct parse *parse, const char *name, const char *value,
		      char *ret, size_t size)
{
	if (!*value || strlen(value) >= size)
		return refuse(parse, name, "empty or too long");
	memcpy(ret, value, strlen(value) + 1);
	return 1;
}

static int metrics_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_config *config = parse->config;

	if (!strcmp(name, "metrics_names")) {
		config->metrics_names = !strcmp(value, "yes");
		return config->metrics_names || !strcmp(value, "no") ?
			       1 :
			       refuse(parse, name, "yes or no wanted");
	}
	if (!strcmp(name, "metrics_interval"))
		return parse_seconds(value, &config->metrics_s) &&
				       config->metrics_s ?
			       1 :
			       refuse(parse, name, "seconds wanted, not 0");
	if (strcmp(name, "metrics"))
		return refuse(parse, name, "unknown key");
	if (!strcmp(value, "none")) {
		config->metrics[0] = '\0';
		return 1;
	}
	if (*value != '/')
		return refuse(parse, name, "absolute path, or none, wanted");
	return copy_value(parse, name, value, config->metrics,
			  sizeof(config->metrics));
}

static int agent_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_policy_rules *rules = &parse->config->rules;
	int number;

	if (!strcmp(name, "lease"))
		return parse_seconds(value, &rules->lease_s) ?
			       1 :
			       refuse(parse, name, "seconds wanted");
	if (!strcmp(name, "probe"))
		return parse_seconds(value, &rules->probe_s) ?
			       1 :
			       refuse(parse, name, "seconds wanted");
	if (!strcmp(name, "fallback_max"))
		return parse_seconds(value, &rules->fallback_max_s) ?
			       1 :
			       refuse(parse, name, "seconds wanted");
	if (!strcmp(name, "availability")) {
		number = svcenc_availability_parse(value);
		rules->availability = (enum svcenc_availability)number;
		return number >= 0 ? 1 :
				     refuse(parse, name,
					    "never, transient or ask wanted");
	}
	if (!strcmp(name, "on_withdrawal")) {
		number = svcenc_on_withdrawal_parse(value);
		rules->on_withdrawal = (enum svcenc_on_withdrawal)number;
		return number >= 0 ?
			       1 :
			       refuse(parse, name, "shutdown or fail wanted");
	}
	return metrics_key(parse, name, value);
}

/* A setting for the worker: names are checked when the type is known. */
static int worker_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_vault_config *vault = parse->vault;
	struct svcenc_vault_option *option =
		&vault->options[vault->option_count];

	if (!svcenc_vault_option_is_valid(name))
		return refuse(parse, name, "unknown key");
	if (vault->option_count == SVCENC_VAULT_OPTIONS)
		return refuse(parse, name, "too many keys");
	if (!copy_value(parse, name, value, option->value,
			sizeof(option->value)))
		return 0;
	memcpy(option->name, name, strlen(name) + 1);
	vault->option_count++;
	return 1;
}

static int type_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_vault_config *vault = parse->vault;

	if (!svcenc_vault_type_is_valid(value))
		return refuse(parse, name, "not a type of vault");
	return copy_value(parse, name, value, vault->type, sizeof(vault->type));
}

static int start_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_vault_config *vault = parse->vault;

	vault->start_set = true;
	vault->external = !strcmp(value, "external");
	if (!vault->external && strcmp(value, "agent"))
		return refuse(parse, name, "agent or external wanted");
	return 1;
}

static int vault_key(struct parse *parse, const char *name, const char *value)
{
	struct svcenc_vault_config *vault = parse->vault;

	if (!strcmp(name, "type"))
		return type_key(parse, name, value);
	if (!strcmp(name, "start"))
		return start_key(parse, name, value);
	if (!strcmp(name, "test_key"))
		return copy_value(parse, name, value, vault->test_key,
				  sizeof(vault->test_key));
	if (!strcmp(name, "user")) {
		vault->user_set = true;
		return copy_value(parse, name, value, vault->user,
				  sizeof(vault->user));
	}
	if (!strcmp(name, "directory")) {
		if (*value != '/')
			return refuse(parse, name, "absolute path wanted");
		if (!copy_value(parse, name, value, vault->directory,
				sizeof(vault->directory)))
			return 0;
	}
	return worker_key(parse, name, value);
}

/* What depends on the type, which may stand on the last line. */
static int finish_vault(struct parse *parse)
{
	struct svcenc_vault_config *vault = parse->vault;
	const struct svcenc_vault_type *type =
		svcenc_vault_type_find(vault->type);
	const char *name;
	size_t i;

	for (i = 0; type && i < vault->option_count; i++) {
		name = vault->options[i].name;
		if (svcenc_vault_type_takes(type, name))
			continue;
		refuse(parse, name, "unknown key for this type of vault");
		return -EINVAL;
	}
	if (!type || !svcenc_vault_type_takes(type, "directory"))
		vault->directory[0] = '\0';
	if (type && type->network && !vault->start_set)
		vault->external = true;
	if (type && type->network && !vault->user_set)
		snprintf(vault->user, sizeof(vault->user),
			 SVCENC_VAULT_NET_USER);
	return 0;
}

static int on_line(void *userdata, const char *section, const char *name,
		   const char *value)
{
	struct parse *parse = userdata;

	if (!parse->vault && !strcmp(section, "agent"))
		return agent_key(parse, name, value);
	if (parse->vault && !strcmp(section, "vault"))
		return vault_key(parse, name, value);
	return refuse(parse, section, "unknown section");
}

/* A missing file is no error: 0 lines. */
static int parse_file(struct parse *parse)
{
	int r;

	errno = 0;
	r = ini_parse(parse->path, on_line, parse);
	if (!r || (r == -1 && errno == ENOENT))
		return 0;
	if (r == -1)
		return svcenc_fault_set(parse->fault, SVCENC_FAULT_STORAGE,
					"cannot read %s: %s", parse->path,
					strerror(errno));
	svcenc_fault_set(parse->fault, SVCENC_FAULT_USAGE,
			 "%s: line %d is not 'key = value'", parse->path, r);
	return svcenc_fault_hint(parse->fault, "correct the line; "
					       "svcencd.conf(5)");
}

static struct svcenc_vault_config *find_vault(struct svcenc_config *config,
					      const char *name)
{
	size_t i;

	for (i = 0; i < config->vault_count; i++)
		if (!strcmp(config->vaults[i].name, name))
			return &config->vaults[i];
	return NULL;
}

const struct svcenc_vault_config *
svcenc_config_vault(const struct svcenc_config *config, const char *name)
{
	return find_vault((struct svcenc_config *)config, name);
}

/* Finds the vault or adds it with the defaults. NULL: too many. */
static struct svcenc_vault_config *need_vault(struct svcenc_config *config,
					      const char *vault_state,
					      const char *name)
{
	struct svcenc_vault_config *vault = find_vault(config, name);

	if (vault)
		return vault;
	if (config->vault_count == SVCENC_VAULTS_MAX)
		return NULL;
	vault = &config->vaults[config->vault_count];
	memset(vault, 0, sizeof(*vault));
	if (snprintf(vault->directory, sizeof(vault->directory), "%s/%s",
		     vault_state, name) >= (int)sizeof(vault->directory))
		return NULL;
	snprintf(vault->name, sizeof(vault->name), "%s", name);
	snprintf(vault->type, sizeof(vault->type), "file");
	snprintf(vault->user, sizeof(vault->user), SVCENC_VAULT_USER);
	config->vault_count++;
	return vault;
}

static int is_conf(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && dot && !strcmp(dot, ".conf");
}

/* One file of vaults.d: its name is the vault's. */
static int load_vault(struct parse *parse, const char *vault_state,
		      const char *file)
{
	char name[NAME_MAX + 1];
	int r;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 5), file);
	if (!svcenc_name_is_valid(name)) {
		refuse(parse, name, "not a name for a vault");
		return -EINVAL;
	}
	parse->vault = need_vault(parse->config, vault_state, name);
	if (!parse->vault) {
		refuse(parse, name, "too many vaults, or its path is too long");
		return -EINVAL;
	}
	r = parse_file(parse);
	return r < 0 ? r : finish_vault(parse);
}

/* All *.conf of a directory in order of names; vaults if @vault_state. */
static int load_folder(struct parse *parse, const char *folder,
		       const char *vault_state)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX];
	int count, i, r = 0;

	count = scandir(folder, &entries, is_conf, alphasort);
	if (count < 0)
		return errno == ENOENT ?
			       0 :
			       svcenc_fault_set(parse->fault,
						SVCENC_FAULT_STORAGE,
						"cannot read %s: %s", folder,
						strerror(errno));
	for (i = 0; i < count && !r; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
			 entries[i]->d_name);
		parse->path = path;
		parse->vault = NULL;
		r = vault_state ?
			    load_vault(parse, vault_state, entries[i]->d_name) :
			    parse_file(parse);
	}
	for (i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return r;
}

int svcenc_config_load(const char *etc, const char *vault_state,
		       struct svcenc_config *ret, struct svcenc_fault *fault)
{
	static const char *const defaults[] = { "a", "b", "availability" };
	struct parse parse = { .config = ret, .fault = fault };
	char path[PATH_MAX];
	const char *wrong;
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	svcenc_policy_default_rules(&ret->rules);
	ret->metrics[0] = '-';
	ret->metrics_s = METRICS_S;
	for (i = 0; i < 3; i++)
		if (!need_vault(ret, vault_state, defaults[i]))
			return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
						"path %s is too long",
						vault_state);
	snprintf(path, sizeof(path), "%s/svcencd.conf", etc);
	parse.path = path;
	r = parse_file(&parse);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/svcencd.conf.d", etc);
	r = load_folder(&parse, path, NULL);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "%s/vaults.d", etc);
	r = load_folder(&parse, path, vault_state);
	if (r < 0)
		return r;
	wrong = svcenc_policy_check_rules(&ret->rules);
	if (wrong)
		return svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
					"%s/svcencd.conf: %s", etc, wrong);
	return 0;
}

static const char *option_of(const struct svcenc_vault_config *vault,
			     const char *name)
{
	size_t i;

	for (i = 0; i < vault->option_count; i++)
		if (!strcmp(vault->options[i].name, name))
			return vault->options[i].value;
	return "";
}

/* A host's name has no case, and a URL may end with a slash or not. */
static bool is_same_place(const char *name, const char *one, const char *other)
{
	size_t len = strlen(one), other_len = strlen(other);

	if (strcmp(name, "url") && strcmp(name, "server"))
		return !strcmp(one, other);
	while (len && one[len - 1] == '/')
		len--;
	while (other_len && other[other_len - 1] == '/')
		other_len--;
	return len == other_len && !strncasecmp(one, other, len);
}

bool svcenc_config_same_vault(const struct svcenc_vault_config *one,
			      const struct svcenc_vault_config *other)
{
	static const char *const places[] = { "url", "server", "module",
					      "token" };
	bool told = false;
	size_t i;

	if (one == other)
		return true;
	if (strcmp(one->type, other->type))
		return false;
	if (!strcmp(one->type, "file"))
		return !strcmp(one->directory, other->directory);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *place = option_of(one, places[i]);

		if (!is_same_place(places[i], place,
				   option_of(other, places[i])))
			return false;
		told = told || *place;
	}
	return told;
}
