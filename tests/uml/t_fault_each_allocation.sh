#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let each allocation of each operation fail in turn (table
# DESCRIPTION: load, resume in all its kinds, reload, grow, messages, status, keys,
# DESCRIPTION: netlink): a clear error, nothing half-made, the superblock whole, and the
# DESCRIPTION: same again without the fault works.  The end of a key must allocate nothing.
# DESCRIPTION: A rotation whose memory was cut short, every 13th page of it, must end.
# RUNS: uml
# SET: quick
# TIMEOUT: 600
#
# What device-mapper and the kernel below it say for want of memory:
# expect-log: Call Trace:|page allocation failure|ODEBUG: Out of memory

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

fault_start
fault_volumes
for operation in load resume initialize repair reload reload-resume grow suspend unlock rewrap \
	status table remove add-key add-key-again revoke lease get-keyring get-keys get-devices; do
	points alloc "$operation"
done
# most of its allocations are the pages of its two batches
points alloc rotate "${STEP:-13}"
svc_done
