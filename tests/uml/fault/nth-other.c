// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations without a mapped device: keys, netlink, the module itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmraw.h"
#include "genl.h"
#include "linux/dm-svcenc.h"
#include "nth.h"

/* -------------------------------------------------------------------- keys */

static int drop_key(struct nth *nth)
{
	const int serial = key_search(nth->volume.desc, nth->keyring);
	int rc;

	if (serial < 0)
		return 0;
	/* revoke ends it at once, unlink lets the name be used again */
	rc = key_revoke(serial);
	return rc ? rc : key_unlink(serial, nth->keyring);
}

static int have_key(struct nth *nth)
{
	const int serial = key_add(&nth->volume, nth->keyring);

	return serial < 0 ? serial : 0;
}

static int inspect_no_key(struct nth *nth)
{
	const int serial = key_search(nth->volume.desc, nth->keyring);

	if (serial >= 0)
		return nth_wrong("the key is there: %d", serial);
	return 0;
}

static int verify_key(struct nth *nth)
{
	const int serial = key_search(nth->volume.desc, nth->keyring);

	if (serial < 0)
		return nth_wrong("the key is not there: %s", strerror(-serial));
	return 0;
}

static int act_revoke(struct nth *nth)
{
	return key_revoke(nth->file); /* its serial */
}

static int prepare_revoke(struct nth *nth)
{
	nth->file = key_add(&nth->volume, nth->keyring);
	return nth->file < 0 ? nth->file : 0;
}

static int verify_revoked(struct nth *nth)
{
	const int serial = key_search(nth->volume.desc, nth->keyring);

	if (serial != -EKEYREVOKED)
		return nth_wrong("the key is not revoked: %d", serial);
	return 0;
}

/* --------------------------------------------------------------- netlink */

static struct genl_message request;

static int prepare_netlink(struct nth *nth, uint16_t flags, uint8_t command)
{
	int rc, family;

	rc = have_key(nth);
	if (rc)
		return rc;
	nth->file = genl_open();
	if (nth->file < 0)
		return nth->file;
	family = genl_family(nth->file);
	if (family < 0)
		return family;
	genl_begin(&request, family, flags, command);
	return 0;
}

static int prepare_lease(struct nth *nth)
{
	const uint32_t lease_s = 3600;
	const int rc = prepare_netlink(nth, NLM_F_ACK, SVCENC_CMD_LEASE);

	genl_put(&request, SVCENC_ATTR_KEY, nth->volume.desc,
		 strlen(nth->volume.desc) + 1);
	genl_put(&request, SVCENC_ATTR_LEASE_S, &lease_s, sizeof(lease_s));
	return rc;
}

static int prepare_keyring(struct nth *nth)
{
	return prepare_netlink(nth, NLM_F_ACK, SVCENC_CMD_GET_KEYRING);
}

static int prepare_keys(struct nth *nth)
{
	return prepare_netlink(nth, NLM_F_DUMP, SVCENC_CMD_GET_KEYS);
}

static int prepare_devices(struct nth *nth)
{
	return prepare_netlink(nth, NLM_F_DUMP, SVCENC_CMD_GET_DEVICES);
}

static int act_netlink(struct nth *nth)
{
	return genl_talk(nth->file, &request, request.head.nlmsg_len, NULL);
}

/* A failed conversation may have left something in the socket. */
static int again_netlink(struct nth *nth)
{
	close(nth->file);
	nth->file = genl_open();
	return nth->file < 0 ? nth->file : act_netlink(nth);
}

static int undo_netlink(struct nth *nth)
{
	close(nth->file);
	return verify_key(nth);
}

/* ---------------------------------------------------------------- module */

static int prepare_module(struct nth *nth)
{
	nth->file = open(nth->module, O_RDONLY | O_CLOEXEC);
	return nth->file < 0 ? -errno : 0;
}

static int act_module(struct nth *nth)
{
	return syscall(SYS_finit_module, nth->file, "", 0) ? -errno : 0;
}

static int inspect_module(struct nth *nth)
{
	const int fd = genl_open();
	const int family = genl_family(fd);

	close(fd);
	if (!access("/sys/module/dm_svcenc", F_OK))
		return nth_wrong("/sys/module/dm_svcenc is there");
	if (dmraw_has_target("svcenc"))
		return nth_wrong("the target is registered");
	if (family >= 0)
		return nth_wrong("the netlink family is registered");
	if (syscall(SYS_add_key, "svcenc", nth->volume.desc, "", 0, -2) >= 0 ||
	    errno != ENODEV)
		return nth_wrong("the key type is registered");
	return 0;
}

static int verify_module(struct nth *nth)
{
	const int keyring = key_keyring();

	if (!dmraw_has_target("svcenc") || keyring < 0)
		return nth_wrong("target or keyring is missing");
	nth->keyring = keyring;
	return have_key(nth) ? nth_wrong("no key can be added") : 0;
}

static int undo_module(struct nth *nth)
{
	int rc = 0;

	close(nth->file);
	if (!access("/sys/module/dm_svcenc", F_OK) &&
	    syscall(SYS_delete_module, "dm_svcenc", O_NONBLOCK))
		rc = nth_wrong("the module does not unload: %s",
			       strerror(errno));
	return rc ? rc : inspect_module(nth);
}

const struct nth_operation nth_other_operations[] = {
	{ "add-key", false, false, drop_key, have_key, inspect_no_key, NULL,
	  verify_key, drop_key },
	{ "add-key-again", false, false, have_key, have_key, verify_key, NULL,
	  verify_key, drop_key },
	{ "revoke", false, true, prepare_revoke, act_revoke, NULL, NULL,
	  verify_revoked, drop_key },
	{ "lease", false, false, prepare_lease, act_netlink, verify_key,
	  again_netlink, verify_key, undo_netlink },
	{ "get-keyring", false, false, prepare_keyring, act_netlink, verify_key,
	  again_netlink, verify_key, undo_netlink },
	{ "get-keys", false, false, prepare_keys, act_netlink, verify_key,
	  again_netlink, verify_key, undo_netlink },
	{ "get-devices", false, false, prepare_devices, act_netlink, verify_key,
	  again_netlink, verify_key, undo_netlink },
	{ "module-load", false, false, prepare_module, act_module,
	  inspect_module, NULL, verify_module, undo_module },
	{ .name = NULL },
};
