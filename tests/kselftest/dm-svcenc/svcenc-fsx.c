// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations on one file of a mounted filesystem, with a copy of what
 * it must hold kept in memory: writes, reads, mmap, truncate, holes, zeroed
 * ranges, fsync, page cache dropped.  Stops at the first difference and says
 * which of the operations touched that byte last.  Same seed, same run.
 *
 *   svcenc-fsx FILE OPS SEED [MAX_BYTES]
 *
 * Knows files only; that encryption lies below is none of its business.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_OP = 128 << 10, DIRECT_UNIT = 4096 };

struct fsx {
	int fd;
	int direct;
	unsigned char *want;   /* what the file must hold, size bytes */
	unsigned int *last;    /* per byte: number of the operation */
	unsigned char *buffer; /* aligned for direct I/O, MAX_OP + unit */
	size_t size;
	size_t max;
	unsigned int op; /* number of the current one */
	uint64_t random;
};

static uint64_t below(struct fsx *fsx, uint64_t limit)
{
	uint64_t z = fsx->random += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (z ^ (z >> 31)) % limit;
}

static void __attribute__((noreturn, format(printf, 2, 3)))
die(const struct fsx *fsx, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "svcenc-fsx: operation %u: ", fsx->op);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static void need(const struct fsx *fsx, int ok, const char *what)
{
	if (!ok)
		die(fsx, "%s: %s", what, strerror(errno));
}

static void compare(const struct fsx *fsx, const unsigned char *got, size_t at,
		    size_t len, const char *what)
{
	for (size_t i = 0; i < len; i++)
		if (got[i] != fsx->want[at + i])
			die(fsx,
			    "%s: byte %zu of %zu is %02x, must be %02x (operation %u)",
			    what, at + i, fsx->size, got[i], fsx->want[at + i],
			    fsx->last[at + i]);
}

/* Bytes [at, at + len) are zero from now on; the file is at least so long. */
static void now_zero(struct fsx *fsx, size_t at, size_t len)
{
	memset(fsx->want + at, 0, len);
	for (size_t i = 0; i < len; i++)
		fsx->last[at + i] = fsx->op;
}

static void grow_to(struct fsx *fsx, size_t size)
{
	if (size <= fsx->size)
		return;
	now_zero(fsx, fsx->size, size - fsx->size);
	fsx->size = size;
}

static void new_bytes(struct fsx *fsx, unsigned char *to, size_t at, size_t len)
{
	grow_to(fsx, at + len);
	for (size_t i = 0; i < len; i++) {
		to[i] = (unsigned char)(below(fsx, 256));
		fsx->want[at + i] = to[i];
		fsx->last[at + i] = fsx->op;
	}
}

static void do_write(struct fsx *fsx, size_t at, size_t len)
{
	new_bytes(fsx, fsx->buffer, at, len);
	need(fsx, pwrite(fsx->fd, fsx->buffer, len, (off_t)at) == (ssize_t)len,
	     "write");
}

static void do_direct_write(struct fsx *fsx, size_t at, size_t len)
{
	at -= at % DIRECT_UNIT;
	len += DIRECT_UNIT - len % DIRECT_UNIT;
	if (at + len > fsx->max)
		len = fsx->max - at;
	new_bytes(fsx, fsx->buffer, at, len);
	need(fsx,
	     pwrite(fsx->direct, fsx->buffer, len, (off_t)at) == (ssize_t)len,
	     "direct write");
}

static void do_read(struct fsx *fsx, size_t at, size_t len)
{
	const size_t there = at >= fsx->size	  ? 0 :
			     len < fsx->size - at ? len :
						    fsx->size - at;

	need(fsx, pread(fsx->fd, fsx->buffer, len, (off_t)at) == (ssize_t)there,
	     "read");
	compare(fsx, fsx->buffer, at, there, "read");
}

static void do_direct_read(struct fsx *fsx, size_t at, size_t len)
{
	ssize_t got;

	at -= at % DIRECT_UNIT;
	len -= len % DIRECT_UNIT;
	if (!len || at >= fsx->size)
		return;
	got = pread(fsx->direct, fsx->buffer, len, (off_t)at);
	need(fsx, got == (ssize_t)(len < fsx->size - at ? len : fsx->size - at),
	     "direct read");
	compare(fsx, fsx->buffer, at, (size_t)got, "direct read");
}

