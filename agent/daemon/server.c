// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "methods.h"
#include "proto.h"
#include "secret.h"
#include "server.h"

enum {
	CONNECTIONS_MAX = 64,
	CONNECTIONS_PER_USER = 16,
	SOCKETS = 3,
	STALL_US = 30 * 1000 * 1000,
};

static const char interface_text[] =
#include "interface_agent.inc"
	;

struct server_socket {
	struct server *server;
	enum role role;
	bool has_group;
	gid_t group;
	int fd;
	sd_event_source *source;
};

struct connection {
	struct connection *next;
	struct server_socket *socket;
	struct svcenc_peer peer;
	int fd;
	sd_event_source *io;
	sd_event_source *stall;
	struct svcenc_frame in;
	char *out; /* answer being sent; NULL = none */
	size_t out_len;
	size_t out_sent;
};

struct server {
	struct agent *agent;
	struct server_socket sockets[SOCKETS];
	struct connection *connections;
};

static const struct {
	const char *name;
	enum role role;
	const char *group; /* NULL: everybody */
} kinds[SOCKETS] = {
	{ "status", ROLE_STATUS, NULL },
	{ "operator", ROLE_OPERATOR, "svcenc-operator" },
	{ "officer", ROLE_OFFICER, "svcenc-officer" },
};

/* --- connections ---------------------------------------------------------- */

static void connection_free(struct connection *connection)
{
	struct connection **at = &connection->socket->server->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	sd_event_source_disable_unref(connection->io);
	sd_event_source_disable_unref(connection->stall);
	svcenc_frame_clear(&connection->in);
	svcenc_secret_release(connection->out);
	close(connection->fd);
	free(connection);
}

static int on_stall(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	connection_free(userdata);
	return 0;
}

/* While something is under way, somebody has to go on with it. */
static void watch_stall(struct connection *connection)
{
	const bool waiting = connection->out ||
			     svcenc_frame_pending(&connection->in);

	if (!waiting) {
		(void)sd_event_source_set_enabled(connection->stall,
						  SD_EVENT_OFF);
		return;
	}
	(void)sd_event_source_set_time_relative(connection->stall, STALL_US);
	(void)sd_event_source_set_enabled(connection->stall, SD_EVENT_ONESHOT);
}

/* --- answers -------------------------------------------------------------- */

static json_t *standard_error(const char *error, const char *name,
			      const char *value)
{
	char full[SVCENC_PROTO_NAME_MAX];

	snprintf(full, sizeof(full), "org.varlink.service.%s", error);
	return svcenc_proto_error(full, json_pack("{s:s}", name, value));
}

/* The two methods that every Varlink service has; NULL: none of them. */
static json_t *serve_standard(const struct svcenc_call *call)
{
	const char *interface = NULL;

	if (!strcmp(call->method, "org.varlink.service.GetInfo"))
		return svcenc_proto_reply(json_pack(
			"{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "dm-svcenc",
			"product", "svcencd", "version", AGENT_VERSION, "url",
			"https://varlink.org/", "interfaces",
			"org.varlink.service", "io.svcenc.Agent"));
	if (strcmp(call->method, "org.varlink.service.GetInterfaceDescription"))
		return NULL;
	if (json_unpack(call->parameters, "{s:s !}", "interface", &interface) <
	    0)
		return standard_error("InvalidParameter", "parameter",
				      "interface");
	if (strcmp(interface, "io.svcenc.Agent"))
		return standard_error("InterfaceNotFound", "interface",
				      interface);
	return svcenc_proto_reply(
		json_pack("{s:s}", "description", interface_text));
}

static void log_call(const struct connection *connection, const char *method,
		     const struct request *request)
{
	if (connection->socket->role == ROLE_STATUS && !request->fault.kind)
		return;
	log_audit("uid %u pid %d %s: %s%s%s", connection->peer.uid,
		  connection->peer.pid, method,
		  request->fault.kind ? "failed: " : "ok",
		  request->fault.message,
		  request->fault.kind == SVCENC_FAULT_PERMISSION ?
			  " (refused)" :
			  "");
}

static json_t *serve(struct connection *connection, json_t *message)
{
	struct request request = {
		.agent = connection->socket->server->agent,
		.role = connection->socket->role,
		.uid = connection->peer.uid,
	};
	struct svcenc_call call;
	json_t *answer;
	int r;

	if (svcenc_proto_parse_call(message, &call) < 0)
		return standard_error("InvalidParameter", "parameter",
				      "method");
	answer = serve_standard(&call);
	if (answer)
		return answer;
	request.parameters = call.parameters;
	r = methods_call(call.method, &request);
	if (r == -ENOSYS && request.fault.kind == SVCENC_FAULT_NONE)
		return standard_error("MethodNotFound", "method", call.method);
	log_call(connection, call.method, &request);
	if (r < 0) {
		json_decref(request.reply);
		return svcenc_proto_error(
			svcenc_fault_error(&request.fault),
			svcenc_fault_parameters(&request.fault));
	}
	return svcenc_proto_reply(request.reply);
}

