/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One TLS connection to a KMIP server: bytes out, one TTLV message in, by a
 * deadline. Verifies the server (own CA file, name or address), shows the
 * client's certificate, TLS 1.2 at least. Says what went wrong as a class of
 * answer; knows nothing of what is in the messages.
 *
 * Certificate, key and CA are read anew for every connection: what has been
 * renewed is used without a restart.
 */
#ifndef SVCENC_VAULT_KMIP_LINK_H
#define SVCENC_VAULT_KMIP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault.h"

struct link {
	/* constant once set up */
	const struct vault *vault; /* for key_file, and for words */
	const char *ca_file;
	const char *certificate;
	char host[256];
	char port[8];

	int fd;	   /* -1 = not connected */
	void *ssl; /* SSL *, SSL_CTX *: OpenSSL's headers stay in link.c */
	void *context;
};

int64_t link_now_ms(void);

/* @server: HOST, HOST:PORT or [ADDRESS]:PORT. -EINVAL: it is none of them. */
int link_set_server(struct link *link, const char *server);

enum vault_class link_open(struct link *link, int64_t deadline_ms,
			   struct vault_answer *answer);
void link_close(struct link *link);

struct link_exchange {
	const uint8_t *request;
	size_t request_len;
	uint8_t *reply;
	size_t reply_room;
	size_t reply_len; /* out */
	bool stale;	  /* out: gone before it said anything */
};

/* The link is closed unless this is VAULT_OK. */
enum vault_class link_exchange(struct link *link,
			       struct link_exchange *exchange,
			       int64_t deadline_ms,
			       struct vault_answer *answer);

#endif
