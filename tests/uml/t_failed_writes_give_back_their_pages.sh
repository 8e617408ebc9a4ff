#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let writes of all kinds fail below, also while the
# DESCRIPTION: allocator has no page, and, when the volume is closed and the cache
# DESCRIPTION: emptied, ask the owners of all pages of the machine (page_owner)
# DESCRIPTION: whether the target still has one that it took for encrypting.
# RUNS: uml
# SET: quick
# TIMEOUT: 120
# expect-log: ODEBUG: Out of memory

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/uml/fault/lib_memory.sh
. "$here/fault/lib_memory.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$here/../kselftest/dm-svcenc/lib_data.sh"

# shellcheck disable=SC2154 # set by lib_memory.sh
owners=$fault_fs/page_owner
above=/dev/mapper/alpha

# Read in large pieces: a read that is too short for an entry is an error.
# shellcheck disable=SC2317 # called through svc_wait
read_owners() {
	dd if="$owners" of="$SVC_TMP/owners" bs=64k status=none && [ -s "$SVC_TMP/owners" ]
}

# Pages of the reserve, of the cache, or taken past them, that nobody has given
# back.  The kernel keeps the traces of its checkers in pages of its own, which it
# may happen to need below a call of the target.
pages_of_target() {
	echo 2 >/proc/sys/vm/drop_caches
	svc_wait 10 read_owners || svc_bail "nobody owns a page: boot with page_owner=on (tests/uml/run)"
	awk -v list="$SVC_TMP/of_target" 'BEGIN { RS = "" }
		/mempool_alloc_pages|svcenc_bounce_get/ && /\[dm_svcenc\]/ && !/stack_depot_save/ { n++; print > list }
		END { print n + 0 }' "$SVC_TMP/owners"
}

# failed_writes BLOCK_SIZE TIMES: how many of them failed
failed_writes() {
	local i n=0

	for ((i = 0; i < $2; i++)); do
		dd if=/dev/zero of="$above" bs="$1" count=1 oflag=direct status=none 2>/dev/null || n=$((n + 1))
	done
	echo $n
}

svc_plan 9
data_start
svc_make_volume vol 4M 4096
svc_add_key vol >/dev/null
svc_attach vol
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open alpha /dev/mapper/below vol
svc_ok "an open volume's reserve is seen" test "$(pages_of_target)" -ge 1
data_swap below "0 $(data_sectors "$svc_dev") flakey $svc_dev 0 0 3600 1 error_writes"
svc_is "small writes fail" "$(failed_writes 4k 10)" 10
svc_is "writes of many pages fail" "$(failed_writes 64k 10)" 10
svc_is "writes that are cut, too" "$(failed_writes 1M 5)" 5
svc_ok "they are counted" test "$(svc_status alpha 13)" -ge 25
# now in bounce bios, of what the reserve has
echo 2 >/proc/sys/vm/drop_caches
fault_no_memory 100
svc_is "without memory, small writes fail" "$(failed_writes 4k 10)" 10
svc_is "without memory, larger ones fail" "$(failed_writes 128k 10)" 10
svc_ok "there was no memory" test "$(fault_memory_again)" -gt 20
data_swap below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
svc_close alpha
svc_is "no page is left with the target" "$(pages_of_target)" 0 || cat "$SVC_TMP/of_target"
svc_done
