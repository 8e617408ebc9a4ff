// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <p11-kit/p11-kit.h>

#include "pin.h"
#include "rv.h"
#include "token.h"

enum { SLOTS_MAX = 64, ENVIRONMENT_MAX = 256 };

const char *token_label(const struct token *token, char ret[33])
{
	const size_t len = p11_kit_space_strlen(token->info.label,
						sizeof(token->info.label));

	memcpy(ret, token->info.label, len);
	ret[len] = '\0';
	return ret;
}

enum vault_class token_say(struct token *token, CK_RV rv, const char *what,
			   struct vault_answer *answer)
{
	const struct rv_meaning meaning = rv_meaning(rv);

	token->stale = meaning.session && !token->fresh;
	return vault_say(answer, meaning.class, meaning.reason,
			 "the token of vault '%s' answers %s with: %s (0x%lx)",
			 token->vault->name, what, p11_kit_strerror(rv), rv);
}

/* --- settings ------------------------------------------------------------- */

static enum vault_class say_setting(const struct vault *vault, const char *name,
				    const char *why,
				    struct vault_answer *answer)
{
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "'%s' of vault '%s' %s: set it in vaults.d/%s.conf",
			 name, vault->name, why, vault->name);
}

/* NAME=VALUE NAME=VALUE; the worker itself is started with none. */
static bool set_environment(const char *words)
{
	char copy[ENVIRONMENT_MAX], *rest = copy, *word, *value;

	if (strlen(words) >= sizeof(copy))
		return false;
	memcpy(copy, words, strlen(words) + 1);
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value || value == word)
			return false;
		*value++ = '\0';
		if (setenv(word, value, 1) < 0)
			return false;
	}
	return true;
}

static bool parse_token_uri(struct token *token, const char *text)
{
	token->uri = p11_kit_uri_new();
	return token->uri &&
	       p11_kit_uri_parse(text, P11_KIT_URI_FOR_TOKEN, token->uri) ==
		       P11_KIT_URI_OK &&
	       !p11_kit_uri_any_unrecognized(token->uri) &&
	       !p11_kit_uri_get_pin_value(token->uri) &&
	       !p11_kit_uri_get_pin_source(token->uri);
}

enum vault_class token_init(struct token *token, const struct vault *vault,
			    struct vault_answer *answer)
{
	const char *uri = vault_option(vault, "token", NULL);

	memset(token, 0, sizeof(*token));
	token->vault = vault;
	if (!vault_option(vault, "module", NULL))
		return say_setting(vault, "module",
				   "must name a PKCS#11 module, by its path or "
				   "by p11-kit's name",
				   answer);
	if (!uri || !parse_token_uri(token, uri))
		return say_setting(vault, "token",
				   "must be the URI of a token (RFC 7512), "
				   "like pkcs11:token=NAME, without a PIN",
				   answer);
	if (!set_environment(vault_option(vault, "environment", "")))
		return say_setting(vault, "environment",
				   "must be NAME=VALUE, several with blanks "
				   "between them",
				   answer);
	return VAULT_OK;
}

/* --- the module ----------------------------------------------------------- */

/* Whoever can write to it gets the PIN and every key. */
static bool others_may_write(const char *path)
{
	struct stat st;

	return !stat(path, &st) &&
	       ((st.st_mode & (S_IWGRP | S_IWOTH)) || st.st_uid != 0);
}

static CK_FUNCTION_LIST *load_by_name(const char *name)
{
	CK_FUNCTION_LIST **all, *found;

	all = p11_kit_modules_load(NULL, P11_KIT_MODULE_UNMANAGED);
	if (!all)
		return NULL;
	found = p11_kit_module_for_name(all, name);
	/* else the others stay loaded: mere code, never initialized */
	if (!found)
		p11_kit_modules_release(all);
	return found;
}

static enum vault_class load(struct token *token, struct vault_answer *answer)
{
	const char *module = vault_option(token->vault, "module", "");
	const char *why;

	if (token->module)
		return VAULT_OK;
	if (*module == '/' && others_may_write(module))
		return vault_say(answer, VAULT_BADAUTH, NULL,
				 "PKCS#11 module %s of vault '%s' does not "
				 "belong to root, or others may write to it: "
				 "chown root %s && chmod go-w %s",
				 module, token->vault->name, module, module);
	token->module =
		strchr(module, '/') ?
			p11_kit_module_load(module, P11_KIT_MODULE_UNMANAGED) :
			load_by_name(module);
	if (token->module)
		return VAULT_OK;
	why = p11_kit_message();
	return vault_say(
		answer, VAULT_BADAUTH, NULL,
		"PKCS#11 module %s of vault '%s' cannot be loaded: "
		"%s; install it, or correct 'module' in "
		"vaults.d/%s.conf ('p11-kit list-modules' shows names)",
		module, token->vault->name,
		why ? why : "there is no such module", token->vault->name);
}

void token_reset(struct token *token)
{
	if (token->initialized)
		(void)p11_kit_module_finalize(token->module);
	token->initialized = false;
	token->open = false;
}

