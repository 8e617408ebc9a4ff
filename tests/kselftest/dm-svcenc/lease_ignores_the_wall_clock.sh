#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will set the clock ten years ahead and back under load: a lease ends
# DESCRIPTION: neither earlier nor later for it.
# RUNS: vm
# SET: quick
# TIMEOUT: 90

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
readonly YEARS=315360000 LEASE=6

# The wall clock, moved by that many seconds.
move() {
	svc_must date -s "@$(($(date +%s) + $1))" >/dev/null
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
svc_load_begin /dev/mapper/one --threads 2
svc_ok "I/O flows" svc_load_sees ok
for step in $YEARS -$YEARS; do
	svc_add_key "$volume" 600 >/dev/null
	dmsetup message one 0 unlock "$(<"$volume.desc")"
	svc_ok "I/O flows" svc_load_sees ok
	read -r from _ </proc/uptime
	svc_must "$svc_bin/svcenc-genl" lease "$(<"$volume.desc")" $LEASE
	read -r to _ </proc/uptime
	move "$step"
	svc_ok "clock moved by $step s: I/O flows" svc_load_sees ok
	svc_is "and none has failed" "$fact_failed" 0
	until svc_load_facts && [ "$fact_failed" -gt 0 ]; do :; done
	move $((-step))
	svc_ok "not before the lease's end" \
		awk "BEGIN { exit !($fact_first_failure / 1e9 >= $from + $LEASE - 0.02) }"
	svc_ok "and within a second after it" \
		awk "BEGIN { exit !($fact_first_failure / 1e9 <= $to + $LEASE + 1) }"
	svc_note "$(awk "BEGIN { print $fact_first_failure / 1e9 - $from - $LEASE }") s after the end"
done
svc_load_end
svc_done