/* 1 = all sent, 0 = the peer's buffer is full, negative = it is gone. */
static int flush(struct connection *connection)
{
	while (connection->out_sent < connection->out_len) {
		const ssize_t n = send(
			connection->fd, connection->out + connection->out_sent,
			connection->out_len - connection->out_sent,
			MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		connection->out_sent += (size_t)n;
	}
	svcenc_secret_release(connection->out);
	connection->out = NULL;
	return 1;
}

static int answer_message(struct connection *connection, json_t *message)
{
	SVCENC_JSON_AUTO json_t *answer = serve(connection, message);
	int r;

	if (!answer)
		return -ENOMEM;
	r = svcenc_proto_encode(answer, &connection->out, &connection->out_len);
	if (r < 0)
		return r;
	connection->out_sent = 0;
	return flush(connection);
}

/* Serves whole messages while the answers get away. */
static int work(struct connection *connection)
{
	int r = connection->out ? flush(connection) : 1;

	while (r > 0) {
		SVCENC_JSON_AUTO json_t *message = NULL;

		r = svcenc_frame_next(&connection->in, &message);
		if (r == -EAGAIN)
			return 0;
		if (!r)
			r = answer_message(connection, message);
	}
	return r;
}

static int on_connection(sd_event_source *source, int fd, uint32_t revents,
			 void *userdata)
{
	struct connection *connection = userdata;
	int r = 1;

	if (revents & EPOLLIN && !connection->out) {
		r = svcenc_frame_read(&connection->in, fd);
		if (r == -EAGAIN)
			return 0;
		if (!r)
			r = -EPIPE;
	} else if (!(revents & (EPOLLIN | EPOLLOUT))) {
		r = -EPIPE; /* hung up */
	}
	if (r > 0)
		r = work(connection);
	if (r < 0) {
		connection_free(connection);
		return 0;
	}
	(void)sd_event_source_set_io_events(source, connection->out ? EPOLLOUT :
								      EPOLLIN);
	watch_stall(connection);
	return 0;
}

/* --- letting in ----------------------------------------------------------- */

static bool may_enter(const struct server_socket *socket,
		      const struct svcenc_peer *peer, int fd)
{
	if (socket->role == ROLE_STATUS || peer->uid == 0)
		return true;
	return socket->has_group &&
	       svcenc_proto_peer_in_group(fd, socket->group) == 1;
}

static bool has_room(const struct server *server,
		     const struct svcenc_peer *peer)
{
	const struct connection *connection;
	unsigned int all = 0, same = 0;

	for (connection = server->connections; connection;
	     connection = connection->next) {
		all++;
		same += connection->peer.uid == peer->uid;
	}
	return all < CONNECTIONS_MAX &&
	       (peer->uid == 0 || same < CONNECTIONS_PER_USER);
}

static int connection_start(struct connection *connection)
{
	sd_event *event = connection->socket->server->agent->event;
	int r;

	r = sd_event_add_io(event, &connection->io, connection->fd, EPOLLIN,
			    on_connection, connection);
	if (r < 0)
		return r;
	r = sd_event_add_time_relative(event, &connection->stall,
				       CLOCK_MONOTONIC, STALL_US, 0, on_stall,
				       connection);
	if (r < 0)
		return r;
	return sd_event_source_set_enabled(connection->stall, SD_EVENT_OFF);
}

static int on_listener(sd_event_source *source, int fd, uint32_t revents,
		       void *userdata)
{
	struct server_socket *socket = userdata;
	struct connection *connection;
	struct svcenc_peer peer;
	int peer_fd;

	(void)source;
	(void)revents;
	peer_fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer_fd < 0)
		return 0;
	if (svcenc_proto_peer(peer_fd, &peer) < 0 ||
	    !may_enter(socket, &peer, peer_fd) ||
	    !has_room(socket->server, &peer)) {
		close(peer_fd);
		return 0;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection) {
		close(peer_fd);
		return 0;
	}
	connection->socket = socket;
	connection->peer = peer;
	connection->fd = peer_fd;
	connection->next = socket->server->connections;
	socket->server->connections = connection;
	if (connection_start(connection) < 0)
		connection_free(connection);
	return 0;
}

static int socket_start(struct server_socket *socket, int index,
			struct svcenc_fault *fault)
{
	struct agent *agent = socket->server->agent;
	char path[SVCENC_PATH_MAX];
	const struct group *group = NULL;
	mode_t mode = 0600;

	if (kinds[index].group)
		group = getgrnam(kinds[index].group);
	socket->role = kinds[index].role;
	socket->has_group = group != NULL;
	if (group) {
		socket->group = group->gr_gid;
		mode = 0660;
	} else if (!kinds[index].group) {
		mode = 0666;
	}
	snprintf(path, sizeof(path), "%s/%s.sock", agent->paths.run,
		 kinds[index].name);
	socket->fd = svcenc_proto_listen(path, mode,
					 group ? socket->group : (gid_t)-1);
	if (socket->fd < 0) {
		svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
				 "cannot listen on %s: %s", path,
				 strerror(-socket->fd));
		return svcenc_fault_hint(fault, "its directory must exist and "
						"be writable");
	}
	return sd_event_add_io(agent->event, &socket->source, socket->fd,
			       EPOLLIN, on_listener, socket);
}

int server_start(struct agent *agent, struct svcenc_fault *fault)
{
	struct server *server = calloc(1, sizeof(*server));
	int i, r = 0;

	if (!server)
		return svcenc_fault_memory(fault);
	server->agent = agent;
	agent->server = server;
	for (i = 0; i < SOCKETS; i++) {
		server->sockets[i].server = server;
		server->sockets[i].fd = -1;
	}
	for (i = 0; i < SOCKETS && r >= 0; i++)
		r = socket_start(&server->sockets[i], i, fault);
	return r < 0 ? r : 0;
}

void server_stop(struct agent *agent)
{
	struct server *server = agent->server;
	char path[SVCENC_PATH_MAX];
	int i;

	if (!server)
		return;
	while (server->connections)
		connection_free(server->connections);
	for (i = 0; i < SOCKETS; i++) {
		sd_event_source_disable_unref(server->sockets[i].source);
		if (server->sockets[i].fd < 0)
			continue;
		close(server->sockets[i].fd);
		snprintf(path, sizeof(path), "%s/%s.sock", agent->paths.run,
			 kinds[i].name);
		(void)unlink(path);
	}
	free(server);
	agent->server = NULL;
}
