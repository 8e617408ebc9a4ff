// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "header.h"

enum { ALIGNMENT = 4096 };

/* 0 or -errno; the size of the device or file behind @fd. */
static int device_size(int fd, u64 *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		*ret = (u64)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	if (ioctl(fd, BLKGETSIZE64, ret) < 0)
		return -errno;
	return 0;
}

int svcenc_header_open(const char *path, int flags, u64 *ret_bytes)
{
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	/* tmpfs and others have no O_DIRECT; nothing is lost on a file */
	if (fd < 0 && errno == EINVAL && flags & O_DIRECT)
		fd = open(path, (O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags) &
					~O_DIRECT);
	if (fd < 0)
		return -errno;
	r = device_size(fd, ret_bytes);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

/* A piece of the header through @bounce; *@ret_present = it is all there. */
static int read_piece(int fd, u64 offset, u8 *buf, size_t len, u8 *bounce,
		      bool *ret_present)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, bounce + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* the end, or an end that O_DIRECT cannot go on from */
		if (!n || n % 512)
			break;
		done += (size_t)n;
	}
	*ret_present = done == len;
	if (*ret_present)
		memcpy(buf, bounce, len);
	return 0;
}

static int read_all(int fd, struct svcenc_header *h, u8 *bounce)
{
	static const u64 sb_at[] = { SVCENC_SB1_OFFSET, SVCENC_SB2_OFFSET };
	static const u64 record_at[] = { SVCENC_RECORD1_OFFSET,
					 SVCENC_RECORD2_OFFSET };
	int i, r = 0;

	for (i = 0; i < 2 && !r; i++)
		r = read_piece(fd, sb_at[i], h->copy[i].raw, SVCENC_SB_SIZE,
			       bounce, &h->copy[i].present);
	for (i = 0; i < 2 && !r; i++)
		r = read_piece(fd, record_at[i], h->record[i].raw,
			       SVCENC_RECORD_SIZE, bounce,
			       &h->record[i].present);
	return r;
}

static void decode_copy(struct svcenc_header_sb *copy)
{
	if (!copy->present)
		return;
	copy->defect = svcenc_sb_decode(copy->raw, SVCENC_INCOMPAT_SUPPORTED,
					&copy->sb);
	if (copy->defect == SVCENC_SB_UNSUPPORTED)
		copy->also = svcenc_sb_decode(
			copy->raw, SVCENC_INCOMPAT_DEFINED, &copy->sb);
	copy->decoded = (copy->defect == SVCENC_SB_NONE ||
			 copy->defect == SVCENC_SB_UNSUPPORTED) &&
			copy->also == SVCENC_SB_NONE;
}

int svcenc_header_read(const char *path, struct svcenc_header **ret)
{
	struct svcenc_header *h;
	void *bounce;
	int fd, i, r;

	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	if (posix_memalign(&bounce, ALIGNMENT, SVCENC_RECORD_SIZE)) {
		free(h);
		return -ENOMEM;
	}
	fd = svcenc_header_open(path, O_DIRECT, &h->device_bytes);
	r = fd < 0 ? fd : read_all(fd, h, bounce);
	if (fd >= 0)
		close(fd);
	free(bounce);
	if (r < 0) {
		free(h);
		return r;
	}
	for (i = 0; i < 2; i++) {
		decode_copy(&h->copy[i]);
		if (h->record[i].present)
			h->record[i].defect = svcenc_record_decode(
				h->record[i].raw, &h->record[i].record);
	}
	*ret = h;
	return 0;
}

static const char behind_end[] = "behind the end of the device";

const char *svcenc_header_sb_text(const struct svcenc_header_sb *copy)
{
	return copy->present ? svcenc_sb_defect_text(copy->defect) : behind_end;
}

const char *svcenc_header_record_text(const struct svcenc_header_record *record)
{
	return record->present ? svcenc_record_defect_text(record->defect) :
				 behind_end;
}

static bool is_newer_keyed(const struct svcenc_header_sb *a,
			   const struct svcenc_header_sb *b)
{
	if (a->defect != SVCENC_SB_NONE || !a->sb.keyed)
		return false;
	return b->defect != SVCENC_SB_NONE || !b->sb.keyed ||
	       a->sb.seq >= b->sb.seq;
}

