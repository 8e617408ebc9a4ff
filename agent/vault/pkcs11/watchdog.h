/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module may hang for ever and cannot be interrupted: then the worker ends,
 * which svcencd sees at once (UNREACHABLE), and is started again. By a timer
 * signal of its own, as a module may use SIGALRM.
 */
#ifndef SVCENC_VAULT_PKCS11_WATCHDOG_H
#define SVCENC_VAULT_PKCS11_WATCHDOG_H

/* Once, before the sandbox closes. 0 or an errno. */
int watchdog_init(void);
/* Ends the process unless watchdog_stop() is called in time. */
void watchdog_start(unsigned int ms);
void watchdog_stop(void);

#endif
