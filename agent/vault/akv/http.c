// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <openssl/ssl.h>

#include "http.h"
#include "resolve.h"

enum { POLL_MS = 1000 };

struct http {
	CURLM *multi; /* keeps connections between requests */
	const char *ca_file;
	bool has_proxy;
	struct akv_url proxy;
	struct resolve names;
};

/* What the callbacks fill. */
struct transfer {
	struct http_reply *reply;
	unsigned int headers;
	bool too_long;
	bool has_end; /* the answer says where it ends */
};

int64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- memory that is wiped when it is freed -------------------------------- */

static void *wiped_calloc(size_t count, size_t size)
{
	void *memory;

	if (size && count > SIZE_MAX / size)
		return NULL;
	memory = svcenc_secret_alloc(count * size);
	if (memory)
		memset(memory, 0, count * size);
	return memory;
}

static void *wiped_realloc(void *old, size_t size)
{
	void *memory = svcenc_secret_alloc(size);
	size_t had;

	if (memory && old) {
		had = malloc_usable_size(old);
		memcpy(memory, old, had < size ? had : size);
		svcenc_secret_release(old);
	}
	return memory;
}

static char *wiped_strdup(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = svcenc_secret_alloc(size);

	return copy ? memcpy(copy, text, size) : NULL;
}

struct http *http_new(const char *ca_file, const struct akv_url *proxy)
{
	struct http *http = calloc(1, sizeof(*http));

	/* nothing here is allocated within a scope of the secure heap */
	if (!http ||
	    curl_global_init_mem(CURL_GLOBAL_DEFAULT, svcenc_secret_alloc,
				 svcenc_secret_release, wiped_realloc,
				 wiped_strdup, wiped_calloc) != CURLE_OK) {
		free(http);
		return NULL;
	}
	http->multi = curl_multi_init();
	http->ca_file = ca_file;
	http->has_proxy = proxy;
	if (proxy)
		http->proxy = *proxy;
	if (http->multi)
		return http;
	free(http);
	return NULL;
}

/* --- what a server sends -------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *userdata)
{
	struct transfer *transfer = userdata;
	struct http_reply *reply = transfer->reply;
	const size_t len = size * count;

	if (len > HTTP_BODY_MAX - reply->body_len) {
		transfer->too_long = true;
		return 0;
	}
	memcpy(svcenc_secret_bytes(reply->body) + reply->body_len, bytes, len);
	reply->body_len += len;
	return len;
}

/* The value of header field @name, without the end of the line, or false. */
static bool field(const char *line, size_t len, const char *name, char *ret,
		  size_t size)
{
	const size_t name_len = strlen(name);

	if (len <= name_len || strncasecmp(line, name, name_len) ||
	    line[name_len] != ':')
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len && strchr("\r\n \t", line[len - 1]))
		len--;
	if (len >= size || memchr(line, 0, len))
		return false;
	memcpy(ret, line, len);
	ret[len] = '\0';
	return true;
}

static size_t on_header(char *line, size_t size, size_t count, void *userdata)
{
	struct transfer *transfer = userdata;
	struct http_reply *reply = transfer->reply;
	char value[AKV_CHALLENGE_MAX];
	const size_t len = size * count;
	char *id;

	if (++transfer->headers > HTTP_HEADERS_MAX) {
		transfer->too_long = true;
		return 0;
	}
	if (field(line, len, "Content-Length", value, sizeof(value)) ||
	    field(line, len, "Transfer-Encoding", value, sizeof(value)))
		transfer->has_end = true;
	if (field(line, len, "WWW-Authenticate", value, sizeof(value)) &&
	    !strncasecmp(value, "Bearer ", 7))
		memcpy(reply->challenge, value, strlen(value) + 1);
	if (field(line, len, "x-ms-request-id", reply->request_id,
		  sizeof(reply->request_id)))
		for (id = reply->request_id; *id; id++)
			if (*id < ' ' || *id > '~')
				*id = '?';
	return len;
}

/* --- what we send --------------------------------------------------------- */

/* Plaintext of records is wiped once it has been read. */
static CURLcode on_ssl_context(CURL *easy, void *context, void *userdata)
{
	(void)easy;
	(void)userdata;
	SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
	return CURLE_OK;
}

