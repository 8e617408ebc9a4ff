/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The key type "svcenc" and the keyring ".svcenc"; what is found there is a
 * policy key (policykey.h).
 */
#ifndef SVCENC_KEYRING_H
#define SVCENC_KEYRING_H

#include "policykey.h"

int svcenc_keyring_init(void);
void svcenc_keyring_exit(void);

/* Serial of ".svcenc", for add_key(). */
int svcenc_keyring_serial(void);

/*
 * Looks @id up in ".svcenc" and nowhere else. Returns a counted reference
 * to a key that was live at that moment; ERR_PTR(-ENOKEY, -EKEYREVOKED,
 * -EKEYEXPIRED) otherwise. May sleep.
 */
struct svcenc_key *svcenc_key_find(const struct svcenc_keyid *id);

#endif
