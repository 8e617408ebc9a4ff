// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rootcheck.h"

/* 9999-01-01: vaults in which each key must have a date take that for none. */
#define NEVER INT64_C(253370764800)

enum { AES_BITS = 256, RSA_MIN = 2048, RSA_MAX = 4096 };

#define x(name, text) text,
static const char *const check_texts[] = { SVCENC_ROOTCHECKS(x) };
#undef x

static const char *const outcome_texts[] = { "ok", "not-told", "refused" };

const char *svcenc_rootcheck_text(unsigned int check)
{
	return check < SVCENC_ROOTCHECK_COUNT ? check_texts[check] : NULL;
}

static void say(struct svcenc_rootcheck_result *ret, bool ok, const char *found,
		const char *cure)
{
	ret->outcome = ok ? SVCENC_ROOTCHECK_OK : SVCENC_ROOTCHECK_REFUSED;
	if (!strcmp(found, "unknown") || !*found)
		ret->outcome = SVCENC_ROOTCHECK_UNKNOWN;
	ret->cure = ret->outcome == SVCENC_ROOTCHECK_REFUSED ? cure : NULL;
	snprintf(ret->found, sizeof(ret->found), "%s",
		 ret->outcome == SVCENC_ROOTCHECK_UNKNOWN ? "not told" : found);
}

static void check_size(const struct svcenc_root_facts *facts,
		       struct svcenc_rootcheck_result *ret)
{
	const bool rsa = !strcmp(facts->key_type, "RSA");
	const uint32_t bits = facts->size_bits;
	char found[32] = "";

	if (bits)
		snprintf(found, sizeof(found), "%u bits", bits);
	say(ret,
	    rsa ? bits >= RSA_MIN && bits <= RSA_MAX && bits % 1024 == 0 :
		  bits == AES_BITS,
	    found,
	    rsa ? "make an RSA key of 2048, 3072 or 4096 bits" :
		  "make an AES key of 256 bits");
}

static void check_expiry(const struct svcenc_root_facts *facts,
			 struct svcenc_rootcheck_result *ret)
{
	const time_t at = (time_t)facts->expires_at;
	char found[64] = "none";
	struct tm tm;

	if (!strcmp(facts->expiry, "set") && gmtime_r(&at, &tm) &&
	    facts->expires_at < NEVER)
		(void)strftime(found, sizeof(found), "%Y-%m-%d", &tm);
	else if (strcmp(facts->expiry, "none") && strcmp(facts->expiry, "set"))
		snprintf(found, sizeof(found), "unknown");
	say(ret, !strcmp(found, "none"), found,
	    "take the expiry date off the key: on that day the volumes would "
	    "stop; roll the key instead");
}

static void check_recovery(const struct svcenc_root_facts *facts,
			   struct svcenc_rootcheck_result *ret)
{
	char found[64];

	snprintf(found, sizeof(found), "%s", facts->recovery);
	if (facts->recovery_days)
		snprintf(found, sizeof(found), "%s, %u days", facts->recovery,
			 facts->recovery_days);
	say(ret, strcmp(facts->recovery, "none"), found,
	    "switch soft delete (and purge protection) on for the vault: a "
	    "key deleted by mistake would be gone, and all data with it");
}

void svcenc_rootcheck(const struct svcenc_root_facts *facts,
		      enum svcenc_rootcheck check,
		      struct svcenc_rootcheck_result *ret)
{
	switch (check) {
	case SVCENC_ROOTCHECK_STATE:
		say(ret, !strcmp(facts->state, "enabled"), facts->state,
		    "enable the key in its vault, or name another");
		break;
	case SVCENC_ROOTCHECK_TYPE:
		say(ret,
		    !strcmp(facts->key_type, "RSA") ||
			    !strcmp(facts->key_type, "AES"),
		    facts->key_type,
		    "make an RSA key of 2048, 3072 or 4096 bits, or an AES key "
		    "of 256: others cannot wrap");
		break;
	case SVCENC_ROOTCHECK_SIZE:
		check_size(facts, ret);
		break;
	case SVCENC_ROOTCHECK_WRAP:
		say(ret, !strcmp(facts->wrap, "yes"), facts->wrap,
		    "allow the operation wrapKey for the key, and for the "
		    "identity that this host uses");
		break;
	case SVCENC_ROOTCHECK_UNWRAP:
		say(ret, !strcmp(facts->unwrap, "yes"), facts->unwrap,
		    "allow the operation unwrapKey for the key, and for the "
		    "identity that this host uses");
		break;
	case SVCENC_ROOTCHECK_EXPIRY:
		check_expiry(facts, ret);
		break;
	default:
		check_recovery(facts, ret);
	}
}

int svcenc_rootcheck_all(const struct svcenc_root_facts *facts,
			 const char *root, const char *vault, const char *key,
			 json_t *list, struct svcenc_fault *fault)
{
	struct svcenc_rootcheck_result result;
	unsigned int i;
	int r = 0;

	for (i = 0; i < SVCENC_ROOTCHECK_COUNT; i++) {
		svcenc_rootcheck(facts, (enum svcenc_rootcheck)i, &result);
		if (list)
			json_array_append_new(
				list,
				json_pack("{s:s, s:s, s:s, s:s}", "root", root,
					  "check", check_texts[i], "outcome",
					  outcome_texts[result.outcome],
					  "found", result.found));
		if (r || result.outcome != SVCENC_ROOTCHECK_REFUSED)
			continue;
		svcenc_fault_set(fault, SVCENC_FAULT_USAGE,
				 "root %s: key '%.120s' of vault '%s' will not "
				 "do: %s is %s",
				 root, key, vault, check_texts[i],
				 result.found);
		r = svcenc_fault_hint(fault, "%s", result.cure);
	}
	return r;
}
