#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate a mounted volume twice in a row (argument: how
# DESCRIPTION: many) while svcenc-fsx writes, reads, truncates and maps a file on it: no
# DESCRIPTION: wrong byte, every rotation under load, the filesystem clean at the end.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

wanted=${1:-2} ran=0

fsx_until_enough() {
	local seed=${SEED:-7}

	until [ -e enough ]; do
		"$data_bin/svcenc-fsx" mnt/file 400 $((seed++)) 4000000 || return
	done
}

svc_plan 6
svc_log_mark
data_start
svc_must modprobe ext4
svc_make_volume vol 12M 4096 --spare 1M
svc_add_key vol >/dev/null
svc_open alpha vol
svc_must mkfs.ext4 -q $above
mkdir mnt
svc_must mount $above mnt
data_background load fsx_until_enough
data_io_flows alpha
while [ $ran -lt "$wanted" ] && [ ! -s "$SVC_TMP/load.status" ]; do
	written=$(svc_status alpha 8)
	rotate_message start
	ran=$((ran + 1))
	svc_wait 120 rotate_is idle || break
	# each is one under load
	svc_wait 60 data_bios_above alpha "$((written + 1))" || break
done
touch enough
svc_is "fsx finds every byte as it wrote it" "$(data_finished load 120)" 0
svc_is "all rotations were begun" $ran "$wanted"
svc_is "all have ended" "$(svc_status alpha 2)" $((wanted + 1))
svc_must umount mnt
svc_ok "the filesystem checks clean" e2fsck -f -n $above
svc_is "no error was counted" "$(svc_status alpha 11) $(svc_status alpha 12) $(svc_status alpha 13) $(svc_status alpha 14)" "0 0 0 0"
svc_is "the kernel log has none" "$(svc_log_since_mark | grep -c -i -e 'I/O error' -e 'rotation halted' -e EXT4-fs.error)" 0
svc_done
