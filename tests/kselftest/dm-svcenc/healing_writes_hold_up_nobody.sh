#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will overwrite 544 unreadable sectors of a volume with as many
# DESCRIPTION: writes at once, while each commit of its superblock takes 0.4 s: the
# DESCRIPTION: writes of another volume, which are encrypted on the shared queue, must
# DESCRIPTION: not wait for them; and all of them end well.
# RUNS: vm
# SET: long
# TIMEOUT: 180

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

count=544 bad=1024 # sectors; the place of the bad ones is the spare in the end

# LINE...: the table of "below", whose data area begins at sector 8192
below_is() {
	data_swap below "$(printf '%s\n' "$@")"
}

rest_from() {
	echo "$1 $((size - $1)) linear $svc_dev $1"
}

all_are_sent() {
	[ "$(svc_status alpha 8)" -ge "$count" ]
}

svc_plan 7
data_start
svc_must modprobe dm-delay
svc_make_volume vol 8M 512 --spare 1M
svc_add_key vol >/dev/null
svc_attach vol
size=$(data_sectors "$svc_dev")
data_map below "0 $size linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
at=$((8192 + bad))
below_is "0 $at linear $svc_dev 0" "$at $count error" "$(rest_from $((at + count)))"
rotate_message start
svc_ok "a rotation halts at what cannot be read" svc_wait 60 rotate_is read-error
rotate_message resume skip_unreadable
svc_ok "and passes over it" svc_wait 120 rotate_is idle
svc_is "one extent is unreadable" "$(svc_status alpha 20)" 1

below_is "0 8192 delay $svc_dev 0 0 $svc_dev 0 200" "$(rest_from 8192)"
data_background heal fio --name=heal --filename=$above --ioengine=libaio --direct=1 --rw=write --bs=512 \
	--iodepth=$count --iodepth_batch_submit=$count --offset=$((bad * 512)) --size=$((count * 512)) --eta=never
svc_wait 60 all_are_sent || svc_bail "not all writes are sent: $(dmsetup status alpha)"
below_dev=$svc_dev
svc_make_volume other 16M 4096
svc_add_key other >/dev/null
svc_open beta other
svc_ok "another volume is written in the meantime" \
	timeout 30 dd if=/dev/zero of=/dev/mapper/beta bs=256k count=64 oflag=direct status=none
svc_ok "there are unreadable sectors left" test "$(svc_status alpha 20)" -ge 1
svc_dev=$below_dev
below_is "0 $size linear $svc_dev 0"
svc_is "all writes over them end well" "$(data_finished heal 120)" 0
svc_is "nothing is unreadable" "$(svc_status alpha 20)" 0
svc_close beta
svc_done
