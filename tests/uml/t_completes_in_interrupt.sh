#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run reads and writes on a device that completes
# DESCRIPTION: them in a timer's interrupt, where nothing may sleep: on one
# DESCRIPTION: processor a loop device completes where anything may, so no
# DESCRIPTION: other test in User Mode Linux sees a sleep in a completion.
# RUNS: uml
# SET: quick
# TIMEOUT: 120

cd "$(dirname "$0")/../kselftest/dm-svcenc" || exit 1
# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. ./lib.sh
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one above=/dev/mapper/one

# write NAME BLOCK_SIZE: 4 MiB up and down again, not through the page cache
round_trip() {
	svc_ok "$1: writes" dd if="$SVC_TMP/plain" of="$above" bs="$2" oflag=direct status=none
	svc_ok "$1: reads back" cmp "$SVC_TMP/plain" \
		<(dd if="$above" bs="$2" iflag=direct status=none | head -c $((4 << 20)))
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume" --size 4M
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_on_null "$volume"
svc_open_on "$svc_dev" one "$volume"
head -c $((4 << 20)) /dev/urandom >"$SVC_TMP/plain"
round_trip "small ones" 4k
round_trip "large ones" 1M
svc_is "no error is counted" "$(svc_status one 12) $(svc_status one 13) $(svc_status one 14)" "0 0 0"
# every read at least, as no conversion is done with interrupts off
svc_ok "what may not be done in an interrupt went to the queue" \
	test "$(svc_status one 15)" -ge 1024
svc_close one
svc_done
