// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcenc-recover DEVICE -o FILE|-: decrypts a volume offline, with access to
 * one of its vaults but without the kernel module, the agent or its store.
 * Everything is authenticated before the first byte is written. The one
 * program outside the kernel that holds a volume key.
 *
 * Exit status as svcenc's: 0 ok, 1 usage, 2 no permission or key, 3 memory,
 * 4 wrong device, 5 busy or exists, 6 vault unreachable, 7 denied by the
 * vault, 9 integrity failure.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto.h"
#include "recover.h"

static const char usage[] =
	"usage: svcenc-recover DEVICE -o FILE|- [options]\n"
	"  -o, --output FILE         where the plaintext goes, - = standard output\n"
	"      --vault-dir [NAME=]DIR    directory of a file vault (repeatable)\n"
	"      --vault-socket NAME=PATH  socket of a running vault worker (repeatable)\n"
	"      --copy 1|2            take this superblock copy, whatever the other says\n"
	"      --sparse              leave holes where the plaintext is zero\n"
	"      --skip-unreadable     zeroes for sectors that a rotation could not read\n"
	"      --overwrite           the output may exist, or be a block device\n"
	"Without a vault the sockets /run/svcenc/vault/NAME/sock are tried.\n";

struct arguments {
	const char *device;
	const char *output;
	int copy; /* 0 or 1; -1 = choose */
	bool sparse;
	bool overwrite;
	bool skip_unreadable;
	struct recover_vaults vaults;
};

int recover_fail(struct recover_error *error, enum svcenc_exit code,
		 const char *hint, const char *format, ...)
{
	va_list args;

	error->exit = code;
	snprintf(error->hint, sizeof(error->hint), "%s", hint ? hint : "");
	va_start(args, format);
	vsnprintf(error->message, sizeof(error->message), format, args);
	va_end(args);
	return -1;
}

/* -1: wrong usage (message in @error), 0: go on, 1: help was asked for. */
static int take_option(int option, const char *value, struct arguments *a,
		       struct recover_error *error)
{
	switch (option) {
	case 'o':
		a->output = value;
		return 0;
	case 'd':
		return recover_vault_add(&a->vaults, value, false, error);
	case 'k':
		return recover_vault_add(&a->vaults, value, true, error);
	case 'c':
		if (strcmp(value, "1") && strcmp(value, "2"))
			return recover_fail(error, SVCENC_EXIT_USAGE, usage,
					    "--copy takes 1 or 2");
		a->copy = value[0] - '1';
		return 0;
	case 's':
		a->sparse = true;
		return 0;
	case 'w':
		a->overwrite = true;
		return 0;
	case 'u':
		a->skip_unreadable = true;
		return 0;
	case 'h':
		return 1;
	default:
		return recover_fail(error, SVCENC_EXIT_USAGE,
				    "svcenc-recover --help", "unknown option");
	}
}

static int parse_arguments(int argc, char **argv, struct arguments *a,
			   struct recover_error *error)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "vault-dir", required_argument, NULL, 'd' },
		{ "vault-socket", required_argument, NULL, 'k' },
		{ "copy", required_argument, NULL, 'c' },
		{ "sparse", no_argument, NULL, 's' },
		{ "overwrite", no_argument, NULL, 'w' },
		{ "skip-unreadable", no_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, r;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		r = take_option(c, optarg, a, error);
		if (r)
			return r;
	}
	if (argc - optind != 1 || !a->output)
		return recover_fail(error, SVCENC_EXIT_USAGE,
				    "svcenc-recover --help",
				    "one DEVICE and an --output are needed");
	a->device = argv[optind];
	return 0;
}

/* Workers that run on this host, for the vaults that the records name. */
static int add_running_workers(const struct svcenc_header *h,
			       struct recover_vaults *vaults,
			       struct recover_error *error)
{
	char *spec;
	u32 i, j;

	for (i = 0; i < 2; i++) {
		const struct svcenc_record *r = &h->record[i].record;

		if (!h->record[i].present || h->record[i].defect)
			continue;
		for (j = 0; j < r->wrap_count; j++) {
			if (vaults->count == RECOVER_VAULTS_MAX)
				return 0;
			if (asprintf(&spec, "%s=/run/svcenc/vault/%s/sock",
				     r->wraps[j].vault, r->wraps[j].vault) < 0)
				return recover_fail(error, SVCENC_EXIT_MEMORY,
						    NULL, "out of memory");
			/* lives as long as the program: the path is kept */
			if (recover_vault_add(vaults, spec, true, error))
				return -1;
		}
	}
	return 0;
}

static int open_device(const char *path, u64 *ret_bytes,
		       struct recover_error *error)
{
	struct stat st;
	bool block = !stat(path, &st) && S_ISBLK(st.st_mode);
	/* O_EXCL: nobody has it mounted or mapped, so it stays as it is. */
	int fd = svcenc_header_open(path, block ? O_EXCL : 0, ret_bytes);

	if (fd >= 0)
		return fd;
	if (fd == -EBUSY)
		return recover_fail(
			error, SVCENC_EXIT_BUSY,
			"close the volume first: svcenc close NAME, or dmsetup remove",
			"%s is in use", path);
	return recover_fail(
		error,
		fd == -EACCES ? SVCENC_EXIT_PERMISSION : SVCENC_EXIT_DEVICE,
		NULL, "%s: %s", path,
		fd == -ENOTBLK ? "neither a block device nor a file" :
				 strerror(-fd));
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;

	if (fstat(a, &x) || fstat(b, &y))
		return true;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int open_output(const struct arguments *a, int device,
		       struct recover_error *error)
{
	const int how = a->overwrite ? 0 : O_EXCL;
	struct stat st;
	int fd;

