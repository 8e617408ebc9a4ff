// SPDX-License-Identifier: GPL-2.0-only
/*
 * Block I/O that a shell cannot ask for: odd buffers, odd vectors, buffers
 * that change while they are being written, ioctls.  Keeps its own copy of
 * what the device must hold, and compares; knows nothing of encryption.
 *
 *   svcenc-io mix DEVICE SHADOW SECTOR OPS SEED   random I/O against SHADOW
 *   svcenc-io align DEVICE SECTOR                 every buffer offset, vectors
 *   svcenc-io scribble DEVICE SECTOR ROUNDS       buffer changes under writes
 *   svcenc-io beyond DEVICE SECTOR                behind the end: must fail
 *   svcenc-io touch DEVICE SECTOR BYTE            writes BYTE everywhere
 *   svcenc-io zeroout DEVICE OFFSET LENGTH        BLKZEROOUT
 *   svcenc-io hog MIB SECONDS                     uses memory, keeps using it
 *
 * Exit status 0 and a line with figures, or 1 and what was wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum limits {
	MAX_BYTES = 512 << 10, /* longest single I/O */
	STRADDLE = 128 << 10,  /* the target cuts bios at multiples of this */
	MAX_VECTORS = 8,
	DMA_ALIGN = 512,
};

static uint64_t random_state = 1;

