#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will pause and resume a rotation, limit its rate, and start
# DESCRIPTION: a second one, which is refused with the progress of the first; read a
# DESCRIPTION: volume in its midst through a read-only table; and discard in its midst.
# DESCRIPTION: Listeners hear of progress, pause and end.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

# It does not move, and says so.
rests() {
	local moved

	svc_wait 10 rotate_is paused || return
	moved=$(rotate_done)
	sleep 1
	[ "$(rotate_done)" = "$moved" ]
}

paused() {
	rotate_begin
	rotate_message pause
	svc_ok "paused, it rests" rests
	svc_is "everything can be read" "$(rotate_contents)" "$rotate_before"
	svc_ok "and written" dd if=data of=$above bs=1M oflag=direct conv=notrunc status=none
	svc_expect_fail "rotate refused: a rotation is under way: $(rotate_done) of $(<vol.sectors) sectors done" \
		dmsetup message alpha 0 rotate start
	rotate_message resume
	svc_ok "resumed, it runs" rotate_is running
}

# The limit is a limit: 1 MiB/s; a batch may be under way.
limited() {
	local moved start may

	rotate_message rate 1024
	svc_is "the limit is shown" "$(svc_status alpha 18)" 1024
	sleep 0.5
	start=$(date +%s%N)
	moved=$(rotate_done)
	sleep 3
	moved=$(($(rotate_done) - moved))
	may=$((($(date +%s%N) - start) * 2048 / 1000000000 + 1024))
	svc_ok "no more than the limit and a batch ($moved of $may sectors)" test "$moved" -le "$may"
	svc_ok "but some" test "$moved" -gt 0
}

read_only() {
	svc_close alpha
	svc_open --readonly alpha vol
	svc_is "read-only in its midst, it is held" "$(svc_status alpha 17)" held
	svc_is "everything can be read" "$(rotate_contents)" "$rotate_before"
	svc_expect_fail "rotate refused: table is read-only" dmsetup message alpha 0 rotate start
	svc_close alpha
	svc_open alpha vol allow_discards
}

# What is discarded may read as anything; its neighbours are as before.
discarded() {
	svc_ok "a discard of most of it, wherever W is" blkdiscard -o $((1 << 20)) -l $((14 << 20)) $above
	svc_ok "its neighbours are as before" eval 'cmp <(data_bytes $above 0 1048576) <(data_bytes data 0 1048576) &&
		cmp <(data_bytes $above 15728640 1048576) <(data_bytes data 15728640 1048576)'
	svc_must dd if=data of=$above bs=1M oflag=direct conv=notrunc status=none
}

# Who holds pages of the device below, read through the page cache, sees what is
# on it and changes nothing.
buffered_reader() {
	svc_ok "$1: the device below can be read through the page cache in its midst" \
		eval "rotate_is running && dd if='$svc_dev' of=/dev/null bs=1M status=none"
}

svc_plan 32
data_start
rotate_volume 16M 4096
svc_close alpha
svc_open alpha vol allow_discards
"$svc_top/build/test/bin/svcenc-genl" listen >events 2>&1 &
listener=$!
svc_wait 10 grep -q listening events || svc_bail "nobody listens: $(cat events)"
for direction in up down; do
	svc_note $direction
	paused
	limited
	[ $direction = down ] || read_only
	rotate_message rate 256 # on a slow machine the midst is short
	discarded
	buffered_reader $direction
	rotate_ends $direction
done
kill $listener
svc_ok "listeners heard of progress" grep -q rotation-progress events
svc_ok "of the pause" grep -q rotation-paused events
svc_ok "and of the end" grep -q rotation-done events
svc_done
