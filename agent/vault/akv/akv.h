/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Azure Key Vault and Managed HSM as a vault: which requests make up an
 * operation. A key is unwrapped by the vault itself, so every unwrap shows
 * whether its owner still allows that; `get` is never needed for it.
 */
#ifndef SVCENC_VAULT_AKV_AKV_H
#define SVCENC_VAULT_AKV_AKV_H

#include "vault.h"

extern const struct vault_ops akv_ops;

#endif
