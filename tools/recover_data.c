// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The data path of svcenc-recover: goes through the volume in logical order,
 * reads each run where it lies (both places, either side of a rotation's
 * watermark), decrypts sector by sector (AES-256-XTS, tweak = number of the
 * 512-byte sector within the volume), writes. Knows nothing of wraps, MACs or
 * vaults.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

#include "recover.h"
#include "rotation.h"

enum {
	CHUNK = 1 << 20,
	HOLE = 4096, /* unit in which zeroes become holes */
};

struct stream {
	int device;
	const struct svcenc_sb *sb;
	struct svcenc_rotation rotation;
	const struct recover_output *output;
	EVP_CIPHER_CTX *xts[2]; /* current, next; the latter NULL while idle */
	u8 *chunk;
	bool hole_pending; /* the file's end must be set at the end */
};

/* Byte on the device where logical byte @at lies. */
static u64 device_byte(const struct stream *s, const struct svcenc_spot *spot,
		       u64 at)
{
	return s->sb->data_offset + at +
	       svcenc_rotation_base(&s->rotation, spot->place) * 512;
}

static int read_chunk(const struct stream *s, u64 offset, size_t len,
		      struct recover_error *error)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(s->device, s->chunk + done, len - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return recover_fail(
				error, SVCENC_EXIT_DEVICE,
				"copy what is readable with ddrescue and recover from the copy",
				"reading the device at byte %llu: %s",
				(unsigned long long)(offset + done),
				n ? strerror(errno) : "it ends there");
		done += (size_t)n;
	}
	return 0;
}

static int decrypt_chunk(const struct stream *s, EVP_CIPHER_CTX *xts, u64 at,
			 size_t len, struct recover_error *error)
{
	const u32 unit = s->sb->sector_size;
	size_t done;

	for (done = 0; done < len; done += unit) {
		const __le64 sector = cpu_to_le64((at + done) / 512);
		u8 tweak[16] = { 0 };
		int n = 0;

		memcpy(tweak, &sector, sizeof(sector));
		if (EVP_DecryptInit_ex(xts, NULL, NULL, NULL, tweak) != 1 ||
		    EVP_DecryptUpdate(xts, s->chunk + done, &n, s->chunk + done,
				      (int)unit) != 1 ||
		    n != (int)unit)
			return recover_fail(error, SVCENC_EXIT_INTEGRITY, NULL,
					    "OpenSSL does not decrypt");
	}
	return 0;
}

static int write_all(const struct stream *s, const u8 *bytes, size_t len,
		     struct recover_error *error)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(s->output->fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return recover_fail(
				error, SVCENC_EXIT_DEVICE,
				errno == ENOSPC ?
					"make room and run it again with --overwrite" :
					NULL,
				"writing the output: %s", strerror(errno));
		done += (size_t)n;
	}
	return 0;
}

static bool is_zero(const u8 *bytes, size_t len)
{
	return !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

static int write_sparse(struct stream *s, size_t len,
			struct recover_error *error)
{
	size_t done, size;

	for (done = 0; done < len; done += size) {
		size = len - done < HOLE ? len - done : HOLE;
		s->hole_pending = is_zero(s->chunk + done, size);
		if (s->hole_pending) {
			if (lseek(s->output->fd, (off_t)size, SEEK_CUR) < 0)
				return recover_fail(error, SVCENC_EXIT_DEVICE,
						    "leave out --sparse",
						    "output has no holes: %s",
						    strerror(errno));
		} else if (write_all(s, s->chunk + done, size, error)) {
			return -1;
		}
	}
	return 0;
}

/* What is there, if it can be read at all, is not what was written. */
static void blank_unreadable(const struct stream *s, u64 at, size_t len)
{
	u32 i;

	for (i = 0; i < s->sb->extent_count; i++) {
		const struct svcenc_extent *extent = &s->sb->extents[i];
		u64 from = extent->start * 512;
		u64 to = from + (u64)extent->sectors * 512;

		from = from > at ? from : at;
		to = to < at + len ? to : at + len;
		if (from < to)
			memset(s->chunk + (from - at), 0, to - from);
	}
}

static int copy_volume(struct stream *s, struct recover_error *error)
{
	const u64 end = s->sb->data_len;
	struct svcenc_spot spot;
	size_t len;
	u64 at;
	int r;

	for (at = 0; at < end; at += len) {
		len = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		spot = svcenc_rotation_find(&s->rotation, at / 512, len / 512);
		len = (size_t)spot.sectors * 512;
		r = read_chunk(s, device_byte(s, &spot, at), len, error);
		if (!r)
			r = decrypt_chunk(s,
					  s->xts[spot.zone == SVCENC_ZONE_NEXT],
					  at, len, error);
		if (!r)
			blank_unreadable(s, at, len);
		if (!r)
			r = s->output->sparse ?
				    write_sparse(s, len, error) :
				    write_all(s, s->chunk, len, error);
		if (r)
			return r;
	}
	if (s->hole_pending && ftruncate(s->output->fd, (off_t)end))
		return recover_fail(error, SVCENC_EXIT_DEVICE, NULL,
				    "output cannot be extended: %s",
				    strerror(errno));
	return 0;
}

static EVP_CIPHER_CTX *new_xts(const struct svcenc_secret *key)
{
	EVP_CIPHER_CTX *xts = EVP_CIPHER_CTX_new();

	if (xts && EVP_DecryptInit_ex(xts, EVP_aes_256_xts(), NULL,
				      svcenc_secret_peek(key), NULL) == 1)
		return xts;
	EVP_CIPHER_CTX_free(xts);
	return NULL;
}

int recover_data(int device, const struct recover_volume *volume,
		 const struct recover_output *output,
		 struct recover_error *error)
{
	struct stream s = { .device = device,
			    .sb = volume->sb,
			    .output = output };
	int r = -1;

	svcenc_rotation_load(volume->sb, &s.rotation);
	s.chunk = malloc(CHUNK);
	s.xts[0] = new_xts(volume->current_);
	if (volume->next)
		s.xts[1] = new_xts(volume->next);
	if (!s.chunk || !s.xts[0] || (volume->next && !s.xts[1]))
		recover_fail(error, SVCENC_EXIT_MEMORY, NULL, "out of memory");
	else
		r = copy_volume(&s, error);
	EVP_CIPHER_CTX_free(s.xts[0]); /* wipes the key schedule */
	EVP_CIPHER_CTX_free(s.xts[1]);
	if (s.chunk)
		OPENSSL_cleanse(s.chunk, CHUNK);
	free(s.chunk);
	return r;
}
