// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "crashtarget.h"
#include "dmraw.h"
#include "stamp.h"

/* On-disk format 1, and the status line. */
enum {
	SB1 = 0,
	SB2 = 3 << 20,
	SB_BYTES = 4096,
	INCOMPAT_AT = 16,
	DATA_OFFSET_AT = 120,
	DATA_LEN_AT = 128,
	SPARE_LEN_AT = 136,
	EPOCH_AT = 144,
	PLACE_AT = 152,
	CURRENT_AT = 168,
	NEXT_AT = 264,
	WRAP_BYTES = 96,
	ROTATING = 1,
	STATUS_STATE = 1,
	STATUS_SEQ = 5,
	STATUS_ROTATION = 17,
};

enum { PIECE = 256 << 10, END_WAIT_S = 60 };

static const char volume_name[] = "crash-volume", log_name[] = "crash-log";
struct crash_counts crash_counts;
static char words[256];

static const char *__attribute__((format(printf, 1, 2)))
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	return words;
}

static void __attribute__((noreturn)) die(const char *what, int error)
{
	fprintf(stderr, "crash-replay: %s: %s\n", what, strerror(error));
	exit(2);
}

static uint64_t field(const unsigned char *sb, int at, int bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | sb[at + bytes];
	return value;
}

void crash_target_start(struct crash_target *target, const char *device,
			const char *prefix, size_t sector_size)
{
	uint64_t bytes;
	void *buffer;
	int rc, keyring;

	rc = volume_read(prefix, &target->volume);
	if (rc)
		die(prefix, -rc);
	rc = dmraw_open();
	if (rc)
		die("device-mapper", -rc);
	keyring = key_keyring();
	if (keyring < 0 || key_add(&target->volume, keyring) < 0)
		die("adding the key", errno);
	target->device = device;
	target->fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (target->fd < 0 || ioctl(target->fd, BLKGETSIZE64, &bytes) ||
	    posix_memalign(&buffer, 4096, PIECE))
		die(device, errno);
	target->bytes = bytes;
	target->buffer = buffer;
	target->sector_size = sector_size;
	target->sectors = target->volume.sectors * 512 / sector_size;
}

/* --------------------------------------------------------------- contents */

static int put_span(struct crash_target *target, const unsigned char *image,
		    size_t from, size_t to)
{
	for (; from < to; from += PIECE) {
		const size_t n = to - from < PIECE ? to - from : PIECE;

		memcpy(target->buffer, image + from, n);
		if (pwrite(target->fd, target->buffer, n, (off_t)from) !=
		    (ssize_t)n)
			return -1;
	}
	return 0;
}

const char *crash_put(struct crash_target *target, const unsigned char *image)
{
	/* nobody writes between the copies: records stay as they are */
	if (put_span(target, image, SB1, SB1 + SB_BYTES) ||
	    put_span(target, image, SB2, SB2 + SB_BYTES) ||
	    put_span(target, image, 4 << 20, target->bytes))
		return say("writing the image: %s", strerror(errno));
	return NULL;
}

/* Reads the volume and compares; @again: with what was found before. */
static const char *check_sectors(struct crash_target *target, int fd,
				 const struct crash_versions *versions,
				 bool again)
{
	const size_t in_piece = PIECE / target->sector_size;
	uint64_t x, i;

	for (x = 0; x < target->sectors; x += in_piece) {
		const uint64_t n = target->sectors - x < in_piece ?
					   target->sectors - x :
					   in_piece;

		if (pread(fd, target->buffer, n * target->sector_size,
			  (off_t)(x * target->sector_size)) !=
		    (ssize_t)(n * target->sector_size))
			return say("read at sector %llu: %s",
				   (unsigned long long)x, strerror(errno));
		for (i = 0; i < n; i++) {
			uint32_t version;

			if (!stamp_read(target->buffer +
						i * target->sector_size,
					target->sector_size, x + i, &version))
				return say(
					"sector %llu is no version of itself%s, wanted %u to %u",
					(unsigned long long)(x + i),
					again ? ", after the rotation" : "",
					versions->lowest[x + i],
					versions->highest[x + i]);
			if (again && version != versions->found[x + i])
				return say(
					"sector %llu is version %u after the rotation, was %u",
					(unsigned long long)(x + i), version,
					versions->found[x + i]);
			if (version < versions->lowest[x + i] ||
			    version > versions->highest[x + i])
				return say(
					"sector %llu is version %u, wanted %u to %u",
					(unsigned long long)(x + i), version,
					versions->lowest[x + i],
					versions->highest[x + i]);
			if (!again)
				crash_counts.lost +=
					versions->highest[x + i] - version;
			versions->found[x + i] = version;
		}
	}
	return NULL;
}

