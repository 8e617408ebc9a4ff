# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers of the tests that cut the power: a volume on a RAM disk, rotations
# of it under load with every write below recorded, and the replay of that
# record with the real target.  In a guest with dm-log-writes, dm-delay, brd.
#
# shellcheck disable=SC2034,SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/dm-svcenc/lib_data.sh"

crash_log=/dev/ram1 crash_second_log=/dev/ram2
crash_disk=/dev/mapper/crash-disk

# crash_start SIZE SECTOR: a volume of SIZE, spare 1 MiB, version 1 of every
# sector, nothing mapped but $crash_disk; "base" is what that holds.
crash_start() {
	local size

	crash_sector=$2
	[ -x "$data_bin/crash-replay" ] || svc_bail "crash-replay is not built (make kselftest)"
	data_start
	modprobe -q -a dm-log-writes dm-delay
	# pages are taken as they are written
	svc_must modprobe brd rd_nr=3 rd_size=$((256 << 10))
	svc_make_volume vol "$1" "$crash_sector" --spare 1M
	size=$(($(stat -c %s vol) / 512))
	data_map crash-disk "0 $size linear /dev/ram0 0"
	svc_must dd if=vol of=$crash_disk bs=1M oflag=direct conv=notrunc status=none
	svc_add_key vol >/dev/null
	data_open alpha $crash_disk vol
	svc_must "$data_bin/crash-load" fill /dev/mapper/alpha "$crash_sector"
	svc_close alpha
	svc_must dd if=$crash_disk of=base bs=1M iflag=direct status=none
	# Bios overlap on a RAM disk, too; a write may be overtaken by a read that
	# was sent after it, and the superblock by all that is sent meanwhile.
	crash_below="0 8192 delay $crash_disk 0 1 $crash_disk 0 40
8192 $((size - 8192)) delay $crash_disk 8192 1 $crash_disk 8192 15 $crash_disk 8192 1"
	crash_logging="0 $size log-writes /dev/mapper/slow $crash_log"
}

# Before another crash_start.
crash_end() {
	svc_close crash-disk
	svc_must keyctl clear "$svc_keyring"
	svc_must svc_unload_module
	svc_must rmmod brd
}

crash_rotated() {
	[ "$(svc_status alpha 17)" = idle ] && [ "$(svc_status alpha 2)" = "$1" ]
}

# crash_record ROTATIONS SEED: so many, one after the other, under load.
# Checks: they end, the load read what it wrote, writes were parked.
crash_record() {
	local rotations=$1 seed=$2 i load status=0

	data_map slow "$crash_below"
	data_map log "$crash_logging"
	data_open alpha /dev/mapper/log vol
	"$data_bin/crash-load" run /dev/mapper/alpha "$crash_sector" log facts "$seed" 6 >load.out 2>&1 &
	load=$!
	for ((i = 1; i <= rotations; i++)); do
		svc_must dmsetup message alpha 0 rotate start
		svc_ok "rotation $i ends under load" svc_wait 120 crash_rotated $((i + 1))
	done
	kill -TERM $load
	wait $load || status=$?
	svc_note "$(cat load.out)"
	svc_is "the load read what it had written" $status 0
	parked=$(svc_status alpha 16)
	svc_ok "writes were parked: $parked" test "$parked" -gt 0
	svc_close alpha
	svc_close log
	svc_close slow
}

# crash_replay OPTION...: as of crash-replay.  One check.
crash_replay() {
	local status

	"$data_bin/crash-replay" --second-log $crash_second_log "$@" \
		$crash_disk vol "$crash_sector" base $crash_log facts 2>&1 | sed -u 's/^/# /'
	status=${PIPESTATUS[0]}
	[ "$status" -eq 0 ] || dmesg | tail -n 20 | sed 's/^/# log: /'
	svc_is "every state opens, loses nothing, comes to its end" "$status" 0
}
