#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let each superblock I/O of each operation fail in turn, alone
# DESCRIPTION: and with all that follow: the kernel log says why, one copy always opens, and
# DESCRIPTION: with the device healthy the same command (or the documented one) works.  Then
# DESCRIPTION: single bios of reads, writes and flushes: exactly the I/O they belong to fails.
# RUNS: uml
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

operations=${OPERATIONS:-1500} seed=${SEED:-1}

fault_start
fault_volumes
for operation in load resume initialize repair reload grow unlock rewrap; do
	points io "$operation"
	points dead "$operation"
done
svc_add_key "$keyed" >/dev/null
svc_open alpha "$keyed"
if "$svc_bin/svcenc-iofault" /dev/mapper/alpha "$keyed_dev" "$operations" "$seed" \
	>"$SVC_TMP/points" 2>&1; then
	svc_pass "exactly the I/O with a failed bio fails: $(cat "$SVC_TMP/points")"
else
	svc_fail "exactly the I/O with a failed bio fails"
	sed 's/^/# /' "$SVC_TMP/points"
fi
svc_is "and is counted: read and write errors" \
	"$(($(svc_status alpha 12) + $(svc_status alpha 13) > 0))" 1
fault_stop
svc_close alpha
svc_done
