// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests and events of family "svcenc". The kernel's own errno is taken
 * from its error message: libnl's codes fold many of them into one.
 */
#include "genl.h"

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "genl_attr.h"
#include "linux/dm-svcenc.h"

enum {
	ANSWER_DEADLINE_S = 5,
	DUMP_TRIES = 10,
	EVENTS_BUFFER_BYTES = 1 << 20,
	EVENTS_PER_READ = 4096, /* messages; then back to the event loop */
};

struct sys_genl {
	struct nl_sock *sock; /* NULL: to be connected anew */
	int family;
};

/* libnl's negative code, where no kernel errno is at hand. */
static int from_nl(int code)
{
	switch (-code) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_AGAIN:
		return -ETIMEDOUT;
	case NLE_OBJ_NOTFOUND:
		return -ENOPKG;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	}
	return -EBADMSG;
}

static void set_deadline(struct nl_sock *sock)
{
	const struct timeval deadline = { .tv_sec = ANSWER_DEADLINE_S };

	(void)setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO,
			 &deadline, sizeof(deadline));
}

/* Connects and resolves the family. */
static int connect_family(struct nl_sock **ret_sock, int *ret_family)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return -ENOMEM;
	r = genl_connect(sock);
	if (r < 0)
		goto err_free;
	set_deadline(sock);
	r = genl_ctrl_resolve(sock, SVCENC_GENL_NAME);
	if (r < 0)
		goto err_free;
	*ret_sock = sock;
	*ret_family = r;
	return 0;

err_free:
	nl_socket_free(sock);
	return from_nl(r);
}

static void disconnect(struct sys_genl *genl)
{
	nl_socket_free(genl->sock);
	genl->sock = NULL;
}

int sys_genl_open(struct sys_genl **ret)
{
	struct sys_genl *genl = calloc(1, sizeof(*genl));
	int r;

	if (!genl)
		return -ENOMEM;
	r = connect_family(&genl->sock, &genl->family);
	if (r < 0) {
		free(genl);
		return r;
	}
	*ret = genl;
	return 0;
}

struct sys_genl *sys_genl_close(struct sys_genl *genl)
{
	if (genl)
		disconnect(genl);
	free(genl);
	return NULL;
}

/* One request, its answers collected in an array of @size-byte elements. */
struct request {
	int command;
	int flags;			  /* NLM_F_DUMP or 0 */
	const struct svcenc_keyid *lease; /* KEY and LEASE_S, or NULL */
	u32 lease_s;
	int (*parse)(struct nlmsghdr *header, void *element); /* or NULL */
	size_t size;

	void *elements;
	size_t count;
	bool done;
	bool interrupted; /* the dump is not of one moment */
	bool answered;	  /* error is the kernel's own */
	int error;
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct request *request = arg;
	void *larger;

	if (!request->parse || request->error)
		return NL_OK;
	larger = reallocarray(request->elements, request->count + 1,
			      request->size);
	if (!larger) {
		request->error = -ENOMEM;
		return NL_OK;
	}
	request->elements = larger;
	request->error =
		request->parse(nlmsg_hdr(msg),
			       (char *)larger + request->count * request->size);
	if (!request->error)
		request->count++;
	return NL_OK;
}

static int on_done(struct nl_msg *msg, void *arg)
{
	struct request *request = arg;

	(void)msg;
	request->done = true;
	return NL_STOP;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct request *request = arg;

	(void)msg;
	request->interrupted = true;
	return NL_OK;
}

static int on_error(struct sockaddr_nl *peer, struct nlmsgerr *error, void *arg)
{
	struct request *request = arg;

	(void)peer;
	request->done = true;
	request->answered = true;
	request->error = error->error;
	return NL_STOP;
}

static int send_request(struct sys_genl *genl, const struct request *request)
{
	struct nl_msg *msg = nlmsg_alloc();
	char key[SVCENC_KEYID_TEXT + 1];
	int r = -ENOMEM;

	if (!msg)
		return -ENOMEM;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, genl->family, 0,
			 request->flags, request->command, SVCENC_GENL_VERSION))
		goto out;
	if (request->lease) {
		svcenc_keyid_print(request->lease, key);
		if (nla_put_string(msg, SVCENC_ATTR_KEY, key) ||
		    nla_put_u32(msg, SVCENC_ATTR_LEASE_S, request->lease_s))
			goto out;
	}
	r = nl_send_auto(genl->sock, msg);
	r = r < 0 ? from_nl(r) : 0;
out:
	nlmsg_free(msg);
	return r;
}

static int receive_answers(struct sys_genl *genl, struct request *request)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int r = 0;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, request);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_done, request);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_done, request);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, request);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, request);
	while (!request->done && r >= 0)
		r = nl_recvmsgs(genl->sock, cb);
	nl_cb_put(cb);
	if (request->done || r == -NLE_DUMP_INTR)
		return request->error;
	return from_nl(r);
}

static void drop_answers(struct request *request)
{
	free(request->elements);
	request->elements = NULL;
	request->count = 0;
	request->done = false;
	request->interrupted = false;
	request->answered = false;
	request->error = 0;
}

/* One try on the present socket; reconnects first if there is none. */
static int try_request(struct sys_genl *genl, struct request *request)
{
	int r = 0;

	drop_answers(request);
	if (!genl->sock)
		r = connect_family(&genl->sock, &genl->family);
	if (r < 0)
		return r;
	r = send_request(genl, request);
	if (r == 0)
		r = receive_answers(genl, request);
	/* Whatever is still under way must not answer the next request. */
	if ((r < 0 && !request->answered) || request->interrupted)
		disconnect(genl);
	return r;
}

