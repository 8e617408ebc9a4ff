#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will reload a volume's own table and suspend and resume it 30 times
# DESCRIPTION: under full random load: no I/O fails, no read returns wrong bytes, and the
# DESCRIPTION: key's end is still the end.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# The ways in turn: with a new table, without, without flushing.
once() {
	case $(($1 % 3)) in
	0) dmsetup load one --table "$table" && dmsetup suspend one && dmsetup resume one ;;
	1) dmsetup suspend one && dmsetup resume one ;;
	2) dmsetup load one --table "$table" && dmsetup suspend --noflush --nolockfs one && dmsetup resume one ;;
	esac
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
table=$(svc_table "$volume")
svc_load_begin /dev/mapper/one --threads 4
svc_ok "I/O flows" svc_load_sees ok
for ((i = 0; i < 30; i++)); do
	once "$i" || break
done
svc_is "30 times suspended, 20 times reloaded" "$i" 30
svc_ok "I/O still flows" svc_load_sees ok
svc_is "one device is shown to netlink" "$("$svc_bin/svcenc-genl" devices | grep -c "STATE=1 ")" 1
svc_load_end
svc_is "no I/O failed" "$(svc_status one 11) $fact_failed" "0 0"
svc_is "no read returned wrong bytes" "$fact_wrong" 0
svc_revoke_key "$volume"
svc_is "after a revocation nothing can be read" "$(svc_read_errno /dev/mapper/one)" "No such device"
svc_done
