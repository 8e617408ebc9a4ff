// SPDX-License-Identifier: GPL-2.0-only
/*
 * add_key() without leaving the key anywhere in this machine's memory, for
 * tests that search it: the file holds the key XORed with 0x5a, is read
 * directly into a locked page, and only that page ever holds the bytes.
 */
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keyfmt.h"

enum { MASK = 0x5a, PAGE = 4096 };

/* Reads the masked key into the payload at @page; false on a short file. */
static bool read_masked(const char *path, u8 *page)
{
	struct svcenc_key_payload *payload = (void *)page;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;
	size_t i;

	if (fd < 0)
		return false;
	got = read(fd, payload->key, sizeof(payload->key));
	close(fd);
	for (i = 0; i < sizeof(payload->key); i++)
		payload->key[i] ^= MASK;
	return got == sizeof(payload->key);
}

int main(int argc, char **argv)
{
	struct svcenc_key_payload *payload;
	long serial = -1;
	u8 *page;

	if (argc != 5) {
		fputs("usage: svcenc-addkey DESCRIPTION LEASE_S KEYRING MASKED_KEY_FILE\n",
		      stderr);
		return 2;
	}
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || mlock(page, PAGE)) {
		perror("locked page");
		return 1;
	}
	payload = (void *)page;
	payload->version = cpu_to_le32(SVCENC_PAYLOAD_VERSION);
	payload->lease_s = cpu_to_le32((u32)atoi(argv[2]));
	if (read_masked(argv[4], page))
		serial = syscall(SYS_add_key, "svcenc", argv[1], page,
				 sizeof(*payload), atoi(argv[3]));
	if (serial < 0)
		perror(argv[4]);
	explicit_bzero(page, PAGE);
	if (serial < 0)
		return 1;
	printf("%ld\n", serial);
	return 0;
}
