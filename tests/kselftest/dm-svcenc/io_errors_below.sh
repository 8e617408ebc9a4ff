#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will make single sectors of the device below fail, for
# DESCRIPTION: reads and for writes: exactly those fail above, with EIO, and are
# DESCRIPTION: counted; everything else works meanwhile, and when the device
# DESCRIPTION: recovers so does the volume.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha
bad=1000 # logical 4096-byte sectors bad and bad + 1
bad_below=$((data_header / 512 + bad * 8))

# TARGET ARGS for the bad sectors, the rest is fine
below_with() {
	local behind=$((bad_below + 16))

	printf '0 %d linear %s 0\n%d 16 %s\n%d %d linear %s %d\n' "$bad_below" "$svc_dev" \
		"$bad_below" "$1" "$behind" $(($(data_sectors "$svc_dev") - behind)) "$svc_dev" "$behind"
}

flakey() {
	below_with "flakey $svc_dev $bad_below 0 3600 $*"
}

# shellcheck disable=SC2317 # called through svc_ok and the like
read_sector() {
	dd if="$above" of=/dev/null bs=4096 skip="$1" count="${2:-1}" iflag=direct
}

# shellcheck disable=SC2317 # called through svc_ok and the like
write_sector() {
	dd if=plain of="$above" bs=4096 skip="$1" seek="$1" count="${2:-1}" oflag=direct conv=notrunc
}

# Which of the sectors around the bad ones fail; COMMAND SECTOR
failing() {
	local sector

	for ((sector = bad - 2; sector < bad + 4; sector++)); do
		LC_ALL=C "$1" "$sector" >out 2>&1 && continue
		grep -q 'Input/output error' out || svc_bail "other error: $(cat out)"
		echo -n "$sector "
	done
}

# NAME, COMMAND
large_fails() {
	svc_ok "$1 over them fails as a whole" eval "! $2 $((bad - 100)) 256"
	svc_ok "$1 beside them works" "$2" $((bad + 2)) 128
}

svc_plan 15
data_start
svc_must modprobe dm-flakey
data_random_file plain $((16 << 20))
svc_make_volume vol 16M 4096 --plaintext plain
svc_add_key vol >/dev/null
svc_attach vol
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open alpha /dev/mapper/below vol

data_swap below "$(below_with error)"
svc_is "read errors: exactly the bad sectors" "$(failing read_sector)" "$bad $((bad + 1)) "
svc_is "they are counted" "$(svc_status alpha 12)" 2
large_fails "a long read" read_sector
svc_ok "read errors do not stop writes elsewhere" write_sector 10

data_swap below "$(flakey 1 error_writes)"
svc_is "write errors: exactly the bad sectors" "$(failing write_sector)" "$bad $((bad + 1)) "
svc_is "they are counted" "$(svc_status alpha 13)" 2
svc_ok "they can still be read" read_sector $bad 2
large_fails "a long write" write_sector
svc_ok "more are counted" test "$(svc_status alpha 13)" -ge 3
svc_is "the volume is still active" "$(svc_status alpha 1)" active

data_swap below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
svc_is "recovered: nothing fails" "$(failing read_sector)$(failing write_sector)" ""
svc_ok "recovered: what was read as a whole is right" cmp plain $above
counted="$(svc_status alpha 12) $(svc_status alpha 13)"
svc_close alpha
data_open alpha /dev/mapper/below vol
svc_ok "after a reopen, too" cmp plain $above
svc_note "read and write errors counted: $counted"
svc_close alpha
svc_done
