#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will measure how long direct reads and writes of 4 KiB take
# DESCRIPTION: without and with a rotation under way, in instructions of one processor,
# DESCRIPTION: on null_blk, which completes by a timer after 10 us and moves no data of its
# DESCRIPTION: own but the header: writes and reads at depth 1, a mix at depth 4.  The 99th percentile may be twice as long at
# DESCRIPTION: the most, none may take 100 ms; p99.9 and the longest park are printed.
# DESCRIPTION: Arguments: I/Os of each load (default 6000), MiB of the volume (64).
# RUNS: vm
# VM: --plain --icount --mem 1024
# SET: quick
# TIMEOUT: 20000

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_cost.sh
. "$(dirname "$0")/lib_cost.sh"

ios=${1:-6000} mib=${2:-64} longest=0

# FILE DIRECTION PERCENTILE: nanoseconds from fio's JSON; 100: the longest.
latency_of() {
	tr -d ' ",' <"$1" | awk -F : -v direction="$2" -v wanted="$3" '
		$1 == "read" || $1 == "write" || $1 == "trim" { now = $1 }
		$2 == "{" { kind = $1 }
		kind == "percentile" && now == direction && $1 + 0 == wanted { print $2; exit }'
}

# NAME FIO_OPTION...: its latencies go to NAME.json
measure() {
	local name=$1

	shift
	svc_must fio --name=load --filename=$above --direct=1 --bs=4k --number_ios="$ios" --size="${mib}M" \
		--io_size=4G --norandommap --randseed=7 --clocksource=clock_gettime --lat_percentiles=0 \
		--clat_percentiles=0 --slat_percentiles=0 --lat_percentiles=1 --percentile_list=50:99:99.9:100 \
		--output-format=json --output="$name.json" "$@"
}

# NAME DIRECTION: one check
compare() {
	local percentile idle=() busy=()

	for percentile in 50 99 99.9 100; do
		idle+=("$(latency_of "$1-idle.json" "$2" $percentile)")
		busy+=("$(latency_of "$1-busy.json" "$2" $percentile)")
	done
	svc_note "$1, $2, idle:     p50 ${idle[0]} p99 ${idle[1]} p99.9 ${idle[2]} longest ${idle[3]} ns"
	svc_note "$1, $2, rotating: p50 ${busy[0]} p99 ${busy[1]} p99.9 ${busy[2]} longest ${busy[3]} ns"
	[ "${busy[3]}" -le "$longest" ] || longest=${busy[3]}
	svc_ok "$1, $2: p99 is $((busy[1] * 100 / idle[1])) % of what it is without a rotation" \
		test "${busy[1]}" -le $((idle[1] * 2))
}

# NAME DIRECTIONS FIO_OPTION...
load() {
	local name=$1 direction directions=$2

	shift 2
	measure "$name-idle" "$@"
	rotate_message start
	measure "$name-busy" "$@"
	svc_ok "$name: it was rotating until the last one ($(svc_status alpha 6))" rotate_is running
	for direction in $directions; do
		compare "$name" "$direction"
	done
	svc_ok "$name: the rotation ends" svc_wait 600 rotate_is idle
}

svc_plan 11
data_start
cost_timer_disk 4 $((mib + 16))
data_make_on /dev/mapper/disk vol "${mib}M" 4096 --spare 16M
cost_open alpha /dev/mapper/disk vol
load "writes at depth 1" write --rw=randwrite --ioengine=psync
load "reads at depth 1" read --rw=randread --ioengine=psync
load "a mix at depth 4" "read write" --rw=randrw --rwmixread=70 --ioengine=libaio --iodepth=4
svc_note "the longest park: $(svc_status alpha 19) us, of $(svc_status alpha 16)"
svc_ok "the longest of all: $longest ns" test "$longest" -le 100000000
svc_close alpha
cost_timer_disks_off disk
svc_done
