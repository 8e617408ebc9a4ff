// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DESCRIPTION: This test will check how the device below a volume is opened,
 * DESCRIPTION: read, written and probed, on regular files: ranges, alignment,
 * DESCRIPTION: what is refused, signatures found and wiped.
 * RUNS: host
 * SET: quick
 * TIMEOUT: 60
 */
#include "device.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_MIB = 16 };

struct fixture {
	char dir[64];
	char path[96];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	int fd;

	if (!fixture)
		return -1;
	snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/test_device.XXXXXX");
	if (!mkdtemp(fixture->dir))
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s/image",
		 fixture->dir);
	fd = open(fixture->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, FILE_MIB * (off_t)SVCENC_MIB) < 0)
		return -1;
	close(fd);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static struct sys_device *open_file(const struct fixture *fixture,
				    unsigned int flags)
{
	struct sys_device *device = NULL;

	assert_int_equal(sys_device_open(fixture->path,
					 flags | SYS_DEVICE_ALLOW_FILE,
					 &device),
			 0);
	assert_true(device->regular);
	assert_int_equal(device->bytes, FILE_MIB * SVCENC_MIB);
	assert_string_equal(device->devno_text, "");
	return device;
}

static void only_devices_and_allowed_files_open(void **state)
{
	const struct fixture *fixture = *state;
	struct sys_device *device = NULL;
	char fifo[128];

	assert_int_equal(sys_device_open(fixture->path, 0, &device), -ENOTBLK);
	assert_int_equal(sys_device_open(fixture->dir, SYS_DEVICE_ALLOW_FILE,
					 &device),
			 -ENOTBLK);
	assert_int_equal(sys_device_open("/dev/null", SYS_DEVICE_ALLOW_FILE,
					 &device),
			 -ENOTBLK);
	assert_int_equal(sys_device_open("/nonexistent/x", 0, &device),
			 -ENOENT);
	snprintf(fifo, sizeof(fifo), "%s/fifo", fixture->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	/* must not wait for a writer */
	assert_int_equal(sys_device_open(fifo, SYS_DEVICE_ALLOW_FILE, &device),
			 -ENOTBLK);
	unlink(fifo);
	assert_null(device);
}

static void ranges_and_alignment_are_checked(void **state)
{
	struct sys_device *device = open_file(*state, SYS_DEVICE_WRITE);
	const u64 end = device->bytes;
	u8 buf[8192] = { 0 };

	assert_int_equal(sys_device_read(device, end - 4096, buf, 4096), 0);
	assert_int_equal(sys_device_read(device, end, buf, 4096), -ERANGE);
	assert_int_equal(sys_device_read(device, end - 4096, buf, 8192),
			 -ERANGE);
	assert_int_equal(sys_device_read(device, U64_MAX - 4095, buf, 4096),
			 -ERANGE);
	assert_int_equal(sys_device_write(device, end - 4096, buf, 8192),
			 -ERANGE);
	assert_int_equal(sys_device_zero(device, 0, end + 4096), -ERANGE);
	assert_int_equal(sys_device_read(device, 512, buf, 4096), -EINVAL);
	assert_int_equal(sys_device_read(device, 0, buf, 512), -EINVAL);
	assert_int_equal(sys_device_write(device, 0, buf, 0), -EINVAL);
	sys_device_close(device);
}

static void what_is_written_is_read(void **state)
{
	enum { LEN = 3 * (int)SVCENC_MIB + 4096, OFFSET = 8192 };
	struct sys_device *device = open_file(*state, SYS_DEVICE_WRITE);
	u8 *written = malloc(LEN + 1), *read = malloc(LEN + 1);
	size_t i;

	assert_true(written && read);
	/* odd addresses: callers' buffers need no alignment */
	for (i = 0; i < LEN; i++)
		written[1 + i] = (u8)(i * 2654435761U >> 13);
	assert_int_equal(sys_device_write(device, OFFSET, written + 1, LEN), 0);
	assert_int_equal(sys_device_read(device, OFFSET, read + 1, LEN), 0);
	assert_memory_equal(written + 1, read + 1, LEN);
	assert_int_equal(sys_device_zero(device, OFFSET + 4096, LEN - 8192), 0);
	assert_int_equal(sys_device_read(device, OFFSET, read + 1, LEN), 0);
	assert_memory_equal(read + 1, written + 1, 4096);
	assert_memory_equal(read + 1 + LEN - 4096, written + 1 + LEN - 4096,
			    4096);
	for (i = 4096; i < LEN - 4096; i++)
		assert_int_equal(read[1 + i], 0);
	free(written);
	free(read);
	sys_device_close(device);
}

static void copies_lie_where_the_format_says(void **state)
{
	static const u64 offsets[] = { 0, 3 * SVCENC_MIB };
	static const u64 records[] = { 1 * SVCENC_MIB, 2 * SVCENC_MIB };
	struct sys_device *device = open_file(*state, SYS_DEVICE_WRITE);
	u8 sb[SVCENC_SB_SIZE], record[SVCENC_RECORD_SIZE], byte;
	unsigned int copy;

	for (copy = 0; copy < 2; copy++) {
		memset(sb, 0xa0 + (int)copy, sizeof(sb));
		memset(record, 0xb0 + (int)copy, sizeof(record));
		assert_int_equal(sys_device_write_superblock(device, copy, sb),
				 0);
		assert_int_equal(sys_device_write_record(device, copy, record),
				 0);
	}
	for (copy = 0; copy < 2; copy++) {
		const int raw = open(device->path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(
			pread(raw, &byte, 1, (off_t)offsets[copy] + 4095), 1);
		assert_int_equal(byte, 0xa0 + copy);
		assert_int_equal(
			pread(raw, &byte, 1, (off_t)offsets[copy] + 4096), 1);
		assert_int_equal(byte, 0);
		assert_int_equal(
			pread(raw, &byte, 1, (off_t)records[copy] + 16383), 1);
		assert_int_equal(byte, 0xb0 + copy);
		close(raw);
		assert_int_equal(sys_device_read_superblock(device, copy, sb),
				 0);
		assert_int_equal(sb[17], 0xa0 + copy);
		assert_int_equal(sys_device_read_record(device, copy, record),
				 0);
		assert_int_equal(record[17], 0xb0 + copy);
	}
	assert_int_equal(sys_device_read_superblock(device, 2, sb), -EINVAL);
	assert_int_equal(sys_device_write_record(device, 2, record), -EINVAL);
	sys_device_close(device);
}

static void read_only_means_read_only(void **state)
{
	struct sys_device *device = open_file(*state, 0);
	u8 sb[SVCENC_SB_SIZE] = { 0 };

	assert_int_equal(sys_device_write_superblock(device, 0, sb), -EBADF);
	assert_int_equal(sys_device_wipe_signatures(device), -EPERM);
	sys_device_close(device);
}

static void size_is_read_anew(void **state)
{
	const struct fixture *fixture = *state;
	struct sys_device *device = open_file(fixture, 0);
	u8 sb[SVCENC_SB_SIZE];

	assert_int_equal(truncate(fixture->path, 3 * (off_t)SVCENC_MIB), 0);
	assert_int_equal(sys_device_refresh_size(device), 0);
	assert_int_equal(device->bytes, 3 * SVCENC_MIB);
	assert_int_equal(sys_device_read_superblock(device, 1, sb), -ERANGE);
	sys_device_close(device);
}

static void own_signature_is_known(void **state)
{
	struct sys_device *device = open_file(*state, SYS_DEVICE_WRITE);
	u8 sb[SVCENC_SB_SIZE] = { 0 };
	struct sys_signature found;

	assert_int_equal(sys_device_signature(device, &found), 0);
	/* the magic alone, in the second copy alone: torn, but a volume */
	memcpy(sb, SVCENC_SB_MAGIC, 8);
	assert_int_equal(sys_device_write_superblock(device, 1, sb), 0);
	assert_int_equal(sys_device_signature(device, &found), 1);
	assert_string_equal(found.type, "svcenc");
	assert_string_equal(found.usage, "crypto");
	sys_device_close(device);
}

/* A swap header: "SWAPSPACE2" at the end of the first page, version 1. */
static void write_swap(const struct sys_device *device)
{
	u8 page[4096] = { 0 };

	page[1024] = 1;	       /* version */
	page[1024 + 4] = 0xff; /* last page */
	memcpy(page + 4096 - 10, "SWAPSPACE2", 10);
	assert_int_equal(sys_device_write(device, 0, page, sizeof(page)), 0);
}

static void foreign_signatures_are_found_and_wiped(void **state)
{
	struct sys_device *device = open_file(*state, SYS_DEVICE_WRITE);
	struct sys_signature found;
	u8 luks[4096] = { 'L', 'U', 'K', 'S', 0xba, 0xbe, 0, 1 };

	write_swap(device);
	assert_int_equal(sys_device_signature(device, &found), 1);
	assert_string_equal(found.type, "swap");
	assert_int_equal(sys_device_wipe_signatures(device), 0);
	assert_int_equal(sys_device_signature(device, &found), 0);

	assert_int_equal(sys_device_write(device, 0, luks, sizeof(luks)), 0);
	assert_int_equal(sys_device_signature(device, &found), 1);
	assert_string_equal(found.type, "crypto_LUKS");
	assert_int_equal(sys_device_wipe_signatures(device), 0);
	assert_int_equal(sys_device_signature(device, &found), 0);
	sys_device_close(device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			only_devices_and_allowed_files_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			ranges_and_alignment_are_checked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_is_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			copies_lie_where_the_format_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only_means_read_only,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(size_is_read_anew, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(own_signature_is_known, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			foreign_signatures_are_found_and_wiped, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