static uint64_t next_random(void)
{
	/* splitmix64: the same run for the same seed, everywhere */
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t below(uint64_t limit)
{
	return next_random() % limit;
}

static void fill_random(unsigned char *to, size_t len)
{
	for (size_t i = 0; i < len; i += sizeof(uint64_t)) {
		const uint64_t word = next_random();
		const size_t rest = len - i;

		memcpy(to + i, &word,
		       rest < sizeof(word) ? rest : sizeof(word));
	}
}

static void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fputs("svcenc-io: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t number(const char *text)
{
	char *end;
	const uint64_t value = strtoull(text, &end, 0);

	if (!*text || *end)
		die("%s is not a number", text);
	return value;
}

static int open_device(const char *path, int flags)
{
	const int fd = open(path, O_CLOEXEC | flags);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static size_t size_of(const char *path)
{
	const int fd = open_device(path, O_RDONLY);
	const off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0)
		die("%s: has no size", path);
	close(fd);
	return (size_t)size;
}

/* Page-aligned, with room for an offset of up to a page. */
static unsigned char *new_buffer(void)
{
	void *buffer;

	if (posix_memalign(&buffer, 4096, MAX_BYTES + 8192))
		die("out of memory");
	return buffer;
}

static void wanted(ssize_t got, size_t len, const char *what, uint64_t at)
{
	if (got < 0)
		die("%s of %zu bytes at %llu: %s", what, len,
		    (unsigned long long)at, strerror(errno));
	if ((size_t)got != len)
		die("%s at %llu: %zd of %zu bytes", what,
		    (unsigned long long)at, got, len);
}

static void same(const void *got, const void *want, size_t len, uint64_t at,
		 const char *what)
{
	const unsigned char *a = got, *b = want;
	size_t i = 0;

	if (!memcmp(got, want, len))
		return;
	while (a[i] == b[i])
		i++;
	die("%s: byte %llu is %02x, must be %02x", what,
	    (unsigned long long)(at + i), a[i], b[i]);
}

/* ------------------------------------------------------------------- mix */

struct mix {
	int direct;
	int buffered;
	unsigned char *shadow; /* the file that must equal the device */
	size_t size;
	size_t sector;
	unsigned char *buffer;
};

struct span {
	uint64_t at;
	size_t len;
};

/* Any sectors; often the first, the last, or both sides of a cut. */
static struct span pick_span(const struct mix *mix)
{
	const size_t most = MAX_BYTES < mix->size / 4 ? MAX_BYTES :
							mix->size / 4;
	struct span span;

	span.len =
		(1 + below(below(4) ? 16 : most / mix->sector)) * mix->sector;
	if (span.len > most)
		span.len = most;
	span.at = below((mix->size - span.len) / mix->sector + 1) * mix->sector;
	switch (below(8)) {
	case 0:
		span.at = 0;
		break;
	case 1:
		span.at = mix->size - span.len;
		break;
	case 2:
		span.at = (1 + below(mix->size / STRADDLE - 1)) * STRADDLE;
		span.at -= (1 + below(STRADDLE / mix->sector)) * mix->sector;
		if (span.at + span.len > mix->size)
			span.at = mix->size - span.len;
		break;
	default:
		break;
	}
	return span;
}

static void write_direct(struct mix *mix, struct span span)
{
	unsigned char *from = mix->buffer + below(8) * DMA_ALIGN;

	fill_random(from, span.len);
	memcpy(mix->shadow + span.at, from, span.len);
	wanted(pwrite(mix->direct, from, span.len, (off_t)span.at), span.len,
	       "direct write", span.at);
}

/* Each part a multiple of the sector, at some multiple of 512 in memory. */
static void write_vectors(struct mix *mix, struct span span)
{
	struct iovec parts[MAX_VECTORS];
	size_t sectors = span.len / mix->sector, done = 0;
	int count = 0;

	while (sectors) {
		const size_t take =
			count == MAX_VECTORS - 1 ? sectors : 1 + below(sectors);

		parts[count].iov_len = take * mix->sector;
		parts[count].iov_base =
			aligned_alloc(4096, parts[count].iov_len + 8192);
		if (!parts[count].iov_base)
			die("out of memory");
		parts[count].iov_base =
			(char *)parts[count].iov_base + below(8) * DMA_ALIGN;
		fill_random(parts[count].iov_base, parts[count].iov_len);
		memcpy(mix->shadow + span.at + done, parts[count].iov_base,
		       parts[count].iov_len);
		done += parts[count++].iov_len;
		sectors -= take;
	}
	wanted(pwritev(mix->direct, parts, count, (off_t)span.at), span.len,
	       "vectored write", span.at);
	while (count--)
		free((void *)((uintptr_t)parts[count].iov_base &
			      ~(uintptr_t)4095));
}

static void write_buffered(struct mix *mix, struct span span)
{
	/* bytes, not sectors: the page cache reads the rest */
	const size_t skip = below(mix->sector),
		     len = span.len - skip - below(mix->sector - skip);

	fill_random(mix->buffer, len);
	memcpy(mix->shadow + span.at + skip, mix->buffer, len);
	wanted(pwrite(mix->buffered, mix->buffer, len, (off_t)(span.at + skip)),
	       len, "buffered write", span.at + skip);
}

static void read_back(struct mix *mix, struct span span, bool direct)
{
	unsigned char *to = mix->buffer + (direct ? below(8) * DMA_ALIGN : 0);
	const int fd = direct ? mix->direct : mix->buffered;

	wanted(pread(fd, to, span.len, (off_t)span.at), span.len, "read",
	       span.at);
	same(to, mix->shadow + span.at, span.len, span.at, "read back");
}

static void mix_step(struct mix *mix, unsigned int *reads, unsigned int *writes)
{
	const struct span span = pick_span(mix);
	const uint64_t choice = below(8);

	*(choice < 5 ? writes : reads) += 1;
	if (choice < 2)
		write_direct(mix, span);
	else if (choice < 4)
		write_vectors(mix, span);
	else if (choice == 4)
		write_buffered(mix, span);
	else
		read_back(mix, span, choice != 5);
}

static void compare_all(struct mix *mix)
{
	for (uint64_t at = 0; at < mix->size; at += MAX_BYTES) {
		const size_t left = mix->size - at;
		const struct span span = { at, left < MAX_BYTES ? left :
								  MAX_BYTES };

		read_back(mix, span, true);
	}
}

static int run_mix(char **args)
{
	unsigned int reads = 0, writes = 0;
	struct mix mix = { .sector = number(args[2]), .buffer = new_buffer() };
	uint64_t left = number(args[3]);
	int fd;

	random_state = number(args[4]);
	mix.size = size_of(args[0]);
	mix.direct = open_device(args[0], O_RDWR | O_DIRECT);
	mix.buffered = open_device(args[0], O_RDWR);
	fd = open_device(args[1], O_RDWR);
	if (size_of(args[1]) != mix.size)
		die("%s: is not as long as %s", args[1], args[0]);
	mix.shadow =
		mmap(NULL, mix.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mix.shadow == MAP_FAILED)
		die("%s: %s", args[1], strerror(errno));
	while (left--)
		mix_step(&mix, &reads, &writes);
	if (fsync(mix.buffered))
		die("fsync: %s", strerror(errno));
	compare_all(&mix);
	printf("%u writes, %u reads, then all of %zu bytes compared\n", writes,
	       reads, mix.size);
	return 0;
}

/* ----------------------------------------------------------------- align */

static void align_once(int fd, size_t sector, size_t skew, size_t len)
{
	unsigned char *out = new_buffer(), *in = new_buffer();
	const size_t other = (skew + 3 * DMA_ALIGN) % 4096;

	fill_random(out + skew, len);
	wanted(pwrite(fd, out + skew, len, (off_t)sector), len, "write",
	       sector);
	wanted(pread(fd, in + other, len, (off_t)sector), len, "read", sector);
	same(in + other, out + skew, len, sector, "skewed buffer");
	free(out);
	free(in);
}

static int run_align(char **args)
{
	const int fd = open_device(args[0], O_RDWR | O_DIRECT);
	const size_t sector = number(args[1]);
	static const size_t sectors[] = { 1, 2, 3, 31, 32, 33, 63, 128 };
	unsigned int count = 0;

	for (size_t skew = 0; skew < 4096; skew += DMA_ALIGN)
		for (size_t i = 0; i < sizeof(sectors) / sizeof(*sectors);
		     i++, count++)
			align_once(fd, sector, skew, sectors[i] * sector);
	printf("%u writes and reads from buffers at every multiple of %d bytes\n",
	       count, DMA_ALIGN);
	return 0;
}

/* -------------------------------------------------------------- scribble */

/*
 * The buffer is made of 8-byte words: index above, version below.  Whatever
 * version of each word a write caught, it must be one that was there.
 */
struct scribbler {
	_Atomic uint64_t *words;
	size_t count;
	atomic_uint version;
	atomic_bool stop;
};

static void *scribble(void *context)
{
	struct scribbler *all = context;

	while (!atomic_load(&all->stop)) {
		const unsigned int version =
			atomic_fetch_add(&all->version, 1) + 1;

		for (size_t i = 0; i < all->count; i++)
			atomic_store_explicit(&all->words[i],
					      (uint64_t)i << 32 | version,
					      memory_order_relaxed);
	}
	return NULL;
}

static void judge_words(const uint64_t *words, size_t count,
			unsigned int newest)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] >> 32 != i || (uint32_t)words[i] > newest)
			die("word %zu reads as %016llx: was never in the buffer",
			    i, (unsigned long long)words[i]);
}

