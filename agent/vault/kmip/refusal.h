/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a KMIP server's refusal means: result reason and operation, and what
 * is known of the key, to one class of io.svcenc.Vault. Pure.
 *
 * KMIP tells a withdrawn key (deactivated, compromised) and a missing right by
 * the same reason, and a blob that does not open often by "general failure":
 * the caller asks on (state of the key; a round trip with a fresh number) when
 * this says so.
 */
#ifndef SVCENC_VAULT_KMIP_REFUSAL_H
#define SVCENC_VAULT_KMIP_REFUSAL_H

#include "answer.h"
#include "message.h"

enum refusal_next {
	REFUSAL_FINAL,
	REFUSAL_ASK_STATE, /* DENIED: the state of the key gives the reason */
	REFUSAL_ASK_ROUND_TRIP, /* does the key work for a fresh number? */
};

struct refusal {
	enum vault_class class;
	const char *reason; /* of DENIED */
	enum refusal_next next;
};

struct refusal refusal_of(unsigned int reason, enum kmip_operation operation);

/* enabled, disabled, deleted: the state in words of io.svcenc.Vault */
const char *refusal_state_text(unsigned int state);

#endif
