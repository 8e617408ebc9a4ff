// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends every command of the netlink family, each well-formed and one of them
 * harmful, as callers who must not: without the capability, from namespaces
 * where they are root, with a socket that somebody else opened. Then as root,
 * but badly behaved: dumps that nobody reads, a listener that never listens,
 * renewals that race the end of the key.
 *
 *   svcenc-callers NAME VOLUME
 *
 * NAME is the mapped device of VOLUME, whose companions (.desc, .key, ...)
 * tell the key; both are live. Prints TAP lines without numbers; exit status 0
 * when all are ok. Fields of netlink messages that lie are svcenc-dmfuzz's.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dmraw.h"
#include "genl.h"
#include "linux/dm-svcenc.h"
#include "volume.h"

enum {
	NOBODY = 65534,
	ABANDONED = 300,
	UNREAD_EVENTS = 60,
	RACERS = 4,
	RACE_ENDS = 30,
};

static struct volume volume;
static const char *name;
static int keyring, family;
static uint32_t events_group;
static bool failed;

__attribute__((format(printf, 2, 3))) static void check(bool good,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("%sok ", good ? "" : "not ");
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
	failed |= !good;
}

/* ---------------------------------------------------------------- commands */

static int request_lease(int fd, uint32_t lease_s)
{
	struct genl_message msg;

	genl_begin(&msg, family, NLM_F_ACK, SVCENC_CMD_LEASE);
	genl_put(&msg, SVCENC_ATTR_KEY, volume.desc, strlen(volume.desc) + 1);
	genl_put(&msg, SVCENC_ATTR_LEASE_S, &lease_s, sizeof(lease_s));
	return genl_talk(fd, &msg, msg.head.nlmsg_len, NULL);
}

static int request(int fd, uint8_t command)
{
	const bool is_dump = command == SVCENC_CMD_GET_DEVICES ||
			     command == SVCENC_CMD_GET_KEYS;
	struct genl_message msg;

	if (command == SVCENC_CMD_LEASE)
		return request_lease(fd, 1); /* would end the key soon */
	genl_begin(&msg, family, is_dump ? NLM_F_DUMP : NLM_F_ACK, command);
	return genl_talk(fd, &msg, msg.head.nlmsg_len, NULL);
}

static int join_events(int fd)
{
	return setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			  &events_group, sizeof(events_group)) ?
		       -errno :
		       0;
}

/* ----------------------------------------------------------------- callers */

static int be_nobody(void)
{
	return setresgid(NOBODY, NOBODY, NOBODY) ||
	       setresuid(NOBODY, NOBODY, NOBODY);
}

static int be_weak_root(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct sets[2];
	const uint32_t bit = CAP_TO_MASK(CAP_SYS_ADMIN);

	if (syscall(SYS_capget, &head, sets))
		return -1;
	sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~bit;
	sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].permitted &= ~bit;
	sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].inheritable &= ~bit;
	return syscall(SYS_capset, &head, sets) != 0;
}

static int be_root_of_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int be_nobody_root_of_user_namespace(void)
{
	return be_nobody() || unshare(CLONE_NEWUSER);
}

static int be_in_net_namespace(void)
{
	return unshare(CLONE_NEWNET);
}

static int be_root_of_both(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNET);
}

static int be_effectively_nobody(void)
{
	return seteuid(NOBODY);
}

static int be_root_again(void)
{
	return seteuid(0);
}

/* Every command is answered with @want; so is joining, where there is a group. */
static const struct caller {
	const char *name;
	int (*before_open)(void);
	int (*after_open)(void);
	int want;
	bool may_join;
} callers[] = {
	{ "nobody", be_nobody, NULL, -EPERM, false },
	{ "root without CAP_SYS_ADMIN", be_weak_root, NULL, -EPERM, false },
	{ "root of a user namespace", be_root_of_user_namespace, NULL, -EPERM,
	  false },
	{ "nobody, root of a user namespace", be_nobody_root_of_user_namespace,
	  NULL, -EPERM, false },
	{ "nobody with root's socket", NULL, be_nobody, -EPERM, false },
	{ "weak root with root's socket", NULL, be_weak_root, -EPERM, false },
	{ "root with nobody's socket", be_effectively_nobody, be_root_again,
	  -EPERM, true },
	{ "root in another network", be_in_net_namespace, NULL, -ENOENT, true },
	{ "root of user and network namespace", be_root_of_both, NULL, -ENOENT,
	  true },
};

/* In a process of its own: 0 if every answer was the wanted one. */
static int ask_as(const struct caller *caller)
{
	uint8_t command;
	int fd, rc, bad = 0;

	if (caller->before_open && caller->before_open())
		return 2;
	fd = genl_open();
	if (fd < 0 || (caller->after_open && caller->after_open()))
		return 2;
	for (command = SVCENC_CMD_GET_DEVICES; command <= SVCENC_CMD_LEASE;
	     command++) {
		rc = request(fd, command);
		if (rc == caller->want)
			continue;
		bad = 1;
		printf("# command %u: %s, not %s\n", command, strerror(-rc),
		       strerror(-caller->want));
	}
	rc = caller->may_join ? -EPERM : join_events(fd);
	if (rc != -EPERM) {
		bad = 1;
		printf("# joining the events: %s\n", strerror(-rc));
	}
	return bad;
}

