// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "sandbox.h"

/* Memory, time, end, and I/O on what is open already. */
static const int common_calls[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(mprotect),
	SCMP_SYS(futex),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(munlock),
	SCMP_SYS(newfstatat),
};

static const int vault_calls[] = {
	SCMP_SYS(poll),	      SCMP_SYS(ppoll),	    SCMP_SYS(accept4),
	SCMP_SYS(getsockopt), SCMP_SYS(recvfrom),   SCMP_SYS(sendto),
	SCMP_SYS(openat),     SCMP_SYS(getdents64), SCMP_SYS(lseek),
	SCMP_SYS(fcntl),      SCMP_SYS(faccessat),  SCMP_SYS(faccessat2),
	SCMP_SYS(linkat),     SCMP_SYS(unlinkat),   SCMP_SYS(unlink),
	SCMP_SYS(fsync),      SCMP_SYS(geteuid),    SCMP_SYS(getuid),
	SCMP_SYS(open),	      SCMP_SYS(stat),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
		/* a call that this architecture does not have */
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

static int enter(const int *calls, size_t count)
{
	scmp_filter_ctx filter;
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return -ENOMEM;
	r = allow(filter, common_calls,
		  sizeof(common_calls) / sizeof(common_calls[0]));
	if (!r)
		r = allow(filter, calls, count);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

int sandbox_vault(void)
{
	return enter(vault_calls, sizeof(vault_calls) / sizeof(vault_calls[0]));
}

int sandbox_parser(void)
{
	return enter(NULL, 0);
}