static int run_scribble(char **args)
{
	const int fd = open_device(args[0], O_RDWR | O_DIRECT);
	const size_t len = 32 * number(args[1]);
	uint64_t rounds = number(args[2]), mixed = 0;
	struct scribbler all = { .words = (void *)new_buffer(),
				 .count = len / 8 };
	uint64_t *back = (void *)new_buffer(), *again = (void *)new_buffer();
	pthread_t thread;

	for (size_t i = 0; i < all.count; i++)
		all.words[i] = (uint64_t)i << 32;
	if (pthread_create(&thread, NULL, scribble, &all))
		die("no thread");
	for (uint64_t i = 0; i < rounds; i++) {
		wanted(pwrite(fd, (void *)all.words, len, (off_t)len), len,
		       "write", len);
		wanted(pread(fd, back, len, (off_t)len), len, "read", len);
		wanted(pread(fd, again, len, (off_t)len), len, "read", len);
		judge_words(back, all.count, atomic_load(&all.version));
		same(again, back, len, len, "second read");
		mixed += (uint32_t)back[0] != (uint32_t)back[all.count - 1];
	}
	atomic_store(&all.stop, true);
	pthread_join(thread, NULL);
	printf("%llu writes, %llu of them caught the buffer between two of %u versions\n",
	       (unsigned long long)rounds, (unsigned long long)mixed,
	       atomic_load(&all.version));
	return 0;
}

