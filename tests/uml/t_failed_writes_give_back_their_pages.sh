#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let writes of all kinds fail, below and because
# DESCRIPTION: their key ends under way, and, when the volume is closed, ask the
# DESCRIPTION: owners of all pages of the machine (page_owner) whether the target
# DESCRIPTION: still has one that it took for encrypting.
# RUNS: uml
# SET: long
# TIMEOUT: 120

cd "$(dirname "$0")/../kselftest/dm-svcenc" || exit 1
# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$PWD/lib_data.sh"

owners=/sys/kernel/debug/page_owner
above=/dev/mapper/alpha

# Pages of the reserve, or taken past it, that nobody has given back.  Read in
# large pieces: a read that is too short for an entry is an error there.
pages_of_target() {
	dd if="$owners" bs=64k status=none |
		awk 'BEGIN { RS = "" } /mempool_alloc_pages/ && /\[dm_svcenc\]/ { n++ } END { print n + 0 }'
}

# failed_writes BLOCK_SIZE TIMES: how many of them failed
failed_writes() {
	local i n=0

	for ((i = 0; i < $2; i++)); do
		dd if=/dev/zero of="$above" bs="$1" count=1 oflag=direct status=none 2>/dev/null || n=$((n + 1))
	done
	echo $n
}

# writes_meet_the_end TIMES: in how many rounds the key ended while parts of a
# large write were on the queue.
writes_meet_the_end() {
	local i serial begun n=0

	for ((i = 0; i < $1; i++)); do
		serial=$(svc_key_serial vol)
		begun=$(svc_status alpha 8)
		dd if=/dev/zero of="$above" bs=32M count=1 oflag=direct status=none 2>/dev/null &
		svc_wait 5 begun_more_than "$begun"
		keyctl revoke "$serial"
		wait $! || n=$((n + 1))
		svc_add_key vol >/dev/null
		svc_must dmsetup message alpha 0 unlock "$(<vol.desc)"
	done
	echo $n
}

# shellcheck disable=SC2317 # called through svc_wait
begun_more_than() {
	[ "$(svc_status alpha 8)" -gt "$1" ]
}

svc_plan 7
data_start
[ -e "$owners" ] || svc_bail "$owners is missing: boot with page_owner=on (tests/uml/run)"
svc_make_volume vol 32M 4096
svc_add_key vol >/dev/null
svc_attach vol
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
seen=$(pages_of_target)
svc_ok "an open volume's reserve is seen" test "$seen" -ge 1 ||
	svc_note "$(dd if="$owners" bs=64k status=none | grep -c '^Page allocated') pages have owners"
data_swap below "0 $(data_sectors "$svc_dev") flakey $svc_dev 0 0 3600 1 error_writes"
svc_is "small writes fail" "$(failed_writes 4k 10)" 10
svc_is "writes of many pages fail" "$(failed_writes 64k 10)" 10
svc_is "writes that are cut, too" "$(failed_writes 1M 5)" 5
svc_ok "they are counted" test "$(svc_status alpha 13)" -ge 25
data_swap below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
svc_ok "writes meet the end of their key" test "$(writes_meet_the_end 5)" -ge 1
svc_close alpha
svc_is "no page is left with the target" "$(pages_of_target)" 0
svc_done
