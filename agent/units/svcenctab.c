// SPDX-License-Identifier: GPL-2.0-or-later
#include "svcenctab.h"

#include <ctype.h>

static const char hex_digits[] = "0123456789abcdef";

struct tag {
	const char *prefix;
	const char *directory;
};

/* As in fstab and crypttab. */
static const struct tag tags[] = {
	{ "UUID=", "/dev/disk/by-uuid/" },
	{ "LABEL=", "/dev/disk/by-label/" },
	{ "PARTUUID=", "/dev/disk/by-partuuid/" },
	{ "PARTLABEL=", "/dev/disk/by-partlabel/" },
	{ "ID=", "/dev/disk/by-id/" },
};

static bool has_odd_bytes(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

static int parse_device(const char *word, struct svcenctab_entry *entry,
			const char **ret_error)
{
	const char *directory = "";
	size_t i;
	int len;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (strncmp(word, tags[i].prefix, strlen(tags[i].prefix)))
			continue;
		directory = tags[i].directory;
		word += strlen(tags[i].prefix);
		*ret_error = "the tag of the device is empty or holds a slash";
		if (!*word || strchr(word, '/'))
			return -EINVAL;
	}
	*ret_error = "the device holds control characters";
	if (has_odd_bytes(word))
		return -EINVAL;
	*ret_error = "the device's path is too long";
	len = snprintf(entry->device, sizeof(entry->device), "%s%s", directory,
		       word);
	if (len < 0 || (size_t)len >= sizeof(entry->device))
		return -EINVAL;
	*ret_error =
		"the device is neither a path below /dev nor UUID=, LABEL=, PARTUUID=, PARTLABEL=, ID=";
	if (strncmp(entry->device, "/dev/", 5) || !entry->device[5] ||
	    strstr(entry->device, "/../"))
		return -EINVAL;
	return 0;
}

static int parse_policy(const char *word, struct svcenctab_entry *entry,
			const char **ret_error)
{
	char tenant[SVCENC_NAME_SIZE];
	const char *slash = strchr(word, '/');

	if (!strcmp(word, "-") || !strcmp(word, "none"))
		return 0;
	*ret_error = "the policy is neither TENANT/POLICY nor -";
	if (!slash || (size_t)(slash - word) >= sizeof(tenant))
		return -EINVAL;
	memcpy(tenant, word, (size_t)(slash - word));
	tenant[slash - word] = '\0';
	if (!svcenc_name_is_valid(tenant) || !svcenc_name_is_valid(slash + 1))
		return -EINVAL;
	snprintf(entry->policy, sizeof(entry->policy), "%s", word);
	return 0;
}

/* A time span of systemd: digits, letters; systemd itself reads it closer. */
static int parse_timeout(const char *text, struct svcenctab_entry *entry,
			 const char **ret_error)
{
	size_t i;

	*ret_error =
		"x-systemd.device-timeout= wants a time span: 30s, 2min, infinity";
	if (!*text || strlen(text) >= sizeof(entry->timeout))
		return -EINVAL;
	for (i = 0; text[i]; i++)
		if (!isalnum((unsigned char)text[i]))
			return -EINVAL;
	memcpy(entry->timeout, text, strlen(text) + 1);
	return 0;
}

static int parse_option(const char *word, struct svcenctab_entry *entry,
			const char **ret_error)
{
	static const char timeout[] = "x-systemd.device-timeout=";
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
		{ "nofail", &entry->nofail },
		{ "noauto", &entry->noauto },
		{ "discard", &entry->discard },
		{ "readonly", &entry->readonly },
		{ "read-only", &entry->readonly },
		{ "_netdev", &entry->netdev },
	};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcmp(word, flags[i].name))
			continue;
		*flags[i].flag = true;
		return 0;
	}
	if (!strncmp(word, timeout, sizeof(timeout) - 1))
		return parse_timeout(word + sizeof(timeout) - 1, entry,
				     ret_error);
	*ret_error =
		"unknown option (wanted: nofail, noauto, discard, readonly, _netdev, x-systemd.device-timeout=TIME)";
	return -EINVAL;
}

