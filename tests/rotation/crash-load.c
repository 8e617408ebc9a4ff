// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The load of a crash test: writers with a stretch of the volume each, which
 * write stamped sectors, read them back, flush, and note what a power cut
 * must not take. Knows nothing of rotations.
 *
 *	crash-load fill DEVICE SECTOR
 *		version 1 of every sector, flushed
 *	crash-load run DEVICE SECTOR LOG FACTS SEED THREADS
 *		until SIGTERM; LOG is the name of a log-writes device below
 *
 * What was flushed is tied to the log by a mark: when a flush (or FUA write)
 * has been acknowledged, its number is written into the log. Whatever the
 * device had to make durable for it was logged before that mark (but for what
 * an overtaken flush holds back, see crash-replay.c), so a power cut behind the
 * mark must not lose it. FACTS has the lines
 *
 *	fact NUMBER SECTOR VERSION	made durable by flush NUMBER
 *	issued SECTOR VERSION		the last that was written at all
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stamp.h"

enum { SECTORS_MAX = 32, THREADS_MAX = 16, LOOK_BACK = 8 };

struct writer {
	pthread_t thread;
	uint64_t random;
	uint64_t first; /* sectors of the volume */
	uint64_t sectors;
	uint32_t *version; /* acknowledged, by sector from first */
	uint32_t *durable; /* noted as flushed */
	unsigned char *buffer;
	uint64_t writes, reads, flushes, fuas;
};

static size_t sector_size;
static const char *log_name;
static FILE *facts;
static int device = -1, control = -1;
static pthread_mutex_t facts_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int facts_number;
static atomic_bool stopped;

static void __attribute__((noreturn)) die(const char *what, uint64_t sector)
{
	fprintf(stderr, "crash-load: %s at sector %llu: %s\n", what,
		(unsigned long long)sector, strerror(errno));
	exit(1);
}

static void handle_term(int signal_number)
{
	(void)signal_number;
	stopped = true;
}

/* ------------------------------------------------------------------ facts */

static void mark_log(unsigned int number)
{
	union {
		struct dm_ioctl io;
		char bytes[1024];
	} call = { 0 };
	struct dm_target_msg *msg;

	call.io.version[0] = DM_VERSION_MAJOR;
	call.io.data_size = sizeof(call);
	call.io.data_start = sizeof(call.io);
	snprintf(call.io.name, sizeof(call.io.name), "%s", log_name);
	msg = (void *)(call.bytes + sizeof(call.io));
	snprintf(msg->message, 64, "mark f%u", number);
	if (ioctl(control, DM_TARGET_MSG, &call))
		die("mark in the log", 0);
}

/* Sectors @from.. of @writer are durable as acknowledged: notes the news. */
static void note(struct writer *writer, uint64_t from, uint64_t sectors)
{
	bool news = false;
	uint64_t i;

	pthread_mutex_lock(&facts_lock);
	for (i = from; i < from + sectors; i++) {
		if (writer->durable[i] == writer->version[i])
			continue;
		writer->durable[i] = writer->version[i];
		fprintf(facts, "fact %u %llu %u\n", facts_number,
			(unsigned long long)(writer->first + i),
			writer->version[i]);
		news = true;
	}
	if (news)
		mark_log(facts_number++);
	pthread_mutex_unlock(&facts_lock);
}

/* -------------------------------------------------------------------- I/O */

static void write_some(struct writer *writer, uint64_t from, uint64_t sectors,
		       int flags)
{
	const struct iovec iov = { writer->buffer, sectors * sector_size };
	const uint64_t at = writer->first + from;
	uint64_t i;

	for (i = 0; i < sectors; i++)
		stamp_fill(writer->buffer + i * sector_size, sector_size,
			   at + i, writer->version[from + i] + 1);
	if (pwritev2(device, &iov, 1, (off_t)(at * sector_size), flags) !=
	    (ssize_t)iov.iov_len)
		die("write", at);
	for (i = 0; i < sectors; i++)
		writer->version[from + i]++;
}

static void read_some(struct writer *writer, uint64_t from, uint64_t sectors)
{
	const uint64_t at = writer->first + from;
	uint32_t version;
	uint64_t i;

	if (pread(device, writer->buffer, sectors * sector_size,
		  (off_t)(at * sector_size)) !=
	    (ssize_t)(sectors * sector_size))
		die("read", at);
	for (i = 0; i < sectors; i++)
		if (!stamp_read(writer->buffer + i * sector_size, sector_size,
				at + i, &version) ||
		    version != writer->version[from + i]) {
			errno = EILSEQ;
			die("what was acknowledged is not what is read",
			    at + i);
		}
}

static void flush(struct writer *writer)
{
	if (fdatasync(device))
		die("flush", writer->first);
	note(writer, 0, writer->sectors);
}

/*
 * The log has FUA writes before unflushed ones that completed earlier: to the
 * same sectors that would be the wrong order. So none of those is left.
 */
static void write_fua(struct writer *writer, uint64_t from, uint64_t sectors)
{
	const size_t bytes = sectors * sizeof(uint32_t);

	if (memcmp(writer->version + from, writer->durable + from, bytes) != 0)
		flush(writer);
	write_some(writer, from, sectors, RWF_DSYNC);
	note(writer, from, sectors);
}

