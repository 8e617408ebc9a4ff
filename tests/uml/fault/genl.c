// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "genl.h"
#include "linux/dm-svcenc.h"

static char answer[64 << 10] __attribute__((aligned(8)));

int genl_open(void)
{
	/* The kernel answers within send(), so nobody ever has to wait. */
	const int fd = socket(AF_NETLINK,
			      SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			      NETLINK_GENERIC);

	return fd < 0 ? -errno : fd;
}

void genl_begin(struct genl_message *msg, int family, uint16_t flags,
		uint8_t command)
{
	memset(msg, 0, sizeof(*msg));
	msg->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	msg->head.nlmsg_type = (uint16_t)family;
	msg->head.nlmsg_flags = NLM_F_REQUEST | flags;
	msg->head.nlmsg_seq = 1;
	msg->genl.cmd = command;
	msg->genl.version = 1;
}

void genl_put(struct genl_message *msg, uint16_t type, const void *data,
	      size_t size)
{
	struct nlattr *attr = (void *)((char *)msg + msg->head.nlmsg_len);

	if (msg->head.nlmsg_len + NLA_HDRLEN + NLA_ALIGN(size) > sizeof(*msg))
		return;
	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((char *)attr + NLA_HDRLEN, data, size);
	msg->head.nlmsg_len += (uint32_t)(NLA_HDRLEN + NLA_ALIGN(size));
}

/* Takes one datagram. True: the conversation is over, with *@ret_rc. */
static bool take(const char *bytes, ssize_t len, unsigned int *messages,
		 int *ret_rc)
{
	const struct nlmsghdr *head = (const void *)bytes;

	for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
		const int *error = NLMSG_DATA(head);

		if (head->nlmsg_type == NLMSG_ERROR ||
		    head->nlmsg_type == NLMSG_DONE) {
			/* A refused dump says so at its end. */
			*ret_rc =
				head->nlmsg_len >= NLMSG_LENGTH(sizeof(int)) &&
						*error < 0 ?
					*error :
					0;
			return true;
		}
		++*messages;
	}
	return false;
}

int genl_talk(int fd, const struct genl_message *msg, size_t size,
	      unsigned int *ret_messages)
{
	unsigned int messages = 0;
	int rc = 0;

	if (send(fd, msg, size, 0) < 0)
		return -errno;
	for (;;) {
		const ssize_t len = recv(fd, answer, sizeof(answer), 0);

		if (len < 0)
			return -errno;
		if (take(answer, len, &messages, &rc))
			break;
	}
	if (ret_messages)
		*ret_messages = messages;
	return rc;
}

/* ------------------------------------------------------------- the family */

/* The first attribute of @type in @size bytes at @at; NULL if there is none. */
static const struct nlattr *find_attr(const char *at, size_t size,
				      uint16_t type)
{
	const char *end = at + size;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

static const struct nlattr *inside(const struct nlattr *outer, uint16_t type)
{
	return find_attr((const char *)outer + NLA_HDRLEN,
			 outer->nla_len - NLA_HDRLEN, type);
}

/* Asks for what is known of the family; its attribute @type. 0 or -errno. */
static int ask_family(int fd, uint16_t type, const struct nlattr **ret)
{
	const struct nlmsghdr *head = (const void *)answer;
	struct genl_message msg;

	genl_begin(&msg, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	genl_put(&msg, CTRL_ATTR_FAMILY_NAME, SVCENC_GENL_NAME,
		 sizeof(SVCENC_GENL_NAME));
	if (send(fd, &msg, msg.head.nlmsg_len, 0) < 0 ||
	    recv(fd, answer, sizeof(answer), 0) < 0)
		return -errno;
	if (head->nlmsg_type == NLMSG_ERROR)
		return *(const int *)NLMSG_DATA(head);
	*ret = find_attr((const char *)NLMSG_DATA(head) + GENL_HDRLEN,
			 head->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), type);
	return *ret ? 0 : -EBADMSG;
}

int genl_family(int fd)
{
	const struct nlattr *attr;
	const int rc = ask_family(fd, CTRL_ATTR_FAMILY_ID, &attr);
	uint16_t number;

	if (rc)
		return rc;
	memcpy(&number, (const char *)attr + NLA_HDRLEN, sizeof(number));
	return number;
}

int genl_group(int fd, const char *name, uint32_t *ret_group)
{
	const struct nlattr *groups, *group, *attr;
	uint16_t i;
	int rc;

	rc = ask_family(fd, CTRL_ATTR_MCAST_GROUPS, &groups);
	for (i = 1; !rc; i++) {
		group = inside(groups, i);
		attr = group ? inside(group, CTRL_ATTR_MCAST_GRP_NAME) : NULL;
		if (!attr)
			return -ENOENT;
		if (strcmp((const char *)attr + NLA_HDRLEN, name))
			continue;
		attr = inside(group, CTRL_ATTR_MCAST_GRP_ID);
		if (!attr)
			return -EBADMSG;
		memcpy(ret_group, (const char *)attr + NLA_HDRLEN,
		       sizeof(*ret_group));
		return 0;
	}
	return rc;
}