/* ---------------------------------------------------------------- opening */

static const char *open_log(struct crash_target *target, const char *log_device,
			    uint64_t *ret_dev)
{
	char params[256];
	int rc;

	snprintf(params, sizeof(params), "%s %s", target->device, log_device);
	rc = dmraw_create(log_name, "", ret_dev);
	if (!rc)
		rc = dmraw_load(log_name, target->bytes / 512, "log-writes",
				params);
	if (!rc)
		rc = dmraw_resume(log_name);
	return rc ? say("log-writes: %s", strerror(-rc)) : NULL;
}

static const char *open_volume(struct crash_target *target, const char *below,
			       int *ret_fd)
{
	char params[256], uuid[128];
	uint64_t dev;
	int rc;

	snprintf(uuid, sizeof(uuid), "SVCENC-1-%.64s-%s", target->volume.uuid,
		 volume_name);
	snprintf(params, sizeof(params), "%s %s %s", below, target->volume.uuid,
		 target->volume.desc);
	rc = dmraw_create(volume_name, uuid, &dev);
	if (rc)
		return say("create: %s", strerror(-rc));
	rc = dmraw_load(volume_name, target->volume.sectors, "svcenc", params);
	if (rc)
		return say("does not open: table: %s", strerror(-rc));
	rc = dmraw_resume(volume_name);
	if (rc)
		return say("does not open: resume: %s", strerror(-rc));
	*ret_fd = dmraw_open_device(dev, O_RDONLY);
	return *ret_fd < 0 ? say("device: %s", strerror(-*ret_fd)) : NULL;
}

/* Copies word @number of the status line. */
static bool status_word(int number, char *ret, size_t size)
{
	const char *text = dmraw_status(volume_name, 0);
	size_t n;

	while (text && --number) {
		text = strchr(text, ' ');
		if (text)
			text++;
	}
	if (!text)
		return false;
	n = strcspn(text, " ");
	if (n >= size)
		return false;
	memcpy(ret, text, n);
	ret[n] = '\0';
	return true;
}

static void nap(void)
{
	const struct timespec time = { .tv_nsec = 500 * 1000 };

	nanosleep(&time, NULL);
}

static const char *wait_for_end(void)
{
	const time_t end = time(NULL) + END_WAIT_S;
	char word[64];

	for (;;) {
		if (!status_word(STATUS_ROTATION, word, sizeof(word)))
			return say("no status");
		if (!strcmp(word, "idle"))
			return NULL;
		if (strcmp(word, "running"))
			return say("the rotation does not go on: %s", word);
		if (time(NULL) >= end)
			return say("the rotation does not end in %d s",
				   END_WAIT_S);
		nap();
	}
}

/* The newest whole copy of the image has won. */
static const char *check_choice(const struct volume_header *header)
{
	uint64_t newest = 0;
	char word[64];
	int i;

	for (i = 0; i < VOLUME_COPIES; i++)
		if (volume_copy_valid(header, i) &&
		    volume_copy_seq(header, i) > newest)
			newest = volume_copy_seq(header, i);
	if (!status_word(STATUS_SEQ, word, sizeof(word)))
		return say("no status");
	if (strtoull(word, NULL, 10) < newest)
		return say("opened with seq %s, but a whole copy has %llu",
			   word, (unsigned long long)newest);
	return NULL;
}

static const char *try_open(struct crash_target *target, int fd, bool rotating,
			    const struct volume_header *before,
			    const struct crash_versions *versions)
{
	const char *wrong = check_choice(before);

	if (!wrong)
		wrong = check_sectors(target, fd, versions, false);
	if (!wrong)
		wrong = wait_for_end();
	/* what did not rotate was read just now */
	if (!wrong && rotating)
		wrong = check_sectors(target, fd, versions, true);
	return wrong;
}

static int close_all(int fd)
{
	int rc;

	if (fd >= 0)
		close(fd);
	rc = dmraw_remove(volume_name);
	dmraw_remove(log_name);
	return rc;
}

