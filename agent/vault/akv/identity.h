/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The identity service of the host (IMDS), which gives tokens to a machine that
 * has a managed identity: asks, and asks again as its documentation wants it
 * (404 and 429 with growing pauses, 410 until an update is over, 5xx not before
 * a second has passed). Pauses outlive a request: nobody is asked meanwhile.
 * Knows no vault's answers; what a token is, token.c knows.
 */
#ifndef SVCENC_VAULT_AKV_IDENTITY_H
#define SVCENC_VAULT_AKV_IDENTITY_H

#include "http.h"
#include "vault.h"

struct identity {
	struct akv_url url;
	long status;	       /* of the last refusal that may pass */
	unsigned int refusals; /* of that kind, in a row */
	int64_t next_ms;       /* http_now_ms(): not before */
};

/*
 * Milliseconds until it may be asked again, after @refusals answers in a row;
 * -1: @status is no answer that a later try may mend.
 */
int64_t identity_pause_ms(long status, unsigned int refusals,
			  unsigned int retry_after_s);

/*
 * A token for @resource, a URL. VAULT_OK: *ret is its answer, of whatever
 * status; else @answer says why there is none yet.
 */
enum vault_class identity_ask(const struct vault *vault, struct http *http,
			      struct identity *identity, const char *resource,
			      int64_t deadline_ms, struct http_reply *ret,
			      struct vault_answer *answer);

#endif
