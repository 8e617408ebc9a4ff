// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files.h"
#include "log.h"
#include "proto.h"
#include "recordjson.h"
#include "worker.h"

/* Parses records, too, whatever the types of the vaults are. */
#define RECORD_PARSER "svcenc-vault-file"

enum {
	BACKOFF_MAX_MS = 30000,
	STEADY_MS = 10000, /* ran that long: the back-off starts anew */
	PARSER_TIMEOUT_MS = 5000,
	PARSER_OUTPUT_MAX = 65536,
	WORKER_NO_EXEC = 127, /* exit status, as shells have it */
};

void worker_socket(const struct agent *agent, const char *vault,
		   char ret[SVCENC_PATH_MAX])
{
	snprintf(ret, SVCENC_PATH_MAX, "%s/vault/%s/sock", agent->paths.run,
		 vault);
}

static int find_user(const char *user, uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *entry;

	errno = 0;
	entry = getpwnam(user);
	if (!entry)
		return -ENOENT;
	*ret_uid = entry->pw_uid;
	*ret_gid = entry->pw_gid;
	return 0;
}

static int user_fault(const char *user, struct svcenc_fault *fault)
{
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
			 "there is no user '%s' for the vault worker", user);
	return svcenc_fault_hint(fault, "run systemd-sysusers, or set 'user' "
					"in vaults.d/NAME.conf");
}

/* --- in the child --------------------------------------------------------- */

/* Never returns. Only async-signal-safe calls; @argv[0] is the program. */
static void become_worker(uid_t uid, gid_t gid, char *const argv[],
			  int stdin_fd, int stdout_fd)
{
	static char *const no_environment[] = { NULL };
	sigset_t none;

	sigemptyset(&none);
	if (dup2(stdin_fd, STDIN_FILENO) < 0 ||
	    dup2(stdout_fd, STDOUT_FILENO) < 0 ||
	    close_range(3, UINT_MAX, 0) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(125);
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		_exit(126);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || chdir("/") < 0)
		_exit(126);
	execve(argv[0], argv, no_environment);
	_exit(WORKER_NO_EXEC);
}

/* --- vault workers -------------------------------------------------------- */

static int make_directories(struct worker *worker, struct svcenc_fault *fault)
{
	const struct svcenc_vault_config *config = worker->config;
	char path[SVCENC_PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "%s/vault", worker->agent->paths.run);
	r = svcenc_files_make_dir(path, 0, 0, 0755);
	if (r >= 0) {
		snprintf(path, sizeof(path), "%s/vault/%s",
			 worker->agent->paths.run, config->name);
		r = svcenc_files_make_dir(path, worker->uid, worker->gid, 0700);
	}
	if (r >= 0 && config->directory[0]) {
		snprintf(path, sizeof(path), "%s", config->directory);
		r = svcenc_files_make_dir(path, worker->uid, worker->gid, 0700);
		if (r > 0)
			log_info("made directory %s for vault '%s'", path,
				 config->name);
	}
	if (r >= 0)
		return 0;
	svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
			 "cannot make directory %s for vault '%s': %s", path,
			 config->name, strerror(-r));
	return svcenc_fault_hint(fault,
				 "make its parent directory, or set "
				 "'directory' in vaults.d/%s.conf",
				 config->name);
}

static int on_exit_of_worker(sd_event_source *source, const siginfo_t *info,
			     void *userdata);
static int on_restart(sd_event_source *source, uint64_t usec, void *userdata);

/* What the worker is told; "key=value" texts lie in @settings. */
struct command {
	char program[PATH_MAX];
	char socket[SVCENC_PATH_MAX];
	char settings[SVCENC_VAULT_OPTIONS + 1]
		     [SVCENC_VAULT_OPTION_NAME + SVCENC_VAULT_OPTION_VALUE];
	char *argv[2 * SVCENC_VAULT_OPTIONS + 8];
};

static void add_setting(struct command *command, size_t number, size_t *argc,
			const char *name, const char *value)
{
	snprintf(command->settings[number], sizeof(command->settings[number]),
		 "%s=%s", name, value);
	command->argv[(*argc)++] = (char *)"--set";
	command->argv[(*argc)++] = command->settings[number];
}