static enum vault_class initialize(struct token *token,
				   struct vault_answer *answer)
{
	CK_RV rv;

	if (token->initialized)
		return VAULT_OK;
	rv = p11_kit_module_initialize(token->module);
	if (rv != CKR_OK)
		return token_say(token, rv, "C_Initialize", answer);
	token->initialized = true;
	return VAULT_OK;
}

/* --- the token ------------------------------------------------------------ */

static bool is_wanted(struct token *token, CK_SLOT_ID slot)
{
	return token->module->C_GetTokenInfo(slot, &token->info) == CKR_OK &&
	       (token->info.flags & CKF_TOKEN_INITIALIZED) &&
	       p11_kit_uri_match_token_info(token->uri, &token->info) == 1;
}

static enum vault_class find_slot(struct token *token,
				  struct vault_answer *answer)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX, i;
	CK_RV rv;

	rv = token->module->C_GetSlotList(CK_TRUE, slots, &count);
	if (rv != CKR_OK)
		return token_say(token, rv, "C_GetSlotList", answer);
	for (i = 0; i < count; i++) {
		if (!is_wanted(token, slots[i]))
			continue;
		token->slot = slots[i];
		return VAULT_OK;
	}
	return vault_say(answer, VAULT_UNREACHABLE, NULL,
			 "the token %s of vault '%s' is not there (%lu others "
			 "are)",
			 vault_option(token->vault, "token", ""),
			 token->vault->name, count);
}

static enum vault_class say_locked(const struct token *token, bool last,
				   struct vault_answer *answer)
{
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 last ? "the token of vault '%s' has one try left for "
				"its PIN, which this worker leaves alone: log "
				"in once with another program (pkcs11-tool "
				"--login --test)" :
				"the PIN of the token of vault '%s' is locked: "
				"its security officer can set a new one",
			 token->vault->name);
}

/* May this PIN be presented? */
static enum vault_class may_try(const struct token *token,
				const struct pin *pin,
				struct vault_answer *answer)
{
	const CK_FLAGS flags = token->info.flags;

	if (flags & CKF_USER_PIN_LOCKED)
		return say_locked(token, false, answer);
	/* a try of ours was cut off, and the token has counted one */
	if (pin->memory == PIN_REFUSED ||
	    (pin->memory == PIN_TRYING && (flags & CKF_USER_PIN_COUNT_LOW)))
		return pin_say_refused(token->vault, answer);
	if (flags & CKF_USER_PIN_FINAL_TRY)
		return say_locked(token, true, answer);
	return pin_remember(token->vault, pin, PIN_TRYING, answer);
}

static enum vault_class login(struct token *token, struct vault_answer *answer)
{
	PIN_AUTO struct pin pin = { NULL, PIN_FRESH };
	struct vault_answer ignored;
	enum vault_class class;
	CK_RV rv;

	if (!(token->info.flags & CKF_LOGIN_REQUIRED))
		return VAULT_OK;
	class = pin_read(token->vault, &pin, answer);
	if (class == VAULT_OK)
		class = may_try(token, &pin, answer);
	if (class != VAULT_OK)
		return class;
	rv = token->module->C_Login(token->session, CKU_USER,
				    svcenc_secret_bytes(pin.text),
				    pin_len(&pin));
	if (rv_is_pin(rv)) {
		/* what could not be noted is noted as "trying" already */
		(void)pin_remember(token->vault, &pin, PIN_REFUSED, &ignored);
		return pin_say_refused(token->vault, answer);
	}
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return token_say(token, rv, "C_Login", answer);
	(void)pin_remember(token->vault, &pin, PIN_FRESH, &ignored);
	return VAULT_OK;
}

static enum vault_class open_session(struct token *token, CK_FLAGS flags,
				     CK_SESSION_HANDLE *ret,
				     struct vault_answer *answer)
{
	const CK_RV rv = token->module->C_OpenSession(
		token->slot, CKF_SERIAL_SESSION | flags, NULL, NULL, ret);

	return rv == CKR_OK ? VAULT_OK :
			      token_say(token, rv, "C_OpenSession", answer);
}

enum vault_class token_open(struct token *token, struct vault_answer *answer)
{
	enum vault_class class;

	token->stale = false;
	token->fresh = !token->open;
	if (token->open)
		return VAULT_OK;
	class = load(token, answer);
	if (class == VAULT_OK)
		class = initialize(token, answer);
	if (class == VAULT_OK)
		class = find_slot(token, answer);
	if (class == VAULT_OK)
		class = open_session(token, 0, &token->session, answer);
	if (class == VAULT_OK)
		class = login(token, answer);
	token->open = class == VAULT_OK;
	if (class != VAULT_OK)
		token_reset(token);
	return class;
}

enum vault_class token_open_writable(struct token *token,
				     CK_SESSION_HANDLE *ret,
				     struct vault_answer *answer)
{
	return open_session(token, CKF_RW_SESSION, ret, answer);
}