/* ---------------------------------------------------------------- others */

static int run_beyond(char **args)
{
	const size_t size = size_of(args[0]), sector = number(args[1]);
	const int fd = open_device(args[0], O_RDWR | O_DIRECT);
	unsigned char *buffer = new_buffer();
	ssize_t got;

	got = pread(fd, buffer, sector, (off_t)size);
	if (got > 0)
		die("read %zd bytes behind the end", got);
	got = pwrite(fd, buffer, sector, (off_t)size);
	if (got >= 0)
		die("wrote %zd bytes behind the end", got);
	got = pread(fd, buffer, 2 * sector, (off_t)(size - sector));
	if (got != (ssize_t)sector)
		die("read over the end gave %zd, wanted %zu", got, sector);
	got = pwrite(fd, buffer, 2 * sector, (off_t)(size - sector));
	if (got != (ssize_t)sector && got >= 0)
		die("write over the end took %zd bytes", got);
	got = pwrite(fd, buffer, sector, (off_t)(UINT64_C(1) << 62));
	if (got >= 0)
		die("write at 2^62 succeeded");
	printf("nothing behind byte %zu\n", size);
	return 0;
}

static int run_touch(char **args)
{
	const size_t size = size_of(args[0]), sector = number(args[1]);
	const int fd = open_device(args[0], O_RDWR | O_DIRECT);
	unsigned char *buffer = new_buffer();

	memset(buffer, (int)number(args[2]), MAX_BYTES);
	for (uint64_t at = 0; at < size; at += MAX_BYTES) {
		const size_t left = size - at,
			     len = left < MAX_BYTES ? left : MAX_BYTES;

		wanted(pwrite(fd, buffer, len, (off_t)at), len, "write", at);
	}
	if (fsync(fd))
		die("fsync: %s", strerror(errno));
	printf("%zu bytes, %zu sectors written\n", size, size / sector);
	return 0;
}

static int run_zeroout(char **args)
{
	const int fd = open_device(args[0], O_RDWR);
	uint64_t range[2] = { number(args[1]), number(args[2]) };

	if (ioctl(fd, BLKZEROOUT, range))
		die("BLKZEROOUT: %s", strerror(errno));
	if (fsync(fd))
		die("fsync: %s", strerror(errno));
	printf("%llu bytes zeroed\n", (unsigned long long)range[1]);
	return 0;
}

static int run_hog(char **args)
{
	const size_t len = number(args[0]) << 20;
	const time_t end = time(NULL) + (time_t)number(args[1]);
	volatile unsigned char *memory;
	unsigned int rounds = 0;

	memory = mmap(NULL, len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("no %zu bytes of memory", len);
	do {
		/* a pattern that tells pages apart, checked when it comes back */
		for (size_t at = 0; at < len; at += 4096) {
			if (rounds &&
			    memory[at] !=
				    (unsigned char)(at / 4096 * 31 + rounds))
				die("page %zu came back changed", at / 4096);
			memory[at] =
				(unsigned char)(at / 4096 * 31 + rounds + 1);
		}
		rounds++;
		/* it needs the memory, not the processor */
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	} while (time(NULL) < end);
	printf("%zu MiB used %u times\n", len >> 20, rounds);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **args);
} commands[] = {
	{ "mix", 5, run_mix },		 { "align", 2, run_align },
	{ "scribble", 3, run_scribble }, { "beyond", 2, run_beyond },
	{ "touch", 3, run_touch },	 { "zeroout", 3, run_zeroout },
	{ "hog", 2, run_hog },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands);
	     i++)
		if (!strcmp(argv[1], commands[i].name) &&
		    argc == commands[i].args + 2)
			return commands[i].run(argv + 2);
	die("usage: svcenc-io mix|align|scribble|beyond|touch|zeroout|hog ARG... (see the source)");
}
