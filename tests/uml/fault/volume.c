// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "volume.h"

/* ------------------------------------------------------------ companions */

/* The first line of PREFIX.SUFFIX, or its @size bytes if @raw. */
static int read_companion(const char *prefix, const char *suffix, void *to,
			  size_t size, bool raw)
{
	char path[4096];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s.%s", prefix, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, to, raw ? size : size - 1);
	close(fd);
	if (got < 0)
		return -errno;
	if (raw)
		return (size_t)got == size ? 0 : -EBADMSG;
	((char *)to)[got] = '\0';
	((char *)to)[strcspn(to, "\n")] = '\0';
	return 0;
}

int volume_read(const char *prefix, struct volume *ret)
{
	char sectors[32];
	int rc;

	rc = read_companion(prefix, "uuid", ret->uuid, sizeof(ret->uuid),
			    false);
	if (!rc)
		rc = read_companion(prefix, "desc", ret->desc,
				    sizeof(ret->desc), false);
	if (!rc)
		rc = read_companion(prefix, "sectors", sectors, sizeof(sectors),
				    false);
	if (!rc)
		rc = read_companion(prefix, "key", ret->key, sizeof(ret->key),
				    true);
	if (!rc)
		ret->sectors = strtoull(sectors, NULL, 10);
	return rc;
}

/* ---------------------------------------------------------------- header */

/* Where the copies lie, and what is looked at in them (on-disk format 1). */
static const off_t copy_offset[VOLUME_COPIES] = { 0, 3 << 20 };

enum { MAGIC_BYTES = 8, CRC_AT = 8, CRC_BYTES = 4, SEQ_AT = 88 };

static int each_copy(const char *device, bool write, uint8_t *bytes)
{
	const int fd = open(device,
			    (write ? O_RDWR : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	int i, rc = 0;

	if (fd < 0)
		return -errno;
	for (i = 0; i < VOLUME_COPIES && !rc; i++) {
		uint8_t *at = bytes + i * VOLUME_COPY_BYTES;
		const ssize_t n = write ? pwrite(fd, at, VOLUME_COPY_BYTES,
						 copy_offset[i]) :
					  pread(fd, at, VOLUME_COPY_BYTES,
						copy_offset[i]);

		if (n != VOLUME_COPY_BYTES)
			rc = n < 0 ? -errno : -EIO;
	}
	close(fd);
	return rc;
}

int volume_get_header(const char *device, struct volume_header *ret)
{
	return each_copy(device, false, ret->copy[0]);
}

int volume_put_header(const char *device, const struct volume_header *header)
{
	struct volume_header bounce = *header; /* aligned, and not const */

	return each_copy(device, true, bounce.copy[0]);
}

/* CRC-32C, bit by bit, the checksum's own field taken as zero. */
static uint32_t checksum(const uint8_t *bytes)
{
	uint32_t crc = ~0U;
	int i, bit;

	for (i = 0; i < VOLUME_COPY_BYTES; i++) {
		if (i < CRC_AT || i >= CRC_AT + CRC_BYTES)
			crc ^= bytes[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

static uint64_t little_endian(const uint8_t *bytes, int count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 | bytes[count];
	return value;
}

bool volume_copy_valid(const struct volume_header *header, int copy)
{
	const uint8_t *bytes = header->copy[copy];

	return !memcmp(bytes, "svcencSB", MAGIC_BYTES) &&
	       little_endian(bytes + CRC_AT, CRC_BYTES) == checksum(bytes);
}

uint64_t volume_copy_seq(const struct volume_header *header, int copy)
{
	return little_endian(header->copy[copy] + SEQ_AT, 8);
}

bool volume_copies_equal(const struct volume_header *header)
{
	return !memcmp(header->copy[0], header->copy[1], VOLUME_COPY_BYTES);
}

bool volume_is_free(const char *device)
{
	const int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* ------------------------------------------------------------------ keys */

int key_keyring(void)
{
	FILE *file = fopen("/sys/module/dm_svcenc/parameters/keyring", "re");
	int serial, rc;

	if (!file)
		return -errno;
	rc = fscanf(file, "%d", &serial) == 1 ? serial : -EBADMSG;
	fclose(file);
	return rc;
}

void key_payload(const struct volume *volume, uint32_t lease_s,
		 uint8_t payload[VOLUME_PAYLOAD_BYTES])
{
	int i;

	memset(payload, 0, 8);
	payload[0] = 1; /* version */
	for (i = 0; i < 4; i++)
		payload[4 + i] = (uint8_t)(lease_s >> (8 * i));
	memcpy(payload + 8, volume->key, VOLUME_KEY_BYTES);
}

static int result(long value)
{
	return value < 0 ? -errno : (int)value;
}

int key_add(const struct volume *volume, int keyring)
{
	uint8_t payload[VOLUME_PAYLOAD_BYTES];

	key_payload(volume, 7200, payload);
	return result(syscall(SYS_add_key, "svcenc", volume->desc, payload,
			      sizeof(payload), keyring));
}

int key_search(const char *desc, int keyring)
{
	return result(
		syscall(SYS_keyctl, KEYCTL_SEARCH, keyring, "svcenc", desc, 0));
}

int key_revoke(int serial)
{
	return result(syscall(SYS_keyctl, KEYCTL_REVOKE, serial));
}

int key_unlink(int serial, int keyring)
{
	return result(syscall(SYS_keyctl, KEYCTL_UNLINK, serial, keyring));
}
