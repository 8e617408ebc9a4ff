#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take away all memory that may be had without
# DESCRIPTION: waiting (vm.min_free_kbytes above what is free) while 32 large
# DESCRIPTION: writes are always in flight on two stacked volumes: they go on
# DESCRIPTION: from the volumes' own reserves, in smaller parts, which is
# DESCRIPTION: counted below; nothing hangs or fails, every byte reads back.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

# Writes that a mapping has finished.
# shellcheck disable=SC2317 # called through svc_ok
writes_of() {
	awk '{ print $5 }' "$(data_queue "$1")/../stat"
}

# COMMAND...: $above and $below are the writes that it caused.
# shellcheck disable=SC2317 # called through svc_ok
count_writes() {
	above=$(writes_of upper) below=$(writes_of below)
	"$@" || return
	above=$(($(writes_of upper) - above)) below=$(($(writes_of below) - below))
}

svc_plan 6
data_start
svc_make_volume vol 32M 4096
svc_add_key vol >/dev/null
svc_attach vol
# shellcheck disable=SC2154 # set by svc_attach
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open lower /dev/mapper/below vol
data_make_on /dev/mapper/lower inner 20M 4096
svc_add_key inner >/dev/null
data_open upper /dev/mapper/lower inner
# the disk's own pages must not be what is missing
svc_must data_io touch /dev/mapper/upper 4096 0x33 >/dev/null

svc_ok "with memory: 128 large writes" count_writes dd if=/dev/zero of=/dev/mapper/upper \
	bs=128k count=128 oflag=direct
svc_is "each is one write below" "$above $below" "128 128"

svc_ok "without memory: every byte reads back" \
	count_writes timeout -k 5 100 "$data_bin/svcenc-squeeze" /dev/mapper/upper 8
rounds=$(cat "$SVC_TMP/output")
svc_note "writes in each second without memory: $rounds"
svc_note "$above writes above are $below below"
# an emulated machine may be starved for a moment
svc_ok "they go on in most seconds" test "$(tr ' ' '\n' <<<"$rounds" | grep -c '^[1-9]')" -ge 5
# A write is 32 pages and a reserve 16: one that gets no other memory is at least
# two below, so all of them are that many more.  Half of it is asked for, as now
# and then some memory comes back.
squeezed=0
for count in $rounds; do
	squeezed=$((squeezed + count))
done
svc_ok "they are cut to what the reserves hold: $((below - above)) more below than the $squeezed above" \
	test $((below - above)) -ge $((squeezed / 2))
svc_is "no write failed" "$(svc_status upper 13) $(svc_status lower 13)" "0 0"
svc_close upper
svc_close lower
svc_close below
svc_done