static int in_process(int (*run)(const void *argument), const void *argument)
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		status = run(argument);
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static int run_caller(const void *argument)
{
	return ask_as(argument);
}

static bool is_active(void)
{
	const char *status = dmraw_status(name, 0);

	return status && !strncmp(status, "active ", 7) &&
	       key_search(volume.desc, keyring) > 0;
}

static void all_callers(void)
{
	const struct timespec two_s = { 2, 0 };
	const int fd = genl_open();
	size_t i;

	for (i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
		check(!in_process(run_caller, &callers[i]),
		      "%s: every command answers %s", callers[i].name,
		      strerrorname_np(-callers[i].want));
	nanosleep(&two_s, NULL);
	check(is_active(), "no lease was shortened to a second");
	check(!request(fd, SVCENC_CMD_GET_DEVICES) &&
		      !request(fd, SVCENC_CMD_GET_KEYS) &&
		      !request(fd, SVCENC_CMD_GET_KEYRING) &&
		      !request_lease(fd, 7200),
	      "root itself: every command is done");
	close(fd);
}

/* ------------------------------------------------------------ bad behaviour */

static void small_buffer(int fd)
{
	const int least = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least));
}

/* Each ends in the middle: the answer is never read. */
static void abandoned_dumps(void)
{
	struct genl_message msg;
	unsigned int i, sent = 0;

	for (i = 0; i < ABANDONED; i++) {
		const int fd = genl_open();
		int again;

		small_buffer(fd);
		genl_begin(&msg, family, NLM_F_DUMP,
			   i & 1 ? SVCENC_CMD_GET_KEYS :
				   SVCENC_CMD_GET_DEVICES);
		for (again = 0; again < 4; again++)
			sent += send(fd, &msg, msg.head.nlmsg_len, 0) > 0;
		close(fd);
	}
	check(sent >= ABANDONED, "%u dumps are asked for, none is read", sent);
}

/* One end of the key and one return, each an event. */
static int end_and_return(void)
{
	char message[128];
	int serial, rc;

	rc = key_revoke(key_search(volume.desc, keyring));
	if (rc)
		return rc;
	serial = key_add(&volume, keyring);
	if (serial < 0)
		return serial;
	snprintf(message, sizeof(message), "unlock %s", volume.desc);
	return dmraw_tell(name, message);
}

static void deaf_listener(void)
{
	const int fd = genl_open();
	char event[4096];
	unsigned int i, got = 0;
	int rc;

	request(fd, SVCENC_CMD_GET_KEYRING); /* gives the socket its address */
	rc = join_events(fd);
	small_buffer(fd);
	for (i = 0; !rc && i < UNREAD_EVENTS; i++)
		rc = end_and_return();
	check(!rc, "keys end and return before a listener who does not read");
	check(recv(fd, event, sizeof(event), 0) < 0 && errno == ENOBUFS,
	      "he is told that he lost some");
	while (recv(fd, event, sizeof(event), 0) > 0)
		got++;
	check(got > 0 && got < 2 * UNREAD_EVENTS, "%u events were kept", got);
	close(fd);
}

static int renew_for_ever(const void *unused)
{
	const time_t end = time(NULL) + 60;
	unsigned int done = 0, refused = 0;
	const int fd = genl_open();

	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (time(NULL) < end) {
		const int rc = request_lease(fd, 7200);

		if (!rc)
			done++;
		else if (rc == -ENOKEY)
			refused++;
		else
			return 1;
		if (done > 1000 && refused)
			return 0;
		sched_yield();
	}
	return 3;
}

/* Others renew all the time while the key ends and returns. */
static void renewals_race(void)
{
	pid_t pids[RACERS];
	unsigned int i;
	int status, rc = 0, bad = 0;

	for (i = 0; i < RACERS; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(renew_for_ever(NULL));
	}
	for (i = 0; !rc && i < RACE_ENDS; i++)
		rc = end_and_return();
	check(!rc, "%u ends and returns under %u renewers", RACE_ENDS, RACERS);
	for (i = 0; i < RACERS; i++) {
		while (!waitpid(pids[i], &status, WNOHANG) && !rc)
			rc = end_and_return(); /* until each met one */
		bad |= !WIFEXITED(status) || WEXITSTATUS(status);
	}
	check(!bad && !rc,
	      "each renewal is done, or says that there is no key");
}

/* ------------------------------------------------------------------ set-up */

int main(int argc, char **argv)
{
	int rc, fd;

	if (argc != 3) {
		fputs("usage: svcenc-callers NAME VOLUME\n", stderr);
		return 2;
	}
	name = argv[1];
	rc = volume_read(argv[2], &volume);
	if (!rc)
		rc = dmraw_open();
	keyring = key_keyring();
	fd = genl_open();
	family = genl_family(fd);
	rc = rc ? rc : genl_group(fd, SVCENC_GENL_EVENTS, &events_group);
	if (rc || keyring < 0 || family < 0) {
		fprintf(stderr, "svcenc-callers: set-up: %s\n", strerror(-rc));
		return 2;
	}
	close(fd);
	all_callers();
	abandoned_dumps();
	deaf_listener();
	renewals_race();
	check(is_active(), "the volume is active");
	return failed;
}
