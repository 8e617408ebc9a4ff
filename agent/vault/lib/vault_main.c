// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What all workers are: a process that serves a vault, one thread, no event
 * library: so little is needed that the allow-list of system calls stays short.
 * A vault that is far away has several of them. Serves uid 0 only. Decides
 * nothing about policies; never sees a volume; what the vault is, only the
 * functions of struct vault_ops know.
 */
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policyrec.h"
#include "proto.h"
#include "sandbox.h"
#include "service.h"
#include "step.h"
#include "vault.h"

enum {
	CONNECTIONS_MAX = 320, /* svcencd has up to 256 */
	SEND_TIMEOUT_MS = 5000,
	PROCESSES_MAX = 32,
	FIRST_CALL_MS = 50,
};

struct connection {
	int fd; /* -1 = free */
	struct svcenc_frame in;
};

static struct connection connections[CONNECTIONS_MAX];
/* What start() said; VAULT_OK: the vault can be asked. */
static struct vault_answer broken;
/* With other processes: one that is busy takes no call. */
static bool shares_listener;

/* --- connections ---------------------------------------------------------- */

static void drop(struct connection *connection)
{
	close(connection->fd);
	connection->fd = -1;
	svcenc_frame_clear(&connection->in);
}

/*
 * The call comes right behind its connection. To look whether there is another
 * one before that would be to take two calls that two processes could serve.
 */
