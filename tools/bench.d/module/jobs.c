// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file jobs in debugfs. A write is a set of jobs, one a line of
 * NAME=VALUE words; it returns when all have ended. The same open file then
 * reads as one line of results for each. Decides what a job may be, and when
 * its clock runs; does no I/O.
 *
 *	rw=read|write|encrypt|decrypt dev=PATH order=seq|random bytes=N
 *	depth=N ios=N ms=N span=BYTES pause_us=N latency=0|1
 *
 *	error=E done=N ns=N idle_ns=N p50_ns=N p99_ns=N max_ns=N
 */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tick.h>
#include <linux/uaccess.h>

#include "bench.h"

/* One open file. */
struct job_set {
	struct mutex lock; /* one set at a time; everything below */
	struct bench_job *jobs;
	unsigned int count;
	struct completion go;
	u64 go_ns;
	bool stop; /* a signal came: no further I/O */
	char *results;
	size_t results_len;
	size_t results_read;
};

/* ----------------------------------------------------------------- clock */

/* Of all processors; 0 where the kernel does not account for it. */
static u64 idle_ns(void)
{
	u64 sum = 0, last;
	int cpu;

	for_each_online_cpu(cpu) {
		const u64 us = get_cpu_idle_time_us(cpu, &last);

		if (us == (u64)-1)
			return 0;
		sum += us * NSEC_PER_USEC;
	}
	return sum;
}

/* For tests/vm/insns.c, which counts the instructions between the two. */
static void mark_start(void)
{
#ifdef __x86_64__
	asm volatile("nopl 0x43565301(%rax)");
#endif
}

static void mark_stop(void)
{
#ifdef __x86_64__
	asm volatile("nopl 0x43565302(%rax)");
#endif
}

void bench_clock_start(struct bench_job *job)
{
	complete(&job->ready);
	wait_for_completion(job->go);
	mark_start();
	job->idle_ns = idle_ns();
	job->ns = ktime_get_ns();
}

void bench_clock_stop(struct bench_job *job)
{
	mark_stop();
	job->ns = ktime_get_ns() - job->ns;
	job->idle_ns = idle_ns() - job->idle_ns;
}

bool bench_goes_on(const struct bench_job *job, u64 started)
{
	if (unlikely(READ_ONCE(*job->stop)))
		return false;
	if (job->ios)
		return started < job->ios;
	/* Not from its own start: they all shall end at the same time. */
	return ktime_get_ns() - *job->go_ns < (u64)job->ms * NSEC_PER_MSEC;
}

/* ------------------------------------------------------------ what to do */

static int parse_kind(const char *value, struct bench_job *job)
{
	static const char *const names[] = {
		[BENCH_READ] = "read",
		[BENCH_WRITE] = "write",
		[BENCH_ENCRYPT] = "encrypt",
		[BENCH_DECRYPT] = "decrypt",
	};
	const int kind = match_string(names, ARRAY_SIZE(names), value);

	if (kind >= 0)
		job->kind = kind;
	return kind < 0 ? kind : 0;
}

static int parse_order(const char *value, struct bench_job *job)
{
	job->random = !strcmp(value, "random");
	return job->random || !strcmp(value, "seq") ? 0 : -EINVAL;
}

static int parse_word(char *word, struct bench_job *job)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "rw"))
		return parse_kind(value, job);
	if (!strcmp(word, "order"))
		return parse_order(value, job);
	if (!strcmp(word, "dev"))
		return strscpy(job->device, value, sizeof(job->device)) < 0 ?
			       -ENAMETOOLONG : 0;
	if (!strcmp(word, "bytes"))
		return kstrtouint(value, 10, &job->bytes);
	if (!strcmp(word, "depth"))
		return kstrtouint(value, 10, &job->depth);
	if (!strcmp(word, "ios"))
		return kstrtou64(value, 10, &job->ios);
	if (!strcmp(word, "ms"))
		return kstrtouint(value, 10, &job->ms);
	if (!strcmp(word, "span"))
		return kstrtou64(value, 10, &job->span);
	if (!strcmp(word, "pause_us"))
		return kstrtouint(value, 10, &job->pause_us);
	if (!strcmp(word, "latency"))
		return kstrtobool(value, &job->latency);
	return -EINVAL;
}

static int parse_line(char *line, struct bench_job *job)
{
	char *word;
	int rc;

	while ((word = strsep(&line, " "))) {
		rc = *word ? parse_word(word, job) : 0;
		if (rc) {
			pr_err("svcenc-bench: word '%s' is no good\n", word);
			return rc;
		}
	}
	if (job->bytes < BENCH_BYTES_MIN || job->bytes > BENCH_BYTES_MAX ||
	    job->bytes % BENCH_BYTES_MIN || !job->depth ||
	    job->depth > BENCH_DEPTH_MAX || (!job->ios && !job->ms)) {
		pr_err("svcenc-bench: bytes, depth, ios or ms out of range\n");
		return -EINVAL;
	}
	return 0;
}

static int parse_set(char *text, struct job_set *set)
{
	char *line;
	int rc;

	while ((line = strsep(&text, "\n"))) {
		struct bench_job *job = &set->jobs[set->count];

		if (!*line)
			continue;
		if (set->count == BENCH_JOBS_MAX)
			return -E2BIG;
		job->go = &set->go;
		job->go_ns = &set->go_ns;
		job->stop = &set->stop;
		job->bytes = 4096;
		job->depth = 1;
		init_completion(&job->ready);
		init_completion(&job->ended);
		rc = parse_line(line, job);
		if (rc)
			return rc;
		set->count++;
	}
	return set->count ? 0 : -EINVAL;
}

