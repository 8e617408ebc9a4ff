#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rotate a volume of 512-byte sectors, whose length is no multiple
# DESCRIPTION: of 4096, on a disk with physical blocks of 4096, upwards and downwards: at each
# DESCRIPTION: look the watermark lies between two of these blocks.
# RUNS: vm
# SET: quick
# TIMEOUT: 90

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

sectors=8195

# watermarks DIRECTION: looks until the end; inside blocks, and in the midst.
watermarks() {
	local moved
	inside=0 looks=0

	until rotate_is idle; do
		moved=$(rotate_done)
		if [ "$moved" -gt 0 ] && [ "$moved" -lt $sectors ]; then
			[ "$1" = downwards ] || moved=$((sectors - moved))
			[ $((moved % 8)) -eq 0 ] || inside=$((inside + 1))
			looks=$((looks + 1))
		fi
		svc_nap
	done
}

svc_plan 7
data_start
svc_must modprobe brd rd_nr=1 rd_size=16384
svc_is "the disk has blocks of 512 and 4096 bytes" \
	"$(blockdev --getss --getpbsz /dev/ram0 | paste -s -d ' ')" "512 4096"
data_make_on /dev/ram0 vol $((sectors * 512)) 512 --spare 1M
svc_add_key vol >/dev/null
data_open alpha /dev/ram0 vol
rotate_fill
for way in upwards downwards; do
	rotate_message rate 2048
	rotate_message start
	watermarks $way
	svc_ok "$way: it was looked at ($looks times)" test $looks -gt 5
	svc_is "$way: never inside a block" "$inside" 0
	svc_is "$way: every byte is as before" "$(rotate_contents)" "$rotate_before"
done
svc_close alpha
svc_must rmmod brd
svc_done
