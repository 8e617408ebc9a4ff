#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write and read large bios on two processors, from one
# DESCRIPTION: thread, and count conversions on each: both must have a good part.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 120

# shellcheck source=tools/bench.d/lib_cells.sh
. "$(dirname "$0")/../../../tools/bench.d/lib_cells.sh"

readonly ios=384 tracing=/sys/kernel/tracing

# The kernel's own count of calls, by processor.
count_begin() {
	mountpoint -q $tracing || svc_must mount -t tracefs tracefs $tracing
	echo 'p:svcenc_bench/conversion svcenc_crypt_run' >$tracing/kprobe_events ||
		svc_bail "no probe on svcenc_crypt_run"
	echo 'hist:keys=common_cpu' >$tracing/events/svcenc_bench/conversion/trigger ||
		svc_bail "no histogram of a probe"
}

# Its line for processor $1: conversions there.
count_of() {
	awk -v cpu="$1" '/common_cpu:/ { gsub("[{},:]", " "); if ($2 == cpu) n = $4 } END { print n + 0 }' \
		$tracing/events/svcenc_bench/conversion/hist
}

count_end() {
	echo '!hist:keys=common_cpu' >$tracing/events/svcenc_bench/conversion/trigger
	echo >$tracing/kprobe_events
}

large() {
	local result

	result=$(cells_run "rw=$1 order=seq bytes=131072 depth=32 span=$((cells_span << 20)) \
dev=$cells_top ios=$ios")
	[ "$(cells_result "$result" error)" = 0 ] || svc_bail "$1: $result"
}

# shared RW: one check.
shared() {
	local first second

	count_begin
	large "$1"
	first=$(count_of 0) second=$(count_of 1)
	count_end
	svc_ok "$1: conversions on both, $first and $second of $ios" \
		test "$first" -ge $((ios / 4)) -a "$second" -ge $((ios / 4))
}

svc_plan 3
svc_is "there are two processors" "$(nproc)" 2
cells_start
cells_below brd
cells_stack svcenc
for rw in write read; do
	large $rw
	shared $rw
done
cells_unstack
svc_done