/* ----------------------------------------------------------- what is left */

static bool is_zero(const unsigned char *bytes, size_t n)
{
	while (n--)
		if (bytes[n])
			return false;
	return true;
}

/* Nothing of the spare is what it was: it held ciphertext of the old key. */
static const char *check_spare(struct crash_target *target,
			       const unsigned char *image,
			       const unsigned char *sb)
{
	const uint64_t len = field(sb, SPARE_LEN_AT, 8);
	uint64_t at = field(sb, DATA_OFFSET_AT, 8), i, end;

	if (!field(sb, PLACE_AT, 4))
		at += field(sb, DATA_LEN_AT, 8);
	for (end = at + len; at < end; at += PIECE) {
		if (pread(target->fd, target->buffer, PIECE, (off_t)at) !=
		    PIECE)
			return say("reading the spare: %s", strerror(errno));
		for (i = 0; i < PIECE; i += 512)
			if (!memcmp(target->buffer + i, image + at + i, 512))
				return say(
					"the spare was not overwritten at byte %llu of the device",
					(unsigned long long)(at + i));
	}
	return NULL;
}

static const char *check_header(const struct volume_header *header,
				const struct volume_header *before,
				bool rotating)
{
	const unsigned char *sb = header->copy[0];
	int i;

	if (!volume_copies_equal(header) || !volume_copy_valid(header, 0))
		return say("the copies are not both whole and the same");
	if (field(sb, INCOMPAT_AT, 8) & ROTATING ||
	    !is_zero(sb + NEXT_AT, WRAP_BYTES))
		return say("the header still says that it rotates");
	for (i = 0; i < VOLUME_COPIES; i++)
		if (rotating && volume_copy_valid(before, i) &&
		    field(before->copy[i], EPOCH_AT, 8) <
			    field(sb, EPOCH_AT, 8) &&
		    !memcmp(sb + CURRENT_AT, before->copy[i] + CURRENT_AT,
			    WRAP_BYTES))
			return say("the old wrap is still there");
	return NULL;
}

static const char *check_rest(struct crash_target *target,
			      const unsigned char *image,
			      const struct volume_header *before, bool rotating)
{
	static struct volume_header header;
	const char *wrong;

	if (volume_get_header(target->device, &header))
		return say("reading the header: %s", strerror(errno));
	wrong = check_header(&header, before, rotating);
	if (!wrong && rotating)
		wrong = check_spare(target, image, header.copy[0]);
	return wrong;
}

/* Does the state on the disk say so, by its newest whole copy? */
static bool says_rotating(const struct volume_header *header)
{
	const bool whole[] = { volume_copy_valid(header, 0),
			       volume_copy_valid(header, 1) };
	int newest = !whole[0];

	if (whole[0] && whole[1] &&
	    volume_copy_seq(header, 1) > volume_copy_seq(header, 0))
		newest = 1;
	return field(header->copy[newest], INCOMPAT_AT, 8) & ROTATING;
}

const char *crash_try(struct crash_target *target, const char *log_device,
		      const unsigned char *image,
		      const struct crash_versions *versions)
{
	static struct volume_header before;
	const char *below = target->device, *wrong = NULL;
	char numbers[32];
	bool rotating;
	uint64_t dev;
	int fd = -1, rc;

	memcpy(before.copy[0], image + SB1, SB_BYTES);
	memcpy(before.copy[1], image + SB2, SB_BYTES);
	rotating = says_rotating(&before);
	if (log_device) {
		wrong = open_log(target, log_device, &dev);
		snprintf(numbers, sizeof(numbers), "%u:%u",
			 (unsigned int)(dev & 0xfff00) >> 8,
			 (unsigned int)((dev & 0xff) | (dev >> 12 & 0xfff00)));
		below = numbers;
	}
	if (!wrong)
		wrong = open_volume(target, below, &fd);
	if (!wrong)
		wrong = try_open(target, fd, rotating, &before, versions);
	rc = close_all(fd);
	if (!wrong && rc)
		wrong = say("does not close: %s", strerror(-rc));
	if (!wrong)
		wrong = check_rest(target, image, &before, rotating);
	crash_counts.opened++;
	crash_counts.opened_rotating += rotating;
	crash_counts.finished += rotating && !wrong;
	return wrong;
}
