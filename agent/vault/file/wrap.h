/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-256 key wrap (RFC 3394) through OpenSSL. Bytes in, bytes out; knows no
 * file and no protocol.
 */
#ifndef SVCENC_VAULT_FILE_WRAP_H
#define SVCENC_VAULT_FILE_WRAP_H

#include "secret.h"

enum { WRAP_PLAIN_MAX = 256 };

/* Fetches the cipher; before the sandbox closes. 0 or -EIO. */
int wrap_init(void);

/* -EINVAL: length is not a multiple of 8 in 16..256. */
int wrap_key(const struct svcenc_secret *root,
	     const struct svcenc_secret *plain, struct svcenc_secret **ret);

/* -EBADMSG: not wrapped with this root, or damaged. */
int unwrap_key(const struct svcenc_secret *root,
	       const struct svcenc_secret *blob, struct svcenc_secret **ret);

#endif
