/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Generic netlink by hand to the family "svcenc": messages are built byte by
 * byte, so they can be wrong in any way. A socket per conversation; errors are
 * returned, never fatal.
 */
#ifndef SVCENC_TEST_GENL_H
#define SVCENC_TEST_GENL_H

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct genl_message {
	struct nlmsghdr head;
	struct genlmsghdr genl;
	uint8_t attrs[4096];
};

/* fd or -errno. */
int genl_open(void);

/* Number of the family, or -errno (-ENOENT: it is not registered). */
int genl_family(int fd);

/* Number of one of its multicast groups; 0 or -errno. */
int genl_group(int fd, const char *name, uint32_t *ret_group);

void genl_begin(struct genl_message *msg, int family, uint16_t flags,
		uint8_t command);
void genl_put(struct genl_message *msg, uint16_t type, const void *data,
	      size_t size);

/*
 * Sends @size bytes of @msg and takes answers until the last one. Returns
 * what the kernel said: 0 or -errno (-EAGAIN: nothing). *@ret_messages counts
 * the answers but acknowledgement and end; NULL: not wanted.
 */
int genl_talk(int fd, const struct genl_message *msg, size_t size,
	      unsigned int *ret_messages);

#endif
