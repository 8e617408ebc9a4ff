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

above=/dev/mapper/upper

# Writes that the disk below has finished.
writes_below() {
	awk '{ print $5 }' "$(data_queue below)/../stat"
}

# Writes of 128 KiB above, as the volume does not cut them.
load() {
	timeout -k 5 100 fio --name=load --ioengine=libaio --iodepth=32 --rw=randwrite --bs=128k \
		--direct=1 --filename=$above --size=16M --verify=crc32c --verify_state_save=0 \
		--eta=never "$@"
}

squeeze() {
	local free

	free=$(awk '/^MemFree/ { print $2 }' /proc/meminfo)
	svc_note "$free KiB free"
	echo $((free + 81920)) >/proc/sys/vm/min_free_kbytes
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
svc_must data_io touch $above 4096 0x33 >/dev/null

before=$(writes_below)
svc_ok "with memory" load
plenty=$(($(writes_below) - before))
svc_note "128 writes above are $plenty below"
svc_is "with memory a write above is one below" $plenty 128

normal=$(</proc/sys/vm/min_free_kbytes)
before=$(writes_below) above_before=$(svc_status upper 8)
data_background load load --loops=8
data_io_flows upper
squeeze
svc_ok "without memory I/O flows" data_io_flows upper
data_io_flows upper
data_io_flows upper
echo "$normal" >/proc/sys/vm/min_free_kbytes
svc_is "all of it verifies" "$(data_finished load 110)" 0
few=$(($(writes_below) - before)) above_few=$(($(svc_status upper 8) - above_before))
svc_note "partly without memory: $above_few writes above are $few below"
svc_ok "without memory they are cut" test "$few" -gt "$above_few"
svc_is "no write failed" "$(svc_status upper 13) $(svc_status lower 13)" "0 0"
svc_ok "the volume reads afterwards" dd if=$above of=/dev/null bs=1M iflag=direct
svc_close upper
svc_close lower
svc_close below
svc_done
