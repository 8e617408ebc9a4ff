// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Netlink messages and keys. What would rightly end the steady volume's key,
 * or shorten its lease, is not made.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuzz.h"
#include "genl.h"
#include "linux/dm-svcenc.h"

enum { STEADY_LEASE_S = 7200, VERSIONS = 8, WIRE = 1024 };

/* ---------------------------------------------------------------- netlink */

static void put_lease(const struct fuzz_world *world, struct genl_message *msg)
{
	const bool steady = fuzz_chance(4);
	char key[FUZZ_TEXT];
	uint32_t lease_s = STEADY_LEASE_S;

	snprintf(key, sizeof(key), "%s",
		 steady ? world->steady.id.desc : world->victim.id.desc);
	if (!steady && fuzz_chance(3))
		lease_s = (uint32_t)fuzz_number();
	if (!steady && fuzz_chance(4))
		fuzz_mutate(key, sizeof(key) / 8);
	genl_put(msg, SVCENC_ATTR_KEY, key, strlen(key) + !fuzz_chance(8));
	if (!fuzz_chance(8))
		genl_put(msg, SVCENC_ATTR_LEASE_S, &lease_s,
			 fuzz_chance(8) ? fuzz_below(4) : 4);
}

/* An attribute of any type, with any length, that may lie about it. */
static void put_hostile(struct genl_message *msg)
{
	static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 8, 0x7fff, 0xffff };
	uint8_t bytes[256];
	struct nlattr *attr = (void *)((char *)msg + msg->head.nlmsg_len);
	uint32_t i, size = fuzz_below(sizeof(bytes));
	/* A lease of random bytes must not meet the steady key. */
	uint16_t type = (uint16_t)fuzz_below(SVCENC_ATTR_MAX + 4);

	if (msg->head.nlmsg_len > WIRE)
		return;
	if (type == SVCENC_ATTR_LEASE_S)
		type = SVCENC_ATTR_REASON;
	if (fuzz_chance(3))
		type |= fuzz_chance(2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
	for (i = 0; i < size; i++)
		bytes[i] = (uint8_t)fuzz_random();
	genl_put(msg, type, bytes, size);
	if (fuzz_chance(2))
		attr->nla_len = lengths[fuzz_below(8)];
}

static void put_nested(struct genl_message *msg)
{
	uint32_t depth = 1 + fuzz_below(64);
	struct nlattr nest[64];
	uint32_t i;

	for (i = 0; i < depth; i++) {
		nest[i].nla_type = (uint16_t)fuzz_below(SVCENC_ATTR_MAX) |
				   NLA_F_NESTED;
		nest[i].nla_len = (uint16_t)((depth - i) * sizeof(nest[0]));
	}
	if (msg->head.nlmsg_len < WIRE)
		genl_put(msg,
			 (uint16_t)(1 + fuzz_below(SVCENC_ATTR_MAX)) |
				 NLA_F_NESTED,
			 nest, depth * sizeof(nest[0]));
}

/* Returns how many bytes to send, which need not be what the header says. */
static size_t mutate_head(struct genl_message *msg)
{
	size_t size = msg->head.nlmsg_len;

	switch (fuzz_below(6)) {
	case 0:
		msg->head.nlmsg_len = (uint32_t)fuzz_number();
		break;
	case 1:
		size = 1 + fuzz_below((uint32_t)size);
		break;
	case 2:
		msg->head.nlmsg_flags = (uint16_t)fuzz_random();
		break;
	case 3:
		msg->genl.cmd = (uint8_t)fuzz_random();
		break;
	case 4:
		msg->genl.version = (uint8_t)fuzz_random();
		msg->genl.reserved = (uint16_t)fuzz_random();
		break;
	default:
		size += 4 * fuzz_below(32);
	}
	return size;
}

