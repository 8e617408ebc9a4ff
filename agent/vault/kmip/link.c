// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "link.h"
#include "ttlv.h"

#define DEFAULT_PORT "5696"

enum {
	ALERT_REASON = 1000, /* OpenSSL's reason of alert N is this plus N */
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_ACCESS_DENIED = 49,
	ALERT_CERTIFICATE_REQUIRED = 116,
	RESOLVER_WAIT_S = 1,
	SETTLE_MS = 500,
};

int64_t link_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int link_set_server(struct link *link, const char *server)
{
	const bool bracket = *server == '[';
	const char *host = server + (bracket ? 1 : 0);
	const size_t len = strcspn(host, bracket ? "]" : ":");
	const char *port = host + len;

	if (bracket && *port++ != ']')
		return -EINVAL;
	if (*port == ':')
		port++;
	else if (!*port)
		port = DEFAULT_PORT;
	else
		return -EINVAL;
	if (!len || len >= sizeof(link->host) || !*port ||
	    strlen(port) >= sizeof(link->port) ||
	    port[strspn(port, "0123456789")])
		return -EINVAL;
	memcpy(link->host, host, len);
	link->host[len] = '\0';
	memcpy(link->port, port, strlen(port) + 1);
	return 0;
}

void link_close(struct link *link)
{
	SSL_free(link->ssl);
	SSL_CTX_free(link->context);
	if (link->fd >= 0)
		close(link->fd);
	link->ssl = NULL;
	link->context = NULL;
	link->fd = -1;
}

/* --- words ---------------------------------------------------------------- */

static enum vault_class say_silent(const struct link *link,
				   struct vault_answer *answer)
{
	return vault_say(answer, VAULT_UNREACHABLE, NULL,
			 "KMIP server %s port %s of vault '%s' does not answer "
			 "in time",
			 link->host, link->port, link->vault->name);
}

static enum vault_class say_broken(const struct link *link, const char *why,
				   struct vault_answer *answer)
{
	return vault_say(answer, VAULT_UNREACHABLE, NULL,
			 "the connection to KMIP server %s port %s of vault "
			 "'%s' broke: %s",
			 link->host, link->port, link->vault->name, why);
}

static bool refuses_certificate(unsigned long error)
{
	const int alert = ERR_GET_REASON(error) - ALERT_REASON;

	return ERR_GET_LIB(error) == ERR_LIB_SSL &&
	       ((alert >= ALERT_BAD_CERTIFICATE &&
		 alert <= ALERT_ACCESS_DENIED) ||
		alert == ALERT_CERTIFICATE_REQUIRED);
}

/*
 * A TLS call failed for good. A server that cannot prove who it is does not
 * count as an answer of the vault: it is an outage, like any other stranger
 * in the way.
 */
static enum vault_class say_tls(const struct link *link, int ssl_error,
				struct vault_answer *answer)
{
	const unsigned long error = ERR_peek_error();
	const long verdict = SSL_get_verify_result(link->ssl);
	char text[160] = "closed by the server";

	if (error)
		ERR_error_string_n(error, text, sizeof(text));
	else if (ssl_error == SSL_ERROR_SYSCALL && errno)
		snprintf(text, sizeof(text), "%s", strerror(errno));
	ERR_clear_error();
	if (verdict != X509_V_OK)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "KMIP server %s port %s of vault '%s' is not "
				 "the one that 'ca_file' %s vouches for: %s",
				 link->host, link->port, link->vault->name,
				 link->ca_file,
				 X509_verify_cert_error_string(verdict));
	if (refuses_certificate(error))
		return vault_say(
			answer, VAULT_BADAUTH, NULL,
			"KMIP server %s of vault '%s' refuses the "
			"certificate %s (%s): have it signed by the CA "
			"that the server trusts",
			link->host, link->vault->name, link->certificate, text);
	return say_broken(link, text, answer);
}

static enum vault_class say_file(const struct link *link, const char *setting,
				 const char *path, struct vault_answer *answer)
{
	char text[160];

	ERR_error_string_n(ERR_peek_last_error(), text, sizeof(text));
	ERR_clear_error();
	return vault_say(answer, VAULT_BADAUTH, NULL,
			 "'%s' %s of vault '%s' cannot be used (%s): it must "
			 "be PEM, readable by the worker, and fit the others",
			 setting, path, link->vault->name, text);
}

/* --- TLS ------------------------------------------------------------------ */