#define SET(option, value)                                             \
	do {                                                           \
		if (curl_easy_setopt(easy, option, value) != CURLE_OK) \
			return -ENOMEM;                                \
	} while (0)

static int set_security(CURL *easy, const struct http *http, bool https)
{
	SET(CURLOPT_PROTOCOLS_STR, https ? "https" : "http");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (http->ca_file) {
		SET(CURLOPT_CAINFO, http->ca_file);
		SET(CURLOPT_CAPATH, NULL);
	}
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_NOSIGNAL, 1L);
	return 0;
}

static void server_text(const struct akv_url *server, char *ret, size_t size)
{
	const bool address = strchr(server->host, ':');

	snprintf(ret, size, "%s://%s%s%s:%s", server->https ? "https" : "http",
		 address ? "[" : "", server->host, address ? "]" : "",
		 server->port);
}

static bool goes_through_proxy(const struct http *http,
			       const struct http_request *request)
{
	return http->has_proxy && !request->direct;
}

/* Of a proxy that is spoken to by TLS: as strict as with the vault. */
static int set_proxy_security(CURL *easy, const struct http *http)
{
	SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (http->ca_file) {
		SET(CURLOPT_PROXY_CAINFO, http->ca_file);
		SET(CURLOPT_PROXY_CAPATH, NULL);
	}
	return 0;
}

/* "" is what keeps libcurl from looking into the environment. */
static int set_proxy(CURL *easy, const struct http *http,
		     const struct http_request *request)
{
	char url[AKV_HOST_SIZE + 32] = "";

	if (goes_through_proxy(http, request))
		server_text(&http->proxy, url, sizeof(url));
	SET(CURLOPT_PROXY, url);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
	/* what the proxy says is not what the server says, nor is it to hear
	 * what the server does
	 */
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	return http->has_proxy && http->proxy.https ?
		       set_proxy_security(easy, http) :
		       0;
}

static int set_request(CURL *easy, const struct http_request *request)
{
	char server[AKV_HOST_SIZE + 32], url[HTTP_URL_SIZE];

	server_text(request->server, server, sizeof(server));
	if (snprintf(url, sizeof(url), "%s%s%s", server, request->server->path,
		     request->path) >= (int)sizeof(url))
		return -ENOMEM;
	SET(CURLOPT_URL, url);
	if (!request->post)
		return 0;
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS,
	    request->body ? (const char *)svcenc_secret_peek(request->body) :
			    "");
	SET(CURLOPT_POSTFIELDSIZE,
	    request->body ? (long)svcenc_secret_len(request->body) : 0L);
	return 0;
}

static int set_answer(CURL *easy, struct transfer *transfer, char *why)
{
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_ERRORBUFFER, why);
	return 0;
}

/* Appends a copy; on failure the list so far stays the caller's. */
static int add_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int make_headers(const struct http_request *request,
			struct curl_slist **ret)
{
	SVCENC_SECRET_AUTO struct svcenc_secret *line = NULL;
	char type[96];
	size_t size;
	int r;

	/* no waiting for 100-continue, no preferences */
	r = add_header(ret, "Expect:");
	if (!r)
		r = add_header(ret, "Accept: application/json");
	if (!r && request->header)
		r = add_header(ret, request->header);
	if (!r && request->post) {
		snprintf(type, sizeof(type), "Content-Type: %s",
			 request->content_type);
		r = add_header(ret, type);
	}
	if (r || !request->bearer)
		return r;
	size = svcenc_secret_len(request->bearer) + 32;
	line = svcenc_secret_new(size);
	if (!line)
		return -ENOMEM;
	snprintf((char *)svcenc_secret_bytes(line), size,
		 "Authorization: Bearer %s",
		 (const char *)svcenc_secret_peek(request->bearer));
	return add_header(ret, (const char *)svcenc_secret_peek(line));
}

/* --- one request ---------------------------------------------------------- */

