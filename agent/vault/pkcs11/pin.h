/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PIN, and the memory of one that was refused. Tokens lock themselves
 * after a few wrong PINs, so none is presented twice: not by the next request,
 * not by a worker that was started again. Before a login the file
 * <directory>/pin says "trying", after a refusal "refused", after a success
 * it is gone; it holds a salted hash of the PIN (PBKDF2), so that another PIN
 * in the credential file is tried at once. Knows no module.
 */
#ifndef SVCENC_VAULT_PKCS11_PIN_H
#define SVCENC_VAULT_PKCS11_PIN_H

#include <stdbool.h>

#include "vault.h"

enum pin_memory {
	PIN_FRESH,   /* nothing is held against it */
	PIN_TRYING,  /* a login with it did not come to an end */
	PIN_REFUSED, /* the token does not want it */
};

struct pin {
	struct svcenc_secret *text; /* with a NUL behind it */
	enum pin_memory memory;
};

size_t pin_len(const struct pin *pin);
void pin_clear(struct pin *pin);
#define PIN_AUTO __attribute__((cleanup(pin_clear)))

/* Reads the credential, and what is remembered of it. */
enum vault_class pin_read(const struct vault *vault, struct pin *ret,
			  struct vault_answer *answer);

/* Durable on return. BADAUTH if it cannot be: then there must be no login. */
enum vault_class pin_remember(const struct vault *vault, const struct pin *pin,
			      enum pin_memory memory,
			      struct vault_answer *answer);

enum vault_class pin_say_refused(const struct vault *vault,
				 struct vault_answer *answer);

#endif
