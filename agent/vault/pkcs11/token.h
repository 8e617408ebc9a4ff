/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module, the token and a session on it that is logged in. Loads the
 * module lazily, inside the sandbox, and finds the token anew whenever
 * something was wrong with it. The only file that presents a PIN.
 */
#ifndef SVCENC_VAULT_PKCS11_TOKEN_H
#define SVCENC_VAULT_PKCS11_TOKEN_H

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <stdbool.h>

#include "vault.h"

struct token {
	const struct vault *vault;
	P11KitUri *uri;		  /* setting 'token'; constant */
	CK_FUNCTION_LIST *module; /* NULL = not loaded */
	bool initialized;
	bool open;  /* slot, info and session are valid */
	bool fresh; /* opened for the request that is being served */
	bool stale; /* opening it anew may cure what token_say() said last */
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE session;
};

/* Settings 'module', 'token', 'pin_file', 'environment'; loads nothing yet. */
enum vault_class token_init(struct token *token, const struct vault *vault,
			    struct vault_answer *answer);

enum vault_class token_open(struct token *token, struct vault_answer *answer);
/* Forgets sessions and slots; the module stays loaded. */
void token_reset(struct token *token);

/* A second session, for making keys; the login holds for it, too. */
enum vault_class token_open_writable(struct token *token,
				     CK_SESSION_HANDLE *ret,
				     struct vault_answer *answer);

/* The class of @rv, of which function @what said it. */
enum vault_class token_say(struct token *token, CK_RV rv, const char *what,
			   struct vault_answer *answer);

/* The token's label without its padding, for words. */
const char *token_label(const struct token *token, char ret[33]);

#endif
