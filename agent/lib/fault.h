/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a request failed, for the person who made it: kind (and with it the
 * name of the Varlink error and the exit code), message, cure. Functions that
 * can fail for many reasons fill one and return a negative errno; the first
 * that was set stays.
 */
#ifndef SVCENC_LIB_FAULT_H
#define SVCENC_LIB_FAULT_H

#include <jansson.h>

/* kind, name within io.svcenc.Agent, exit code, errno to return */
#define SVCENC_FAULTS(x)                                                    \
	x(NONE, "", 0, 0) x(USAGE, "Usage", 1, EINVAL) x(                   \
		NOT_FOUND, "NotFound", 1,                                   \
		ENOENT) x(PERMISSION, "Permission", 2,                      \
			  EPERM) x(MEMORY, "Memory", 3, ENOMEM)             \
		x(WRONG_DEVICE, "WrongDevice", 4,                           \
		  ENXIO) x(KERNEL, "Kernel", 4,                             \
			   EIO) x(STORAGE, "Storage", 4,                    \
				  EIO) x(EXISTS, "Exists", 5, EBUSY)        \
			x(VAULT_UNREACHABLE, "VaultUnreachable", 6, EAGAIN) \
				x(VAULT_DENIED, "VaultDenied", 7, EACCES)   \
					x(INTEGRITY, "Integrity", 9, EBADMSG)

enum svcenc_fault_kind {
#define x(kind, name, exit_code, error) SVCENC_FAULT_##kind,
	SVCENC_FAULTS(x)
#undef x
		SVCENC_FAULT_COUNT
};

struct svcenc_fault {
	enum svcenc_fault_kind kind;
	char message[512];
	char hint[512];
};

/*
 * Sets kind and message unless one is set already; returns the kind's
 * negative errno.
 */
int svcenc_fault_set(struct svcenc_fault *fault, enum svcenc_fault_kind kind,
		     const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets the cure unless one is set already; returns the kind's errno. */
int svcenc_fault_hint(struct svcenc_fault *fault, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

int svcenc_fault_memory(struct svcenc_fault *fault);
void svcenc_fault_clear(struct svcenc_fault *fault);

int svcenc_fault_exit(const struct svcenc_fault *fault);
/* "io.svcenc.Agent.Usage" */
const char *svcenc_fault_error(const struct svcenc_fault *fault);
/* {message, hint, exit} */
json_t *svcenc_fault_parameters(const struct svcenc_fault *fault);

#endif
