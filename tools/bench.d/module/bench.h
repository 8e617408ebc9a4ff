/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load on block devices from inside the kernel, to be counted: one job is
 * one stream of bios (or of cipher requests), any number of jobs run at the
 * same time. Knows no target, and no way of counting but time: in a machine
 * in which an instruction takes a nanosecond, that is instructions.
 */
#ifndef SVCENC_BENCH_H
#define SVCENC_BENCH_H

#include <linux/completion.h>
#include <linux/types.h>

enum bench_limits {
	BENCH_JOBS_MAX = 128,
	BENCH_DEPTH_MAX = 128,
	BENCH_BYTES_MIN = 512,
	BENCH_BYTES_MAX = 1 << 20,
	BENCH_SAMPLES_MAX = 1 << 16, /* latencies kept per job: the first */
};

enum bench_kind {
	BENCH_READ,
	BENCH_WRITE,
	BENCH_ENCRYPT, /* no device: xts(aes), 4096-byte sectors */
	BENCH_DECRYPT,
};

struct bench_job {
	/* What to do; constant while it runs. */
	enum bench_kind kind;
	char device[128];
	bool random;	    /* else one behind the other, and from the start */
	bool latency;	    /* measure each I/O: costs two looks at the clock */
	unsigned int bytes; /* of an I/O */
	unsigned int depth; /* I/Os under way */
	u64 ios;	    /* to do; 0: as many as fit into ms */
	unsigned int ms;
	unsigned int pause_us; /* slept after each I/O: a light load */
	u64 span; /* bytes of the device that are used; 0: all */

	/* What became of it; set when it has ended. */
	int error; /* of the set-up, or of the first I/O that failed */
	u64 done;
	u64 ns;	     /* from the first I/O to the end of the last */
	u64 idle_ns; /* of that, in which processors were idle (summed) */
	u32 p50_ns, p99_ns, max_ns;

	/* Of jobs.c. */
	struct completion ready, ended;
	struct completion *go;
	const u64 *go_ns; /* when all of the set were let go */
	const bool *stop;
	struct task_struct *thread;
};

/*
 * Called by both loops around what is to be counted: waits until all jobs of
 * the set are ready, then starts the clock; stops it.
 */
void bench_clock_start(struct bench_job *job);
void bench_clock_stop(struct bench_job *job);

/* True while there is more to do: @started I/Os are started or done. */
bool bench_goes_on(const struct bench_job *job, u64 started);

/* Do the job, in a thread of its own; results go into @job. */
int bench_run_bios(struct bench_job *job);
int bench_run_cipher(struct bench_job *job);

#endif
