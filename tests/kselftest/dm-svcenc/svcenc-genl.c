// SPDX-License-Identifier: GPL-2.0-only
/*
 * Speaks generic netlink to the family "svcenc" by hand, so that a test can
 * send what no library would: any attributes, in hex.
 *
 *   svcenc-genl devices | keys | keyring     a line per message
 *   svcenc-genl devices COMMAND              the same, with COMMAND run by the
 *                                            shell after the first part
 *   svcenc-genl lease KEY SECONDS            exit status 0, or the error
 *   svcenc-genl raw COMMAND dump|do HEX      attributes as they are
 *   svcenc-genl listen                       "listening", then a line per
 *                                            event, until killed
 *
 * Attributes are printed as NAME=VALUE in the order they came. An error goes
 * to stderr with its text; exit status 1.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux/dm-svcenc.h"
#include "names.h"

struct message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	uint8_t attrs[4096];
};

struct family {
	uint16_t id;
	uint32_t events; /* multicast group */
};

enum attr_kind { KIND_TEXT, KIND_U32, KIND_U64 };

static const struct {
	const char *name;
	enum attr_kind kind;
} attributes[] = {
	[SVCENC_ATTR_DEVNO] = { "DEVNO", KIND_TEXT },
	[SVCENC_ATTR_UUID] = { "UUID", KIND_TEXT },
	[SVCENC_ATTR_KEY] = { "KEY", KIND_TEXT },
	[SVCENC_ATTR_CHECK] = { "CHECK", KIND_TEXT },
	[SVCENC_ATTR_STATE] = { "STATE", KIND_U32 },
	[SVCENC_ATTR_EPOCH] = { "EPOCH", KIND_U64 },
	[SVCENC_ATTR_SEQ] = { "SEQ", KIND_U64 },
	[SVCENC_ATTR_SECTORS] = { "SECTORS", KIND_U64 },
	[SVCENC_ATTR_ROTATION_DONE] = { "ROTATION_DONE", KIND_U64 },
	[SVCENC_ATTR_ROTATION_TOTAL] = { "ROTATION_TOTAL", KIND_U64 },
	[SVCENC_ATTR_LEASE_S] = { "LEASE_S", KIND_U32 },
	[SVCENC_ATTR_LEASE_LEFT_MS] = { "LEASE_LEFT_MS", KIND_U64 },
	[SVCENC_ATTR_DEVICES] = { "DEVICES", KIND_U32 },
	[SVCENC_ATTR_KEYRING] = { "KEYRING", KIND_U32 },
	[SVCENC_ATTR_EVENT] = { "EVENT", KIND_U32 },
	[SVCENC_ATTR_TIME_MS] = { "TIME_MS", KIND_U64 },
	[SVCENC_ATTR_REASON] = { "REASON", KIND_TEXT },
	[SVCENC_ATTR_ROTATION] = { "ROTATION", KIND_U32 },
};

static int fd;

__attribute__((noreturn)) static void fail(const char *what, int error)
{
	fprintf(stderr, "svcenc-genl: %s: %s\n", what, strerror(error));
	exit(1);
}

/* ------------------------------------------------------------- requests */

static void begin(struct message *msg, uint16_t type, uint16_t flags,
		  uint8_t command)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	msg->head.nlmsg_type = type;
	msg->head.nlmsg_flags = NLM_F_REQUEST | flags;
	msg->head.nlmsg_seq = 1;
	msg->genl.cmd = command;
	msg->genl.version = 1;
}

static void put(struct message *msg, uint16_t type, const void *data,
		size_t size)
{
	struct nlattr *attr = (void *)((char *)msg + msg->head.nlmsg_len);
	const size_t room = sizeof(*msg) - msg->head.nlmsg_len;

	if (NLA_HDRLEN + NLA_ALIGN(size) > room)
		fail("request", EMSGSIZE);
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((char *)attr + NLA_HDRLEN, data, size);
	msg->head.nlmsg_len += (uint32_t)(NLA_HDRLEN + NLA_ALIGN(size));
}

static void put_hex(struct message *msg, const char *hex)
{
	uint8_t *at = (uint8_t *)msg + msg->head.nlmsg_len;
	unsigned int byte;

	for (; hex[0] && hex[1]; hex += 2) {
		if (sscanf(hex, "%2x", &byte) != 1 ||
		    msg->head.nlmsg_len == sizeof(*msg))
			fail("attributes in hex", EINVAL);
		*at++ = (uint8_t)byte;
		msg->head.nlmsg_len++;
	}
}

static void send_message(const struct message *msg)
{
	if (send(fd, msg, msg->head.nlmsg_len, 0) < 0)
		fail("send", errno);
}

/* -------------------------------------------------------------- answers */

static uint64_t number(const struct nlattr *attr, enum attr_kind kind)
{
	const char *data = (const char *)attr + NLA_HDRLEN;
	uint64_t wide;
	uint32_t narrow;

	if (kind == KIND_U64) {
		memcpy(&wide, data, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, data, sizeof(narrow));
	return narrow;
}

static void print_attr(const struct nlattr *attr)
{
	const unsigned int type = attr->nla_type & NLA_TYPE_MASK;
	const char *data = (const char *)attr + NLA_HDRLEN;

	if (type == SVCENC_ATTR_PAD)
		return;
	if (type >= sizeof(attributes) / sizeof(attributes[0]) ||
	    !attributes[type].name) {
		printf("UNKNOWN_%u=? ", type);
		return;
	}
	printf("%s=", attributes[type].name);
	if (attributes[type].kind == KIND_TEXT)
		printf("%.*s ", attr->nla_len - (int)NLA_HDRLEN, data);
	else if (type == SVCENC_ATTR_EVENT)
		printf("%s ",
		       svcenc_event_text((unsigned int)number(attr, KIND_U32)));
	else
		printf("%" PRIu64 " ", number(attr, attributes[type].kind));
}

/* Calls @use for every attribute of a generic netlink message. */
static void each_attr(const struct nlmsghdr *head,
		      void (*use)(const struct nlattr *attr))
{
	const char *at = (const char *)NLMSG_DATA(head) + GENL_HDRLEN;
	const char *end = (const char *)head + head->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN || at + attr->nla_len > end)
			fail("answer", EBADMSG);
		use(attr);
		at += NLA_ALIGN(attr->nla_len);
	}
}

