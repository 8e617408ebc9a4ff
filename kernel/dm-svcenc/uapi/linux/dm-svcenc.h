/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * Generic netlink interface of dm-svcenc.
 *
 * Family "svcenc", version 1, initial network namespace only.
 *
 * Commands (request -> reply; all need CAP_SYS_ADMIN, else -EPERM):
 *
 *   SVCENC_CMD_GET_DEVICES   dump. One message per mapped device that has a
 *                            loaded and resumed table:
 *                            DEVNO, UUID, KEY, STATE, EPOCH, SEQ, SECTORS,
 *                            ROTATION_DONE, ROTATION_TOTAL, ROTATION.
 *   SVCENC_CMD_GET_KEYS      dump. One message per live policy key:
 *                            KEY, CHECK, LEASE_S, LEASE_LEFT_MS, DEVICES.
 *   SVCENC_CMD_GET_KEYRING   -> KEYRING, the serial of ".svcenc".
 *   SVCENC_CMD_LEASE         KEY, LEASE_S -> ACK. Renews the lease of a live
 *                            key: it now ends LEASE_S seconds of
 *                            CLOCK_BOOTTIME from the receipt of this command.
 *                            May shorten. Carries no key bytes.
 *                            -EINVAL: attribute missing, malformed or out of
 *                            range; -ENOKEY: no live key of that name.
 *
 * Multicast group "events" (to join needs CAP_SYS_ADMIN, or CAP_NET_ADMIN
 * where the kernel offers only that gate for groups): messages of command
 * SVCENC_CMD_EVENT with EVENT and TIME_MS, and as far as they apply DEVNO,
 * UUID, KEY, SEQ, EPOCH, ROTATION_DONE, ROTATION_TOTAL, ROTATION, REASON.
 * Events tell that something changed; what is true now is in the dumps. A slow
 * reader loses events (ENOBUFS) and must dump again.
 */
#ifndef _UAPI_LINUX_DM_SVCENC_H
#define _UAPI_LINUX_DM_SVCENC_H

#define SVCENC_GENL_NAME "svcenc"
#define SVCENC_GENL_VERSION 1
#define SVCENC_GENL_EVENTS "events"

enum svcenc_genl_cmd {
	SVCENC_CMD_UNSPEC,
	SVCENC_CMD_GET_DEVICES,
	SVCENC_CMD_GET_KEYS,
	SVCENC_CMD_GET_KEYRING,
	SVCENC_CMD_LEASE,
	SVCENC_CMD_EVENT,

	__SVCENC_CMD_LAST,
	SVCENC_CMD_MAX = __SVCENC_CMD_LAST - 1
};

enum svcenc_genl_attr {
	SVCENC_ATTR_UNSPEC,
	SVCENC_ATTR_DEVNO,	    /* string "major:minor" of the mapping */
	SVCENC_ATTR_UUID,	    /* string, 36 chars: volume uuid */
	SVCENC_ATTR_KEY,	    /* string "svcenc:<policy uuid>:<version>" */
	SVCENC_ATTR_CHECK,	    /* string, 32 hex: public check value */
	SVCENC_ATTR_STATE,	    /* u32, enum svcenc_state of core/names.h:
				     * 0 new, 1 active, 2 locked
				     */
	SVCENC_ATTR_EPOCH,	    /* u64, number of the volume key */
	SVCENC_ATTR_SEQ,	    /* u64, durable in both copies */
	SVCENC_ATTR_SECTORS,	    /* u64, length in 512-byte sectors */
	SVCENC_ATTR_ROTATION_DONE,  /* u64, 512-byte sectors */
	SVCENC_ATTR_ROTATION_TOTAL, /* u64, 512-byte sectors, 0 = idle */
	SVCENC_ATTR_LEASE_S,	    /* u32, seconds, 1..604800 */
	SVCENC_ATTR_LEASE_LEFT_MS,  /* u64, milliseconds to the lease's end */
	SVCENC_ATTR_DEVICES,	    /* u32, volume keys under it in use */
	SVCENC_ATTR_KEYRING,	    /* s32, key serial */
	SVCENC_ATTR_EVENT,	    /* u32, enum svcenc_event, core/names.h */
	SVCENC_ATTR_TIME_MS,	    /* u64, CLOCK_BOOTTIME, milliseconds */
	SVCENC_ATTR_REASON,	    /* string, for people */
	SVCENC_ATTR_PAD,
	SVCENC_ATTR_ROTATION,	    /* u32, enum svcenc_rotation_state of
				     * core/names.h: 0 idle, 1 running, ...
				     */

	__SVCENC_ATTR_LAST,
	SVCENC_ATTR_MAX = __SVCENC_ATTR_LAST - 1
};

#endif
