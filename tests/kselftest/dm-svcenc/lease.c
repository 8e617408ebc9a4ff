// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lease.h"
#include "linux/dm-svcenc.h"

struct request {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	uint8_t attrs[256];
};

static void begin(struct request *request, uint16_t family, uint8_t command)
{
	memset(request, 0, sizeof(*request));
	request->head.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	request->head.nlmsg_type = family;
	request->head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->genl.cmd = command;
	request->genl.version = 1;
}

static void put(struct request *request, uint16_t type, const void *data,
		size_t size)
{
	struct nlattr *attr =
		(void *)((char *)request + request->head.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((char *)attr + NLA_HDRLEN, data, size);
	request->head.nlmsg_len += (uint32_t)(NLA_HDRLEN + NLA_ALIGN(size));
}

/* The id in the answer about a family; 0 when it is not in there. */
static uint16_t family_id(const struct nlmsghdr *head)
{
	const char *at = (const char *)NLMSG_DATA(head) + GENL_HDRLEN;
	const char *end = (const char *)head + head->nlmsg_len;
	uint16_t id = 0;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&id, at + NLA_HDRLEN, sizeof(id));
		at += NLA_ALIGN(attr->nla_len);
	}
	return id;
}

/* Sends, and reads to the acknowledgement; @ret_family may be NULL. */
static int talk(int fd, const struct request *request, uint16_t *ret_family)
{
	char buffer[8192] __attribute__((aligned(8)));

	if (send(fd, request, request->head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t len = recv(fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *head = (void *)buffer;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
			const struct nlmsgerr *answer = NLMSG_DATA(head);

			if (head->nlmsg_type == NLMSG_ERROR)
				return answer->error;
			if (ret_family)
				*ret_family = family_id(head);
		}
	}
}

int lease_connect(struct lease_socket *ret)
{
	struct request request;
	int rc;

	ret->family = 0;
	ret->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (ret->fd < 0)
		return -errno;
	begin(&request, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&request, CTRL_ATTR_FAMILY_NAME, SVCENC_GENL_NAME,
	    sizeof(SVCENC_GENL_NAME));
	rc = talk(ret->fd, &request, &ret->family);
	if (!rc && !ret->family)
		rc = -ENOENT;
	if (rc)
		close(ret->fd);
	return rc;
}

static bool names_key(const struct nlmsghdr *head, const char *description)
{
	const char *at = (const char *)NLMSG_DATA(head) + GENL_HDRLEN;
	const char *end = (const char *)head + head->nlmsg_len;

	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attr = (const void *)at;

		if (attr->nla_len < NLA_HDRLEN)
			break;
		if (attr->nla_type == SVCENC_ATTR_KEY &&
		    !strcmp(at + NLA_HDRLEN, description))
			return true;
		at += NLA_ALIGN(attr->nla_len);
	}
	return false;
}

int lease_is_live(const struct lease_socket *socket, const char *description)
{
	char buffer[16384] __attribute__((aligned(8)));
	struct request request;
	bool live = false;

	begin(&request, socket->family, SVCENC_CMD_GET_KEYS);
	request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (send(socket->fd, &request, request.head.nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t len = recv(socket->fd, buffer, sizeof(buffer), 0);
		struct nlmsghdr *head = (void *)buffer;

		if (len < 0)
			return -errno;
		for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
			const struct nlmsgerr *answer = NLMSG_DATA(head);

			if (head->nlmsg_type == NLMSG_ERROR)
				return answer->error;
			if (head->nlmsg_type == NLMSG_DONE)
				return live;
			live |= names_key(head, description);
		}
	}
}

int lease_renew(const struct lease_socket *socket, const char *description,
		uint32_t lease_s)
{
	struct request request;

	begin(&request, socket->family, SVCENC_CMD_LEASE);
	put(&request, SVCENC_ATTR_KEY, description, strlen(description) + 1);
	put(&request, SVCENC_ATTR_LEASE_S, &lease_s, sizeof(lease_s));
	return talk(socket->fd, &request, NULL);
}
