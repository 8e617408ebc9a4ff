/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Renewal of a lease by generic netlink, in process and with nothing else, so
 * that a thread can do it in a loop. What a request may look like, and what
 * else the family offers, svcenc-genl.c knows.
 */
#ifndef SVCENC_TEST_LEASE_H
#define SVCENC_TEST_LEASE_H

#include <stdint.h>

struct lease_socket {
	int fd;
	uint16_t family;
};

/* 0 or negative errno. */
int lease_connect(struct lease_socket *ret);

/* From now on @lease_s for key @description. 0 or negative errno. */
int lease_renew(const struct lease_socket *socket, const char *description,
		uint32_t lease_s);

#endif
