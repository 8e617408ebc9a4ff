#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let reads, writes and each superblock copy fail in
# DESCRIPTION: the midst of a rotation, in both directions: it halts with an event
# DESCRIPTION: and a state that says why, all of the volume can be read and written,
# DESCRIPTION: and it ends once the fault is gone and it is resumed, with every byte
# DESCRIPTION: right. An unreadable sector is passed over only when that is asked
# DESCRIPTION: for; then it gives an I/O error until it is overwritten.
# RUNS: vm
# SET: quick
# TIMEOUT: 300

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

mib=2048 # sectors

below_is() {
	data_swap below "$1"
}

healthy() {
	below_is "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
}

# START SECTORS TARGET...: that stretch of the lower device has another target
sick() {
	local start=$1 sectors=$2 size

	shift 2
	size=$(data_sectors "$svc_dev")
	below_is "$(
		[ "$start" -eq 0 ] || echo "0 $start linear $svc_dev 0"
		echo "$start $sectors $*"
		echo "$((start + sectors)) $((size - start - sectors)) linear $svc_dev $((start + sectors))"
	)"
}

# Reads all, writes all of it again; but for what the device cannot: sectors
# from $dead on.
usable() {
	local at size=4096

	if [ -z "$dead" ]; then
		[ "$(rotate_contents)" = "$before" ] && dd if=data of="$above" bs=1M oflag=direct conv=notrunc status=none
		return
	fi
	at=$((dead * 512))
	cmp <(data_bytes "$above" 0 "$at") <(data_bytes data 0 "$at") &&
		cmp <(data_bytes "$above" $((at + size)) $((16 << 20))) <(data_bytes data $((at + size)) $((16 << 20))) &&
		data_bytes data 0 "$at" | data_put "$above" 0 &&
		data_bytes data $((at + size)) $((16 << 20)) | data_put "$above" $((at + size))
}

# NAME WORD: a rotation is begun, halts with that word, the volume is usable;
# healthy again and resumed, it ends.
halts() {
	local name=$1 word=$2

	rotate_message start
	svc_ok "$name: it halts, and says $word" svc_wait 60 rotate_is "$word"
	svc_ok "$name: all of the volume can be read and written" usable
	svc_is "$name: still halted" "$(svc_status alpha 17)" "$word"
	healthy
	rotate_message resume
	svc_ok "$name: healthy and resumed, it ends" svc_wait 60 rotate_is idle
	svc_is "$name: every byte is right" "$(rotate_contents)" "$before"
}

svc_plan 39
data_start
svc_make_volume vol 16M 4096 --spare 1M
svc_add_key vol >/dev/null
svc_attach vol
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
data_random_file data $((16 << 20))
svc_must dd if=data of=$above bs=1M oflag=direct status=none
before=$(rotate_contents)

# from LOW to HIGH and back, and so on
dead=$((8 * mib + 1016))
sick $((4 * mib + 8 * mib + 1016)) 8 error
halts "read error, up" read-error
sick $((5 * mib + 8 * mib + 1016)) 8 error
halts "read error, down" read-error
dead=''
# What is written there meanwhile is at the old place, which works.
sick $((5 * mib + 15 * mib + 1024)) 512 flakey "$svc_dev" $((5 * mib + 15 * mib + 1024)) 0 3600 1 error_writes
halts "write error, up" write-error
sick $((4 * mib)) 512 flakey "$svc_dev" $((4 * mib)) 0 3600 1 error_writes
halts "write error, down" write-error
svc_is "four rotations" "$(svc_status alpha 2)" 5

# Superblock: while it cannot be decided, writes to the window may fail, the
# rest works. The rotation has to be under way before it fails.
for copy in 1 2; do
	start=$(((copy - 1) * 3 * mib))
	rotate_begin
	sick "$start" $mib flakey "$svc_dev" "$start" 0 3600 1 error_writes
	svc_ok "copy $copy fails: it halts" svc_wait 60 rotate_is superblock-error
	svc_is "everything can be read" "$(rotate_contents)" "$before"
	healthy
	rotate_message rate 0
	rotate_message resume
	svc_ok "healthy and resumed, it ends" svc_wait 60 rotate_is idle
	svc_is "every byte is right" "$(rotate_contents)" "$before"
	svc_ok "and everything can be written" usable
done

# Passing over what cannot be read: sectors 1024..1031 of the volume, which
# cannot be overwritten either when their place has become the spare.
sick $((4 * mib + 1024)) 8 error
rotate_message start
svc_ok "an unreadable sector halts it" svc_wait 60 rotate_is read-error
svc_ok "it may be passed over" dmsetup message alpha 0 rotate resume skip_unreadable
svc_ok "then it ends" svc_wait 60 rotate_is idle
healthy
svc_is "one extent is unreadable" "$(svc_status alpha 20)" 1
svc_ok "its neighbours are as before" eval "cmp <(data_bytes $above 0 524288) <(data_bytes data 0 524288) &&
	cmp <(data_bytes $above 528384 65536) <(data_bytes data 528384 65536)"
svc_ok "it gives an error, also after a reopen" eval '! data_bytes $above 524288 4096 >/dev/null &&
	dmsetup remove alpha && data_try_open alpha /dev/mapper/below vol &&
	! data_bytes $above 524288 4096 >/dev/null'
svc_ok "overwritten it is readable, also after a reopen" eval 'data_bytes data 524288 4096 | data_put $above 524288 &&
	[ "$(svc_status alpha 20)" = 0 ] && dmsetup remove alpha && data_try_open alpha /dev/mapper/below vol &&
	[ "$(rotate_contents)" = "$before" ]'
svc_is "no extent is unreadable" "$(svc_status alpha 20)" 0
svc_done
