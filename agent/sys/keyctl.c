// SPDX-License-Identifier: GPL-2.0-or-later
#include "keyctl.h"

#include <fcntl.h>
#include <keyutils.h>
#include <unistd.h>

#define KEYRING_PARAMETER "/sys/module/dm_svcenc/parameters/keyring"

int sys_keyring_find(sys_key_serial *ret)
{
	char text[32];
	u64 serial;
	ssize_t len;
	int fd;

	fd = open(KEYRING_PARAMETER, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ENOPKG : -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return -ENOPKG;
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	/* 0: the module is on its way in or out. */
	if (svcenc_u64_parse(text, INT32_MAX, &serial) || !serial)
		return -ENOPKG;
	*ret = (sys_key_serial)serial;
	return 0;
}

int sys_key_add(const struct svcenc_keyid *id, u32 lease_s,
		struct svcenc_key_payload *payload, sys_key_serial *ret_serial)
{
	char description[SVCENC_KEYID_TEXT + 1];
	sys_key_serial keyring;
	key_serial_t serial;
	int r;

	r = sys_keyring_find(&keyring);
	if (r < 0)
		return r;
	svcenc_keyid_print(id, description);
	payload->version = cpu_to_le32(SVCENC_PAYLOAD_VERSION);
	payload->lease_s = cpu_to_le32(lease_s);
	serial = add_key(SYS_KEY_TYPE, description, payload, sizeof(*payload),
			 keyring);
	if (serial < 0)
		return -errno;
	if (ret_serial)
		*ret_serial = serial;
	return 0;
}

/* Also answers in which keyring, for unlink. */
static int find_key(const struct svcenc_keyid *id, sys_key_serial *ret_keyring,
		    sys_key_serial *ret_key)
{
	char description[SVCENC_KEYID_TEXT + 1];
	sys_key_serial keyring;
	long serial;
	int r;

	r = sys_keyring_find(&keyring);
	if (r < 0)
		return r;
	svcenc_keyid_print(id, description);
	serial = keyctl_search(keyring, SYS_KEY_TYPE, description, 0);
	if (serial < 0) {
		/* A dead key that the collector has not taken yet. */
		if (errno == EKEYREVOKED || errno == EKEYEXPIRED)
			return -ENOKEY;
		return -errno;
	}
	*ret_keyring = keyring;
	*ret_key = (sys_key_serial)serial;
	return 0;
}

int sys_key_search(const struct svcenc_keyid *id, sys_key_serial *ret)
{
	sys_key_serial keyring;

	return find_key(id, &keyring, ret);
}

int sys_key_revoke(const struct svcenc_keyid *id)
{
	sys_key_serial keyring, key;
	int r;

	r = find_key(id, &keyring, &key);
	if (r < 0)
		return r;
	if (keyctl_revoke(key) < 0)
		return errno == EKEYREVOKED || errno == EKEYEXPIRED ? -ENOKEY :
								      -errno;
	return 0;
}

int sys_key_unlink(const struct svcenc_keyid *id)
{
	sys_key_serial keyring, key;
	int r;

	r = find_key(id, &keyring, &key);
	if (r < 0)
		return r;
	if (keyctl_unlink(key, keyring) < 0)
		return errno == ENOENT ? -ENOKEY : -errno;
	return 0;
}

const char *sys_keyctl_hint(int error)
{
	switch (error) {
	case -ENOPKG:
		return "load the kernel module: modprobe dm-svcenc";
	case -EKEYREJECTED:
		return "another key of this name is live in the kernel; end it with 'keyctl revoke' before this one is added";
	case -EDQUOT:
		return "root's key quota is full: raise /proc/sys/kernel/keys/root_maxkeys";
	case -EPERM:
	case -EACCES:
		return "run this as root with CAP_SYS_ADMIN";
	}
	return NULL;
}
