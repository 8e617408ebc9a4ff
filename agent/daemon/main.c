// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * svcencd: start, run, end. The order matters: locked memory before anything
 * that may hold a key, the lock before anything that is shared, the store
 * before the kernel, what lives in the kernel before the sockets open. At the
 * end everything is let go of but the kernel: volumes stay open, and their
 * leases run on until the next svcencd renews them.
 */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "files.h"
#include "kernel.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "proto.h"
#include "refresh.h"
#include "rotations.h"
#include "secret.h"
#include "server.h"
#include "step.h"
#include "vaults.h"
#include "watch.h"

#ifndef SVCENC_LIBEXECDIR
#define SVCENC_LIBEXECDIR "/usr/libexec/svcenc"
#endif

#define STORE_KEY "store-mac.key"

enum { LOCK_TRIES = 20, LOCK_NAP_MS = 50, OPEN_FILES = 4096 };

int64_t agent_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void usage(FILE *out)
{
	fputs("usage: svcencd [--etc DIR] [--state DIR] [--run DIR] "
	      "[--vault-state DIR] [--libexec DIR]\n"
	      "The agent of dm-svcenc; svcencd(8). Normally started by "
	      "systemd.\n",
	      out);
}

enum { OPT_ETC = 1, OPT_STATE, OPT_RUN, OPT_VAULT_STATE, OPT_LIBEXEC };

static const struct option options[] = {
	{ "etc", required_argument, NULL, OPT_ETC },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "vault-state", required_argument, NULL, OPT_VAULT_STATE },
	{ "libexec", required_argument, NULL, OPT_LIBEXEC },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	SVCENC_STEP_LONGOPTS{ NULL, 0, NULL, 0 },
};

/* -1 = go on, else the exit status. */
static int parse_options(int argc, char **argv, struct agent_paths *paths)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (opt == OPT_ETC)
			paths->etc = optarg;
		else if (opt == OPT_STATE)
			paths->state = optarg;
		else if (opt == OPT_RUN)
			paths->run = optarg;
		else if (opt == OPT_VAULT_STATE)
			paths->vault_state = optarg;
		else if (opt == OPT_LIBEXEC)
			paths->libexec = optarg;
		else if (opt == 'h') {
			usage(stdout);
			return 0;
		} else if (opt == 'V') {
			puts("svcencd " AGENT_VERSION);
			return 0;
		} else if (!svcenc_step_option(opt, optarg)) {
			usage(stderr);
			return 1;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return 1;
}

/*
 * A build tree has the workers beside svcencd; an installed one has them in
 * libexec. Both directories belong to whoever installed svcencd itself.
 */
static const char *find_libexec(void)
{
	static char self[PATH_MAX];
	const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char beside[PATH_MAX + 32];

	if (n <= 0)
		return SVCENC_LIBEXECDIR;
	self[n] = '\0';
	dirname(self);
	snprintf(beside, sizeof(beside), "%s/svcenc-vault-file", self);
	return access(beside, X_OK) < 0 ? SVCENC_LIBEXECDIR : self;
}

static int say(const struct svcenc_fault *fault)
{
	log_error("error: %s", fault->message);
	if (fault->hint[0])
		log_error("hint: %s", fault->hint);
	return svcenc_fault_exit(fault);
}

/*
 * Whoever can turn one of these into a link could lead us elsewhere; the
 * vaults' common folder is not among them, as each vault looks at its own.
 */
static int check_folder(const char *path, struct svcenc_fault *fault)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"cannot look at directory %s: %s", path,
					strerror(errno));
	if (S_ISDIR(st.st_mode) && st.st_uid == geteuid())
		return 0;
	if (S_ISDIR(st.st_mode))
		svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
				 "directory %s belongs to user %u, wanted %u",
				 path, st.st_uid, geteuid());
	else
		svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
				 "%s is %s, not a directory", path,
				 S_ISLNK(st.st_mode) ? "a symbolic link" :
						       "a file");
	return svcenc_fault_hint(fault, "move it away; svcencd makes the "
					"directory; for another disk use a "
					"mount");
}

static int make_folder(const char *path, mode_t mode,
		       struct svcenc_fault *fault)
{
	const int r = svcenc_files_make_dir(path, geteuid(), getegid(), mode);

	if (r >= 0)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
			 "cannot make directory %s: %s", path, strerror(-r));
	return svcenc_fault_hint(fault, "make it, with owner root");
}

/*
 * Held until the process ends. A worker that a killed svcencd was about to
 * start holds it a moment longer, until it has closed what it inherited.
 */
static int take_lock(const struct agent *agent, struct svcenc_fault *fault)
{
	const struct timespec nap = { 0, LOCK_NAP_MS * 1000000L };
	char path[PATH_MAX];
	int fd, i;

	snprintf(path, sizeof(path), "%s/svcencd.lock", agent->paths.run);
	fd = svcenc_files_lock(path);
	for (i = 0; fd == -EWOULDBLOCK && i < LOCK_TRIES; i++) {
		(void)nanosleep(&nap, NULL);
		fd = svcenc_files_lock(path);
	}
	if (fd >= 0)
		return 0;
	if (fd == -EWOULDBLOCK) {
		svcenc_fault_set(fault, SVCENC_FAULT_EXISTS,
				 "another svcencd runs with %s",
				 agent->paths.run);
		return svcenc_fault_hint(fault,
					 "'systemctl status svcencd', "
					 "or 'fuser %s'",
					 path);
	}
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE, "cannot lock %s: %s",
			 path, strerror(-fd));
	return svcenc_fault_hint(fault, "is the directory writable?");
}

