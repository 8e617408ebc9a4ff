/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls to one key vault. Decides when something may be sent: the first
 * request carries neither token nor body; its 401 says for what a token is
 * needed; only when the vault's host has been found to lie under that resource
 * are a token and a key sent. Each later 401 is checked in the same way, and
 * tried once more.
 */
#ifndef SVCENC_VAULT_AKV_CLIENT_H
#define SVCENC_VAULT_AKV_CLIENT_H

#include <jansson.h>

#include "reply.h"
#include "token.h"

struct akv {
	struct akv_url url;
	struct akv_url resource; /* instead of the host check; host "" = none */
	struct http *http;
	struct token token;
	bool challenged; /* challenge has been checked */
	struct akv_challenge challenge;
	int64_t quiet_until_ms; /* the vault has asked to be left alone */
	int64_t deadline_ms;	/* of the request being served */
	char request_uuid[40];	/* ours, of the last call */
};

enum vault_class client_init(const struct vault *vault, struct akv *akv,
			     struct vault_answer *answer);

struct client_call {
	bool post;
	const char *path; /* "/keys/NAME/VERSION/unwrapkey" */
	const struct svcenc_secret *body;
	bool secret; /* the answer holds key bytes: parse it in locked memory */
};

/* *ret_json (the caller's) is set on VAULT_OK. */
enum vault_class client_call(struct vault *vault,
			     const struct client_call *call, json_t **ret_json,
			     struct vault_answer *answer);

#endif
