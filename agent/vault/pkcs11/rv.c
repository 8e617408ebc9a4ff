// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "rv.h"

/* Of PKCS#11 3.0, which the header does not have. */
#ifndef CKR_ACTION_PROHIBITED
#define CKR_ACTION_PROHIBITED 0x1bUL
#endif

static const struct {
	CK_RV rv;
	struct rv_meaning meaning;
} meanings[] = {
	{ CKR_OK, { VAULT_OK, NULL, false, false } },
	/* the key, and what its owner allows */
	{ CKR_KEY_FUNCTION_NOT_PERMITTED,
	  { VAULT_DENIED, "disabled", false, false } },
	{ CKR_ACTION_PROHIBITED, { VAULT_DENIED, "permission", false, false } },
	{ CKR_KEY_HANDLE_INVALID, { VAULT_DENIED, "deleted", false, true } },
	{ CKR_OBJECT_HANDLE_INVALID, { VAULT_DENIED, "deleted", false, true } },
	{ CKR_UNWRAPPING_KEY_HANDLE_INVALID,
	  { VAULT_DENIED, "deleted", false, true } },
	{ CKR_WRAPPING_KEY_HANDLE_INVALID,
	  { VAULT_DENIED, "deleted", false, true } },
	/* the token and the way to it */
	{ CKR_TOKEN_NOT_PRESENT, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_TOKEN_NOT_RECOGNIZED, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_DEVICE_ERROR, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_DEVICE_REMOVED, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_SLOT_ID_INVALID, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_SESSION_CLOSED, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_SESSION_HANDLE_INVALID,
	  { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_CRYPTOKI_NOT_INITIALIZED,
	  { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_USER_NOT_LOGGED_IN, { VAULT_UNREACHABLE, NULL, false, true } },
	{ CKR_HOST_MEMORY, { VAULT_UNREACHABLE, NULL, false, false } },
	{ CKR_FUNCTION_CANCELED, { VAULT_UNREACHABLE, NULL, false, false } },
	/* no room just now */
	{ CKR_SESSION_COUNT, { VAULT_THROTTLED, NULL, false, false } },
	{ CKR_DEVICE_MEMORY, { VAULT_THROTTLED, NULL, false, false } },
	/* the blob, or the token */
	{ CKR_GENERAL_ERROR, { VAULT_UNREACHABLE, NULL, true, true } },
	{ CKR_FUNCTION_FAILED, { VAULT_UNREACHABLE, NULL, true, true } },
};

bool rv_is_pin(CK_RV rv)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_EXPIRED:
	case CKR_PIN_LOCKED:
	case CKR_USER_PIN_NOT_INITIALIZED:
	case CKR_USER_TYPE_INVALID:
		return true;
	default:
		return false;
	}
}

struct rv_meaning rv_meaning(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].rv == rv)
			return meanings[i].meaning;
	if (rv_is_pin(rv))
		return (struct rv_meaning){ VAULT_BADAUTH, NULL, false, false };
	/* a vendor's own number may be anything, a lost network included */
	if (rv >= CKR_VENDOR_DEFINED)
		return (struct rv_meaning){ VAULT_UNREACHABLE, NULL, true,
					    true };
	/* the rest is about arguments, mechanisms, data: no outage */
	return (struct rv_meaning){ VAULT_CORRUPT, NULL, false, false };
}