static void run(CURLM *multi, CURL *easy, int64_t deadline_ms, CURLcode *ret)
{
	int running = 1, queued;
	CURLMsg *message;

	*ret = CURLE_OPERATION_TIMEDOUT;
	if (curl_multi_add_handle(multi, easy) != CURLM_OK) {
		*ret = CURLE_OUT_OF_MEMORY;
		return;
	}
	while (running) {
		const int64_t left = deadline_ms - http_now_ms();

		if (left <= 0 ||
		    curl_multi_perform(multi, &running) != CURLM_OK)
			break;
		if (running)
			(void)curl_multi_poll(
				multi, NULL, 0,
				left < POLL_MS ? (int)left : POLL_MS, NULL);
	}
	while ((message = curl_multi_info_read(multi, &queued)))
		if (message->msg == CURLMSG_DONE &&
		    message->easy_handle == easy)
			*ret = message->data.result;
	(void)curl_multi_remove_handle(multi, easy);
}

/* An answer to CONNECT that is none of 2xx: 0 = there was no such answer. */
static long proxy_refusal(CURL *easy)
{
	long status = 0;

	if (curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status) !=
	    CURLE_OK)
		return 0;
	return status >= 200 && status < 300 ? 0 : status;
}

static void judge(CURL *easy, CURLcode code, const struct transfer *transfer,
		  const char *why, struct http_reply *ret)
{
	curl_off_t retry = 0;

	ret->outcome = HTTP_FAILED;
	if (code == CURLE_OUT_OF_MEMORY)
		ret->outcome = HTTP_NO_MEMORY;
	if (transfer->too_long)
		ret->outcome = HTTP_TOO_LONG;
	if (code != CURLE_OK) {
		ret->status = proxy_refusal(easy);
		if (ret->status)
			ret->outcome = HTTP_NO_WAY;
		snprintf(ret->why, sizeof(ret->why), "%s",
			 transfer->too_long ? "its answer is too long" :
			 code == CURLE_OPERATION_TIMEDOUT ?
					      "no answer in time" :
			 *why ? why :
				curl_easy_strerror(code));
		return;
	}
	/* one that ends when the connection does may be a part of one */
	if (!transfer->has_end) {
		snprintf(ret->why, sizeof(ret->why), "its answer was cut off");
		return;
	}
	ret->outcome = HTTP_ANSWERED;
	(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret->status);
	(void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry);
	ret->retry_after_s = retry > 86400 ? 86400 :
			     retry > 0	   ? (unsigned int)retry :
					     0;
	svcenc_secret_bytes(ret->body)[ret->body_len] = '\0';
}

static void transfer_with(struct http *http, CURL *easy,
			  const struct http_request *request,
			  struct http_reply *ret)
{
	struct transfer transfer = { .reply = ret };
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	CURLcode code;

	if (make_headers(request, &headers) < 0 ||
	    set_security(easy, http, request->server->https) < 0 ||
	    set_proxy(easy, http, request) < 0 ||
	    set_request(easy, request) < 0 ||
	    set_answer(easy, &transfer, why) < 0 ||
	    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_RESOLVE, http->names.list) !=
		    CURLE_OK) {
		curl_slist_free_all(headers);
		return;
	}
	run(http->multi, easy, request->deadline_ms, &code);
	judge(easy, code, &transfer, why, ret);
	curl_slist_free_all(headers);
}

void http_perform(struct http *http, const struct http_request *request,
		  struct http_reply *ret)
{
	const bool proxied = goes_through_proxy(http, request);
	CURL *easy;

	memset(ret, 0, sizeof(*ret));
	ret->outcome = HTTP_NO_MEMORY;
	ret->body = svcenc_secret_new(HTTP_BODY_MAX + 1);
	if (!ret->body)
		return;
	switch (resolve_name(&http->names,
			     proxied ? &http->proxy : request->server, ret->why,
			     sizeof(ret->why))) {
	case RESOLVE_OK:
		break;
	case RESOLVE_NO_NAME:
		/* that of a proxy tells nothing of the server */
		ret->outcome = proxied ? HTTP_FAILED : HTTP_NO_NAME;
		return;
	case RESOLVE_FAILED:
		ret->outcome = HTTP_FAILED;
		return;
	default:
		return;
	}
	easy = curl_easy_init();
	if (!easy)
		return;
	transfer_with(http, easy, request, ret);
	curl_easy_cleanup(easy);
}

void http_reply_clear(struct http_reply *reply)
{
	reply->body = svcenc_secret_free(reply->body);
}
