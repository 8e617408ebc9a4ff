// SPDX-License-Identifier: GPL-2.0-or-later
#include "say.h"

enum vault_class say_setting(const struct vault *vault, const char *option,
			     const char *value, const char *wanted,
			     struct vault_answer *answer)
{
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "vault '%s': '%s' (%.100s): %s; correct "
			 "vaults.d/%s.conf",
			 vault->name, option, value, wanted, vault->name);
}

/*
 * A proxy does not tell whether a host is down or its name does not exist,
 * which is what a deleted vault looks like: never an outage to be bridged.
 */
static enum vault_class say_no_way(const struct vault *vault,
				   const struct http_reply *reply,
				   const char *who, struct vault_answer *answer)
{
	if (reply->status == 407)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s', %s: the proxy wants a credential "
				 "(HTTP 407), which is not supported: let it "
				 "take this host without one",
				 vault->name, who);
	if (reply->status < 500)
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "vault '%s', %s: the proxy does not let us "
				 "there (HTTP %ld): have it allow CONNECT to "
				 "the hosts that vaults.d/%s.conf names",
				 vault->name, who, reply->status, vault->name);
	return vault_say(answer, VAULT_UNREACHABLE, "name",
			 "vault '%s', %s: the proxy does not get there (HTTP "
			 "%ld): is the vault deleted, or its name misspelt in "
			 "vaults.d/%s.conf?",
			 vault->name, who, reply->status, vault->name);
}

enum vault_class say_outcome(const struct vault *vault,
			     const struct http_reply *reply, const char *who,
			     struct vault_answer *answer)
{
	switch (reply->outcome) {
	case HTTP_NO_NAME:
		return vault_say(answer, VAULT_UNREACHABLE, "name",
				 "vault '%s', %s: %s: is the vault deleted, or "
				 "its name misspelt in vaults.d/%s.conf?",
				 vault->name, who, reply->why, vault->name);
	case HTTP_NO_WAY:
		return say_no_way(vault, reply, who, answer);
	case HTTP_TOO_LONG:
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "vault '%s', %s: %s", vault->name, who,
				 reply->why);
	case HTTP_NO_MEMORY:
		return vault_no_memory(vault, answer);
	default:
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "vault '%s', %s: %s", vault->name, who,
				 reply->why);
	}
}

enum vault_class say_throttled(const struct vault *vault,
			       const struct http_reply *reply, const char *who,
			       struct vault_answer *answer)
{
	const unsigned int wait_s =
		reply->retry_after_s ? reply->retry_after_s : 1;

	vault_say(answer, VAULT_THROTTLED, NULL,
		  "vault '%s', %s: too many requests; again in %u s%s%s",
		  vault->name, who, wait_s,
		  reply->request_id[0] ? "; x-ms-request-id " : "",
		  reply->request_id);
	answer->retry_after_s = wait_s;
	return VAULT_THROTTLED;
}