static void print_message(const struct nlmsghdr *head)
{
	each_attr(head, print_attr);
	putchar('\n');
}

static const char *meanwhile; /* run once, after the first part; or NULL */

static void run_meanwhile(void)
{
	const char *command = meanwhile;

	meanwhile = NULL;
	if (command && system(command))
		fail(command, ECHILD);
}

/* True when the answer is complete. */
static bool take(const struct nlmsghdr *head,
		 void (*use)(const struct nlmsghdr *head))
{
	const struct nlmsgerr *error = NLMSG_DATA(head);

	switch (head->nlmsg_type) {
	case NLMSG_ERROR:
		if (error->error)
			fail("refused", -error->error);
		return true;
	case NLMSG_DONE:
		/* A dump that was refused says so here. */
		if (head->nlmsg_len >= NLMSG_LENGTH(sizeof(int)) &&
		    error->error < 0)
			fail("refused", -error->error);
		return true;
	default:
		use(head);
		return false;
	}
}

static void receive(void (*use)(const struct nlmsghdr *head))
{
	static char buffer[4096]; /* the least, so that a dump has parts */
	bool done = false;

	while (!done) {
		ssize_t len = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *head = (void *)buffer;

		if (len < 0)
			fail("receive", errno);
		for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len))
			done |= take(head, use);
		fflush(stdout);
		run_meanwhile();
	}
}

/* --------------------------------------------------------------- family */

static struct family family;

static void take_group(const struct nlattr *list)
{
	const char *at = (const char *)list + NLA_HDRLEN;
	const char *end = (const char *)list + list->nla_len;

	/* One group only: a nest per group, with NAME and ID inside. */
	for (at += NLA_HDRLEN; at + NLA_HDRLEN <= end;) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_type == CTRL_ATTR_MCAST_GRP_ID)
			family.events = (uint32_t)number(attr, KIND_U32);
		at += NLA_ALIGN(attr->nla_len);
	}
}

static void take_family_attr(const struct nlattr *attr)
{
	if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
		memcpy(&family.id, (const char *)attr + NLA_HDRLEN,
		       sizeof(family.id));
	else if ((attr->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GROUPS)
		take_group(attr);
}

static void take_family(const struct nlmsghdr *head)
{
	each_attr(head, take_family_attr);
}

static void find_family(void)
{
	struct message msg;

	begin(&msg, GENL_ID_CTRL, NLM_F_ACK, CTRL_CMD_GETFAMILY);
	put(&msg, CTRL_ATTR_FAMILY_NAME, SVCENC_GENL_NAME,
	    sizeof(SVCENC_GENL_NAME));
	send_message(&msg);
	receive(take_family);
}

/* ------------------------------------------------------------- commands */

static int listen_events(void)
{
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &family.events,
		       sizeof(family.events)) < 0)
		fail("join", errno);
	puts("listening");
	fflush(stdout);
	for (;;)
		receive(print_message);
}

static int request(uint8_t command, uint16_t flags)
{
	struct message msg;

	begin(&msg, family.id, flags, command);
	send_message(&msg);
	receive(print_message);
	return 0;
}

static int lease(const char *key, const char *seconds)
{
	const uint32_t lease_s = (uint32_t)strtoul(seconds, NULL, 10);
	struct message msg;

	begin(&msg, family.id, NLM_F_ACK, SVCENC_CMD_LEASE);
	put(&msg, SVCENC_ATTR_KEY, key, strlen(key) + 1);
	put(&msg, SVCENC_ATTR_LEASE_S, &lease_s, sizeof(lease_s));
	send_message(&msg);
	receive(print_message);
	return 0;
}

static int raw(const char *command, const char *how, const char *hex)
{
	struct message msg;

	begin(&msg, family.id, !strcmp(how, "dump") ? NLM_F_DUMP : NLM_F_ACK,
	      (uint8_t)atoi(command));
	put_hex(&msg, hex);
	send_message(&msg);
	receive(print_message);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		fail("socket", errno);
	find_family();
	if ((argc == 2 || argc == 3) && !strcmp(verb, "devices")) {
		meanwhile = argv[2]; /* NULL behind the last */
		return request(SVCENC_CMD_GET_DEVICES, NLM_F_DUMP);
	}
	if (argc == 2 && !strcmp(verb, "keys"))
		return request(SVCENC_CMD_GET_KEYS, NLM_F_DUMP);
	if (argc == 2 && !strcmp(verb, "keyring"))
		return request(SVCENC_CMD_GET_KEYRING, NLM_F_ACK);
	if (argc == 4 && !strcmp(verb, "lease"))
		return lease(argv[2], argv[3]);
	if (argc == 5 && !strcmp(verb, "raw"))
		return raw(argv[2], argv[3], argv[4]);
	if (argc == 2 && !strcmp(verb, "listen"))
		return listen_events();
	fputs("usage: svcenc-genl devices|keys|keyring|listen\n"
	      "       svcenc-genl devices COMMAND\n"
	      "       svcenc-genl lease KEY SECONDS\n"
	      "       svcenc-genl raw COMMAND dump|do HEX\n",
	      stderr);
	return 2;
}
