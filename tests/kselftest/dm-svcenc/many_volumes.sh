#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will open 64 volumes at once, do verified I/O on all of
# DESCRIPTION: them at the same time, and print what a volume costs: memory, and
# DESCRIPTION: threads, of which none may be its own beyond device-mapper's.
# DESCRIPTION: Then one key ends, and only that volume is locked.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

count=64

# Kernel threads but for workers, which all workqueues share.
threads() {
	local dir

	for dir in /proc/[0-9]*; do
		[ -s "$dir/cmdline" ] || cat "$dir/comm" 2>/dev/null
	done | grep -v -e '^kworker/' -e '^cat$' -e '^bash$' | sed 's|/[0-9:]*$||; s/[0-9]*$//' | sort
}

# Memory in use, KiB, when what can be dropped is dropped.
used() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.5 # RCU gives back late
	awk '/^MemTotal|^MemFree|^Shmem:|^Buffers|^Cached/ { v[$1] = $2 }
		END { print v["MemTotal:"] - v["MemFree:"] - v["Buffers:"] - v["Cached:"] }' /proc/meminfo
}

# One pass over all: table, node, resume.
open_all() {
	local i

	for ((i = 1; i <= count; i++)); do
		svc_open "vol$i" "vol$i"
	done
}

all_devices() {
	local i list=/dev/mapper/vol1

	for ((i = 2; i <= count; i++)); do
		list+=:/dev/mapper/vol$i
	done
	echo "$list"
}

states() {
	dmsetup status --target svcenc | awk '{ print $5 }' | sort | uniq -c | tr -s ' \n' ' '
}

svc_plan 8
svc_load_module
svc_must modprobe loop
svc_make_volumes $count "$SVC_TMP/vol" 2M 4096
for ((i = 1; i <= count; i++)); do
	svc_add_key "vol$i" >/dev/null
	svc_attach "vol$i" # its threads and memory are not ours
done
threads >threads.before
before=$(used)
open_all
after=$(used)
threads >threads.after
svc_is "all are active" "$(states)" " $count active "
comm -13 threads.before threads.after | sort | uniq -c >threads.new
svc_note "new threads: $(tr -s ' \n' ' ' <threads.new)"
svc_ok "threads per volume: device-mapper's one" test "$(wc -l <threads.new)" -le 1
svc_is "none is svcenc's" "$(grep -c svcenc threads.new)" 0
svc_note "memory per idle volume: $(((after - before) / count)) KiB (with slub_debug)"
svc_ok "memory per idle volume is below 512 KiB" test $(((after - before) / count)) -lt 512
svc_ok "verified I/O on all at once" data_fio_verify --direct=1 --filename="$(all_devices)" \
	--size=$((2 * count))M --io_size=48M --iodepth=128 --file_service_type=random
svc_is "every volume did some" \
	"$(dmsetup status --target svcenc | awk '$12 == 0 { n++ } END { print n + 0 }')" 0
svc_revoke_key vol7
svc_wait 5 eval 'dmsetup status vol7 | grep -q locked'
svc_is "one key ended, one volume is locked" "$(states)" " $((count - 1)) active 1 locked "
svc_ok "the others go on" dd if=/dev/mapper/vol8 of=/dev/null bs=64k iflag=direct
svc_done
