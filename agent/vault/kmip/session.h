/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on a KMIP server: each a request, a reply, a class. Keeps one
 * connection over requests, negotiates the protocol version on it, and asks
 * on where KMIP's reasons say too little (refusal.h). Knows no identifiers of
 * ours and no envelope.
 */
#ifndef SVCENC_VAULT_KMIP_SESSION_H
#define SVCENC_VAULT_KMIP_SESSION_H

#include "link.h"
#include "message.h"

struct session {
	struct link link;
	int minor;	     /* of the protocol; 0 = not negotiated yet */
	int64_t deadline_ms; /* of the request that is being served */
};

/* All: settings of @vault. CORRUPT is never for a lack of them: BADAUTH is. */
enum vault_class session_init(struct session *session,
			      const struct vault *vault,
			      struct vault_answer *answer);

/* The start of a request of svcencd: its deadline begins. */
void session_begin(struct session *session);

/* Number of keys of that name in *@ret_count, at most KMIP_LOCATE_MAX. */
enum vault_class session_locate(struct session *session, const char *name,
				char ret[KMIP_LOCATE_MAX][KMIP_UID_MAX + 1],
				int *ret_count, struct vault_answer *answer);
enum vault_class session_create(struct session *session, const char *name,
				char ret[KMIP_UID_MAX + 1],
				struct vault_answer *answer);
enum vault_class session_attributes(struct session *session, const char *uid,
				    struct kmip_attributes *ret,
				    struct vault_answer *answer);

struct session_crypt {
	const char *uid;
	const uint8_t *iv; /* KMIP_IV_SIZE */
	struct ttlv_view in;
	uint8_t *out; /* out_len bytes, exactly: else it is CORRUPT */
	size_t out_len;
};

enum vault_class session_encrypt(struct session *session,
				 const struct session_crypt *crypt,
				 struct vault_answer *answer);
/*
 * A "general failure" is CORRUPT if the key still works for a number of our
 * own, else UNREACHABLE.
 */
enum vault_class session_decrypt(struct session *session,
				 const struct session_crypt *crypt,
				 struct vault_answer *answer);

#endif
