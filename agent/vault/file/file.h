/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vault of key files on this host: which key a request may use, and what
 * the files' states mean. Knows neither the files' format nor the protocol.
 */
#ifndef SVCENC_VAULT_FILE_FILE_H
#define SVCENC_VAULT_FILE_FILE_H

#include "vault.h"

extern const struct vault_ops file_ops;

#endif
