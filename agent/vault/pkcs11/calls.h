/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a module of strangers may need of the system: threads, files and locks
 * of its own (SoftHSM keeps its token in files), devices, shared memory, local
 * and network sockets. Beyond that, calls fail with EPERM; what sandbox.h
 * names kills.
 */
#ifndef SVCENC_VAULT_PKCS11_CALLS_H
#define SVCENC_VAULT_PKCS11_CALLS_H

#include <stddef.h>

extern const int module_calls[];
extern const size_t module_call_count;

#endif