static void do_one(struct writer *writer)
{
	const uint64_t choice = stamp_random(&writer->random) % 16;
	const uint64_t most = stamp_random(&writer->random) % 4 ? 4 :
								  SECTORS_MAX;
	uint64_t sectors = 1 + stamp_random(&writer->random) % most;
	uint64_t from = stamp_random(&writer->random) % writer->sectors;

	if (sectors > writer->sectors - from)
		sectors = writer->sectors - from;
	if (choice < 9) {
		write_some(writer, from, sectors, 0);
		writer->writes++;
	} else if (choice < 12) {
		read_some(writer, from, sectors);
		writer->reads++;
	} else if (choice < 14) {
		flush(writer);
		writer->flushes++;
	} else {
		write_fua(writer, from, sectors);
		writer->fuas++;
	}
}

/* All that was acknowledged is there: what a rotation missed stays missing. */
static void read_all(struct writer *writer)
{
	uint64_t at;

	for (at = 0; at < writer->sectors; at += SECTORS_MAX)
		read_some(writer, at,
			  writer->sectors - at < SECTORS_MAX ?
				  writer->sectors - at :
				  SECTORS_MAX);
}

static void *run_writer(void *context)
{
	struct writer *writer = context;
	unsigned int i;

	for (i = 1; !stopped; i++) {
		do_one(writer);
		if (i % LOOK_BACK == 0)
			read_all(writer);
	}
	read_all(writer);
	return NULL;
}

/* ------------------------------------------------------------------- runs */

static void open_device(const char *path)
{
	device = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (device < 0)
		die(path, 0);
}

static uint64_t volume_sectors(void)
{
	uint64_t bytes;

	if (ioctl(device, BLKGETSIZE64, &bytes))
		die("size", 0);
	return bytes / sector_size;
}

static void start_writer(struct writer *writer, uint64_t first,
			 uint64_t sectors)
{
	void *buffer;
	uint64_t i;

	writer->first = first;
	writer->sectors = sectors;
	writer->version = calloc(sectors, sizeof(uint32_t));
	writer->durable = calloc(sectors, sizeof(uint32_t));
	if (!writer->version || !writer->durable ||
	    posix_memalign(&buffer, 4096, SECTORS_MAX * sector_size))
		die("out of memory", 0);
	writer->buffer = buffer;
	for (i = 0; i < sectors; i++)
		writer->version[i] = writer->durable[i] = 1;
}

static int fill(void)
{
	struct writer all = { 0 };
	uint64_t at, sectors = volume_sectors();

	start_writer(&all, 0, sectors);
	memset(all.version, 0, sectors * sizeof(uint32_t));
	for (at = 0; at < sectors; at += SECTORS_MAX)
		write_some(&all, at,
			   sectors - at < SECTORS_MAX ? sectors - at :
							SECTORS_MAX,
			   0);
	if (fdatasync(device))
		die("flush", 0);
	return 0;
}

static void say_issued(const struct writer *writer)
{
	uint64_t i;

	for (i = 0; i < writer->sectors; i++)
		fprintf(facts, "issued %llu %u\n",
			(unsigned long long)(writer->first + i),
			writer->version[i]);
}

static int run(uint64_t seed, unsigned int threads)
{
	static struct writer writers[THREADS_MAX];
	struct writer sum = { 0 };
	const uint64_t all = volume_sectors(), sectors = all / threads;
	unsigned int i;

	signal(SIGTERM, handle_term);
	for (i = 0; i < threads; i++) {
		start_writer(&writers[i], i * sectors,
			     i + 1 < threads ? sectors : all - i * sectors);
		writers[i].random = seed * THREADS_MAX + i;
		if (pthread_create(&writers[i].thread, NULL, run_writer,
				   &writers[i]))
			die("thread", i);
	}
	for (i = 0; i < threads; i++) {
		pthread_join(writers[i].thread, NULL);
		say_issued(&writers[i]);
		sum.writes += writers[i].writes;
		sum.reads += writers[i].reads;
		sum.flushes += writers[i].flushes;
		sum.fuas += writers[i].fuas;
	}
	if (fclose(facts))
		die("facts", 0);
	printf("load: %u threads, %llu writes, %llu FUA writes, %llu reads, %llu flushes, seed %llu\n",
	       threads, (unsigned long long)sum.writes,
	       (unsigned long long)sum.fuas, (unsigned long long)sum.reads,
	       (unsigned long long)sum.flushes, (unsigned long long)seed);
	return sum.writes && sum.reads && sum.flushes && sum.fuas ? 0 : 1;
}

int main(int argc, char **argv)
{
	unsigned int threads;

	if (argc == 4 && !strcmp(argv[1], "fill")) {
		sector_size = (size_t)atoi(argv[3]);
		open_device(argv[2]);
		return fill();
	}
	if (argc != 8 || strcmp(argv[1], "run"))
		return 2;
	sector_size = (size_t)atoi(argv[3]);
	log_name = argv[4];
	threads = (unsigned int)atoi(argv[7]);
	if (!threads || threads > THREADS_MAX)
		return 2;
	open_device(argv[2]);
	facts = fopen(argv[5], "we");
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (!facts || control < 0)
		die("facts, or device-mapper", 0);
	return run(strtoull(argv[6], NULL, 0), threads);
}
