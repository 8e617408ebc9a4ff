// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include "http.h"
#include "resolve.h"

void resolve_init(void)
{
	(void)setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	/* no search list: below a domain that answers to everything, the name
	 * of a deleted vault would still lead somewhere
	 */
	(void)setenv("LOCALDOMAIN", "", 1);
}

enum resolve_outcome resolve_meaning(int error)
{
	switch (error) {
	case 0:
		return RESOLVE_OK;
	case EAI_NONAME:
	case EAI_NODATA:
		return RESOLVE_NO_NAME;
	case EAI_MEMORY:
		return RESOLVE_NO_MEMORY;
	default:
		return RESOLVE_FAILED;
	}
}

/* "host:port:a,[b],c"; as many addresses as fit. */
static void compose(const struct akv_url *url, const struct addrinfo *found,
		    char *ret, size_t size)
{
	int used = snprintf(ret, size, "%s:%s:", url->host, url->port);
	char address[NI_MAXHOST];
	const char *comma = "";

	for (; found; found = found->ai_next) {
		const bool six = found->ai_family == AF_INET6;

		if (getnameinfo(found->ai_addr, found->ai_addrlen, address,
				sizeof(address), NULL, 0, NI_NUMERICHOST))
			continue;
		if ((size_t)used + strlen(address) + 4 > size)
			return;
		used += snprintf(ret + used, size - (size_t)used, "%s%s%s%s",
				 comma, six ? "[" : "", address,
				 six ? "]" : "");
		comma = ",";
	}
}

static int find(const struct resolve *resolve, const struct akv_url *url)
{
	int i;

	for (i = 0; i < RESOLVE_HOSTS; i++)
		if (!strcmp(resolve->hosts[i].host, url->host) &&
		    !strcmp(resolve->hosts[i].port, url->port))
			return i;
	return -1;
}

static enum resolve_outcome set_list(struct resolve *resolve, const char *entry)
{
	curl_slist_free_all(resolve->list);
	resolve->list = entry ? curl_slist_append(NULL, entry) : NULL;
	return entry && !resolve->list ? RESOLVE_NO_MEMORY : RESOLVE_OK;
}

static void remember(struct resolve *resolve, int place,
		     const struct akv_url *url, const struct addrinfo *found)
{
	strcpy(resolve->hosts[place].host, url->host);
	strcpy(resolve->hosts[place].port, url->port);
	resolve->hosts[place].asked_ms = http_now_ms();
	compose(url, found, resolve->hosts[place].entry,
		sizeof(resolve->hosts[place].entry));
}

static bool is_address(const char *host)
{
	unsigned char room[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, room) == 1 ||
	       inet_pton(AF_INET6, host, room) == 1;
}

enum resolve_outcome resolve_name(struct resolve *resolve,
				  const struct akv_url *url, char *ret_why,
				  size_t why_size)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_ADDRCONFIG };
	int place = find(resolve, url), error;
	struct addrinfo *found = NULL;

	if (is_address(url->host))
		return set_list(resolve, NULL);
	if (place >= 0 &&
	    http_now_ms() - resolve->hosts[place].asked_ms < RESOLVE_KEEP_MS)
		return set_list(resolve, resolve->hosts[place].entry);
	error = getaddrinfo(url->host, url->port, &hints, &found);
	if (resolve_meaning(error) == RESOLVE_FAILED && place >= 0) {
		resolve->hosts[place].asked_ms = http_now_ms();
		return set_list(resolve, resolve->hosts[place].entry);
	}
	if (error) {
		snprintf(ret_why, why_size, "name %s: %s", url->host,
			 gai_strerror(error));
		return resolve_meaning(error);
	}
	if (place < 0)
		place = (int)(resolve->next++ % RESOLVE_HOSTS);
	remember(resolve, place, url, found);
	freeaddrinfo(found);
	return set_list(resolve, resolve->hosts[place].entry);
}
