/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is left of the system once the worker has started: system calls by an
 * allow-list; anything else kills the process. Not one of them can open a
 * network socket, run a program, or change credentials.
 */
#ifndef SVCENC_VAULT_FILE_SANDBOX_H
#define SVCENC_VAULT_FILE_SANDBOX_H

/* For the vault: key files and its own socket. */
int sandbox_vault(void);
/* For the record parser: its standard input and output only. */
int sandbox_parser(void);

#endif
