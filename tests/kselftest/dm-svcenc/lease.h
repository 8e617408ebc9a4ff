/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases by generic netlink, in process and with nothing else, so that a
 * thread can renew one in a loop. What a request may look like, and what else
 * the family offers, svcenc-genl.c knows.
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

/* 1: a live key of that name is listed; 0: none is; or negative errno. */
int lease_is_live(const struct lease_socket *socket, const char *description);

/* From now on @lease_s for key @description. 0 or negative errno. */
int lease_renew(const struct lease_socket *socket, const char *description,
		uint32_t lease_s);

#endif
