// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-probe: is there a svcenc volume on this device? For udev, so that
 * lsblk -f and blkid's users see a type, until libblkid knows it. Reads both
 * superblock copies, checks all that needs no key, writes nothing.
 *
 * usage: svcenc-probe [--udev] DEVICE
 * exit status: 0 yes, 1 usage, 2 no, 4 the device cannot be read
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

enum {
	PROBE_FOUND = 0,
	PROBE_USAGE = 1,
	PROBE_NONE = 2,
	PROBE_ERROR = 4,
};

static void print_udev(const struct svcenc_sb *sb)
{
	char uuid[SVCENC_UUID_TEXT + 1];

	svcenc_uuid_print(&sb->uuid, uuid);
	printf("ID_FS_TYPE=svcenc\n"
	       "ID_FS_USAGE=crypto\n"
	       "ID_FS_VERSION=%d\n"
	       "ID_FS_UUID=%s\n"
	       "ID_FS_UUID_ENC=%s\n",
	       SVCENC_SB_VERSION, uuid, uuid);
}

static void print_text(const char *path, const struct svcenc_sb *sb)
{
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];

	svcenc_uuid_print(&sb->uuid, uuid);
	svcenc_keyid_print(&sb->key, key);
	printf("%s: svcenc volume %s under %s\n", path, uuid, key);
}

/*
 * A volume whose first copy is torn is still one. Features of a later version
 * make it no less a volume: they count as known here.
 */
static int probe(const struct sys_device *device, struct svcenc_sb *ret)
{
	u8 image[SVCENC_SB_SIZE];
	unsigned int copy;
	int r = 0;

	for (copy = 0; copy < SVCENC_SB_COPIES; copy++) {
		r = sys_device_read_superblock(device, copy, image);
		if (r < 0)
			continue;
		if (svcenc_sb_decode(image, SVCENC_INCOMPAT_DEFINED, ret) ==
		    SVCENC_SB_NONE)
			return PROBE_FOUND;
	}
	return r < 0 && r != -ERANGE ? PROBE_ERROR : PROBE_NONE;
}

int main(int argc, char **argv)
{
	const bool udev = argc == 3 && !strcmp(argv[1], "--udev");
	struct sys_device *device;
	struct svcenc_sb sb;
	int r, code;

	if (argc != 2 + udev || argv[argc - 1][0] == '-') {
		fputs("usage: svcenc-probe [--udev] DEVICE\n", stderr);
		return PROBE_USAGE;
	}
	r = sys_device_open(argv[argc - 1], SYS_DEVICE_ALLOW_FILE, &device);
	if (r < 0) {
		fprintf(stderr, "svcenc-probe: cannot open %s: %s\n",
			argv[argc - 1], strerror(-r));
		return PROBE_ERROR;
	}
	code = probe(device, &sb);
	if (code == PROBE_FOUND && udev)
		print_udev(&sb);
	else if (code == PROBE_FOUND)
		print_text(device->path, &sb);
	(void)sys_device_close(device);
	return code;
}
