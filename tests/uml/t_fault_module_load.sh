#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let each allocation of a module load fail in turn: either it
# DESCRIPTION: loads all the same, or nothing of it is left (target, key type, netlink
# DESCRIPTION: family), and the next load works.
# RUNS: uml
# SET: long
# TIMEOUT: 600
#
# What the kernel itself says for want of memory while it loads a module:
# expect-log: Call Trace:|cut here|page allocation failure|ODEBUG: Out of memory
# expect-log: WARNING: CPU: [0-9]+ PID: [0-9]+ at kernel/trace/trace_events\.c

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

fault_start
fault_volumes
svc_must svc_unload_module
keyed_dev=$(svc_module_file)
points alloc module-load
svc_done
