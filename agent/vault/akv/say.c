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