static int key_fault(const char *path, int error, struct svcenc_fault *fault)
{
	if (error == -ENOENT) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "there is a store, but not its key %s", path);
		return svcenc_fault_hint(fault,
					 "restore the key; or move the store "
					 "away, start svcencd, and run 'svcenc "
					 "store recover DEVICE...'");
	}
	if (error == -EPERM) {
		svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
				 "the store key %s is open to others or not a "
				 "file of root",
				 path);
		return svcenc_fault_hint(fault,
					 "chown root %s && chmod 0600 "
					 "%s",
					 path, path);
	}
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
			 "cannot use the store key %s: %s", path,
			 error == -EBADMSG ? "it is not 32 bytes long" :
					     strerror(-error));
	return svcenc_fault_hint(fault, "restore it from a backup");
}

static int open_store(struct agent *agent, struct svcenc_fault *fault)
{
	char store[PATH_MAX], key_path[PATH_MAX];
	struct svcenc_secret *key = NULL;
	int r;

	snprintf(store, sizeof(store), "%s/store.db", agent->paths.state);
	snprintf(key_path, sizeof(key_path), "%s/" STORE_KEY,
		 agent->paths.vault_state);
	r = svcenc_store_load_key(key_path, access(store, F_OK) < 0, &key);
	if (r < 0)
		return key_fault(key_path, r, fault);
	r = svcenc_store_open(store, key, &agent->store);
	return r < 0 ? model_store_fault(agent, r, fault) : 0;
}

static int on_signal(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *userdata)
{
	(void)userdata;
	log_info("ends (signal %u); volumes stay open", info->ssi_signo);
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

static int start_loop(struct agent *agent)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	r = sd_event_default(&agent->event);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGTERM, on_signal,
					agent);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGINT, on_signal,
					agent);
	if (r >= 0)
		r = sd_event_set_watchdog(agent->event, true);
	if (r >= 0)
		r = watch_start(agent);
	return r;
}

static int start(struct agent *agent, struct svcenc_fault *fault)
{
	int r;

	r = make_folder(agent->paths.run, 0755, fault);
	if (!r)
		r = check_folder(agent->paths.run, fault);
	if (!r)
		r = take_lock(agent, fault);
	if (!r)
		r = svcenc_config_load(agent->paths.etc,
				       agent->paths.vault_state, &agent->config,
				       fault);
	if (!r && !strcmp(agent->config.metrics, "-"))
		snprintf(agent->config.metrics, sizeof(agent->config.metrics),
			 "%s/metrics.prom", agent->paths.run);
	if (!r)
		r = make_folder(agent->paths.state, 0700, fault);
	if (!r)
		r = check_folder(agent->paths.state, fault);
	if (!r)
		r = make_folder(agent->paths.vault_state, 0755, fault);
	if (!r)
		r = open_store(agent, fault);
	if (!r && start_loop(agent) < 0)
		r = svcenc_fault_set(fault, SVCENC_FAULT_KERNEL,
				     "cannot make an event loop");
	if (!r)
		r = vaults_start(agent, fault);
	if (r < 0)
		return r;
	(void)kernel_start(agent);
	refresh_clear_remains(agent);
	lease_adopt(agent);
	if (metrics_start(agent) < 0)
		log_warning("metrics are not written: no timer");
	return server_start(agent, fault);
}

static void stop(struct agent *agent)
{
	server_stop(agent);
	metrics_stop(agent);
	lease_stop(agent);
	rotations_stop(agent);
	kernel_stop(agent);
	vaults_stop(agent);
	agent->store = svcenc_store_close(agent->store);
	watch_stop(agent);
	agent->event = sd_event_unref(agent->event);
}

/* A connection for each call under way; systemd's soft limit is 1024. */
static void allow_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur >= OPEN_FILES)
		return;
	limit.rlim_cur = limit.rlim_max < OPEN_FILES ? limit.rlim_max :
						       OPEN_FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("the limit of open files stays at less than %d",
			    OPEN_FILES);
}

static void tell_systemd(struct agent *agent)
{
	sd_notifyf(0, "READY=1\nSTATUS=%zu tenants, %zu volumes in the store",
		   svcenc_store_count(agent->store, "tenant"),
		   svcenc_store_count(agent->store, "volume"));
}

int main(int argc, char **argv)
{
	static struct agent agent = {
		.paths = { .etc = "/etc/svcenc",
			   .state = "/var/lib/svcenc",
			   .run = "/run/svcenc",
			   .vault_state = "/var/lib/svcenc-vault" },
	};
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	int status;

	agent.paths.libexec = find_libexec();
	status = parse_options(argc, argv, &agent.paths);
	if (status >= 0)
		return status;
	umask(0077);
	allow_files();
	if (svcenc_secret_init() < 0) {
		svcenc_fault_set(&fault, SVCENC_FAULT_MEMORY,
				 "memory for keys cannot be locked");
		svcenc_fault_hint(&fault, "LimitMEMLOCK=64M in the unit, or "
					  "'ulimit -l 8192'");
		return say(&fault);
	}
	svcenc_proto_init();
	agent.started_ms = agent_now_ms();
	if (start(&agent, &fault) < 0) {
		status = say(&fault);
		stop(&agent);
		return status;
	}
	tell_systemd(&agent);
	log_info("ready");
	status = sd_event_loop(agent.event);
	(void)sd_notify(0, "STOPPING=1");
	stop(&agent);
	svcenc_secret_done();
	return status < 0 ? 4 : 0;
}
