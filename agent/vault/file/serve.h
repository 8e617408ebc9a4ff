/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The methods of io.svcenc.Vault for one directory of key files: a message
 * in, a message out. Knows neither sockets nor files.
 */
#ifndef SVCENC_VAULT_FILE_SERVE_H
#define SVCENC_VAULT_FILE_SERVE_H

#include <jansson.h>

#include "keys.h"

/* Always a reply or an error; NULL only if memory is short. */
json_t *serve_message(const struct vault *vault, json_t *message);

#endif
