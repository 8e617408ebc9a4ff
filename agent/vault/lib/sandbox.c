// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
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

/* Its own socket, and files to read. */
static const int vault_calls[] = {
	SCMP_SYS(poll),	    SCMP_SYS(ppoll),	  SCMP_SYS(accept4),
	SCMP_SYS(recvfrom), SCMP_SYS(getsockopt), SCMP_SYS(sendto),
	SCMP_SYS(openat),   SCMP_SYS(lseek),	  SCMP_SYS(fcntl),
	SCMP_SYS(geteuid),  SCMP_SYS(getuid),	  SCMP_SYS(open),
	SCMP_SYS(stat),
};

const int sandbox_network_calls[] = {
	SCMP_SYS(socket),      SCMP_SYS(connect),      SCMP_SYS(setsockopt),
	SCMP_SYS(getpeername), SCMP_SYS(getsockname),  SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),     SCMP_SYS(sendmmsg),     SCMP_SYS(bind),
	SCMP_SYS(shutdown),    SCMP_SYS(ioctl),	       SCMP_SYS(uname),
	SCMP_SYS(pipe2),       SCMP_SYS(socketpair),   SCMP_SYS(eventfd2),
	SCMP_SYS(statx),       SCMP_SYS(getegid),      SCMP_SYS(getgid),
	SCMP_SYS(access),      SCMP_SYS(sysinfo),      SCMP_SYS(gettimeofday),
	SCMP_SYS(gettid),      SCMP_SYS(rt_sigaction), SCMP_SYS(pread64),
	SCMP_SYS(readlink),    SCMP_SYS(writev),       SCMP_SYS(readv),
};
const size_t sandbox_network_call_count =
	sizeof(sandbox_network_calls) / sizeof(sandbox_network_calls[0]);

/* Never, however soft the rest is. */
static const int deadly_calls[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(setuid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setreuid),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(bpf),
	SCMP_SYS(add_key),
	SCMP_SYS(keyctl),
	SCMP_SYS(request_key),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int add(scmp_filter_ctx filter, uint32_t action, const int *calls,
	       size_t count)
{
	size_t i;
	int r;

	for (i = 0; i < count; i++) {
		r = seccomp_rule_add(filter, action, calls[i], 0);
		/* a call that this architecture does not have */
		if (r < 0 && r != -EDOM)
			return r;
	}
	return 0;
}

/* Allows the common calls and loads the filter, which it frees. */
static int enter(scmp_filter_ctx filter)
{
	int r;

	r = add(filter, SCMP_ACT_ALLOW, common_calls, COUNT(common_calls));
	if (!r && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

int sandbox_vault(const int *calls, size_t count, bool soft)
{
	const uint32_t other = soft ? SCMP_ACT_ERRNO(EPERM) :
				      SCMP_ACT_KILL_PROCESS;
	scmp_filter_ctx filter = seccomp_init(other);
	int r;

	if (!filter)
		return -ENOMEM;
	r = add(filter, SCMP_ACT_ALLOW, vault_calls, COUNT(vault_calls));
	if (!r)
		r = add(filter, SCMP_ACT_ALLOW, calls, count);
	if (!r && soft)
		r = add(filter, SCMP_ACT_KILL_PROCESS, deadly_calls,
			COUNT(deadly_calls));
	if (!r)
		return enter(filter);
	seccomp_release(filter);
	return r;
}

int sandbox_guard(void)
{
	static const int calls[] = { SCMP_SYS(wait4) };

	return sandbox_vault(calls, COUNT(calls), false);
}

int sandbox_parser(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	return filter ? enter(filter) : -ENOMEM;
}
