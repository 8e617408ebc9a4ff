/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes of family "svcenc" to structs, private to agent/sys. Each
 * function returns 0 or -EBADMSG (an attribute is missing or malformed).
 */
#ifndef SVCENC_SYS_GENL_ATTR_H
#define SVCENC_SYS_GENL_ATTR_H

#include <netlink/netlink.h>

#include "genl.h"

int sys_genl_parse_device(struct nlmsghdr *header, struct sys_genl_device *ret);
int sys_genl_parse_key(struct nlmsghdr *header, struct sys_genl_key *ret);
int sys_genl_parse_keyring(struct nlmsghdr *header, int32_t *ret);
/* What an event does not carry is zero or "". */
int sys_genl_parse_event(struct nlmsghdr *header, struct sys_genl_event *ret);

#endif