/* A mapping may not reach behind the end of the file by a page. */
static void do_map(struct fsx *fsx, size_t at, size_t len, int writing)
{
	const size_t page = at - at % 4096;
	unsigned char *map;

	if (at >= fsx->size)
		return;
	if (len > fsx->size - at)
		len = fsx->size - at;
	map = mmap(NULL, at - page + len,
		   PROT_READ | (writing ? PROT_WRITE : 0), MAP_SHARED, fsx->fd,
		   (off_t)page);
	need(fsx, map != MAP_FAILED, "mmap");
	if (writing) {
		new_bytes(fsx, map + (at - page), at, len);
		need(fsx, !msync(map, at - page + len, MS_SYNC), "msync");
	} else {
		compare(fsx, map + (at - page), at, len, "mapped read");
	}
	need(fsx, !munmap(map, at - page + len), "munmap");
}

static void do_truncate(struct fsx *fsx, size_t size)
{
	need(fsx, !ftruncate(fsx->fd, (off_t)size), "truncate");
	grow_to(fsx, size);
	fsx->size = size;
}

static void do_zero(struct fsx *fsx, int mode, size_t at, size_t len)
{
	if (at >= fsx->size)
		return;
	if (len > fsx->size - at)
		len = fsx->size - at;
	need(fsx,
	     !fallocate(fsx->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)at,
			(off_t)len),
	     "fallocate");
	now_zero(fsx, at, len);
}

static void do_sync(struct fsx *fsx)
{
	need(fsx, !fsync(fsx->fd), "fsync");
	/* what follows is read from the device */
	need(fsx, !posix_fadvise(fsx->fd, 0, 0, POSIX_FADV_DONTNEED),
	     "fadvise");
}

static void step(struct fsx *fsx)
{
	const size_t at = below(fsx, fsx->max - 1);
	size_t len = 1 + below(fsx, below(fsx, 3) ? 8192 : MAX_OP);

	if (len > fsx->max - at)
		len = fsx->max - at;
	switch (below(fsx, 16)) {
	case 0 ... 3:
		return do_write(fsx, at, len);
	case 4 ... 5:
		return do_direct_write(fsx, at, len);
	case 6 ... 7:
		return do_read(fsx, at, len);
	case 8:
		return do_direct_read(fsx, at, len);
	case 9:
		return do_map(fsx, at, len, 0);
	case 10 ... 11:
		return do_map(fsx, at, len, 1);
	case 12:
		return do_truncate(fsx, at);
	case 13:
		return do_zero(fsx, FALLOC_FL_PUNCH_HOLE, at, len);
	case 14:
		return do_zero(fsx, FALLOC_FL_ZERO_RANGE, at, len);
	default:
		return do_sync(fsx);
	}
}

static void compare_all(struct fsx *fsx)
{
	do_sync(fsx);
	need(fsx, lseek(fsx->fd, 0, SEEK_END) == (off_t)fsx->size,
	     "size of the file");
	for (size_t at = 0; at < fsx->size; at += MAX_OP)
		do_read(fsx, at, MAX_OP);
}

static void start(struct fsx *fsx, const char *path)
{
	void *buffer;

	fsx->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fsx->direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	need(fsx, fsx->fd >= 0 && fsx->direct >= 0, path);
	fsx->want = calloc(1, fsx->max);
	fsx->last = calloc(fsx->max, sizeof(*fsx->last));
	need(fsx, fsx->want && fsx->last, "memory");
	need(fsx, !posix_memalign(&buffer, 4096, MAX_OP + DIRECT_UNIT),
	     "memory");
	fsx->buffer = buffer;
}

int main(int argc, char **argv)
{
	struct fsx fsx = { .max = 2 << 20 };
	unsigned int ops;

	if (argc < 4) {
		fputs("usage: svcenc-fsx FILE OPS SEED [MAX_BYTES]\n", stderr);
		return 2;
	}
	ops = (unsigned int)strtoul(argv[2], NULL, 0);
	fsx.random = strtoull(argv[3], NULL, 0);
	if (argc > 4)
		fsx.max =
			strtoull(argv[4], NULL, 0) / DIRECT_UNIT * DIRECT_UNIT;
	start(&fsx, argv[1]);
	for (fsx.op = 1; fsx.op <= ops; fsx.op++)
		step(&fsx);
	compare_all(&fsx);
	printf("%u operations, file of %zu bytes as it must be\n", ops,
	       fsx.size);
	return 0;
}