static void compose(const struct worker *worker, struct command *ret)
{
	const struct svcenc_vault_config *config = worker->config;
	size_t argc = 0, i;

	snprintf(ret->program, sizeof(ret->program), "%s/svcenc-vault-%s",
		 worker->agent->paths.libexec, config->type);
	worker_socket(worker->agent, config->name, ret->socket);
	ret->argv[argc++] = ret->program;
	ret->argv[argc++] = (char *)"--name";
	ret->argv[argc++] = (char *)config->name;
	ret->argv[argc++] = (char *)"--socket";
	ret->argv[argc++] = ret->socket;
	/* a default, which what the file says comes behind */
	if (config->directory[0])
		add_setting(ret, config->option_count, &argc, "directory",
			    config->directory);
	for (i = 0; i < config->option_count; i++)
		add_setting(ret, i, &argc, config->options[i].name,
			    config->options[i].value);
	ret->argv[argc] = NULL;
}

static int spawn(struct worker *worker, struct svcenc_fault *fault)
{
	static struct command command; /* large; used up by the fork below */
	int null_fd;

	compose(worker, &command);
	if (access(command.program, X_OK) < 0) {
		svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
				 "cannot run %s: %s", command.program,
				 strerror(errno));
		return svcenc_fault_hint(
			fault,
			"install the back end for vaults of type '%s', or "
			"correct 'type' in vaults.d/%s.conf",
			worker->config->type, worker->config->name);
	}
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"cannot open /dev/null: %s",
					strerror(errno));
	worker->pid = fork();
	if (!worker->pid)
		become_worker(worker->uid, worker->gid, command.argv, null_fd,
			      null_fd);
	close(null_fd);
	if (worker->pid < 0) {
		worker->pid = 0;
		return svcenc_fault_set(fault, SVCENC_FAULT_STORAGE,
					"cannot start a worker: %s",
					strerror(errno));
	}
	worker->started_ms = agent_now_ms();
	return sd_event_add_child(worker->agent->event, &worker->child,
				  worker->pid, WEXITED, on_exit_of_worker,
				  worker);
}

int worker_start(struct worker *worker, struct svcenc_fault *fault)
{
	int r;

	if (find_user(worker->config->user, &worker->uid, &worker->gid) < 0)
		return user_fault(worker->config->user, fault);
	worker->has_uid = true;
	if (worker->config->external || worker->pid)
		return 0;
	r = make_directories(worker, fault);
	return r < 0 ? r : spawn(worker, fault);
}

static void restart_later(struct worker *worker)
{
	int64_t delay_ms = 250LL
			   << (worker->failures < 7 ? worker->failures : 7);

	if (delay_ms > BACKOFF_MAX_MS)
		delay_ms = BACKOFF_MAX_MS;
	worker->failures++;
	worker->restart = sd_event_source_unref(worker->restart);
	(void)sd_event_add_time_relative(worker->agent->event, &worker->restart,
					 CLOCK_MONOTONIC,
					 (uint64_t)delay_ms * 1000, 0,
					 on_restart, worker);
}

static void log_exit(const struct worker *worker, const siginfo_t *info)
{
	const bool exited = info->si_code == CLD_EXITED;

	if (exited && info->si_status == WORKER_NO_EXEC)
		log_error("user '%s' cannot run %s/svcenc-vault-%s for vault "
			  "'%s': install it where every user may get at it",
			  worker->config->user, worker->agent->paths.libexec,
			  worker->config->type, worker->config->name);
	else
		log_warning("worker of vault '%s' ended (%s %d); it is "
			    "started again",
			    worker->config->name, exited ? "status" : "signal",
			    info->si_status);
}

static int on_exit_of_worker(sd_event_source *source, const siginfo_t *info,
			     void *userdata)
{
	struct worker *worker = userdata;

	(void)source;
	worker->child = sd_event_source_unref(worker->child);
	worker->pid = 0;
	if (agent_now_ms() - worker->started_ms > STEADY_MS)
		worker->failures = 0;
	log_exit(worker, info);
	restart_later(worker);
	return 0;
}