static int parse_options(char *words, struct svcenctab_entry *entry,
			 const char **ret_error)
{
	char *word, *rest;
	int r;

	if (!strcmp(words, "-") || !strcmp(words, "defaults") ||
	    !strcmp(words, "none"))
		return 0;
	for (word = strtok_r(words, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest)) {
		r = parse_option(word, entry, ret_error);
		if (r < 0)
			return r;
	}
	return 0;
}

int svcenctab_parse(char *line, struct svcenctab_entry *ret,
		    const char **ret_error)
{
	static const char blanks[] = " \t\r\n";
	struct svcenctab_entry entry = { 0 };
	char *words[4] = { NULL };
	char *word, *rest;
	size_t count = 0;

	for (word = strtok_r(line, blanks, &rest); word;
	     word = strtok_r(NULL, blanks, &rest)) {
		if (!count && *word == '#')
			return 0;
		*ret_error =
			"more than four fields (NAME DEVICE [POLICY [OPTIONS]])";
		if (count == sizeof(words) / sizeof(words[0]))
			return -EINVAL;
		words[count++] = word;
	}
	if (!count)
		return 0;
	*ret_error = "the device is missing (NAME DEVICE [POLICY [OPTIONS]])";
	if (count < 2)
		return -EINVAL;
	*ret_error =
		"the name is malformed (wanted: 1 to 63 characters of A-Z a-z 0-9 . _ -, not beginning with . or -)";
	if (!svcenc_name_is_valid(words[0]))
		return -EINVAL;
	memcpy(entry.name, words[0], strlen(words[0]) + 1);
	if (parse_device(words[1], &entry, ret_error) < 0 ||
	    (words[2] && parse_policy(words[2], &entry, ret_error) < 0) ||
	    (words[3] && parse_options(words[3], &entry, ret_error) < 0))
		return -EINVAL;
	*ret_error = NULL;
	*ret = entry;
	return 1;
}

static char *put_escaped(char *at, unsigned char byte)
{
	*at++ = '\\';
	*at++ = 'x';
	*at++ = hex_digits[byte >> 4];
	*at++ = hex_digits[byte & 15];
	return at;
}

void svcenctab_escape(const char *name,
		      char ret_unit[static SVCENCTAB_UNIT_MAX])
{
	const char *const end = ret_unit + SVCENCTAB_UNIT_MAX - 5;
	char *at = ret_unit;
	size_t i;

	for (i = 0; name[i] && at < end; i++) {
		const unsigned char byte = (unsigned char)name[i];

		if (byte == '/')
			*at++ = '-';
		else if ((byte < 0x80 && isalnum(byte)) || byte == ':' ||
			 byte == '_' || (byte == '.' && i))
			*at++ = (char)byte;
		else
			at = put_escaped(at, byte);
	}
	*at = '\0';
}

/* Slashes in front, at the end and doubled do not count. */
void svcenctab_escape_path(const char *path,
			   char ret_unit[static SVCENCTAB_UNIT_MAX])
{
	char plain[SVCENCTAB_DEVICE_MAX];
	size_t used = 0;

	for (; *path && used + 1 < sizeof(plain); path++) {
		if (*path == '/' && (!used || plain[used - 1] == '/'))
			continue;
		plain[used++] = *path;
	}
	if (used && plain[used - 1] == '/')
		used--;
	plain[used] = '\0';
	svcenctab_escape(*plain ? plain : "/", ret_unit);
}

void svcenctab_quote(const char *text, char ret_word[static SVCENCTAB_UNIT_MAX])
{
	const char *const end = ret_word + SVCENCTAB_UNIT_MAX - 4;
	char *at = ret_word;

	*at++ = '"';
	for (; *text && at < end; text++) {
		if (*text == '%' || *text == '$') /* specifier, variable */
			*at++ = *text;
		else if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '"';
	*at = '\0';
}
