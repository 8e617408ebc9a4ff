/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume as a test sees it: the companions that the model wrote, the bytes
 * of both superblock copies, its policy key. Computes its own checksums and
 * shares nothing with core/ but the sizes of the key payload: it judges what
 * core/ wrote.
 */
#ifndef SVCENC_TEST_VOLUME_H
#define SVCENC_TEST_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

enum {
	VOLUME_COPIES = 2,
	VOLUME_COPY_BYTES = 4096,
	VOLUME_KEY_BYTES = 32,
	VOLUME_PAYLOAD_BYTES = 40,
};

struct volume {
	char uuid[64];
	char desc[96]; /* of its policy key */
	uint64_t sectors;
	uint8_t key[VOLUME_KEY_BYTES];
};

struct volume_header {
	uint8_t copy[VOLUME_COPIES][VOLUME_COPY_BYTES]
		__attribute__((aligned(4096)));
};

/* Reads PREFIX.uuid, .desc, .sectors and .key; 0 or -errno. */
int volume_read(const char *prefix, struct volume *ret);

/* Reads or writes both copies, around the page cache; 0 or -errno. */
int volume_get_header(const char *device, struct volume_header *ret);
int volume_put_header(const char *device, const struct volume_header *header);

/* Magic and checksum of one copy are right. */
bool volume_copy_valid(const struct volume_header *header, int copy);
uint64_t volume_copy_seq(const struct volume_header *header, int copy);
bool volume_copies_equal(const struct volume_header *header);

/* Nobody has the device: it can be opened exclusively. */
bool volume_is_free(const char *device);

/* Serial of the keyring .svcenc, or -errno. */
int key_keyring(void);

void key_payload(const struct volume *volume, uint32_t lease_s,
		 uint8_t payload[VOLUME_PAYLOAD_BYTES]);

/* add_key(), one system call: serial or -errno. */
int key_add(const struct volume *volume, int keyring);

/* Serial of a live key of that name in @keyring, or -errno. */
int key_search(const char *desc, int keyring);
int key_revoke(int serial);
int key_unlink(int serial, int keyring);

#endif
