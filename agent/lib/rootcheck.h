/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a customer's root key must be like before a policy may rest on it. The
 * vault tells what it can (io.svcenc.Vault.UseKey); what it does not tell
 * is not held against the key, the round trip afterwards is real. Pure.
 */
#ifndef SVCENC_LIB_ROOTCHECK_H
#define SVCENC_LIB_ROOTCHECK_H

#include <jansson.h>
#include <stdint.h>

#include "fault.h"

#define SVCENC_ROOTCHECKS(x)                                              \
	x(STATE, "state") x(TYPE, "type") x(SIZE, "size") x(WRAP, "wrap") \
		x(UNWRAP, "unwrap") x(EXPIRY, "expiry")                   \
			x(RECOVERY, "recovery")

enum svcenc_rootcheck {
#define x(name, text) SVCENC_ROOTCHECK_##name,
	SVCENC_ROOTCHECKS(x)
#undef x
		SVCENC_ROOTCHECK_COUNT
};

const char *svcenc_rootcheck_text(unsigned int check);

/* As the vault told; texts of io.svcenc.Vault, "unknown" and 0 where not. */
struct svcenc_root_facts {
	char state[16];	   /* enabled, disabled, deleted */
	char key_type[16]; /* AES, RSA */
	uint32_t size_bits;
	char wrap[16]; /* yes, no */
	char unwrap[16];
	char expiry[16]; /* none, set */
	int64_t expires_at;
	char recovery[16]; /* none, soft-delete, protected */
	uint32_t recovery_days;
};

enum svcenc_rootcheck_outcome {
	SVCENC_ROOTCHECK_OK,
	SVCENC_ROOTCHECK_UNKNOWN, /* the vault does not tell */
	SVCENC_ROOTCHECK_REFUSED,
};

struct svcenc_rootcheck_result {
	enum svcenc_rootcheck_outcome outcome;
	char found[64];	  /* what it is, for people */
	const char *cure; /* static; of a refused one */
};

void svcenc_rootcheck(const struct svcenc_root_facts *facts,
		      enum svcenc_rootcheck check,
		      struct svcenc_rootcheck_result *ret);

/*
 * All of them; the first refused one is the fault, which names @key, @vault
 * and the cure. Appends {root, check, outcome, found} to @list, which may be
 * NULL.
 */
int svcenc_rootcheck_all(const struct svcenc_root_facts *facts,
			 const char *root, const char *vault, const char *key,
			 json_t *list, struct svcenc_fault *fault);

#endif
