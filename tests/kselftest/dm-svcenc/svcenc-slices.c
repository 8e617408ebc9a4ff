// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts a disk into partitions of one size, in the kernel's mind only: nothing
 * is written to it. A thousand lower devices that cost little and have no
 * threads.
 *
 *   svcenc-slices DISK SECTORS COUNT
 */
#include <fcntl.h>
#include <linux/blkpg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static int add(int fd, int number, long long sectors)
{
	struct blkpg_partition part = {
		.start = (number - 1) * sectors << 9,
		.length = sectors << 9,
		.pno = number,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_ADD_PARTITION,
		.datalen = sizeof(part),
		.data = &part,
	};

	return ioctl(fd, BLKPG, &arg);
}

int main(int argc, char **argv)
{
	long long sectors;
	int fd, count, i;

	if (argc != 4) {
		fputs("usage: svcenc-slices DISK SECTORS COUNT\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	sectors = atoll(argv[2]);
	count = atoi(argv[3]);
	for (i = 1; fd >= 0 && i <= count; i++)
		if (add(fd, i, sectors))
			break;
	if (fd < 0 || i <= count) {
		fprintf(stderr, "svcenc-slices: %s: %m\n", argv[1]);
		return 1;
	}
	return 0;
}
