// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "identity.h"
#include "say.h"

enum {
	UPDATE_MS = 10000, /* 410: an update takes at most 70 s */
	FAULT_MS = 1000,   /* 5xx: earlier would only be throttled */
	ASKING_MS = 300, /* left for an answer, or there is no use in asking */
};

/* 0 s, then 2 s, doubled and 2 s more each time, to 30 s. */
static int64_t growing_ms(unsigned int refusals)
{
	static const int64_t pauses_ms[] = { 0, 2000, 6000, 14000, 30000 };
	const size_t count = sizeof(pauses_ms) / sizeof(pauses_ms[0]);

	return pauses_ms[refusals > count ? count - 1 :
			 refusals	  ? refusals - 1 :
					    0];
}

int64_t identity_pause_ms(long status, unsigned int refusals,
			  unsigned int retry_after_s)
{
	const int64_t pause_ms = growing_ms(refusals);

	if (status == 410)
		return UPDATE_MS;
	if (status == 429 && retry_after_s)
		return 1000LL * retry_after_s;
	if (status == 404 || status == 408 || status == 429)
		return pause_ms;
	if (status >= 500 && status < 600)
		return pause_ms < FAULT_MS ? FAULT_MS : pause_ms;
	return -1;
}

static enum vault_class say_later(const struct vault *vault,
				  const struct identity *identity,
				  int64_t wait_ms, struct vault_answer *answer)
{
	const unsigned int wait_s = (unsigned int)((wait_ms + 999) / 1000);

	vault_say(answer,
		  identity->status == 429 ? VAULT_THROTTLED : VAULT_UNREACHABLE,
		  NULL,
		  "the identity service of this host is not ready for vault "
		  "'%s' (HTTP %ld, %u times); it is asked again in %u s",
		  vault->name, identity->status, identity->refusals, wait_s);
	if (identity->status == 429)
		answer->retry_after_s = wait_s;
	return answer->class;
}

/* "yes", or the client id of a user-assigned one. */
static void perform(const struct vault *vault, struct http *http,
		    const struct identity *identity, const char *resource,
		    int64_t deadline_ms, struct http_reply *ret)
{
	const char *who = vault_option(vault, "managed_identity", "");
	const bool named = strcmp(who, "yes");
	char path[800];

	snprintf(path, sizeof(path),
		 "/metadata/identity/oauth2/token?api-version=2018-02-01"
		 "&resource=%s%s%.64s",
		 resource, named ? "&client_id=" : "", named ? who : "");
	http_perform(http,
		     &(struct http_request){ .server = &identity->url,
					     .path = path,
					     .header = "Metadata: true",
					     .direct = true,
					     .deadline_ms = deadline_ms },
		     ret);
}

/* True if a later try may mend it; then it is noted when that may be. */
static bool note(struct identity *identity, const struct http_reply *reply)
{
	int64_t pause_ms = -1;

	if (reply->outcome == HTTP_ANSWERED)
		pause_ms = identity_pause_ms(reply->status,
					     identity->refusals + 1,
					     reply->retry_after_s);
	if (pause_ms < 0) {
		identity->refusals = 0;
		return false;
	}
	identity->status = reply->status;
	identity->refusals++;
	identity->next_ms = http_now_ms() + pause_ms;
	return true;
}

enum vault_class identity_ask(const struct vault *vault, struct http *http,
			      struct identity *identity, const char *resource,
			      int64_t deadline_ms, struct http_reply *ret,
			      struct vault_answer *answer)
{
	for (;;) {
		const int64_t now_ms = http_now_ms();
		const int64_t wait_ms = identity->next_ms - now_ms;

		if (identity->refusals && wait_ms > 0) {
			if (now_ms + wait_ms + ASKING_MS > deadline_ms)
				return say_later(vault, identity, wait_ms,
						 answer);
			(void)poll(NULL, 0, (int)wait_ms);
		}
		http_reply_clear(ret);
		perform(vault, http, identity, resource, deadline_ms, ret);
		if (!note(identity, ret))
			return vault_say(answer, VAULT_OK, NULL, NULL);
	}
}
