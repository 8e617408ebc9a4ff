// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "challenge.h"

/* A parameter: its name and value, as they lie in the field. */
struct parameter {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* Takes one "name=value" or "name="value"" off. False at the end. */
static bool next_parameter(const char **at, struct parameter *ret)
{
	const char *p = *at + strspn(*at, " ,\t");

	ret->name = p;
	ret->name_len = strcspn(p, "= ,\t\"");
	p += ret->name_len;
	if (!ret->name_len || *p++ != '=')
		return false;
	if (*p == '"') {
		ret->value = ++p;
		ret->value_len = strcspn(p, "\"");
		if (p[ret->value_len] != '"')
			return false;
		*at = p + ret->value_len + 1;
	} else {
		ret->value = p;
		ret->value_len = strcspn(p, " ,\t\"");
		*at = p + ret->value_len;
	}
	return true;
}

static bool is_named(const struct parameter *parameter, const char *name)
{
	return parameter->name_len == strlen(name) &&
	       !strncasecmp(parameter->name, name, parameter->name_len);
}

static bool copy(const struct parameter *parameter, char *ret, size_t size)
{
	if (parameter->value_len >= size)
		return false;
	memcpy(ret, parameter->value, parameter->value_len);
	ret[parameter->value_len] = '\0';
	return true;
}

static bool take_url(const struct parameter *parameter, const char *tail,
		     struct akv_url *ret)
{
	char text[AKV_HOST_SIZE + AKV_PATH_SIZE + 32];
	size_t len, tail_len = strlen(tail);

	if (!copy(parameter, text, sizeof(text)))
		return false;
	len = strlen(text);
	if (len > tail_len && !strcmp(text + len - tail_len, tail))
		text[len - tail_len] = '\0';
	return akv_url_parse(text, ret) && ret->https;
}

/* The first segment of the authority's path, and nothing else there. */
static bool take_tenant(struct akv_challenge *challenge)
{
	const char *path = challenge->authority.path;
	const size_t len = *path ? strcspn(path + 1, "/") : 0;

	if (!len || len >= AKV_TENANT_SIZE || !strncmp(path + 1, ".", 1))
		return false;
	memcpy(challenge->tenant, path + 1, len);
	challenge->tenant[len] = '\0';
	return true;
}

static bool take_parameter(const struct parameter *parameter,
			   struct akv_challenge *ret)
{
	if (is_named(parameter, "authorization") ||
	    is_named(parameter, "authorization_uri"))
		return take_url(parameter, "", &ret->authority) &&
		       take_tenant(ret);
	if (is_named(parameter, "resource"))
		return take_url(parameter, "", &ret->resource);
	if (is_named(parameter, "scope") && !ret->resource.host[0])
		return take_url(parameter, "/.default", &ret->resource);
	if (is_named(parameter, "claims"))
		return copy(parameter, ret->claims, sizeof(ret->claims));
	return true;
}

bool akv_challenge_parse(const char *field, struct akv_challenge *ret)
{
	struct parameter parameter;
	const char *at = field;

	memset(ret, 0, sizeof(*ret));
	if (strnlen(field, AKV_CHALLENGE_MAX) == AKV_CHALLENGE_MAX ||
	    strncasecmp(at, "Bearer ", 7))
		return false;
	at += 7;
	while (next_parameter(&at, &parameter))
		if (!take_parameter(&parameter, ret))
			return false;
	return !at[strspn(at, " ,\t")] && ret->tenant[0] &&
	       ret->resource.host[0];
}

bool akv_challenge_covers(const struct akv_challenge *challenge,
			  const struct akv_url *vault)
{
	const char *above = challenge->resource.host;
	const size_t above_len = strlen(above), len = strlen(vault->host);

	/* a single label, or a lone dot, would cover everybody */
	return strchr(above, '.') && len > above_len + 1 &&
	       vault->host[len - above_len - 1] == '.' &&
	       !strcmp(vault->host + len - above_len, above);
}
