#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take away all memory that may be had without
# DESCRIPTION: waiting (vm.min_free_kbytes above what is free) while 32 large
# DESCRIPTION: writes are always in flight on each of two stacked volumes: they
# DESCRIPTION: go on from the volumes' own reserves, in smaller parts, which is
# DESCRIPTION: counted below; nothing hangs or fails and the data verifies.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

device=/dev/mapper/upper

# What a mapping has finished, into $reads and $writes; starts no program, as
# there may be no memory to start one.
count_io() {
	read -r reads _ _ _ writes _ <"$1"
}

pause() {
	read -r -t "$1" <>nothing || :
}

# Writes of 128 KiB above, as the volume does not cut them.
# shellcheck disable=SC2317 # called by name
load() {
	timeout -k 5 100 fio --name=load --ioengine=libaio --iodepth=32 --rw=randwrite --bs=128k \
		--direct=1 --filename="$device" --size=16M --verify=crc32c --verify_state_save=0 \
		--eta=never "$@"
}

squeeze() {
	local free

	free=$(awk '/^MemFree/ { print $2 }' /proc/meminfo)
	svc_note "$free KiB free"
	normal=$(</proc/sys/vm/min_free_kbytes)
	echo $((free + 81920)) >/proc/sys/vm/min_free_kbytes
}

# I/O above per second of eight; the memory is back afterwards, come what may.
io_without_memory() {
	local last

	per_second=''
	squeeze
	for _ in 1 2 3 4 5 6 7 8; do
		count_io "$stat_above"
		last=$((reads + writes))
		pause 1
		count_io "$stat_above"
		per_second+="$((reads + writes - last)) "
	done
	echo "$normal" >/proc/sys/vm/min_free_kbytes
}

svc_plan 7
data_start
svc_make_volume vol 32M 4096
svc_add_key vol >/dev/null
svc_attach vol
# shellcheck disable=SC2154 # set by svc_attach
data_map below "0 $(data_sectors "$svc_dev") linear $svc_dev 0"
data_open lower /dev/mapper/below vol
data_make_on /dev/mapper/lower inner 16M 4096
svc_add_key inner >/dev/null
data_open upper /dev/mapper/lower inner
# the disk's own pages must not be what is missing
svc_must data_io touch $device 4096 0x33 >/dev/null

stat_above=$(data_queue upper)/../stat stat_below=$(data_queue below)/../stat
mkfifo nothing

count_io "$stat_below"
before=$writes
svc_ok "with memory" load
count_io "$stat_below"
svc_is "with memory a write above is one below" $((writes - before)) 128

count_io "$stat_below"
before=$writes
count_io "$stat_above"
before_above=$writes
data_background load load --time_based --runtime=30
data_io_flows upper
io_without_memory
svc_note "I/O above per second without memory: $per_second"
# fio pauses between its rounds, and an emulated machine may be starved
svc_ok "without memory I/O goes on in most seconds" \
	test "$(tr ' ' '\n' <<<"$per_second" | grep -c -v -x -e 0 -e '')" -ge 4
svc_is "all of it verifies" "$(data_finished load 110)" 0
count_io "$stat_below"
below=$((writes - before))
count_io "$stat_above"
above=$((writes - before_above))
svc_note "partly without memory: $above writes above are $below below"
svc_ok "without memory they are cut" test "$below" -gt "$above"
svc_is "no write failed" "$(svc_status upper 13) $(svc_status lower 13)" "0 0"
svc_ok "the volume reads afterwards" dd if=$device of=/dev/null bs=1M iflag=direct
svc_close upper
svc_close lower
svc_close below
svc_done
