#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will hold one write of a volume back in the device below, in
# DESCRIPTION: the midst of a rotation, upwards and downwards: a batch that were read now
# DESCRIPTION: would miss it, so the rotation waits, while other writes and reads go on.
# DESCRIPTION: Let go, the write is there when the rotation has ended.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

spare=2048 # sectors
near=64    # so many before the watermark lies the block: in the next batch (128)

# holds_back SECTOR: writes to it below, for a minute or until lets_go; no flushes.
holds_back() {
	data_swap below "$(printf '%s\n' "0 $1 linear $svc_dev 0" \
		"$1 8 delay $svc_dev $1 0 $svc_dev $1 60000 $svc_dev $1 0" \
		"$(($1 + 8)) $((size - $1 - 8)) linear $svc_dev $(($1 + 8))")"
}

lets_go() {
	data_swap below "0 $size linear $svc_dev 0"
}

written_is() {
	[ "$(svc_status alpha 8)" -ge "$1" ]
}

moved_is() {
	[ "$(rotate_done)" -ge "$1" ]
}

# write_is_waited_for DIRECTION
write_is_waited_for() {
	local way=$1 moved block at count

	rotate_message rate 64
	rotate_message start
	svc_wait 30 rotate_in_the_midst || svc_bail "the rotation does not begin: $(dmsetup status alpha)"
	rotate_message pause
	svc_wait 30 rotate_is paused || svc_bail "no pause: $(dmsetup status alpha)"
	moved=$(rotate_done)
	if [ "$way" = upwards ]; then
		block=$((sectors - moved - near))
		at=$((data_header / 512 + block))
	else
		block=$((moved + near))
		at=$((data_header / 512 + spare + block))
	fi
	holds_back $at
	data_random_file block 4096
	count=$(svc_status alpha 8)
	data_background held dd if=block of=$above bs=4k seek=$((block / 8)) oflag=direct conv=notrunc status=none
	svc_wait 30 written_is $((count + 1)) || svc_bail "the write is not under way: $(dmsetup status alpha)"

	rotate_message rate 0
	rotate_message resume
	# it passes the block long before that if nothing holds it
	svc_ok "$way: while the write is under way the rotation does not pass it" \
		eval "! svc_wait 3 moved_is $((moved + near))"
	svc_ok "$way: and does not rest otherwise" rotate_is running
	svc_ok "$way: the write is still held" test ! -s held.status
	svc_ok "$way: another write does not wait" \
		timeout 10 dd if=data of=$above bs=4k count=1 seek=1 skip=1 oflag=direct conv=notrunc status=none
	svc_ok "$way: a read does not wait" \
		timeout 10 dd if=$above of=/dev/null bs=64k count=1 iflag=direct status=none

	lets_go
	svc_is "$way: let go, it ends well" "$(data_finished held 60)" 0
	svc_must dd if=block of=data bs=4k seek=$((block / 8)) conv=notrunc status=none
	rotate_before=$(svc_hash data)
	rotate_ends "$way, with the write"
}

svc_plan 18
data_start
svc_must modprobe dm-delay
rotate_volume_below 8M 4096
sectors=$(<vol.sectors)
write_is_waited_for upwards
write_is_waited_for downwards
svc_is "it was rotated twice" "$(svc_status alpha 2)" 3
svc_is "and nothing failed" "$(svc_status alpha 11) $(svc_status alpha 12) $(svc_status alpha 13) $(svc_status alpha 14)" "0 0 0 0"
svc_close alpha
svc_done
