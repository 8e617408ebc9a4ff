/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one type of the agent that holds key bytes. They live in OpenSSL's
 * secure heap: locked against swap, excluded from core files, between guard
 * pages, wiped on free. Knows nothing of what a key is for.
 *
 * svcenc_secret_bytes() is the only way to the bytes; grep for it finds every
 * place that sees them.
 */
#ifndef SVCENC_LIB_SECRET_H
#define SVCENC_LIB_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct svcenc_secret; /* opaque; constant after it is filled */

/*
 * Once, first thing in main(): makes the heap, refuses core files and
 * ptrace by others of the same user. -EPERM if memory cannot be locked
 * (RLIMIT_MEMLOCK below 1 MiB): the program must not go on then.
 */
int svcenc_secret_init(void);
/* At the end: tears the heap down if nothing is left in it. */
void svcenc_secret_done(void);

/* Zero-filled; 1..16384 bytes. NULL if the heap is exhausted. */
struct svcenc_secret *svcenc_secret_new(size_t len);
/* From the private random generator. */
int svcenc_secret_random(size_t len, struct svcenc_secret **ret);
/* Copies, then wipes @bytes. */
int svcenc_secret_move_bytes(void *bytes, size_t len,
			     struct svcenc_secret **ret);
/* Wipes; takes NULL; returns NULL. */
struct svcenc_secret *svcenc_secret_free(struct svcenc_secret *secret);
void svcenc_secret_freep(struct svcenc_secret **secret);
#define SVCENC_SECRET_AUTO __attribute__((cleanup(svcenc_secret_freep)))

uint8_t *svcenc_secret_bytes(struct svcenc_secret *secret);
const uint8_t *svcenc_secret_peek(const struct svcenc_secret *secret);
size_t svcenc_secret_len(const struct svcenc_secret *secret);
/* Constant time in the contents. */
bool svcenc_secret_equal(const struct svcenc_secret *a,
			 const struct svcenc_secret *b);

/* Base64 (RFC 4648 section 4). The text is a secret too: NUL-terminated. */
int svcenc_secret_to_base64(const struct svcenc_secret *secret,
			    struct svcenc_secret **ret_text);
/* -EINVAL unless @text is canonical base64 of 1..12285 bytes. */
int svcenc_secret_from_base64(const char *text, struct svcenc_secret **ret);

/*
 * Memory for parsers that may meet key bytes (jansson): allocations made
 * between scope_enter and scope_leave lie in the secure heap, all others in
 * the ordinary one; both are wiped on free. Scopes nest. A stranger's message
 * never is parsed within a scope, so it cannot exhaust the secure heap.
 */
void svcenc_secret_scope_enter(void);
void svcenc_secret_scope_leave(void);
void *svcenc_secret_alloc(size_t size);
void svcenc_secret_release(void *memory);

#endif
