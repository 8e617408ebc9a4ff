#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will end a key while the volume is suspended under load: it resumes
# DESCRIPTION: locked and every I/O fails at once; a table reloaded then is locked, too; with
# DESCRIPTION: the key back, unlock makes I/O flow.  A volume never opened before does not
# DESCRIPTION: open without its key.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# shellcheck disable=SC2317 # called through svc_wait
no_process_hangs() {
	! grep -q '^State:.*D (disk' /proc/[0-9]*/status 2>/dev/null
}

is_locked() {
	svc_is "$1: status" "$(svc_status one 1)" locked
	svc_is "$1: a read fails at once" "$(svc_errno timeout 20 dd if=/dev/mapper/one of=/dev/null bs=4096 count=1 iflag=direct status=none)" "No such device"
	svc_is "$1: a write fails at once" "$(svc_errno timeout 20 dd if=/dev/zero of=/dev/mapper/one bs=4096 count=1 oflag=direct status=none)" "No such device"
	svc_is "$1: netlink shows it as locked" "$("$svc_bin/svcenc-genl" devices | grep -c "STATE=2 ")" 1
	svc_ok "$1: the load sees failures, no hanging" svc_load_sees failed
	svc_ok "$1: no process is stuck" svc_wait 10 no_process_hangs
}

unlocks() {
	svc_add_key "$volume" >/dev/null
	svc_ok "unlock" dmsetup message one 0 unlock "$(<"$volume.desc")"
	svc_ok "I/O flows again" svc_load_sees ok
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
needs="no live key $(<"$volume.desc") in keyring .svcenc: add it first"
svc_expect_fail "$needs" svc_try_open one "$volume"
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
table=$(svc_table "$volume")
svc_load_begin /dev/mapper/one --threads 3
svc_ok "I/O flows" svc_load_sees ok

svc_must dmsetup suspend one
svc_revoke_key "$volume"
svc_log_mark
svc_ok "it resumes without a key" timeout 60 dmsetup resume one
is_locked "resumed"
svc_must dmsetup load one --table "$table"
svc_ok "a new table resumes without a key" timeout 60 dmsetup resume one
is_locked "reloaded"
unlocks

svc_note "the key ends and comes back while the volume is suspended"
svc_must dmsetup suspend one
svc_revoke_key "$volume"
svc_add_key "$volume" >/dev/null
svc_ok "unlock works while suspended" dmsetup message one 0 unlock "$(<"$volume.desc")"
svc_must dmsetup resume one
svc_ok "I/O flows after resume" svc_load_sees ok
svc_load_end
svc_is "no read returned wrong bytes" "$fact_wrong" 0
svc_done
