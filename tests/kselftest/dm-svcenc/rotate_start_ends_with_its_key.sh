#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will end a policy key while the start of a rotation waits for the
# DESCRIPTION: disk, with the next volume key made: the end does not wait for the disk, the
# DESCRIPTION: start fails, nothing is left under the key; unlocked again, the rotation
# DESCRIPTION: goes on from what the disk says and every byte is as before.
# RUNS: vm
# SET: quick
# TIMEOUT: 90

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

# superblock_takes MILLISECONDS: each write of a copy, from now on.
superblock_takes() {
	local header=$((data_header / 512))

	data_swap below "$(printf '%s\n' "0 $header delay $svc_dev 0 0 $svc_dev 0 $1 $svc_dev 0 0" \
		"$header $((size - header)) linear $svc_dev $header")"
}

# How many volume keys end with the policy key, now.
volume_keys() {
	"$data_bin/svcenc-genl" keys | grep -o 'DEVICES=[0-9]*'
}

milliseconds() {
	local now=$EPOCHREALTIME

	echo "${now%???}" | tr -d .
}

svc_plan 12
data_start
svc_must modprobe dm-delay
rotate_volume_below 4M 4096
svc_is "a volume has one key" "$(volume_keys)" DEVICES=1

superblock_takes 3000
svc_log_mark
data_background start dmsetup message alpha 0 rotate start
sleep 1
svc_ok "the start waits for the disk" test ! -s start.status
svc_is "the next key is under the policy key already" "$(volume_keys)" DEVICES=2
began=$(milliseconds)
svc_revoke_key vol
took=$(($(milliseconds) - began))
svc_ok "the end of the key does not ($took ms)" test "$took" -lt 1000
svc_ok "the start is still waiting" test ! -s start.status
svc_is "no key is listed" "$("$data_bin/svcenc-genl" keys | wc -l)" 0
svc_is "the start fails" "$(data_finished start 30)" 1
svc_ok "and says why" svc_log_has "rotate refused: policy key ended meanwhile"
svc_is "the volume is locked" "$(svc_status alpha 1)" locked
superblock_takes 0
svc_add_key vol >/dev/null
svc_ok "with the key back it is unlocked" dmsetup message alpha 0 unlock "$(<vol.desc)"
rotate_ends "what the disk says of a rotation"
svc_close alpha
svc_done
