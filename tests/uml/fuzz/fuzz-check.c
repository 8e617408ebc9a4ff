// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is all in order? Asked between cases, with nobody else at work: the devices
 * that are left go away, the volumes are free and open as ever, the steady one
 * does not know that anything happened, and the kernel log has no report.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "genl.h"
#include "linux/dm-svcenc.h"

enum { MANY = 64 };

#define OPEN_NAME "fuzz-check"

static int kernel_log = -1;
static char steady_status[256];

__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("inconsistent: ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	return false;
}

/* ------------------------------------------------------------- kernel log */

/* What a report begins with; the runner of the test knows many more. */
static const char *const reports[] = {
	"KASAN",
	"BUG:",
	"WARNING:",
	"UBSAN",
	"possible circular",
	"possible recursive",
	"inconsistent lock state",
	"refcount_t:",
	"ODEBUG",
	"list_add corruption",
	"list_del corruption",
	"Oops",
	"general protection",
	"blocked for more than",
	"bad unlock balance",
};

static bool log_is_clean(void)
{
	char record[1024];
	ssize_t n;
	size_t i;

	for (;;) {
		n = read(kernel_log, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue; /* overtaken: the oldest are lost */
		if (n <= 0)
			return true;
		record[n] = '\0';
		for (i = 0; i < sizeof(reports) / sizeof(reports[0]); i++)
			if (strstr(record, reports[i]))
				return wrong("kernel log: %s", record);
	}
}

/* ------------------------------------------------------------ what is left */

struct names {
	unsigned int count;
	char name[MANY][DM_NAME_LEN];
};

static void take_name(const struct dm_name_list *device, void *context)
{
	struct names *names = context;

	if (strcmp(device->name, FUZZ_STEADY_NAME) && names->count < MANY)
		snprintf(names->name[names->count++], DM_NAME_LEN, "%s",
			 device->name);
}

static bool remove_leftovers(void)
{
	static struct names names;
	unsigned int i;
	int rc;

	do {
		names.count = 0;
		rc = dmraw_each(take_name, &names);
		if (rc)
			return wrong("devices cannot be listed: %s",
				     strerror(-rc));
		for (i = 0; i < names.count; i++) {
			rc = dmraw_remove(names.name[i]);
			if (rc && rc != -ENXIO)
				return wrong("'%s' cannot be removed: %s",
					     names.name[i], strerror(-rc));
		}
	} while (names.count == MANY);
	return true;
}

static int module_users(void)
{
	FILE *file = fopen("/sys/module/dm_svcenc/refcnt", "re");
	int users = -1;

	if (!file || fscanf(file, "%d", &users) != 1)
		users = -1;
	if (file)
		fclose(file);
	return users;
}

static bool nothing_left(const struct fuzz_world *world)
{
	static struct genl_message msg;
	const int users = module_users();
	const int fd = genl_open();
	unsigned int devices = 0;
	int rc;

	genl_begin(&msg, world->family, NLM_F_DUMP, SVCENC_CMD_GET_DEVICES);
	rc = genl_talk(fd, &msg, msg.head.nlmsg_len, &devices);
	close(fd);
	if (rc || devices != 1)
		return wrong("netlink tells of %u devices, not 1 (%s)", devices,
			     strerror(-rc));
	if (users != 1)
		return wrong("the module has %d users, not 1", users);
	if (!volume_is_free(world->victim.device))
		return wrong("the victim's device is still taken");
	return volume_is_free(world->fresh.device) ||
	       wrong("the fresh volume's device is still taken");
}

/* --------------------------------------------------------------- volumes */

static bool header_is_whole(const struct fuzz_volume *volume, const char *who)
{
	struct volume_header now;

	if (volume_get_header(volume->device, &now))
		return wrong("the header of %s does not read", who);
	/* Every case was allowed to finish its commits. */
	return (volume_copy_valid(&now, 0) && volume_copies_equal(&now)) ||
	       wrong("the superblock copies of %s are not both whole", who);
}

/*
 * The right key under its name, whatever is there now. One that was unlinked
 * lives on until the system's collector comes: at most a second.
 */
static int renew_key(const struct fuzz_world *world, const struct volume *id)
{
	const int serial = key_search(id->desc, world->keyring);
	int tries, rc = 0;

	if (serial >= 0) {
		key_revoke(serial);
		key_unlink(serial, world->keyring);
	}
	for (tries = 0; tries < 300; tries++) {
		rc = key_add(id, world->keyring);
		if (rc != -EKEYREJECTED)
			break;
		usleep(10000);
	}
	return rc < 0 ? rc : 0;
}

static bool keys_are_back(const struct fuzz_world *world)
{
	int rc = renew_key(world, &world->fresh.id);

	if (!rc)
		rc = renew_key(world, &world->next);
	return !rc || wrong("a key cannot be added: %s", strerror(-rc));
}

static int open_victim(const struct fuzz_world *world, uint64_t *ret_dev)
{
	char params[4096], uuid[DM_UUID_LEN];
	int rc;

	rc = volume_put_header(world->victim.device, &world->victim.header);
	if (!rc)
		rc = renew_key(world, &world->victim.id);
	if (rc)
		return rc;
	snprintf(params, sizeof(params), "%s %s %s", world->victim.device,
		 world->victim.id.uuid, world->victim.id.desc);
	snprintf(uuid, sizeof(uuid), "SVCENC-1-%s-" OPEN_NAME,
		 world->victim.id.uuid);
	rc = dmraw_create(OPEN_NAME, uuid, ret_dev);
	if (!rc)
		rc = dmraw_load(OPEN_NAME, world->victim.id.sectors, "svcenc",
				params);
	return rc ? rc : dmraw_resume(OPEN_NAME);
}

static int read_plain(uint64_t dev, uint8_t plain[FUZZ_PLAIN])
{
	const int fd = dmraw_open_device(dev, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, plain, FUZZ_PLAIN, 0);
	close(fd);
	return n == FUZZ_PLAIN ? 0 : -EIO;
}

static bool victim_opens(const struct fuzz_world *world)
{
	static uint8_t plain[FUZZ_PLAIN] __attribute__((aligned(FUZZ_PLAIN)));
	uint64_t dev = 0;
	int rc = open_victim(world, &dev);

	if (rc)
		return wrong("the victim does not open any more: %s",
			     strerror(-rc));
	rc = read_plain(dev, plain);
	if (rc || memcmp(plain, world->plain, sizeof(plain)))
		return wrong("the victim holds other bytes");
	rc = dmraw_remove(OPEN_NAME);
	return !rc || wrong("the victim does not close: %s", strerror(-rc));
}

/* State, epoch, key, check value and seq: all that a status line begins with. */
static bool steady_line(char line[256])
{
	const char *status = dmraw_status(FUZZ_STEADY_NAME, 0);
	char *at = line;
	int word;

	if (!status)
		return false;
	snprintf(line, 256, "%s", status);
	for (word = 0; word < 5 && at; word++)
		at = strchr(at + 1, ' ');
	if (at)
		*at = '\0';
	return true;
}

static bool steady_is_steady(void)
{
	char line[256];

	if (!steady_line(line))
		return wrong("the steady volume has no status");
	return !strcmp(line, steady_status) ||
	       wrong("the steady volume was '%s' and is '%s'", steady_status,
		     line);
}

/* ------------------------------------------------------------------ calls */

int fuzz_check_setup(struct fuzz_world *world)
{
	uint64_t dev = 0;
	int rc;

	kernel_log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kernel_log < 0)
		return -errno;
	lseek(kernel_log, 0, SEEK_END);
	if (!steady_line(steady_status) || strncmp(steady_status, "active", 6))
		return -ENODEV;
	rc = volume_get_header(world->victim.device, &world->victim.header);
	if (!rc)
		rc = volume_get_header(world->fresh.device,
				       &world->fresh.header);
	if (!rc)
		rc = open_victim(world, &dev);
	if (!rc)
		rc = read_plain(dev, world->plain);
	dmraw_remove(OPEN_NAME);
	return rc;
}

bool fuzz_check(struct fuzz_world *world)
{
	return log_is_clean() && remove_leftovers() && nothing_left(world) &&
	       header_is_whole(&world->victim, "the victim") &&
	       header_is_whole(&world->fresh, "the fresh volume") &&
	       victim_opens(world) && steady_is_steady() &&
	       (!volume_put_header(world->fresh.device, &world->fresh.header) ||
		wrong("the fresh volume cannot be written")) &&
	       keys_are_back(world);
}
