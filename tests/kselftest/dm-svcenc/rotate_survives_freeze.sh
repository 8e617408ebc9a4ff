#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will freeze a filesystem in the midst of a rotation, in both
# DESCRIPTION: directions, while files are written: the freeze comes to its end, the
# DESCRIPTION: rotation goes on below it, nothing changes for who reads the frozen
# DESCRIPTION: volume, and after the thaw all files are right.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

write_files() {
	local n=0

	until [ -e enough ]; do
		n=$(((n + 1) % 8))
		dd if=data of=mnt/file"$n" bs=256k count=4 conv=fsync status=none || return
	done
}

files_are_right() {
	local file

	for file in mnt/file*; do
		cmp "$file" <(data_bytes data 0 1048576) || return
	done
}

moved_since() {
	[ "$(rotate_done)" -gt "$1" ] || rotate_is idle
}

frozen() {
	local moved sum

	rm -f enough
	data_background load write_files
	data_io_flows alpha
	rotate_begin
	svc_ok "$1: the filesystem is frozen under load" timeout 60 fsfreeze -f mnt
	moved=$(rotate_done)
	sum=$(rotate_contents)
	svc_ok "$1, frozen: the rotation moves on" svc_wait 60 moved_since "$moved"
	svc_is "$1, frozen: every byte stays as it is" "$(rotate_contents)" "$sum"
	svc_ok "$1: it thaws in the midst of it" eval 'rotate_is running && fsfreeze -u mnt'
	data_io_flows alpha
	rotate_message rate 0
	touch enough
	svc_is "$1: who writes ends well" "$(data_finished load 60)" 0
	svc_ok "$1: the rotation ends" svc_wait 60 rotate_is idle
	svc_ok "$1: all files are right" files_are_right
}

svc_plan 15
data_start
svc_must modprobe ext4
rotate_volume 24M 4096
svc_must mkfs.ext4 -q $above
mkdir mnt
svc_must mount $above mnt
for direction in up down; do
	frozen $direction
done
svc_must umount mnt
svc_ok "the filesystem checks clean" e2fsck -f -n $above
svc_done
