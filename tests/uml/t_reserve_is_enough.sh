#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will take away all memory that may be had without waiting, while
# DESCRIPTION: 32 large writes are always in flight on two stacked volumes: they go on from
# DESCRIPTION: the volumes' own reserves, in smaller parts, which is counted below; nothing
# DESCRIPTION: hangs or fails, every byte reads back.
# RUNS: uml
# SET: quick
# TIMEOUT: 120
# expect-log: ODEBUG: Out of memory

# shellcheck source=tests/uml/fault/lib_fault.sh
. "$(dirname "$0")/fault/lib_fault.sh"

# Writes that a mapping has finished.
# shellcheck disable=SC2317 # called through svc_ok
writes_of() {
	awk '{ print $5 }' "/sys/block/$(dmsetup info -c --noheadings -o blkdevname "$1")/stat"
}

# COMMAND...: $above and $below are the writes that it caused.
# shellcheck disable=SC2317 # called through svc_ok
count_writes() {
	above=$(writes_of upper) below=$(writes_of below)
	"$@" || return
	above=$(($(writes_of upper) - above)) below=$(($(writes_of below) - below))
}

svc_plan 7
fault_start
svc_make_volume "$SVC_TMP/vol" 32M 4096
svc_add_key "$SVC_TMP/vol" >/dev/null
svc_attach "$SVC_TMP/vol"
svc_must dmsetup create below --table "0 $(blockdev --getsz "$svc_dev") linear $svc_dev 0"
svc_mappings+=(below)
svc_open_on /dev/mapper/below lower "$SVC_TMP/vol"
ln -s /dev/mapper/lower "$SVC_TMP/inner"
svc_must "$svc_model" create "$SVC_TMP/inner" --size 20M --sector-size 4096 --spare 1M --side-files >/dev/null
svc_add_key "$SVC_TMP/inner" >/dev/null
svc_open_on /dev/mapper/lower upper "$SVC_TMP/inner"

svc_ok "with memory: 128 large writes" count_writes dd if=/dev/zero of=/dev/mapper/upper \
	bs=128k count=128 oflag=direct
svc_is "each is one write below" "$above $below" "128 128"

fault_no_memory 100
svc_ok "without memory: every byte reads back" \
	count_writes timeout -k 5 60 "$svc_bin/svcenc-rounds" /dev/mapper/upper 4
rounds=$(cat "$SVC_TMP/output")
faults=$(fault_memory_again)
svc_ok "memory was refused $faults times" test "$faults" -gt 0
svc_is "they go on in each second: $rounds" "$(tr ' ' '\n' <<<"$rounds" | grep -c '^[1-9]')" 4
# A write is 32 pages and a reserve 16; a few find pages that the cache had.
svc_ok "they are cut to what the reserves hold: $above above, $below below" \
	test $((10 * below)) -ge $((19 * above))
svc_is "no write failed" "$(svc_status upper 13) $(svc_status lower 13)" "0 0"
svc_close upper
svc_close lower
svc_must dmsetup remove --retry below
svc_done
