#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let a rotation that may pass over unreadable sectors meet
# DESCRIPTION: one in a batch of many, so that it has to read them one by one, and suspend
# DESCRIPTION: or pause it before it does: a write that waits for this batch must end.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

batch=128 # sectors of the first one, at the end of the volume

# reads_last MILLISECONDS: how long a read of the first batch takes from now on.
reads_last() {
	local at=$((data_header / 512 + sectors - batch))

	data_swap below "$(printf '%s\n' "0 $at linear /dev/mapper/bad 0" \
		"$at $batch delay /dev/mapper/bad $at $1 /dev/mapper/bad $at 0" \
		"$((at + batch)) $((size - at - batch)) linear /dev/mapper/bad $((at + batch))")"
}

parked_is() {
	[ "$(svc_status alpha 16)" -ge "$1" ]
}

# A batch is being read, and a write to it waits.
begin_and_park() {
	local parked

	parked=$(svc_status alpha 16)
	reads_last 3000
	rotate_message resume skip_unreadable
	data_background parked dd if=data of=$above bs=4k count=1 skip=$((sectors / 8 - 2)) \
		seek=$((sectors / 8 - 2)) oflag=direct conv=notrunc status=none
	svc_ok "$1: a write waits for the batch" svc_wait 20 parked_is $((parked + 1))
}

svc_plan 9
data_start
svc_must modprobe dm-delay
rotate_volume_below 1M 4096
sectors=$(<vol.sectors)
at=$((data_header / 512 + sectors - 8))
data_map bad "$(printf '%s\n' "0 $at linear $svc_dev 0" "$at 8 error" "$((at + 8)) $((size - at - 8)) linear $svc_dev $((at + 8))")"
data_swap below "0 $size linear /dev/mapper/bad 0"
rotate_message start
svc_wait 60 rotate_is read-error || svc_bail "the rotation does not halt: $(dmsetup status alpha)"

begin_and_park suspended
data_background suspend dmsetup suspend --nolockfs alpha
svc_is "suspended: the suspend ends" "$(data_finished suspend 30)" 0
svc_is "suspended: the write ends well" "$(data_finished parked 30)" 0
svc_must dmsetup resume alpha
svc_ok "resumed, the rotation runs or has halted at the sector" svc_wait 30 eval 'rotate_is read-error || rotate_is running'
rotate_message pause
svc_wait 30 eval 'rotate_is paused || rotate_is read-error' || svc_bail "no pause: $(dmsetup status alpha)"
svc_must dmsetup suspend --nolockfs alpha
svc_must dmsetup resume alpha

begin_and_park paused
rotate_message pause
svc_is "paused: the write ends well" "$(data_finished parked 30)" 0
svc_ok "and the rotation rests" rotate_is paused
reads_last 0
rotate_message resume skip_unreadable
svc_ok "told to go on, it ends" svc_wait 60 rotate_is idle
svc_is "one extent is unreadable" "$(svc_status alpha 20)" 1
svc_close alpha
svc_close below
svc_close bad
svc_done
