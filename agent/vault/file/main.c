// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-vault-file: the worker of a file vault. One process a vault, one
 * thread, no event library: so little is needed that the allow-list of
 * system calls stays short. Serves uid 0 only. Decides nothing about
 * policies; never sees a volume.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policyrec.h"
#include "proto.h"
#include "record.h"
#include "sandbox.h"
#include "serve.h"
#include "wrap.h"

enum {
	CONNECTIONS_MAX = 16,
	SEND_TIMEOUT_MS = 5000,
};

struct connection {
	int fd; /* -1 = free */
	struct svcenc_frame in;
};

static struct connection connections[CONNECTIONS_MAX];

static void drop(struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	svcenc_frame_clear(&connection->in);
}

/* Takes a connection if it is root's and there is room. */
static void take_connection(int listener)
{
	struct svcenc_peer peer;
	int fd, i;

	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	for (i = 0; i < CONNECTIONS_MAX && connections[i].fd >= 0; i++)
		;
	if (i == CONNECTIONS_MAX || svcenc_proto_peer(fd, &peer) < 0 ||
	    peer.uid != 0) {
		close(fd);
		return;
	}
	connections[i].fd = fd;
	connections[i].in.secret = true;
}

/* The peer is root and waits for this: a short wait for room is fine. */
static int send_text(int fd, const char *text, size_t len)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	while (len) {
		const ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n >= 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (poll(&wait, 1, SEND_TIMEOUT_MS) <= 0)
				return -ETIMEDOUT;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static int answer(const struct vault *vault, int fd, json_t *message)
{
	SVCENC_JSON_AUTO json_t *reply = serve_message(vault, message);
	char *text = NULL;
	size_t len;
	int r;

	if (!reply)
		return -ENOMEM;
	svcenc_secret_scope_enter();
	r = svcenc_proto_encode(reply, &text, &len);
	svcenc_secret_scope_leave();
	if (!r)
		r = send_text(fd, text, len);
	svcenc_secret_release(text);
	return r;
}

static void serve_connection(const struct vault *vault,
			     struct connection *connection)
{
	int r;

	r = svcenc_frame_read(&connection->in, connection->fd);
	if (r == -EAGAIN)
		return;
	while (r > 0) {
		SVCENC_JSON_AUTO json_t *message = NULL;

		r = svcenc_frame_next(&connection->in, &message);
		if (r == -EAGAIN)
			return;
		if (!r && !answer(vault, connection->fd, message))
			r = 1;
		else
			r = -EPIPE;
	}
	drop(connection);
}

static void serve_forever(const struct vault *vault, int listener)
{
	struct pollfd fds[CONNECTIONS_MAX + 1];
	int i;

	for (;;) {
		fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (i = 0; i < CONNECTIONS_MAX; i++)
			fds[i + 1] = (struct pollfd){ .fd = connections[i].fd,
						      .events = POLLIN };
		if (poll(fds, CONNECTIONS_MAX + 1, -1) < 0)
			continue;
		for (i = 0; i < CONNECTIONS_MAX; i++)
			if (connections[i].fd >= 0 && fds[i + 1].revents)
				serve_connection(vault, &connections[i]);
		if (fds[0].revents)
			take_connection(listener);
	}
}

static void usage(FILE *out)
{
	fputs("usage: svcenc-vault-file --name NAME --directory DIR "
	      "--socket PATH\n"
	      "       svcenc-vault-file --parse-record < RECORD\n"
	      "Serves io.svcenc.Vault for the key files in DIR. Run it as the "
	      "vault's own user.\n",
	      out);
}

static const struct option options[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "directory", required_argument, NULL, 'd' },
	{ "socket", required_argument, NULL, 's' },
	{ "parse-record", no_argument, NULL, 'p' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int run_vault(const struct vault *vault, const char *socket)
{
	int listener, i;

	if (!vault->name || !vault->directory || !socket ||
	    !svcenc_name_is_valid(vault->name)) {
		usage(stderr);
		return 1;
	}
	for (i = 0; i < CONNECTIONS_MAX; i++)
		connections[i].fd = -1;
	listener = svcenc_proto_listen(socket, 0600, (gid_t)-1);
	if (listener < 0) {
		fprintf(stderr,
			"svcenc-vault-file: error: cannot listen on %s: %s\n"
			"svcenc-vault-file: hint: its directory must exist and "
			"belong to user %u\n",
			socket, strerror(-listener), getuid());
		return 4;
	}
	if (wrap_init() < 0 || sandbox_vault() < 0) {
		fputs("svcenc-vault-file: error: cannot enter the sandbox "
		      "(seccomp)\n",
		      stderr);
		return 4;
	}
	serve_forever(vault, listener);
	return 0;
}

int main(int argc, char **argv)
{
	struct vault vault = { NULL, NULL };
	const char *socket = NULL;
	bool parse_record = false;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (opt) {
		case 'n':
			vault.name = optarg;
			break;
		case 'd':
			vault.directory = optarg;
			break;
		case 's':
			socket = optarg;
			break;
		case 'p':
			parse_record = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (optind != argc) {
		usage(stderr);
		return 1;
	}
	if (svcenc_secret_init() < 0) {
		fputs("svcenc-vault-file: error: memory for keys cannot be "
		      "locked\n"
		      "svcenc-vault-file: hint: LimitMEMLOCK=8M, or ulimit -l "
		      "8192\n",
		      stderr);
		return 3;
	}
	svcenc_proto_init();
	return parse_record ? record_job() : run_vault(&vault, socket);
}