	if (!strcmp(a->output, "-")) {
		if (isatty(STDOUT_FILENO))
			return recover_fail(
				error, SVCENC_EXIT_USAGE,
				"pipe it into a program, or give a file",
				"will not write a volume to a terminal");
		return STDOUT_FILENO;
	}
	fd = open(a->output, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0600);
	if (fd < 0)
		return recover_fail(
			error,
			errno == EEXIST ? SVCENC_EXIT_BUSY : SVCENC_EXIT_DEVICE,
			errno == EEXIST ? "--overwrite allows it" : NULL,
			"output %s: %s", a->output, strerror(errno));
	if (is_same_file(device, fd)) {
		close(fd);
		return recover_fail(error, SVCENC_EXIT_USAGE, NULL,
				    "output %s is the device itself",
				    a->output);
	}
	/* Only now: what was there is not needed any more. */
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && ftruncate(fd, 0))
		fprintf(stderr,
			"svcenc-recover: warning: %s keeps its length\n",
			a->output);
	return fd;
}

static int finish_output(int fd, const char *name, struct recover_error *error)
{
	int r = fsync(fd);

	/* pipes and the like have nothing to flush */
	if (r && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return recover_fail(error, SVCENC_EXIT_DEVICE, NULL,
				    "output %s: %s", name, strerror(errno));
	return 0;
}

static int check_header(const struct svcenc_header *h,
			const struct arguments *a, struct recover_error *error)
{
	struct svcenc_verdict verdict;

	svcenc_header_judge(h, &verdict);
	/* Length and place are judged before any key is asked for. */
	if (verdict.exit == SVCENC_EXIT_DEVICE ||
	    (verdict.exit && a->copy < 0 && verdict.winner < 0))
		return recover_fail(
			error, verdict.exit,
			"svcenc-dump shows both copies; --copy takes one of them alone",
			"%s: %s", a->device, verdict.text);
	return 0;
}

/* What a rotation passed over is lost: not without being told so. */
static int check_unreadable(const struct svcenc_sb *sb, bool skip,
			    struct recover_error *error)
{
	u32 i;

	if (!sb->extent_count)
		return 0;
	if (!skip)
		return recover_fail(
			error, SVCENC_EXIT_INTEGRITY,
			"--skip-unreadable puts zeroes there and says where; svcenc-dump shows the list",
			"%u runs of sectors were unreadable when they were rotated: their content is lost, the first one begins at sector %llu",
			sb->extent_count,
			(unsigned long long)sb->extents[0].start);
	for (i = 0; i < sb->extent_count; i++)
		fprintf(stderr,
			"svcenc-recover: warning: zeroes for %u lost sectors from sector %llu on\n",
			sb->extents[i].sectors,
			(unsigned long long)sb->extents[i].start);
	return 0;
}

static int write_out(const struct arguments *a, int device,
		     const struct recover_volume *volume,
		     struct recover_error *error)
{
	struct recover_output output = { .sparse = a->sparse };
	int r;

	if (check_unreadable(volume->sb, a->skip_unreadable, error))
		return -1;
	output.fd = open_output(a, device, error);
	if (output.fd < 0)
		return -1;
	r = recover_data(device, volume, &output, error);
	if (!r)
		r = finish_output(output.fd, a->output, error);
	if (output.fd != STDOUT_FILENO)
		close(output.fd);
	if (!r)
		fprintf(stderr, "svcenc-recover: %llu bytes decrypted%s\n",
			(unsigned long long)volume->sb->data_len,
			volume->next ? ", of a volume stopped in a rotation" :
				       "");
	return r;
}

static int recover(struct arguments *a, int device, struct svcenc_header *h,
		   struct recover_error *error)
{
	struct recover_volume volume = { 0 };
	int r;

	if (check_header(h, a, error))
		return -1;
	if (!a->vaults.count && add_running_workers(h, &a->vaults, error))
		return -1;
	if (recover_volume_keys(h, a->copy, &a->vaults, &volume, error))
		return -1;
	r = write_out(a, device, &volume, error);
	recover_volume_wipe(&volume);
	return r;
}

static int run(struct arguments *a, struct recover_error *error)
{
	struct svcenc_header *header;
	u64 bytes;
	int device, r;

	if (svcenc_secret_init())
		return recover_fail(
			error, SVCENC_EXIT_MEMORY,
			"raise RLIMIT_MEMLOCK to 1 MiB or more (ulimit -l), or run it as root",
			"memory for keys cannot be locked");
	svcenc_proto_init();
	device = open_device(a->device, &bytes, error);
	if (device < 0)
		return -1;
	r = svcenc_header_read(a->device, &header);
	if (r < 0) {
		recover_fail(error, SVCENC_EXIT_DEVICE, NULL, "%s: %s",
			     a->device, strerror(-r));
	} else {
		r = recover(a, device, header, error);
		free(header);
	}
	close(device);
	svcenc_secret_done();
	return r;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .copy = -1 };
	struct recover_error error = { 0 };
	int r;

	opterr = 0;
	r = parse_arguments(argc, argv, &arguments, &error);
	if (r > 0) {
		fputs(usage, stdout);
		return SVCENC_EXIT_OK;
	}
	if (!r)
		r = run(&arguments, &error);
	if (!r)
		return SVCENC_EXIT_OK;
	fprintf(stderr, "svcenc-recover: error: %s\n", error.message);
	if (*error.hint)
		fprintf(stderr, "svcenc-recover: hint: %s\n", error.hint);
	return (int)error.exit;
}
