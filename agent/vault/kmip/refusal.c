// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "refusal.h"

/* KMIP 1.4, table of result reasons, and those that 2.0 added for it. */
enum {
	OBJECT_DESTROYED = 0x36,
	OBJECT_NOT_FOUND = 0x37,
	NOT_AUTHORISED = 0x39,
	SERVER_LIMIT_EXCEEDED = 0x3a,
	WRONG_STATE = 0x43
};

struct refusal refusal_of(unsigned int reason, enum kmip_operation operation)
{
	const struct refusal corrupt = { VAULT_CORRUPT, NULL, REFUSAL_FINAL };

	switch (reason) {
	case KMIP_ITEM_NOT_FOUND:
	case OBJECT_NOT_FOUND:
	case OBJECT_DESTROYED:
		return (struct refusal){ VAULT_DENIED, "deleted",
					 REFUSAL_FINAL };
	case KMIP_PERMISSION_DENIED:
	case NOT_AUTHORISED:
	case KMIP_ILLEGAL_OPERATION:
	case WRONG_STATE:
		return (struct refusal){ VAULT_DENIED, "permission",
					 REFUSAL_ASK_STATE };
	case KMIP_OBJECT_ARCHIVED:
		return (struct refusal){ VAULT_DENIED, "disabled",
					 REFUSAL_FINAL };
	case KMIP_AUTHENTICATION:
		return (struct refusal){ VAULT_BADAUTH, NULL, REFUSAL_FINAL };
	case SERVER_LIMIT_EXCEEDED:
		return (struct refusal){ VAULT_THROTTLED, NULL, REFUSAL_FINAL };
	case KMIP_CANCELED:
		return (struct refusal){ VAULT_UNREACHABLE, NULL,
					 REFUSAL_FINAL };
	case KMIP_GENERAL_FAILURE:
		return (struct refusal){ VAULT_UNREACHABLE, NULL,
					 operation == KMIP_DECRYPT ?
						 REFUSAL_ASK_ROUND_TRIP :
						 REFUSAL_FINAL };
	default: /* what nobody foresaw is no outage */
		return corrupt;
	}
}

const char *refusal_state_text(unsigned int state)
{
	switch (state) {
	case KMIP_ACTIVE:
		return "enabled";
	case KMIP_PRE_ACTIVE:
	case KMIP_DEACTIVATED:
	case KMIP_COMPROMISED:
		return "disabled";
	case KMIP_DESTROYED:
	case KMIP_DESTROYED_COMPROMISED:
		return "deleted";
	default:
		return "unknown";
	}
}