/* ------------------------------------------------------------------ doing */

static int job_thread(void *arg)
{
	struct bench_job *job = arg;

	job->error = job->kind < BENCH_ENCRYPT ? bench_run_bios(job) :
						 bench_run_cipher(job);
	complete(&job->ready); /* a second time, or its set-up failed */
	complete(&job->ended);
	return 0;
}

static int start_threads(struct job_set *set)
{
	unsigned int i;

	for (i = 0; i < set->count; i++) {
		struct bench_job *job = &set->jobs[i];
		struct task_struct *thread;

		thread = kthread_create(job_thread, job, "svcenc-bench");
		if (IS_ERR(thread)) {
			set->count = i; /* those before have begun */
			set->stop = true;
			return PTR_ERR(thread);
		}
		job->thread = get_task_struct(thread);
		wake_up_process(thread);
	}
	return 0;
}

/*
 * The threads use the set: all must be gone, whatever signal comes. It makes
 * them stop, though, after the I/O that is under way.
 */
static int run_set(struct job_set *set)
{
	unsigned int i;
	int rc;

	rc = start_threads(set);
	for (i = 0; i < set->count; i++)
		wait_for_completion(&set->jobs[i].ready);
	set->go_ns = ktime_get_ns();
	complete_all(&set->go);
	for (i = 0; i < set->count; i++) {
		struct bench_job *job = &set->jobs[i];

		if (wait_for_completion_killable(&job->ended)) {
			WRITE_ONCE(set->stop, true);
			wait_for_completion(&job->ended);
			rc = -EINTR;
		}
		kthread_stop(job->thread);
		put_task_struct(job->thread);
	}
	return rc;
}

static int print_results(struct job_set *set)
{
	const size_t size = set->count * 256;
	unsigned int i;
	size_t len = 0;

	set->results = kvzalloc(size, GFP_KERNEL);
	if (!set->results)
		return -ENOMEM;
	for (i = 0; i < set->count; i++) {
		const struct bench_job *job = &set->jobs[i];

		len += scnprintf(set->results + len, size - len,
				 "error=%d done=%llu ns=%llu idle_ns=%llu p50_ns=%u p99_ns=%u max_ns=%u\n",
				 job->error, job->done, job->ns, job->idle_ns,
				 job->p50_ns, job->p99_ns, job->max_ns);
	}
	set->results_len = len;
	return 0;
}

/* ------------------------------------------------------------------- file */

static int jobs_open(struct inode *inode, struct file *file)
{
	struct job_set *set = kzalloc(sizeof(*set), GFP_KERNEL);

	if (!set)
		return -ENOMEM;
	mutex_init(&set->lock);
	file->private_data = set;
	return stream_open(inode, file);
}

static void forget_set(struct job_set *set)
{
	kvfree(set->jobs);
	kvfree(set->results);
	set->jobs = NULL;
	set->results = NULL;
	set->count = 0;
	set->results_len = 0;
	set->results_read = 0;
	set->stop = false;
	init_completion(&set->go);
}

static int jobs_release(struct inode *inode, struct file *file)
{
	struct job_set *set = file->private_data;

	forget_set(set);
	mutex_destroy(&set->lock);
	kfree(set);
	return 0;
}

static int run_text(struct job_set *set, char *text)
{
	int rc;

	forget_set(set);
	set->jobs = kvcalloc(BENCH_JOBS_MAX, sizeof(*set->jobs), GFP_KERNEL);
	if (!set->jobs)
		return -ENOMEM;
	rc = parse_set(text, set);
	if (!rc)
		rc = run_set(set);
	return rc ? rc : print_results(set);
}

static ssize_t jobs_write(struct file *file, const char __user *from,
			  size_t len, loff_t *pos)
{
	struct job_set *set = file->private_data;
	char *text;
	int rc;

	if (len > BENCH_JOBS_MAX * 512)
		return -E2BIG;
	text = memdup_user_nul(from, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&set->lock);
	rc = run_text(set, text);
	mutex_unlock(&set->lock);
	kfree(text);
	return rc ? rc : len;
}

static ssize_t jobs_read(struct file *file, char __user *to, size_t len,
			 loff_t *pos)
{
	struct job_set *set = file->private_data;
	loff_t at;
	ssize_t got;

	mutex_lock(&set->lock);
	at = set->results_read;
	got = simple_read_from_buffer(to, len, &at, set->results,
				      set->results_len);
	set->results_read = at;
	mutex_unlock(&set->lock);
	return got;
}

static const struct file_operations jobs_fops = {
	.owner = THIS_MODULE,
	.open = jobs_open,
	.release = jobs_release,
	.read = jobs_read,
	.write = jobs_write,
};

static struct dentry *dir;

static int __init bench_init(void)
{
	dir = debugfs_create_dir("svcenc-bench", NULL);
	debugfs_create_file_unsafe("jobs", 0600, dir, NULL, &jobs_fops);
	return 0;
}

static void __exit bench_exit(void)
{
	debugfs_remove_recursive(dir);
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("load on block devices, to be counted");
MODULE_AUTHOR("dm-svcenc maintainers");
MODULE_LICENSE("GPL");
