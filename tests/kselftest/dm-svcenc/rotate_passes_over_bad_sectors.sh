#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate over sectors that cannot be read, on a device that
# DESCRIPTION: takes 100 ms for each try: no write waits for more than a few tries, and
# DESCRIPTION: a suspend does not either. The list of unreadable extents becomes full:
# DESCRIPTION: the rotation stays halted until one is overwritten. Where the device is
# DESCRIPTION: only away, nothing is passed over.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

low=8192 # sectors before the data area

healthy() {
	data_swap below "0 $size linear $svc_dev 0"
}

# DEVICE FIRST COUNT EVERY: COUNT times 8 sectors from FIRST on are bad, one in EVERY.
sick() {
	local device=$1 at=$2 i

	shift

	data_swap below "$(
		echo "0 $1 linear $svc_dev 0"
		for ((i = 0; i < $2; i++)); do
			echo "$at 8 linear /dev/mapper/$device 0"
			[ "$3" -eq 1 ] || echo "$((at + 8)) $((($3 - 1) * 8)) linear $svc_dev $((at + 8))"
			at=$((at + $3 * 8))
		done
		echo "$at $((size - at)) linear $svc_dev $at"
	)"
}

readable_again() {
	healthy
	svc_must dd if=data of=$above bs=1M oflag=direct conv=notrunc status=none
}

# Writes next to the bad sectors, which is where the window is.
write_beside() {
	until [ -e enough ]; do
		data_bytes data 196608 65536 | data_put "$above" 196608 || return
	done
}

something_is_unreadable() {
	[ "$(svc_status alpha 20)" -ge 1 ]
}

milliseconds() {
	local start

	start=$(date +%s%N)
	svc_must "$@"
	took=$((($(date +%s%N) - start) / 1000000))
}

# 32 bad sectors from 256 KiB on: their place is the spare in the end, nobody's
# new place.
tries_are_slow() {
	sick slow $((low + 512)) 32 1
	data_background load write_beside
	rotate_message start
	svc_ok "a bad sector halts it" svc_wait 60 rotate_is read-error
	svc_ok "the log says which" eval "svc_log_since_mark | grep -q 'rotation halted: sector [0-9]* cannot be read'"
	rotate_message resume skip_unreadable
	svc_ok "it gets on" svc_wait 60 something_is_unreadable
	milliseconds dmsetup suspend alpha
	svc_ok "a suspend does not wait for all of them ($took ms)" test "$took" -lt 3000
	svc_must dmsetup resume alpha
	rotate_message resume skip_unreadable
	svc_ok "it ends" svc_wait 60 rotate_is idle || svc_note "$(dmsetup status alpha) $(svc_log_since_mark)"
	touch enough
	svc_is "who wrote beside them ends well" "$(data_finished load 60)" 0
	svc_ok "no write waited for more than a few tries ($(svc_status alpha 19) us)" test "$(svc_status alpha 19)" -lt 3000000
	svc_is "what is bad is one extent" "$(svc_status alpha 20)" 1
	readable_again
	svc_is "overwritten it is none" "$(svc_status alpha 20)" 0
}

list_is_full() {
	local i

	# at HIGH now, behind a spare of 4096; the last of them are spare then
	sick bad $((low + 4096 + 12288)) 129 2
	rotate_message start
	svc_ok "a bad sector halts it" svc_wait 60 rotate_is read-error
	for i in once again; do
		svc_log_mark
		rotate_message resume skip_unreadable
		svc_ok "$i: the list is full, and it halts" svc_wait 60 eval \
			"svc_log_since_mark | grep -q 'rotation halted: list of unreadable extents is full'"
		svc_is "with 128 extents, and it stays so" "$(svc_status alpha 20) $(svc_status alpha 17)" "128 read-error"
	done
	svc_ok "what is readable can be read" eval "cmp <(data_bytes $above 0 1048576) <(data_bytes data 0 1048576)"
	readable_again
	svc_is "overwritten they are none" "$(svc_status alpha 20)" 0
	rotate_ends_resumed "then"
}

rotate_ends_resumed() {
	rotate_message resume
	rotate_ends "$1"
}

# A device that is away: a volume below, whose key has ended.
away() {
	svc_make_volume under 16M 4096
	svc_add_key under >/dev/null
	svc_open under under
	data_make_on /dev/mapper/under vol 8M 4096 --spare 1M
	svc_add_key vol >/dev/null
	data_open alpha /dev/mapper/under vol
	svc_must dd if=data of=$above bs=1M oflag=direct status=none
	rotate_begin
	svc_revoke_key under
	svc_ok "device away: it halts" svc_wait 60 rotate_halted
	rotate_message resume skip_unreadable
	svc_ok "and again" svc_wait 60 rotate_halted
	svc_is "nothing is passed over" "$(svc_status alpha 20)" 0
	svc_add_key under >/dev/null
	svc_must dmsetup message under 0 unlock "$(<under.desc)"
	rotate_ends_resumed "device back"
	svc_is "nothing was passed over" "$(svc_status alpha 20)" 0
}

rotate_halted() {
	[[ $(svc_status alpha 17) == *-error ]]
}

svc_plan 24
svc_log_mark
data_start
svc_must modprobe dm-delay
rotate_volume_below 8M 4096 2M
data_map bad "0 8 error"
data_map slow "0 8 delay /dev/mapper/bad 0 100"
tries_are_slow
list_is_full
svc_close alpha
svc_close below
svc_close slow
svc_close bad
rm -f vol
away
svc_close alpha
svc_close under
svc_done
