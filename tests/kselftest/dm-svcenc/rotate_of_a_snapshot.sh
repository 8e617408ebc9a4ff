#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take snapshots of the device below in the midst of
# DESCRIPTION: rotations, under load, in both directions: a snapshot is what a power cut
# DESCRIPTION: would have left, so it opens (not beside its origin: that is refused), and its
# DESCRIPTION: rotation goes on and ends; what was written before it is all there.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

size() {
	data_sectors "$svc_dev"
}

# A snapshot of "below" as it is now, as device "snap".
snapshot() {
	svc_must dmsetup suspend below
	svc_must dmsetup create snap-cow --table "0 $(size) linear $cow 0"
	svc_must dd if=/dev/zero of=/dev/mapper/snap-cow bs=64k count=1 oflag=direct status=none
	svc_must dmsetup load below --table "0 $(size) snapshot-origin $svc_dev"
	svc_must dmsetup create snap --table "0 $(size) snapshot $svc_dev /dev/mapper/snap-cow P 8"
	svc_must dmsetup resume below
	svc_mappings+=(snap-cow snap)
}

forget_snapshot() {
	svc_close snap
	svc_close snap-cow
	data_swap below "0 $(size) linear $svc_dev 0"
}

write_second_half() {
	until [ -e enough ]; do
		dd if=data of="$above" bs=64k seek=128 count=128 oflag=direct conv=notrunc status=none || return
	done
}

# The first half is left alone, the second written again and again.
check() {
	local direction=$1 half

	half=$(sha256sum < <(data_bytes $above 0 $((8 << 20))))
	rm -f enough
	data_background load write_second_half
	data_io_flows alpha
	rotate_begin
	snapshot
	svc_is "$direction: it was taken in the midst" "$(rotate_is running && echo yes)" yes
	svc_expect_fail "volume is mapped already, by device $(dmsetup info -c --noheadings -o major,minor alpha | tr -d ' ')" \
		data_try_open other /dev/mapper/snap vol
	rotate_message rate 0
	touch enough
	svc_is "$direction: the load ends well" "$(data_finished load 60)" 0
	svc_ok "$direction: the origin's rotation ends" svc_wait 60 rotate_is idle
	svc_is "$direction: the origin is as before" "$(sha256sum < <(data_bytes $above 0 $((8 << 20))))" "$half"
	svc_close alpha
	data_open alpha /dev/mapper/snap vol
	svc_ok "$direction: the snapshot is in the midst of it" eval 'rotate_is running || rotate_is idle'
	svc_is "$direction: the snapshot is as before" "$(sha256sum < <(data_bytes $above 0 $((8 << 20))))" "$half"
	svc_ok "$direction: its rotation ends" svc_wait 60 rotate_is idle
	svc_is "$direction: and changes nothing" "$(sha256sum < <(data_bytes $above 0 $((8 << 20))))" "$half"
	svc_close alpha
	forget_snapshot
	data_open alpha /dev/mapper/below vol
}

svc_plan 18
data_start
svc_must modprobe dm-snapshot
cow=/dev/ram0
svc_must modprobe brd rd_nr=1 rd_size=$((40 << 10))
rotate_volume 16M 4096
svc_close alpha
data_map below "0 $(size) linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
check up
check down
svc_done
