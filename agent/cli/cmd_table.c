// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "svcenc table DEVICE": the dmsetup line that the header describes, without
 * the agent. It has no key, so it cannot tell a forged header from a real
 * one: the kernel does that when the line is used.
 */
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "device.h"
#include "dm.h"

struct header {
	struct svcenc_sb sb;
	bool initialize; /* never keyed */
	bool doubtful;	 /* the copies differ, or one is unusable */
};

static int fail_to_open(const struct cli *cli, const char *path, int error)
{
	if (error == -EACCES || error == -EPERM)
		return cli_fail(cli, CLI_PERMISSION, "be root",
				"cannot read %s: %s", path, strerror(-error));
	if (error == -ENOTBLK)
		return cli_fail(
			cli, CLI_DEVICE,
			"attach a file with losetup --find --show, and give the loop device",
			"%s is not a block device", path);
	return cli_fail(cli, CLI_DEVICE, "lsblk shows the block devices",
			"cannot open %s: %s", path, strerror(-error));
}

struct copies {
	struct svcenc_sb sb[SVCENC_SB_COPIES];
	enum svcenc_sb_defect defect[SVCENC_SB_COPIES];
};

static int read_copies(const struct cli *cli, const struct sys_device *device,
		       struct copies *copies)
{
	u8 image[SVCENC_SB_SIZE];
	unsigned int i;
	int r;

	for (i = 0; i < SVCENC_SB_COPIES; i++) {
		r = sys_device_read_superblock(device, i, image);
		if (r == -ERANGE)
			return cli_fail(cli, CLI_DEVICE,
					"a svcenc volume has at least 6 MiB",
					"%s is too small to hold a volume",
					device->path);
		if (r < 0)
			return cli_fail(cli, CLI_DEVICE,
					"the kernel log may say more: dmesg",
					"cannot read %s: %s", device->path,
					strerror(-r));
		copies->defect[i] = svcenc_sb_decode(
			image, SVCENC_INCOMPAT_SUPPORTED, &copies->sb[i]);
	}
	return CLI_OK;
}

static int fail_without_header(const struct cli *cli, const char *path,
			       const struct copies *copies)
{
	const bool foreign = copies->defect[0] == SVCENC_SB_MAGIC_DEFECT &&
			     copies->defect[1] == SVCENC_SB_MAGIC_DEFECT;

	return cli_fail(cli, foreign ? CLI_DEVICE : CLI_INTEGRITY,
			foreign ? "lsblk -f shows what is on it" :
				  "svcenc-dump shows both copies of the header",
			"%s: copy 1: %s; copy 2: %s", path,
			svcenc_sb_defect_text(copies->defect[0]),
			svcenc_sb_defect_text(copies->defect[1]));
}

/* The newer of the valid copies; the kernel decides again, with the key. */
static int pick(const struct cli *cli, const struct sys_device *device,
		struct header *ret)
{
	struct copies copies = { 0 };
	const struct svcenc_sb *sb = copies.sb;
	unsigned int chosen = 0;
	bool both;
	int code;

	code = read_copies(cli, device, &copies);
	if (code != CLI_OK)
		return code;
	if (copies.defect[0] && copies.defect[1])
		return fail_without_header(cli, device->path, &copies);
	both = !copies.defect[0] && !copies.defect[1];
	if (copies.defect[0] || (both && sb[1].seq > sb[0].seq))
		chosen = 1;
	ret->sb = sb[chosen];
	ret->doubtful = !both || sb[0].seq != sb[1].seq;
	ret->initialize = both && !sb[0].keyed && !sb[1].keyed;
	return CLI_OK;
}

static int check_size(const struct cli *cli, const struct sys_device *device,
		      const struct svcenc_sb *sb)
{
	const u64 wanted = svcenc_sb_device_bytes(sb);

	if (device->bytes >= wanted)
		return CLI_OK;
	return cli_fail(cli, CLI_DEVICE,
			"give the device its former size back: lvextend",
			"%s has %llu bytes, its header wants %llu",
			device->path, (unsigned long long)device->bytes,
			(unsigned long long)wanted);
}

static int format_line(const struct cli *cli, const struct header *header,
		       const char *device, char *buf, size_t size)
{
	const struct svcenc_table table = {
		.device = device,
		.uuid = header->sb.uuid,
		.key = header->sb.key,
		.allow_discards = cli_flag(cli, "allow_discards"),
		.initialize = header->initialize,
	};
	char params[SVCENC_DEVICE_PATH_MAX + 256];
	int len;

	if (sys_dm_params(&table, params, sizeof(params)) < 0)
		return -ENOSPC;
	len = snprintf(buf, size, "0 %llu svcenc %s",
		       (unsigned long long)(header->sb.data_len / 512), params);
	return len < 0 || (size_t)len >= size ? -ENOSPC : 0;
}

static void print_hints(const struct header *header)
{
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];

	svcenc_uuid_print(&header->sb.uuid, uuid);
	svcenc_keyid_print(&header->sb.key, key);
	cli_note(
		"key %s must be live in the kernel (keyctl show, /proc/keys); without the agent the volume lives until that key's lease ends",
		key);
	cli_note(
		"with dmsetup create NAME, add --uuid SVCENC-1-%s-NAME, by which the agent knows the volume",
		uuid);
	if (header->initialize)
		cli_note(
			"the volume has no key yet: 'initialize' makes it, once; use this line once");
	if (header->doubtful)
		cli_note(
			"the two header copies differ; the kernel decides with the key which one holds, and repairs the other");
}

static int print_line(const struct cli *cli, const struct header *header,
		      const char *device)
{
	char line[SVCENC_DEVICE_PATH_MAX + 512];
	char uuid[SVCENC_UUID_TEXT + 1], key[SVCENC_KEYID_TEXT + 1];
	json_t *object;
	int code;

	if (format_line(cli, header, device, line, sizeof(line)) < 0)
		return cli_fail(cli, CLI_USAGE, "give a shorter path",
				"the path of %s is too long", device);
	if (!cli->json) {
		cli_say("%s", line);
		return CLI_OK;
	}
	svcenc_uuid_print(&header->sb.uuid, uuid);
	svcenc_keyid_print(&header->sb.key, key);
	object = json_pack("{s:s, s:s, s:s, s:I, s:b}", "table", line, "uuid",
			   uuid, "key", key, "sectors",
			   (json_int_t)(header->sb.data_len / 512),
			   "initialize", header->initialize);
	code = object ? cli_print_json(cli, object) : cli_fail_memory(cli);
	json_decref(object);
	return code;
}

int cli_table_run(struct cli *cli)
{
	const char *path = cli_text(cli->parameters, "device");
	struct sys_device *device = NULL;
	struct header header;
	int r, code;

	r = sys_device_open(path, 0, &device);
	if (r < 0)
		return fail_to_open(cli, path, r);
	code = pick(cli, device, &header);
	if (code == CLI_OK)
		code = check_size(cli, device, &header.sb);
	/* A blank would split the path into two words of the table. */
	if (code == CLI_OK)
		code = print_line(cli, &header,
				  path[strcspn(path, " \t\n\\")] ?
					  device->devno_text :
					  path);
	if (code == CLI_OK)
		print_hints(&header);
	(void)sys_device_close(device);
	return code;
}