/* On an error nothing is left in @request->elements. */
static int run_request(struct sys_genl *genl, struct request *request)
{
	unsigned int tries;
	int r = 0;

	for (tries = 0; tries < DUMP_TRIES; tries++) {
		r = try_request(genl, request);
		if (r == -ENOENT && request->answered) {
			/* The family's number is gone: module reloaded. */
			disconnect(genl);
			continue;
		}
		if (r < 0 || !request->interrupted)
			break;
		r = -EAGAIN;
	}
	if (r < 0)
		drop_answers(request);
	return r;
}

static int parse_device(struct nlmsghdr *header, void *element)
{
	return sys_genl_parse_device(header, element);
}

static int parse_key(struct nlmsghdr *header, void *element)
{
	return sys_genl_parse_key(header, element);
}

static int parse_keyring(struct nlmsghdr *header, void *element)
{
	return sys_genl_parse_keyring(header, element);
}

int sys_genl_devices(struct sys_genl *genl, struct sys_genl_device **ret,
		     size_t *ret_count)
{
	struct request request = {
		.command = SVCENC_CMD_GET_DEVICES,
		.flags = NLM_F_DUMP,
		.parse = parse_device,
		.size = sizeof(**ret),
	};
	int r;

	r = run_request(genl, &request);
	if (r < 0)
		return r;
	*ret = request.elements;
	*ret_count = request.count;
	return 0;
}

int sys_genl_keys(struct sys_genl *genl, struct sys_genl_key **ret,
		  size_t *ret_count)
{
	struct request request = {
		.command = SVCENC_CMD_GET_KEYS,
		.flags = NLM_F_DUMP,
		.parse = parse_key,
		.size = sizeof(**ret),
	};
	int r;

	r = run_request(genl, &request);
	if (r < 0)
		return r;
	*ret = request.elements;
	*ret_count = request.count;
	return 0;
}

int sys_genl_keyring(struct sys_genl *genl, int32_t *ret_serial)
{
	struct request request = {
		.command = SVCENC_CMD_GET_KEYRING,
		.parse = parse_keyring,
		.size = sizeof(*ret_serial),
	};
	int r;

	r = run_request(genl, &request);
	if (r < 0)
		return r;
	if (request.count == 1)
		*ret_serial = *(int32_t *)request.elements;
	else
		r = -EBADMSG;
	free(request.elements);
	return r;
}

int sys_genl_lease(struct sys_genl *genl, const struct svcenc_keyid *id,
		   u32 lease_s)
{
	struct request request = {
		.command = SVCENC_CMD_LEASE,
		.lease = id,
		.lease_s = lease_s,
	};

	return run_request(genl, &request);
}

struct sys_genl_events {
	struct nl_sock *sock;
	sys_genl_event_fn fn;
	void *userdata;
	int calls; /* during one read */
};

static int on_event(struct nl_msg *msg, void *arg)
{
	struct sys_genl_events *events = arg;
	const struct genlmsghdr *header = genlmsg_hdr(nlmsg_hdr(msg));
	struct sys_genl_event event;

	/* What does not parse is of a later version: not for us. */
	if (header->cmd != SVCENC_CMD_EVENT ||
	    sys_genl_parse_event(nlmsg_hdr(msg), &event) < 0)
		return NL_OK;
	events->calls++;
	events->fn(&event, events->userdata);
	return NL_OK;
}

static int join_group(struct nl_sock *sock)
{
	int r;

	r = genl_ctrl_resolve_grp(sock, SVCENC_GENL_NAME, SVCENC_GENL_EVENTS);
	if (r < 0)
		return r;
	nl_socket_disable_seq_check(sock);
	(void)nl_socket_set_buffer_size(sock, EVENTS_BUFFER_BYTES, 0);
	r = nl_socket_add_membership(sock, r);
	if (r < 0)
		return r;
	return nl_socket_set_nonblocking(sock);
}

int sys_genl_events_open(sys_genl_event_fn fn, void *userdata,
			 struct sys_genl_events **ret)
{
	struct sys_genl_events *events = calloc(1, sizeof(*events));
	int family, r;

	if (!events)
		return -ENOMEM;
	events->fn = fn;
	events->userdata = userdata;
	r = connect_family(&events->sock, &family);
	if (r < 0)
		goto err_free;
	r = join_group(events->sock);
	if (r < 0) {
		r = from_nl(r);
		goto err_socket;
	}
	r = nl_socket_modify_cb(events->sock, NL_CB_VALID, NL_CB_CUSTOM,
				on_event, events);
	if (r < 0) {
		r = from_nl(r);
		goto err_socket;
	}
	*ret = events;
	return 0;

err_socket:
	nl_socket_free(events->sock);
err_free:
	free(events);
	return r;
}

struct sys_genl_events *sys_genl_events_close(struct sys_genl_events *events)
{
	if (events)
		nl_socket_free(events->sock);
	free(events);
	return NULL;
}

int sys_genl_events_fd(const struct sys_genl_events *events)
{
	return nl_socket_get_fd(events->sock);
}

int sys_genl_events_read(struct sys_genl_events *events)
{
	unsigned int i;
	int r;

	events->calls = 0;
	for (i = 0; i < EVENTS_PER_READ; i++) {
		r = nl_recvmsgs_default(events->sock);
		if (r == -NLE_AGAIN)
			break;
		if (r == -NLE_NOMEM) /* ENOBUFS: the kernel had to drop some */
			return -ENOBUFS;
		if (r < 0)
			return from_nl(r);
	}
	return events->calls;
}
