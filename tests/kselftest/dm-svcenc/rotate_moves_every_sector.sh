#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate the key of volumes with both sector sizes,
# DESCRIPTION: twice each, so once in each direction: every byte is as before, the
# DESCRIPTION: header says the next epoch and the other place, the spare holds
# DESCRIPTION: nothing of before, no thread is left, and a reopen finds it all.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

# field OFFSET SIZE: a number of the superblock's first copy.
field() {
	od -An -v -t "u$2" -j "$1" -N "$2" vol | xargs
}
epoch_at=144 place_at=152 incompat_at=16 mib=8

# spare_hash PLACE: of the MiB before or behind the data.
spare_hash() {
	local skip=4

	[ "$1" = 1 ] || skip=$((4 + mib))
	dd if=vol bs=1M skip=$skip count=1 status=none | sha256sum
}

svc_log_mark
svc_plan 26
data_start
for size in 4096 512; do
	svc_make_volume vol ${mib}M $size --spare 1M
	svc_add_key vol >/dev/null
	svc_open alpha vol
	dd if=/dev/urandom of=/dev/mapper/alpha bs=1M count=$mib oflag=direct status=none
	before=$(rotate_contents)
	for round in 1 2; do
		old_spare=$(spare_hash $((round - 1)))
		svc_ok "$size, round $round: it starts" dmsetup message alpha 0 rotate start
		svc_ok "it ends" svc_wait 60 rotate_is idle
		svc_is "every byte is as before" "$(rotate_contents)" "$before"
		svc_is "the epoch is the next" "$(svc_status alpha 2) $(field $epoch_at 8)" "$((round + 1)) $((round + 1))"
		svc_is "at the other place, no rotation in the header" "$(field $place_at 4) $(field $incompat_at 8)" "$((round % 2)) 0"
		[ "$(spare_hash $((round % 2)))" != "$old_spare" ] || svc_fail "the spare is overwritten"
	done
	svc_is "no thread is left" "$(pgrep -c -f '^\[svcenc/')" 0
	svc_close alpha
	svc_open alpha vol
	svc_is "the same after a reopen" "$(rotate_contents)" "$before"
	svc_close alpha
	svc_detach vol
	keyctl clear "$svc_keyring"
done
svc_is "nobody complains" "$(svc_log_since_mark | grep -c -e 'rotation halted' -e WARNING)" 0
svc_is "the whole volume was rotated four times" "$(svc_log_since_mark | grep -c 'rotation is complete')" 4
svc_done
