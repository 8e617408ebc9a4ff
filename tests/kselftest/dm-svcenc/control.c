// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "keyfmt.h"

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void sleep_ns(int64_t ns)
{
	const struct timespec ts = { ns / NS_PER_S, ns % NS_PER_S };

	nanosleep(&ts, NULL);
}

enum end_way end_way_parse(const char *text)
{
	static const char *const names[] = {
#define x(name, text) text,
		END_WAYS(x)
#undef x
	};
	int way;

	for (way = 0; way < END_WAY_COUNT; way++)
		if (!strcmp(text, names[way]))
			break;
	return way;
}

/* Reads up to @size bytes; the number read, or negative errno. */
static ssize_t read_companion(const char *file, const char *suffix, void *buf,
			      size_t size)
{
	char path[4096];
	ssize_t len;
	int fd;

	if (snprintf(path, sizeof(path), "%s.%s", file, suffix) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size);
	if (len < 0)
		len = -errno;
	close(fd);
	return len;
}

int policy_key_read(const char *file, struct policy_key *ret)
{
	ssize_t len;

	len = read_companion(file, "desc", ret->description,
			     sizeof(ret->description) - 1);
	if (len < 0)
		return (int)len;
	ret->description[len] = '\0';
	ret->description[strcspn(ret->description, "\n")] = '\0';
	len = read_companion(file, "key", ret->bytes, sizeof(ret->bytes));
	if (len < 0)
		return (int)len;
	return len == sizeof(ret->bytes) ? 0 : -EINVAL;
}

int key_add(const struct policy_key *key, uint32_t lease_s, int keyring)
{
	struct svcenc_key_payload payload = {
		.version = cpu_to_le32(SVCENC_PAYLOAD_VERSION),
		.lease_s = cpu_to_le32(lease_s),
	};
	long serial;

	memcpy(payload.key, key->bytes, sizeof(payload.key));
	serial = syscall(SYS_add_key, "svcenc", key->description, &payload,
			 sizeof(payload), keyring);
	serial = serial < 0 ? -errno : serial;
	explicit_bzero(&payload, sizeof(payload));
	return (int)serial;
}

static long call_keyctl(enum end_way way, int serial, int keyring)
{
	switch (way) {
	case END_REVOKE:
		return syscall(SYS_keyctl, KEYCTL_REVOKE, serial);
	case END_UNLINK:
		return syscall(SYS_keyctl, KEYCTL_UNLINK, serial, keyring);
	case END_CLEAR:
		return syscall(SYS_keyctl, KEYCTL_CLEAR, keyring);
	case END_INVALIDATE:
		return syscall(SYS_keyctl, KEYCTL_INVALIDATE, serial);
	case END_TIMEOUT:
		return syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, serial, 1);
	default:
		return 0;
	}
}

int key_end(enum end_way way, int serial, int keyring)
{
	return call_keyctl(way, serial, keyring) < 0 ? -errno : 0;
}

int dm_message(const char *name, const char *message)
{
	struct {
		struct dm_ioctl head;
		struct dm_target_msg msg;
		char text[256];
	} __attribute__((packed)) call;
	int fd, rc;

	memset(&call, 0, sizeof(call));
	call.head.version[0] = DM_VERSION_MAJOR;
	call.head.data_size = sizeof(call);
	call.head.data_start = sizeof(call.head);
	if (strlen(name) >= sizeof(call.head.name) ||
	    strlen(message) >= sizeof(call.text))
		return -ENAMETOOLONG;
	strcpy(call.head.name, name);
	strcpy(call.text, message);
	fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = ioctl(fd, DM_TARGET_MSG, &call) < 0 ? -errno : 0;
	close(fd);
	return rc;
}
