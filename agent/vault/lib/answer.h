/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a back end says: one class of io.svcenc.Vault, and words for people.
 * Knows no protocol.
 */
#ifndef SVCENC_VAULT_LIB_ANSWER_H
#define SVCENC_VAULT_LIB_ANSWER_H

/* Classes of io.svcenc.Vault; the last is a fault of the caller. */
enum vault_class {
	VAULT_OK,
	VAULT_THROTTLED,
	VAULT_UNREACHABLE,
	VAULT_DENIED,
	VAULT_BADAUTH,
	VAULT_CORRUPT,
	VAULT_PARAMETER, /* reason = name of the parameter */
};

struct vault_answer {
	enum vault_class class;
	/* constant text; "" unless DENIED, PARAMETER, or UNREACHABLE by "name" */
	const char *reason;
	unsigned int retry_after_s; /* of THROTTLED */
	char detail[768];	    /* for people: what and the cure */
};

/*
 * Fills @answer and returns its class. @reason and @format may be NULL.
 * THROTTLED gets a retry_after_s of 1, which the caller may change.
 */
enum vault_class vault_say(struct vault_answer *answer, enum vault_class class,
			   const char *reason, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
