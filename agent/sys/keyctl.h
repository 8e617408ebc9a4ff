/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's keyring ".svcenc" and the policy keys in it. Passes a payload
 * through to the kernel, keeps no copy, looks at no key byte. Logs nothing.
 *
 * Unless said otherwise a function returns 0 or a negative errno, and sets
 * its outputs only on 0. Errors of all: -ENOPKG: module dm-svcenc is not
 * loaded (sys_keyctl_hint()); -EPERM/-EACCES: not root.
 */
#ifndef SVCENC_SYS_KEYCTL_H
#define SVCENC_SYS_KEYCTL_H

#include "keyfmt.h"

/* As key_serial_t of keyutils.h. */
typedef int32_t sys_key_serial;

#define SYS_KEY_TYPE "svcenc"

/*
 * Serial of the keyring, from /sys/module/dm_svcenc/parameters/keyring. Asked
 * anew each time: it changes when the module is loaded again.
 */
int sys_keyring_find(sys_key_serial *ret);

/*
 * Adds policy key @id with a lease of @lease_s seconds. The caller has put
 * the 32 bytes into @payload->key; @payload lies in locked memory, which the
 * caller wipes; version and lease are filled in here.
 * A live key of the same bytes: shared, lease renewed, 0. -EKEYREJECTED: a
 * live key of that name has other bytes; -EINVAL: lease out of range.
 * @ret_serial may be NULL.
 */
int sys_key_add(const struct svcenc_keyid *id, u32 lease_s,
		struct svcenc_key_payload *payload, sys_key_serial *ret_serial);

/* Serial of a live key. -ENOKEY: there is none. */
int sys_key_search(const struct svcenc_keyid *id, sys_key_serial *ret);

/*
 * Ends the key at once: when this returns, no conversion under it runs or
 * starts. -ENOKEY: there was no live key of that name.
 */
int sys_key_revoke(const struct svcenc_keyid *id);

/* Takes the key out of the keyring; ends it within a second. */
int sys_key_unlink(const struct svcenc_keyid *id);

/* The cure for an error of this file, or NULL: "load the module: ..." */
const char *sys_keyctl_hint(int error);

#endif