/* States as the holder of the newest keyed copy's policy key would find. */
static void guess_states(const struct svcenc_header *h,
			 struct svcenc_copy state[SVCENC_SB_COPIES])
{
	const int newest = is_newer_keyed(&h->copy[0], &h->copy[1]) ? 0 : 1;
	const struct svcenc_keyid *key = &h->copy[newest].sb.key;
	int i;

	for (i = 0; i < SVCENC_SB_COPIES; i++) {
		const struct svcenc_header_sb *c = &h->copy[i];

		if (c->defect == SVCENC_SB_MAGIC_DEFECT ||
		    c->defect == SVCENC_SB_CRC)
			state[i].state = SVCENC_COPY_ROTTEN;
		else if (c->defect != SVCENC_SB_NONE)
			state[i].state = SVCENC_COPY_INVALID;
		else if (!c->sb.keyed)
			state[i].state = SVCENC_COPY_FRESH;
		else if (!svcenc_keyid_equal(&c->sb.key, key))
			state[i].state = SVCENC_COPY_FOREIGN;
		else
			state[i].state = SVCENC_COPY_GOOD;
		state[i].seq = c->sb.seq;
	}
}

static void refuse(struct svcenc_verdict *v, enum svcenc_exit code,
		   const char *text)
{
	v->winner = -1;
	v->repair = false;
	v->exit = code;
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static void describe_winner(const struct svcenc_header *h,
			    struct svcenc_verdict *v)
{
	const struct svcenc_sb *sb = &h->copy[v->winner].sb;
	char key[SVCENC_KEYID_TEXT + 1];
	int len;

	svcenc_keyid_print(&sb->key, key);
	len = snprintf(v->text, sizeof(v->text),
		       "copy %d, if its HMAC holds under %s", v->winner + 1,
		       key);
	if (v->repair)
		snprintf(v->text + len, sizeof(v->text) - (size_t)len,
			 "; copy %d is to be rewritten", 2 - v->winner);
}

static void judge_length(const struct svcenc_header *h,
			 struct svcenc_verdict *v)
{
	const u64 needed = svcenc_sb_device_bytes(&h->copy[v->shown].sb);

	if (h->device_bytes >= needed)
		return;
	refuse(v, SVCENC_EXIT_DEVICE, "");
	snprintf(
		v->text, sizeof(v->text),
		"device is shorter than the volume: has %llu bytes, needs %llu",
		(unsigned long long)h->device_bytes,
		(unsigned long long)needed);
}

static void judge_pick(const struct svcenc_header *h, struct svcenc_verdict *v)
{
	const bool same =
		!memcmp(h->copy[0].raw, h->copy[1].raw, SVCENC_SB_SIZE);
	struct svcenc_copy state[SVCENC_SB_COPIES];

	guess_states(h, state);
	v->pick = svcenc_sb_pick(state, same, &v->repair);
	if (v->pick == SVCENC_PICK_FIRST || v->pick == SVCENC_PICK_SECOND) {
		v->winner = v->pick == SVCENC_PICK_SECOND;
		v->shown = v->winner;
		describe_winner(h, v);
	} else if (v->pick == SVCENC_PICK_FRESH) {
		refuse(v, SVCENC_EXIT_OK, svcenc_pick_text(v->pick));
	} else {
		refuse(v, SVCENC_EXIT_INTEGRITY, svcenc_pick_text(v->pick));
	}
}

void svcenc_header_judge(const struct svcenc_header *h,
			 struct svcenc_verdict *v)
{
	const struct svcenc_header_sb *a = &h->copy[0], *b = &h->copy[1];

	memset(v, 0, sizeof(*v));
	v->winner = -1;
	v->shown = a->decoded ? 0 : b->decoded ? 1 : -1;
	if (!a->present || !b->present) {
		refuse(v, SVCENC_EXIT_DEVICE,
		       "device is shorter than the header");
		return;
	}
	judge_pick(h, v);
	if (a->defect == SVCENC_SB_MAGIC_DEFECT &&
	    b->defect == SVCENC_SB_MAGIC_DEFECT)
		v->exit = SVCENC_EXIT_DEVICE;
	if (v->exit)
		return;
	if (a->decoded && b->decoded &&
	    !svcenc_uuid_equal(&a->sb.uuid, &b->sb.uuid)) {
		refuse(v, SVCENC_EXIT_INTEGRITY,
		       "superblock copies are of different volumes");
		return;
	}
	judge_length(h, v);
	if (!v->exit && h->record[0].defect && h->record[1].defect)
		v->exit = SVCENC_EXIT_INTEGRITY;
}