static enum vault_class take_key(struct link *link, SSL_CTX *context,
				 struct vault_answer *answer)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *text = NULL;
	enum vault_class class;
	EVP_PKEY *key = NULL;
	BIO *bio;
	bool ok;

	class = vault_read_credential(link->vault, "key_file", true, &text,
				      answer);
	if (class != VAULT_OK)
		return class;
	bio = BIO_new_mem_buf(svcenc_secret_peek(text),
			      (int)svcenc_secret_len(text) - 1);
	/* an empty passphrase, lest it is asked for on a terminal */
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	BIO_free(bio);
	ok = key && SSL_CTX_use_PrivateKey(context, key) == 1;
	EVP_PKEY_free(key);
	return ok ? VAULT_OK :
		    say_file(link, "key_file",
			     vault_option(link->vault, "key_file", ""), answer);
}

static enum vault_class make_context(struct link *link,
				     struct vault_answer *answer)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return vault_no_memory(link->vault, answer);
	link->context = context;
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(context, link->ca_file) != 1)
		return say_file(link, "ca_file", link->ca_file, answer);
	if (SSL_CTX_use_certificate_chain_file(context, link->certificate) != 1)
		return say_file(link, "certificate", link->certificate, answer);
	return take_key(link, context, answer);
}

/* The name that was configured must be in the server's certificate. */
static bool expect_host(SSL *ssl, const char *host)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, host, &address) == 1 ||
	    inet_pton(AF_INET6, host, &address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
						     host) == 1;
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

/*
 * After a TLS call that returned @r <= 0: waits for the socket and returns
 * VAULT_OK if it may be tried again.
 */
static enum vault_class wait_or_say(const struct link *link, int r,
				    int64_t deadline_ms,
				    struct vault_answer *answer)
{
	struct pollfd wait = { .fd = link->fd };
	const int error = SSL_get_error(link->ssl, r);
	const int64_t left = deadline_ms - link_now_ms();

	if (error == SSL_ERROR_WANT_READ)
		wait.events = POLLIN;
	else if (error == SSL_ERROR_WANT_WRITE)
		wait.events = POLLOUT;
	else
		return say_tls(link, error, answer);
	if (left <= 0 || poll(&wait, 1, (int)left) <= 0)
		return say_silent(link, answer);
	return VAULT_OK;
}

/*
 * In TLS 1.3 the handshake ends for a client before the server has looked at
 * its certificate. A refusal that meets a request on its way is lost with the
 * reset that follows, and would look like an outage: so the first word is left
 * to the server, which usually has one to say (a session ticket, or an alert).
 */
static enum vault_class hear_first(struct link *link, int64_t deadline_ms,
				   struct vault_answer *answer)
{
	struct pollfd wait = { .fd = link->fd, .events = POLLIN };
	const int64_t left = deadline_ms - link_now_ms();
	uint8_t byte;
	int r;

	if (SSL_version(link->ssl) < TLS1_3_VERSION || left <= 0 ||
	    poll(&wait, 1, left < SETTLE_MS ? (int)left : SETTLE_MS) <= 0)
		return VAULT_OK;
	ERR_clear_error();
	errno = 0;
	r = SSL_peek(link->ssl, &byte, 1);
	if (r > 0 || SSL_get_error(link->ssl, r) == SSL_ERROR_WANT_READ)
		return VAULT_OK;
	return say_tls(link, SSL_get_error(link->ssl, r), answer);
}

static enum vault_class shake_hands(struct link *link, int64_t deadline_ms,
				    struct vault_answer *answer)
{
	enum vault_class class;
	SSL *ssl = SSL_new(link->context);
	int r;

	link->ssl = ssl;
	if (!ssl || !expect_host(ssl, link->host) ||
	    SSL_set_fd(ssl, link->fd) != 1)
		return vault_no_memory(link->vault, answer);
	for (;;) {
		ERR_clear_error();
		errno = 0;
		r = SSL_connect(ssl);
		if (r == 1)
			return hear_first(link, deadline_ms, answer);
		class = wait_or_say(link, r, deadline_ms, answer);
		if (class != VAULT_OK)
			return class;
	}
}

/* --- TCP ------------------------------------------------------------------ */

