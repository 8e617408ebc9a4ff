// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "kid.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Copies @len characters if they fit and all are of @alphabet. */
static bool take(const char *from, size_t len, const char *alphabet, char *ret,
		 size_t size)
{
	if (!len || len >= size || strspn(from, alphabet) < len)
		return false;
	memcpy(ret, from, len);
	ret[len] = '\0';
	return true;
}

static bool take_host(const char **at, char ret[AKV_HOST_SIZE])
{
	const char *from = *at;
	size_t len, i;

	if (*from == '[') { /* an IPv6 address */
		len = strcspn(++from, "]");
		if (from[len] != ']' ||
		    !take(from, len, DIGITS ":.abcdefABCDEF", ret,
			  AKV_HOST_SIZE))
			return false;
		*at = from + len + 1;
	} else {
		len = strcspn(from, ":/");
		if (*from == '.' || !take(from, len, DIGITS LETTERS UPPER ".-",
					  ret, AKV_HOST_SIZE))
			return false;
		*at = from + len;
	}
	for (i = 0; ret[i]; i++)
		ret[i] = (char)tolower((unsigned char)ret[i]);
	return true;
}

bool akv_url_parse(const char *text, struct akv_url *ret)
{
	const char *at;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	ret->https = !strncasecmp(text, "https://", 8);
	if (!ret->https && strncasecmp(text, "http://", 7))
		return false;
	at = text + (ret->https ? 8 : 7);
	if (!take_host(&at, ret->host))
		return false;
	strcpy(ret->port, ret->https ? "443" : "80");
	if (*at == ':') {
		len = strcspn(++at, "/");
		if (!take(at, len, DIGITS, ret->port, sizeof(ret->port)))
			return false;
		at += len;
	}
	len = strlen(at);
	while (len && at[len - 1] == '/')
		len--;
	return !len ||
	       (*at == '/' && take(at, len, DIGITS LETTERS UPPER "/.-_~",
				   ret->path, sizeof(ret->path)));
}

bool akv_url_same_host(const struct akv_url *a, const struct akv_url *b)
{
	return a->https == b->https && !strcmp(a->host, b->host) &&
	       !strcmp(a->port, b->port);
}

/* "NAME[/VERSION]" */
static bool parse_name(const char *text, struct akv_kid *ret)
{
	const size_t len = strcspn(text, "/");

	ret->version[0] = '\0';
	if (!take(text, len, DIGITS LETTERS UPPER "-", ret->name,
		  sizeof(ret->name)))
		return false;
	return !text[len] ||
	       take(text + len + 1, strlen(text + len + 1),
		    DIGITS LETTERS UPPER, ret->version, sizeof(ret->version));
}

bool akv_kid_parse(const struct akv_url *vault, const char *text,
		   struct akv_kid *ret)
{
	struct akv_url url;
	size_t len;

	if (!strstr(text, "://"))
		return parse_name(text, ret);
	if (!akv_url_parse(text, &url) || !akv_url_same_host(vault, &url))
		return false;
	len = strlen(vault->path);
	return !strncmp(url.path, vault->path, len) &&
	       !strncmp(url.path + len, "/keys/", 6) &&
	       parse_name(url.path + len + 6, ret);
}

void akv_kid_print(const struct akv_url *vault, const struct akv_kid *kid,
		   char ret[SVCENC_KID_MAX + 1])
{
	const bool usual = !strcmp(vault->port, "443");
	const bool address = strchr(vault->host, ':');

	snprintf(ret, SVCENC_KID_MAX + 1, "https://%s%s%s%s%s%s/keys/%s%s%s",
		 address ? "[" : "", vault->host, address ? "]" : "",
		 usual ? "" : ":", usual ? "" : vault->port, vault->path,
		 kid->name, kid->version[0] ? "/" : "", kid->version);
}

bool akv_kid_same(const struct akv_kid *a, const struct akv_kid *b)
{
	return !strcasecmp(a->name, b->name) &&
	       !strcasecmp(a->version, b->version);
}