static void await_call(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (shares_listener)
		(void)poll(&wait, 1, FIRST_CALL_MS);
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
	await_call(fd);
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

static int answer(struct vault *vault, int fd, json_t *message)
{
	SVCENC_JSON_AUTO json_t *reply = serve_message(vault, &broken, message);
	char *text = NULL;
	size_t len;
	int r;

	if (!reply)
		return -ENOMEM;
	svcenc_step("vault: answer ready");
	svcenc_secret_scope_enter();
	r = svcenc_proto_encode(reply, &text, &len);
	svcenc_secret_scope_leave();
	if (!r)
		r = send_text(fd, text, len);
	svcenc_secret_release(text);
	return r;
}

static void serve_connection(struct vault *vault, struct connection *connection)
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

static void serve_forever(struct vault *vault, int listener)
{
	struct pollfd fds[CONNECTIONS_MAX + 1];
	bool busy;
	int i;

	for (;;) {
		busy = false;
		fds[0] = (struct pollfd){ .fd = listener, .events = POLLIN };
		for (i = 0; i < CONNECTIONS_MAX; i++)
			fds[i + 1] =
				(struct pollfd){ .fd = connections[i].fd,
						 .events = POLLIN | POLLRDHUP };
		if (poll(fds, CONNECTIONS_MAX + 1, -1) < 0)
			continue;
		for (i = 0; i < CONNECTIONS_MAX; i++) {
			if (connections[i].fd < 0 || !fds[i + 1].revents)
				continue;
			busy = true;
			/* who has gone does not want the vault to be asked */
			if (fds[i + 1].revents & (POLLRDHUP | POLLHUP))
				drop(&connections[i]);
			else
				serve_connection(vault, &connections[i]);
		}
		/* an idle process may have taken it meanwhile */
		if (fds[0].revents && !busy)
			take_connection(listener);
	}
}

/* --- start ---------------------------------------------------------------- */

static void usage(const struct vault_ops *ops, FILE *out)
{
	fprintf(out,
		"usage: svcenc-vault-%s --name NAME --socket PATH "
		"[--config FILE] [--set KEY=VALUE]...\n"
		"Serves io.svcenc.Vault for a vault of type %s, with the keys "
		"of FILE (see\nsvcencd.conf(5)) and those given here. Run it "
		"as the vault's own user.\n",
		ops->type, ops->type);
}

static enum vault_class refuse_setting(const struct vault *vault,
				       const char *name)
{
	return vault_say(&broken, VAULT_BADAUTH, NULL,
			 "vault '%s': '%.64s' is no key of type %s, or its "
			 "value is too long: correct vaults.d/%s.conf; "
			 "svcencd.conf(5) lists keys",
			 vault->name, name, vault->ops->type, vault->name);
}

/* "key=value" */
static void take_setting(struct vault *vault, const char *text)
{
	char name[SVCENC_VAULT_OPTION_NAME];
	const char *equals = strchr(text, '=');

	if (!equals || equals - text >= (ptrdiff_t)sizeof(name)) {
		refuse_setting(vault, text);
		return;
	}
	memcpy(name, text, (size_t)(equals - text));
	name[equals - text] = '\0';
	if (vault_option_set(vault, name, equals + 1) < 0)
		refuse_setting(vault, name);
}

/* A line of vaults.d/NAME.conf; svcencd's own keys are no settings. */
static int on_line(void *userdata, const char *section, const char *name,
		   const char *value)
{
	struct vault *vault = userdata;
	size_t i;

	for (i = 0; svcenc_vault_common_options[i]; i++)
		if (!strcmp(svcenc_vault_common_options[i], name))
			return 1;
	if (strcmp(section, "vault") ||
	    vault_option_set(vault, name, value) < 0)
		refuse_setting(vault, name);
	return 1;
}

static void read_config(struct vault *vault, const char *path)
{
	const int r = ini_parse(path, on_line, vault);

	if (r)
		vault_say(&broken, VAULT_BADAUTH, NULL,
			  r > 0 ? "%s: a line is not 'key = value'" :
				  "cannot read %s: it must be open to the "
				  "worker's user",
			  path);
}

static int listen_on(const struct vault_ops *ops, const char *socket)
{
	const int listener = svcenc_proto_listen(socket, 0600, (gid_t)-1);

	if (listener < 0)
		fprintf(stderr,
			"svcenc-vault-%s: error: cannot listen on %s: %s\n"
			"svcenc-vault-%s: hint: its directory must exist and "
			"belong to user %u\n",
			ops->type, socket, strerror(-listener), ops->type,
			getuid());
	return listener;
}

static int say_no_sandbox(const struct vault_ops *ops)
{
	fprintf(stderr,
		"svcenc-vault-%s: error: cannot enter the sandbox (seccomp)\n",
		ops->type);
	return 4;
}

/* @number: of the process; the first one speaks for all. */
static int run_vault(struct vault *vault, int listener, unsigned int number)
{
	const struct vault_ops *ops = vault->ops;
	int i, r;

	for (i = 0; i < CONNECTIONS_MAX; i++)
		connections[i].fd = -1;
	r = vault_main_init(ops->type);
	if (r)
		return r;
	if (broken.class == VAULT_OK)
		(void)ops->start(vault, &broken);
	if (sandbox_vault(ops->calls, ops->call_count, ops->soft) < 0)
		return say_no_sandbox(ops);
	if (broken.class != VAULT_OK && !number)
		fprintf(stderr, "svcenc-vault-%s: error: %s\n", ops->type,
			broken.detail);
	serve_forever(vault, listener);
	return 0;
}

/* --- several processes ---------------------------------------------------- */

static unsigned int count_processes(const struct vault *vault)
{
	const struct vault_ops *ops = vault->ops;
	const char *text = vault_option(vault, "calls_at_once", NULL);
	unsigned long count;
	char *end;

	if (!ops->calls_at_once || !text)
		return ops->calls_at_once ? ops->calls_at_once : 1;
	count = strtoul(text, &end, 10);
	if (*text >= '1' && *text <= '9' && !*end && count <= PROCESSES_MAX)
		return (unsigned int)count;
	vault_say(&broken, VAULT_BADAUTH, NULL,
		  "'calls_at_once' of vault '%s' must be 1 to %d: correct "
		  "vaults.d/%s.conf",
		  vault->name, PROCESSES_MAX, vault->name);
	return 1;
}

/* True in a process that is to serve; it dies with its parent. */
static bool split_off(pid_t *ret)
{
	const pid_t parent = getpid();

	*ret = fork();
	if (*ret)
		return false;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		_exit(4);
	shares_listener = true;
	return true;
}

/*
 * One that ends takes the others along: whoever has started us starts us
 * again, and knows how long to wait before that. Its status, as shells have it.
 */
static int guard(const struct vault_ops *ops)
{
	int status = 0;
	pid_t pid;

	if (sandbox_guard() < 0)
		return say_no_sandbox(ops);
	do
		pid = waitpid(-1, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return 4;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/*
 * They share the listening socket: whichever is idle takes the next call. What
 * cannot be shared, locked memory above all, each makes for itself.
 */
static int run_processes(struct vault *vault, int listener)
{
	const unsigned int count = count_processes(vault);
	unsigned int i;
	pid_t pid;

	for (i = 0; count > 1 && i < count; i++) {
		if (split_off(&pid))
			return run_vault(vault, listener, i);
		if (pid < 0) {
			fprintf(stderr,
				"svcenc-vault-%s: error: cannot start process "
				"%u of %u: %s\n",
				vault->ops->type, i + 1, count,
				strerror(errno));
			return 4;
		}
	}
	return count > 1 ? guard(vault->ops) : run_vault(vault, listener, 0);
}

int vault_main_init(const char *type)
{
	if (svcenc_secret_init() < 0) {
		fprintf(stderr,
			"svcenc-vault-%s: error: memory for keys cannot be "
			"locked\n"
			"svcenc-vault-%s: hint: LimitMEMLOCK=8M, or ulimit -l "
			"8192\n",
			type, type);
		return 3;
	}
	svcenc_proto_init();
	return 0;
}

int vault_main(const struct vault_ops *ops, int argc, char **argv)
{
	static const struct option options[] = {
		SVCENC_STEP_LONGOPTS{ "name", required_argument, NULL, 'n' },
		{ "socket", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "set", required_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct vault vault;
	const char *socket = NULL, *config = NULL;
	int opt, listener;

	vault.ops = ops;
	vault.name = "";
	vault_say(&broken, VAULT_OK, NULL, NULL);
	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (svcenc_step_option(opt, optarg))
			continue;
		if (opt == 'n') {
			vault.name = optarg;
		} else if (opt == 's') {
			socket = optarg;
		} else if (opt == 'c') {
			config = optarg;
		} else if (opt == 'k') {
			take_setting(&vault, optarg);
		} else {
			usage(ops, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? 0 : 1;
		}
	}
	if (optind != argc || !socket || !svcenc_name_is_valid(vault.name)) {
		usage(ops, stderr);
		return 1;
	}
	if (config)
		read_config(&vault, config);
	listener = listen_on(ops, socket);
	return listener < 0 ? 4 : run_processes(&vault, listener);
}
