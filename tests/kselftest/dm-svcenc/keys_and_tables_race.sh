#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let threads add and end a key in every way, unlock, suspend,
# DESCRIPTION: resume and reload a volume and ask for its status, all at once and under load:
# DESCRIPTION: I/O succeeds with right bytes or fails as offline, nothing hangs, the kernel
# DESCRIPTION: finds nothing wrong, and in the end the volume unlocks.  Argument: seconds.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
table=$(svc_table "$volume")
svc_ok "they race for ${1:-20} s" "$svc_bin/svcenc-key-race" "$volume" one "$svc_keyring" "${1:-20}" \
	"$(cut -d ' ' -f 2,4- <<<"$table")"
sed 's/^/# /' "$SVC_TMP/output"
svc_is "the volume is active" "$(svc_status one 1)" active
svc_done
