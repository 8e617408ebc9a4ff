#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate volumes again and again, both sector sizes,
# DESCRIPTION: while fio writes, reads, discards and verifies at random, direct, and
# DESCRIPTION: svcenc-fsx works on a mounted filesystem: no wrong byte, no error, no
# DESCRIPTION: bio that waited longer than 2 s.  Argument: seconds each (default 5).
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

seconds=${1:-5}

# Rotates until the load NAME ends; the number of rotations in $rotations.
rotate_while() {
	rotations=0
	while [ ! -s "$SVC_TMP/$1.status" ]; do
		if rotate_is idle; then
			rotate_message start
			rotations=$((rotations + 1))
		fi
		sleep 0.05
	done
	svc_wait 60 rotate_is idle || svc_bail "the last rotation does not end: $(dmsetup status alpha)"
}

check() {
	local name=$1

	svc_is "$name: the load ends well" "$(data_finished load 60)" 0
	svc_ok "$name: it was rotated meanwhile ($rotations times)" test "$rotations" -gt 0
	parked=$((parked + $(svc_status alpha 16)))
	svc_ok "$name: none longer than 2 s ($(svc_status alpha 19) us)" test "$(svc_status alpha 19)" -lt 2000000
	svc_is "$name: no error was counted" "$(svc_status alpha 11) $(svc_status alpha 12) $(svc_status alpha 13) $(svc_status alpha 14)" "0 0 0 0"
}

svc_log_mark
parked=0
svc_plan 15
data_start
for sector in 4096 512; do
	svc_make_volume vol 12M $sector --spare 1M
	svc_add_key vol >/dev/null
	svc_open alpha vol allow_discards
	data_background load data_fio --rw=randrw --rwmixread=30 --verify=crc32c --verify_backlog=64 \
		--filename=$above --size=12M --direct=1 --time_based --runtime="$seconds"
	rotate_while load
	check "raw, $sector"
	svc_close alpha
	svc_detach vol
	keyctl clear "$svc_keyring"
done
svc_make_volume vol 24M 4096 --spare 1M
svc_add_key vol >/dev/null
svc_open alpha vol allow_discards
svc_must mkfs.ext4 -q $above
mkdir mnt
svc_must mount -o discard $above mnt
data_background load timeout $((60 + seconds * 10)) "$data_bin/svcenc-fsx" mnt/file $((seconds * 60)) 20240601 8000000
rotate_while load
check "ext4"
svc_must umount mnt
svc_ok "ext4: it checks clean" e2fsck -f -n $above
# with each alone it is a matter of chance
svc_ok "some writes waited for their place ($parked)" test $parked -gt 0
svc_is "the kernel log has no error" "$(svc_log_since_mark | grep -c -i -e 'I/O error' -e 'rotation halted' -e EXT4-fs.error)" 0
svc_done
