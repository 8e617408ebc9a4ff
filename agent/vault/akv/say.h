/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sentences that several parts say: a wrong setting, a server that does
 * not answer, one that throttles. @who: "it", "its token endpoint".
 */
#ifndef SVCENC_VAULT_AKV_SAY_H
#define SVCENC_VAULT_AKV_SAY_H

#include "http.h"
#include "vault.h"

/* BADAUTH */
enum vault_class say_setting(const struct vault *vault, const char *option,
			     const char *value, const char *wanted,
			     struct vault_answer *answer);
/* Of a request that got no answer. */
enum vault_class say_outcome(const struct vault *vault,
			     const struct http_reply *reply, const char *who,
			     struct vault_answer *answer);
enum vault_class say_throttled(const struct vault *vault,
			       const struct http_reply *reply, const char *who,
			       struct vault_answer *answer);

#endif