static int on_restart(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct svcenc_fault fault = { .kind = SVCENC_FAULT_NONE };
	struct worker *worker = userdata;

	(void)source;
	(void)usec;
	if (worker_start(worker, &fault) < 0) {
		log_error("%s", fault.message);
		restart_later(worker);
	}
	return 0;
}

void worker_stop(struct worker *worker)
{
	worker->restart = sd_event_source_unref(worker->restart);
	worker->child = sd_event_source_unref(worker->child);
	if (worker->pid > 0) {
		(void)kill(worker->pid, SIGTERM);
		(void)waitpid(worker->pid, NULL, 0);
	}
	worker->pid = 0;
}

/* --- the parser of records ------------------------------------------------ */

static int64_t left_ms(int64_t deadline_ms)
{
	const int64_t left = deadline_ms - agent_now_ms();

	return left > 0 ? left : 0;
}

/* Writes all of @image, then reads until the end. Length, or an errno. */
static ssize_t converse(int in, int out, const u8 image[SVCENC_RECORD_SIZE],
			char *answer)
{
	const int64_t deadline = agent_now_ms() + PARSER_TIMEOUT_MS;
	size_t sent = 0, got = 0;
	ssize_t n;

	while (sent < SVCENC_RECORD_SIZE) {
		n = write(in, image + sent, SVCENC_RECORD_SIZE - sent);
		if (n < 0)
			return -errno; /* 16 KiB fit into an empty pipe */
		sent += (size_t)n;
	}
	close(in);
	for (;;) {
		struct pollfd wait = { .fd = out, .events = POLLIN };

		if (poll(&wait, 1, (int)left_ms(deadline)) <= 0)
			return -ETIMEDOUT;
		n = read(out, answer + got, PARSER_OUTPUT_MAX - got);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			return (ssize_t)got;
		if (n > 0)
			got += (size_t)n;
		if (got == PARSER_OUTPUT_MAX)
			return -EMSGSIZE;
	}
}

/* Runs the parser; its answer is @answer[0, returned length). */
static ssize_t run_parser(struct agent *agent, uid_t uid, gid_t gid,
			  const u8 image[SVCENC_RECORD_SIZE], char *answer)
{
	char program[PATH_MAX];
	char *const argv[] = { program, (char *)"--parse-record", NULL };
	int in[2], out[2], status = 0;
	ssize_t n;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/" RECORD_PARSER,
		 agent->paths.libexec);
	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		n = -errno;
		close(in[0]);
		close(in[1]);
		return n;
	}
	pid = fork();
	if (!pid)
		become_worker(uid, gid, argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	if (pid < 0) {
		close(in[1]);
		close(out[0]);
		return -EAGAIN;
	}
	n = converse(in[1], out[0], image, answer);
	close(out[0]);
	if (n < 0)
		(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	if (n >= 0 && (!WIFEXITED(status) || WEXITSTATUS(status)))
		return -EPROTO;
	return n;
}

int worker_parse_record(struct agent *agent, const u8 image[SVCENC_RECORD_SIZE],
			struct svcenc_record *ret, struct svcenc_fault *fault)
{
	SVCENC_JSON_AUTO json_t *json = NULL;
	const char *defect = NULL;
	uid_t uid = 0;
	gid_t gid = 0;
	char *answer;
	ssize_t n;

	if (find_user(SVCENC_VAULT_USER, &uid, &gid) < 0)
		return user_fault(SVCENC_VAULT_USER, fault);
	answer = malloc(PARSER_OUTPUT_MAX);
	if (!answer)
		return svcenc_fault_memory(fault);
	n = run_parser(agent, uid, gid, image, answer);
	if (n > 0)
		json = json_loadb(answer, (size_t)n, JSON_REJECT_DUPLICATES,
				  NULL);
	free(answer);
	if (!json)
		return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
					"the policy record makes its parser "
					"fail (%s)",
					n < 0 ? strerror((int)-n) :
						"no answer");
	if (!json_unpack(json, "{s:s !}", "defect", &defect))
		return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY, "%.200s",
					defect);
	if (svcenc_recordjson_read(json, ret) < 0)
		return svcenc_fault_set(fault, SVCENC_FAULT_INTEGRITY,
					"the policy record's parser gives a "
					"malformed answer");
	return 0;
}
