#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Process 1 is the runner; the kernel panics when it goes.
echo "from a child of the runner" >/dev/null
gdb=$(command -v python3)
"$gdb" - <<'PY'
import ctypes, os
# A signal that process 1 has no handler for is ignored; SIGSEGV by ptrace is not.
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_KILL, PTRACE_CONT, PTRACE_POKEUSER = 16, 8, 7, 6
libc.ptrace.argtypes = [ctypes.c_long] * 4
libc.ptrace(PTRACE_ATTACH, 1, 0, 0)
os.waitpid(1, 0x40000000)
libc.ptrace(PTRACE_POKEUSER, 1, 16 * 8, 0)	# rip
libc.ptrace(PTRACE_CONT, 1, 0, 0)
PY
sleep 60
