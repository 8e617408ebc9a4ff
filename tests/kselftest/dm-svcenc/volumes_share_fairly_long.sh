#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will load 64 volumes alike on a RAM disk, on one processor,
# DESCRIPTION: for many rounds of its scheduler: the slowest does at least 0.8 of what
# DESCRIPTION: the fastest does, with small and with large I/Os. Then, on null_blk, which
# DESCRIPTION: completes by a timer after 10 us and copies nothing, one volume has a
# DESCRIPTION: light load, an I/O of 4 KiB every 500 us, while another takes all it can
# DESCRIPTION: get, 32 under way: the 99th percentile of the light one's latency, from
# DESCRIPTION: when it is due, is at most twice what it is alone. Times are instructions.
# DESCRIPTION: Argument: ms that all of them are loaded (default 3000).
# RUNS: vm
# VM: --plain --icount --mem 1024
# SET: long
# TIMEOUT: 20000

# shellcheck source=tests/kselftest/dm-svcenc/lib_many.sh
. "$(dirname "$0")/lib_many.sh"
# shellcheck source=tools/bench.d/lib_cells.sh
. "$(dirname "$0")/../../../tools/bench.d/lib_cells.sh"

count=64 slice=8 # MiB
window=${1:-3000} light_window=1000 # ms
disk_mib=64

# RW BYTES DEPTH: one check
all_alike() {
	local jobs=() dev results

	for dev in "${many_volumes[@]}"; do
		jobs+=("rw=$1 order=seq bytes=$2 depth=$3 ms=$window dev=$dev")
	done
	results=$(cells_run "${jobs[@]}")
	svc_is "$1 of $2 bytes: all ran" "$(grep -c '^error=0 ' <<<"$results")" $count
	read -r slowest fastest < <(grep -o 'done=[0-9]*' <<<"$results" | cut -d = -f 2 | sort -n |
		sed -n '1p;$p' | tr '\n' ' ')
	svc_note "$1 of $2 bytes, $3 under way: slowest $slowest, fastest $fastest in $window ms"
	svc_ok "$1 of $2 bytes: slowest to fastest is 0.$((slowest * 100 / fastest))" \
		test $((slowest * 10)) -ge $((fastest * 8))
}

# RW [JOB]: p99 of the light load, in $p99, beside JOB.
light() {
	local results

	results=$(cells_run "rw=$1 order=random bytes=4096 depth=1 ms=$light_window pause_us=500 latency=1 dev=/dev/mapper/light" "${@:2}")
	[ "$(grep -c '^error=0 ' <<<"$results")" -eq $# ] || svc_bail "$* $results"
	p99=$(cells_result "$(head -n 1 <<<"$results")" p99_ns)
	svc_note "light $1 beside ${2:-nothing}: $(head -n 1 <<<"$results")"
}

# RW BYTES: two checks
light_beside() {
	local rw

	for rw in read write; do
		light $rw "rw=$1 order=seq bytes=$2 depth=32 ms=$light_window dev=/dev/mapper/heavy"
		svc_ok "light ${rw}s beside ${1}s of $2 bytes: p99 is $((p99 * 100 / ${alone[$rw]})) %" \
			test "$p99" -le $((2 * ${alone[$rw]}))
	done
}

svc_plan 16
cells_start
cost_ram_disk $((count * slice))
cost_awake many_make /dev/ram0 $count $slice
cost_awake many_open $count
for rw in write read; do
	all_alike $rw 4096 4
	all_alike $rw 131072 2
done
for name in light heavy; do
	cost_timer_disk 4 $((disk_mib + 4)) disk-$name
	data_make_on /dev/mapper/disk-$name $name ${disk_mib}M 4096 --spare 1M
	cost_open $name /dev/mapper/disk-$name $name
done
declare -A alone
for rw in read write; do
	light $rw
	alone[$rw]=$p99
done
for rw in write read; do
	light_beside $rw 4096
	light_beside $rw 131072
done
for name in light heavy; do
	svc_close $name
done
cost_timer_disks_off disk-light disk-heavy
svc_done
