/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One HTTP request and its answer, over libcurl: TLS 1.2 or later with
 * verification, a deadline, caps on everything a server sends; no redirects,
 * cookies, no other protocol, no proxy but one that is configured. Knows no
 * vault and no token.
 *
 * Names are resolved here, not by libcurl: only so is "the name does not
 * exist" told from "nobody answers about names", and no thread is needed.
 * Through a proxy it is the proxy that resolves them.
 * Buffers that may hold a key or a token lie in the secure heap or are wiped
 * when they are freed: libcurl runs on such an allocator, a handle lives for
 * one request, only connections are kept.
 */
#ifndef SVCENC_VAULT_AKV_HTTP_H
#define SVCENC_VAULT_AKV_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "challenge.h"
#include "kid.h"
#include "secret.h"

enum http_limits {
	HTTP_BODY_MAX = 16000,
	HTTP_HEADERS_MAX = 100, /* lines */
	HTTP_URL_SIZE = 1024,
};

struct http;

/*
 * @ca_file: PEM, instead of the system's; NULL = those. @proxy: a copy is
 * taken; NULL = none, whatever the environment says.
 */
struct http *http_new(const char *ca_file, const struct akv_url *proxy);

struct http_request {
	const struct akv_url *server;
	const char *path; /* with the query; behind the server's own path */
	bool post;
	const char *content_type;
	const struct svcenc_secret *body;   /* NULL = empty */
	const struct svcenc_secret *bearer; /* text; NULL = none */
	const char *header;		    /* a further one, or NULL */
	bool direct;			    /* never through a proxy */
	int64_t deadline_ms;		    /* http_now_ms() */
};

enum http_outcome {
	HTTP_ANSWERED,
	HTTP_NO_NAME, /* the host's name does not exist */
	HTTP_FAILED,  /* no whole answer: network, TLS, time */
	HTTP_NO_WAY,  /* the proxy refuses, with "status" */
	HTTP_TOO_LONG,
	HTTP_NO_MEMORY,
};

struct http_reply {
	enum http_outcome outcome;
	char why[256]; /* for people, unless ANSWERED */
	long status;
	struct svcenc_secret *body; /* NUL-terminated */
	size_t body_len;
	char challenge[AKV_CHALLENGE_MAX]; /* WWW-Authenticate: Bearer ... */
	char request_id[64];		   /* x-ms-request-id, printable */
	unsigned int retry_after_s;	   /* 0 = not said */
};

/* Sends and waits. Free the reply's body by http_reply_clear(). */
void http_perform(struct http *http, const struct http_request *request,
		  struct http_reply *ret);
void http_reply_clear(struct http_reply *reply);
#define HTTP_REPLY_AUTO __attribute__((cleanup(http_reply_clear)))

/* CLOCK_BOOTTIME: goes on in a suspend, and no administrator sets it. */
int64_t http_now_ms(void);

#endif