/* A connected socket, or an errno. */
static int connect_to(const struct addrinfo *address, int64_t deadline_ms)
{
	const int one = 1;
	struct pollfd wait = { .events = POLLOUT };
	int64_t left;
	socklen_t size = sizeof(int);
	int fd, error = 0;

	fd = socket(address->ai_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		wait.fd = fd;
		left = deadline_ms - link_now_ms();
		error = ETIMEDOUT;
		if (left > 0 && poll(&wait, 1, (int)left) > 0 &&
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
	}
	if (error) {
		close(fd);
		return -error;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* The C library's resolver would wait for ten seconds and more. */
static int resolve(const struct link *link, struct addrinfo **ret)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICSERV };

	if (!res_init()) {
		_res.retrans = RESOLVER_WAIT_S;
		_res.retry = 1;
	}
	return getaddrinfo(link->host, link->port, &hints, ret);
}

static enum vault_class connect_server(struct link *link, int64_t deadline_ms,
				       struct vault_answer *answer)
{
	struct addrinfo *addresses = NULL, *address;
	int r;

	r = resolve(link, &addresses);
	/* a name that is gone is no outage; a name server that is silent is */
	if (r)
		return vault_say(
			answer, VAULT_UNREACHABLE,
			r == EAI_NONAME || r == EAI_NODATA ? "name" : NULL,
			"the name %s of the KMIP server of vault '%s' "
			"does not resolve: %s",
			link->host, link->vault->name, gai_strerror(r));
	r = -EADDRNOTAVAIL;
	for (address = addresses; address && r < 0; address = address->ai_next)
		r = connect_to(address, deadline_ms);
	freeaddrinfo(addresses);
	if (r == -ETIMEDOUT)
		return say_silent(link, answer);
	if (r < 0)
		return vault_say(answer, VAULT_UNREACHABLE, NULL,
				 "KMIP server %s port %s of vault '%s': %s",
				 link->host, link->port, link->vault->name,
				 strerror(-r));
	link->fd = r;
	return VAULT_OK;
}

enum vault_class link_open(struct link *link, int64_t deadline_ms,
			   struct vault_answer *answer)
{
	enum vault_class class;

	link_close(link);
	class = make_context(link, answer);
	if (class == VAULT_OK)
		class = connect_server(link, deadline_ms, answer);
	if (class == VAULT_OK)
		class = shake_hands(link, deadline_ms, answer);
	if (class != VAULT_OK)
		link_close(link);
	return class;
}

/* --- messages ------------------------------------------------------------- */

static enum vault_class write_all(struct link *link,
				  const struct link_exchange *exchange,
				  int64_t deadline_ms,
				  struct vault_answer *answer)
{
	enum vault_class class;
	int r;

	for (;;) {
		ERR_clear_error();
		errno = 0;
		/* all or nothing: partial writes are off by default */
		r = SSL_write(link->ssl, exchange->request,
			      (int)exchange->request_len);
		if (r > 0)
			return VAULT_OK;
		class = wait_or_say(link, r, deadline_ms, answer);
		if (class != VAULT_OK)
			return class;
	}
}

/* Reads until the reply has @want bytes. */
static enum vault_class read_up_to(struct link *link,
				   struct link_exchange *exchange, size_t want,
				   int64_t deadline_ms,
				   struct vault_answer *answer)
{
	enum vault_class class;
	int r;

	while (exchange->reply_len < want) {
		ERR_clear_error();
		errno = 0;
		r = SSL_read(link->ssl, exchange->reply + exchange->reply_len,
			     (int)(want - exchange->reply_len));
		if (r > 0) {
			exchange->reply_len += (size_t)r;
			continue;
		}
		class = wait_or_say(link, r, deadline_ms, answer);
		if (class != VAULT_OK)
			return class;
	}
	return VAULT_OK;
}

static enum vault_class read_message(struct link *link,
				     struct link_exchange *exchange,
				     int64_t deadline_ms,
				     struct vault_answer *answer)
{
	enum vault_class class;
	int len;

	class = read_up_to(link, exchange, TTLV_HEAD_SIZE, deadline_ms, answer);
	if (class != VAULT_OK)
		return class;
	len = ttlv_message_len(exchange->reply);
	if (len < 0 || (size_t)len > exchange->reply_room)
		return vault_say(answer, VAULT_CORRUPT, NULL,
				 "KMIP server %s port %s of vault '%s' sends "
				 "something else than a KMIP message of at "
				 "most %zu bytes",
				 link->host, link->port, link->vault->name,
				 exchange->reply_room);
	return read_up_to(link, exchange, (size_t)len, deadline_ms, answer);
}

enum vault_class link_exchange(struct link *link,
			       struct link_exchange *exchange,
			       int64_t deadline_ms, struct vault_answer *answer)
{
	enum vault_class class;

	exchange->reply_len = 0;
	class = write_all(link, exchange, deadline_ms, answer);
	if (class == VAULT_OK)
		class = read_message(link, exchange, deadline_ms, answer);
	exchange->stale = class == VAULT_UNREACHABLE && !exchange->reply_len &&
			  link_now_ms() < deadline_ms;
	if (class != VAULT_OK)
		link_close(link);
	return class;
}
