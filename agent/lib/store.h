/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: records (kind, id, JSON body) that survive crashes and cannot
 * be tampered with singly. Knows nothing of what the records mean. SQLite in
 * WAL mode with FULL synchronisation is the engine; only store.c knows that.
 *
 * Every record has a generation, which rises with each change, and an HMAC
 * over kind, id, generation and body. The head has a counter, which rises
 * with each transaction, and an HMAC over counter, number of records and the
 * hash of all record MACs in order. So who can write the store file, but does
 * not have the store key, can neither forge, swap, delete nor roll back a
 * single record; only the whole store at once can be exchanged for an older
 * one, and that is caught by the sequence numbers of the volumes.
 * The key is a file of 32 random bytes, mode 0600, outside the store's folder
 * and backup path. It protects against those who handle the store or its
 * backups, not against root on this host, who can read the key.
 *
 * All records are read and verified once, at open; after that memory is the
 * truth, and the file is locked against everybody else: -EBUSY for a second
 * process. Before each write the head is looked at again.
 *
 * 0 or a negative errno: -EBADMSG the store is not what its MACs say;
 * -ENOSPC, -EROFS, -EIO as the filesystem says; -ENOMEM.
 */
#ifndef SVCENC_LIB_STORE_H
#define SVCENC_LIB_STORE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "secret.h"

struct svcenc_store;

enum svcenc_store_limits {
	SVCENC_STORE_KEY_SIZE = 32,
	SVCENC_STORE_KIND_MAX = 32,
	SVCENC_STORE_ID_MAX = 160,
	SVCENC_STORE_BODY_MAX = 1 << 18,
};

/*
 * Reads the store key, or makes it if it is missing and @may_create. -ENOENT:
 * it is missing; -EPERM: wrong owner or mode; -EBADMSG: wrong length.
 */
int svcenc_store_load_key(const char *path, bool may_create,
			  struct svcenc_secret **ret);

/* Opens or makes the store at @path; takes @key, also on failure. */
int svcenc_store_open(const char *path, struct svcenc_secret *key,
		      struct svcenc_store **ret);
struct svcenc_store *svcenc_store_close(struct svcenc_store *store);

/* Rises by one with each committed transaction. */
uint64_t svcenc_store_counter(const struct svcenc_store *store);

/* What SQLite said last, for messages. */
const char *svcenc_store_detail(const struct svcenc_store *store);

/* The body, borrowed until the next write; NULL if there is none. */
const json_t *svcenc_store_get(const struct svcenc_store *store,
			       const char *kind, const char *id,
			       uint64_t *ret_generation);

/*
 * The next record of @kind in order of ids: start with *@cursor = 0; NULL at
 * the end. No writes in between.
 */
const json_t *svcenc_store_next(const struct svcenc_store *store,
				const char *kind, size_t *cursor);
size_t svcenc_store_count(const struct svcenc_store *store, const char *kind);

/*
 * Writes come in transactions: all or nothing, durable when commit returns 0.
 * After any error call abort; it takes memory back to what the file holds.
 */
int svcenc_store_begin(struct svcenc_store *store);
/* Steals @body. */
int svcenc_store_put(struct svcenc_store *store, const char *kind,
		     const char *id, json_t *body);
/* -ENOENT if there is none. */
int svcenc_store_delete(struct svcenc_store *store, const char *kind,
			const char *id);
int svcenc_store_commit(struct svcenc_store *store);
void svcenc_store_abort(struct svcenc_store *store);

/* begin, put, commit; abort on failure. Steals @body. */
int svcenc_store_put_now(struct svcenc_store *store, const char *kind,
			 const char *id, json_t *body);

#endif