int fuzz_netlink(const struct fuzz_world *world)
{
	static struct genl_message msg;
	const uint8_t command = (uint8_t)(1 + fuzz_below(5));
	const bool dump = command <= SVCENC_CMD_GET_KEYS;
	const int fd = genl_open();
	size_t size;
	int rc;

	if (fd < 0)
		return fd;
	genl_begin(&msg, world->family,
		   dump != fuzz_chance(8) ? NLM_F_DUMP : NLM_F_ACK, command);
	if (command == SVCENC_CMD_LEASE || fuzz_chance(8))
		put_lease(world, &msg);
	while (fuzz_chance(4))
		put_hostile(&msg);
	if (fuzz_chance(16))
		put_nested(&msg);
	size = fuzz_chance(6) ? mutate_head(&msg) : msg.head.nlmsg_len;
	rc = genl_talk(fd, &msg, size, NULL);
	close(fd);
	return rc;
}

/* ------------------------------------------------------------------- keys */

static const struct volume *pick_key(const struct fuzz_world *world)
{
	const struct volume *keys[] = { &world->victim.id, &world->victim.id,
					&world->fresh.id, &world->next };

	return keys[fuzz_below(4)];
}

static int add_hostile(const struct fuzz_world *world)
{
	const bool steady = fuzz_chance(6);
	const struct volume *key = steady ? &world->steady.id : pick_key(world);
	uint8_t payload[VOLUME_PAYLOAD_BYTES + 64] = { 0 };
	size_t size = VOLUME_PAYLOAD_BYTES;
	char desc[FUZZ_TEXT];
	uint32_t lease_s = STEADY_LEASE_S;

	if (!steady && fuzz_chance(3))
		lease_s = fuzz_chance(2) ? 1 + fuzz_below(100) :
					   (uint32_t)fuzz_number();
	key_payload(key, lease_s, payload);
	snprintf(desc, sizeof(desc), "%s", key->desc);
	if (fuzz_chance(6)) /* another version of it, from a small set */
		desc[strlen(desc) - 1] = (char)('1' + fuzz_below(VERSIONS));
	else if (!steady && fuzz_chance(6))
		fuzz_mutate(desc, sizeof(desc) / 4);
	if (fuzz_chance(6)) /* other bytes of that name, or another version */
		payload[fuzz_chance(4) ? fuzz_below(4) : 8 + fuzz_below(32)] ^=
			(uint8_t)(1 << fuzz_below(8));
	if (fuzz_chance(8))
		size = fuzz_below(sizeof(payload));
	return syscall(SYS_add_key, "svcenc", desc, payload, size,
		       world->keyring) < 0 ?
		       -errno :
		       0;
}

static int control_hostile(const struct fuzz_world *world)
{
	static const int operations[] = {
		KEYCTL_REVOKE, KEYCTL_INVALIDATE,  KEYCTL_UNLINK,
		KEYCTL_READ,   KEYCTL_SET_TIMEOUT, KEYCTL_DESCRIBE,
		KEYCTL_UPDATE, KEYCTL_CHOWN,	   KEYCTL_GET_SECURITY,
		KEYCTL_LINK,
	};
	const int operation = operations[fuzz_below(10)];
	const int serial = key_search(pick_key(world)->desc, world->keyring);
	static char bytes[VOLUME_PAYLOAD_BYTES];
	long rc;

	if (serial < 0)
		return serial;
	switch (operation) {
	case KEYCTL_UNLINK:
	case KEYCTL_LINK:
		rc = syscall(SYS_keyctl, operation, serial, world->keyring);
		break;
	case KEYCTL_SET_TIMEOUT:
		rc = syscall(SYS_keyctl, operation, serial, 1 + fuzz_below(9));
		break;
	case KEYCTL_CHOWN:
		rc = syscall(SYS_keyctl, operation, serial, 0, 0);
		break;
	default:
		rc = syscall(SYS_keyctl, operation, serial, bytes,
			     sizeof(bytes));
	}
	return rc < 0 ? -errno : 0;
}

int fuzz_key(const struct fuzz_world *world)
{
	return fuzz_chance(3) ? control_hostile(world) : add_hostile(world);
}
