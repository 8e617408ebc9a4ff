#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take a volume down 200 times with 64 reads and
# DESCRIPTION: writes in flight, by deferred removal and by a table of errors in
# DESCRIPTION: its place, over a device that completes in interrupts and over
# DESCRIPTION: one that completes in a worker: every I/O ends, the kernel finds
# DESCRIPTION: nothing wrong, and the volume opens again.  Argument: how often.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

rounds=${1:-200}
nulled=$SVC_TMP/nulled looped=$SVC_TMP/looped

# NAME DEVICE FILE: half of the rounds.  FILE names the companions.
race() {
	svc_ok "$1: $((rounds / 2)) times down with I/O in flight" \
		"$svc_bin/svcenc-remove-race" "$1" "SVCENC-1-$(<"$3.uuid")-$1" "$(<"$3.sectors")" \
		"$2 $(<"$3.uuid") $(<"$3.desc")" $((rounds / 2))
	sed 's/^/# /' "$SVC_TMP/output"
}

svc_plan 5
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_siblings "$nulled" "$looped"
svc_make_planned
svc_add_key "$nulled" >/dev/null
svc_on_null "$nulled" 4000000 # so long does each I/O take, ns
null_dev=$svc_dev
svc_attach "$looped"
race nulled "$null_dev" "$nulled"
race looped "$svc_dev" "$looped"
svc_is "no mapping is left" "$(dmsetup ls 2>/dev/null | grep -c -e looped -e nulled)" 0
svc_open_on "$null_dev" nulled "$nulled"
svc_is "over interrupts: it opens and reads" "$(svc_read_errno /dev/mapper/nulled)" ""
svc_close nulled
svc_open looped "$looped"
svc_is "over a worker: it opens and reads" "$(svc_read_errno /dev/mapper/looped)" ""
svc_close looped
svc_done
