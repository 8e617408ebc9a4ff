// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens, uses and closes a volume again and again, each time in another of a
 * few ways, so that whatever a cycle forgets is there many times at the end
 * and the kernel's own search (kmemleak, page_owner) cannot miss it.
 *
 *   svcenc-cycles DEVICE VOLUME COUNT
 *
 * VOLUME names the companions (.uuid, .desc, .sectors, .key). Prints how many
 * cycles there were of each kind; exit status 0, or 1 at the first call that
 * does not do what it should.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dmraw.h"
#include "volume.h"

#define NAME "svcenc-cycles"

enum { PIECE = 16 << 10 };

static struct {
	const char *device;
	struct volume volume;
	int keyring;
	uint64_t dm_dev;
	unsigned int number;
	char uuid[DM_UUID_LEN];
	char words[512];
} cycle;

static uint8_t bytes[PIECE] __attribute__((aligned(4096)));
static uint8_t back[PIECE] __attribute__((aligned(4096)));

static void must(bool good, const char *what, int rc)
{
	if (good)
		return;
	printf("cycle %u: %s: %s\n", cycle.number, what, strerror(-rc));
	exit(1);
}

static void ok(int rc, const char *what)
{
	must(rc >= 0, what, rc);
}

/* One piece written and read back, or @error from both. */
static void use(int error)
{
	const int fd = dmraw_open_device(cycle.dm_dev, O_RDWR);
	const off_t at = (off_t)(cycle.number % 64) * PIECE;
	ssize_t n;

	ok(fd, "open");
	memset(bytes, (int)cycle.number, sizeof(bytes));
	n = pwrite(fd, bytes, sizeof(bytes), at);
	must(error ? n < 0 && errno == error : n == PIECE, "write", -errno);
	n = pread(fd, back, sizeof(back), at);
	must(error ? n < 0 && errno == error : n == PIECE, "read", -errno);
	must(error || !memcmp(bytes, back, sizeof(back)), "other bytes", 0);
	close(fd);
}

static void load(const char *options)
{
	char words[600];

	snprintf(words, sizeof(words), "%s%s", cycle.words, options);
	ok(dmraw_load(NAME, cycle.volume.sectors, "svcenc", words), "load");
}

/* ------------------------------------------------- kinds of cycles: open ... */

static void plain(void)
{
	use(0);
}

static void reloaded(void)
{
	load(" 1 allow_discards");
	use(0);
	ok(dmraw_resume(NAME), "reload");
	use(0);
}

static void table_dropped(void)
{
	load(" 1 allow_discards");
	ok(dmraw_clear(NAME), "clear");
	use(0);
}

static void suspended(void)
{
	ok(dmraw_suspend(NAME), "suspend");
	ok(dmraw_resume(NAME), "resume");
	use(0);
}

static void locked_and_unlocked(void)
{
	char message[128];

	ok(key_revoke(key_search(cycle.volume.desc, cycle.keyring)), "revoke");
	use(ENODEV);
	ok(key_add(&cycle.volume, cycle.keyring), "add_key");
	snprintf(message, sizeof(message), "unlock %s", cycle.volume.desc);
	ok(dmraw_tell(NAME, message), "unlock");
	use(0);
}

/* Closed without a key. */
static void locked(void)
{
	ok(key_revoke(key_search(cycle.volume.desc, cycle.keyring)), "revoke");
	use(ENODEV);
}

static void refused(void)
{
	char words[600];
	int rc;

	snprintf(words, sizeof(words), "%s 1 no_such_option", cycle.words);
	rc = dmraw_load(NAME, cycle.volume.sectors, "svcenc", words);
	must(rc == -EINVAL, "a wrong table", rc);
	rc = dmraw_tell(NAME, "no such message");
	must(rc == -EINVAL, "a wrong message", rc);
	use(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "plain", plain },
	{ "reloaded", reloaded },
	{ "table dropped", table_dropped },
	{ "suspended", suspended },
	{ "locked and unlocked", locked_and_unlocked },
	{ "locked", locked },
	{ "refused", refused },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* -------------------------------------------------------------------- cycles */

static void one_cycle(void)
{
	ok(key_add(&cycle.volume, cycle.keyring), "add_key");
	ok(dmraw_create(NAME, cycle.uuid, &cycle.dm_dev), "create");
	load("");
	ok(dmraw_resume(NAME), "resume");
	kinds[cycle.number % KINDS].run();
	ok(dmraw_remove(NAME), "remove");
	must(volume_is_free(cycle.device), "the device below is taken", 0);
}

static void set_up(char **argv)
{
	cycle.device = argv[1];
	ok(volume_read(argv[2], &cycle.volume), argv[2]);
	ok(dmraw_open(), "device-mapper");
	cycle.keyring = key_keyring();
	ok(cycle.keyring, "keyring");
	snprintf(cycle.uuid, sizeof(cycle.uuid), "SVCENC-1-%s-" NAME,
		 cycle.volume.uuid);
	snprintf(cycle.words, sizeof(cycle.words), "%s %s %s", cycle.device,
		 cycle.volume.uuid, cycle.volume.desc);
}

int main(int argc, char **argv)
{
	unsigned int count, i;

	if (argc != 4) {
		fputs("usage: svcenc-cycles DEVICE VOLUME COUNT\n", stderr);
		return 2;
	}
	set_up(argv);
	count = (unsigned int)strtoul(argv[3], NULL, 10);
	for (cycle.number = 0; cycle.number < count; cycle.number++)
		one_cycle();
	for (i = 0; i < KINDS; i++)
		printf("%s%s: %u", i ? ", " : "", kinds[i].name,
		       (count + KINDS - 1 - i) / KINDS);
	putchar('\n');
	return 0;
}
