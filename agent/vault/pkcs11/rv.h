/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a return value of PKCS#11 means: one class of io.svcenc.Vault. Pure.
 *
 * Modules differ: the same blob that does not open is CKR_GENERAL_ERROR here,
 * CKR_ENCRYPTED_DATA_INVALID there, a vendor's own number elsewhere. Where a
 * value can mean the blob as well as the token, this says DOUBTFUL, and the
 * caller finds out by a round trip with a fresh number.
 */
#ifndef SVCENC_VAULT_PKCS11_RV_H
#define SVCENC_VAULT_PKCS11_RV_H

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

#include "answer.h"

struct rv_meaning {
	enum vault_class class;
	const char *reason; /* of DENIED */
	bool doubtful;	    /* the class stands if nobody can find out */
	bool session;	    /* a new session may cure it */
};

struct rv_meaning rv_meaning(CK_RV rv);

/* It is about the PIN: must never be answered by another try. */
bool rv_is_pin(CK_RV rv);

#endif
