/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of the system once a worker has started: system calls by an
 * allow-list. Not one of them can run a program, look into another process or
 * change credentials.
 */
#ifndef SVCENC_VAULT_LIB_SANDBOX_H
#define SVCENC_VAULT_LIB_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/*
 * For a vault: its own socket, reading files, and @calls. Anything else kills
 * the process; with @soft it fails with EPERM, but what is named above kills.
 */
int sandbox_vault(const int *calls, size_t count, bool soft);
/* For the process that waits for the end of those that serve. */
int sandbox_guard(void);
/* For the record parser: its standard input and output only. */
int sandbox_parser(void);

/* Calls of a client of the network: libcurl and the C library's resolver. */
extern const int sandbox_network_calls[];
extern const size_t sandbox_network_call_count;

#endif
