/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of hosts, for CURLOPT_RESOLVE, remembered for a short time, and for
 * as long as nobody answers about them. Tells a name that does not exist from a resolver that does not answer: the first
 * is what a deleted vault looks like, the second is an outage. Asks the C
 * library, in this thread; RES_OPTIONS keeps that short.
 */
#ifndef SVCENC_VAULT_AKV_RESOLVE_H
#define SVCENC_VAULT_AKV_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "kid.h"

enum resolve_outcome {
	RESOLVE_OK,
	RESOLVE_NO_NAME,
	RESOLVE_FAILED,
	RESOLVE_NO_MEMORY,
};

enum { RESOLVE_HOSTS = 4, RESOLVE_KEEP_MS = 10000 };

struct curl_slist;

struct resolve {
	struct {
		char host[AKV_HOST_SIZE], port[6];
		char entry[512]; /* "host:port:address,address" */
		int64_t asked_ms;
	} hosts[RESOLVE_HOSTS];
	unsigned int next;
	/* of the last name, for CURLOPT_RESOLVE; valid until the next call */
	struct curl_slist *list;
};

/* Once, before the first: at most about a second for each name server. */
void resolve_init(void);
enum resolve_outcome resolve_name(struct resolve *resolve,
				  const struct akv_url *url, char *ret_why,
				  size_t why_size);
/* What an error of getaddrinfo() means. */
enum resolve_outcome resolve_meaning(int error);

#endif
