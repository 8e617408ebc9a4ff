#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do polled I/O (io_uring with hipri) on a volume
# DESCRIPTION: over a device with polled queues.  A write goes down as another
# DESCRIPTION: bio, which nobody would poll: it must end in time all the same,
# DESCRIPTION: done or refused as not supported (so Linux 6.1), and plain
# DESCRIPTION: io_uring must work.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

# fio's options: 40 s for 2 MiB of memory are a hang
# shellcheck disable=SC2317 # called through svc_ok
ends_in_time() {
	DATA_FIO_LIMIT=40 data_uring --hipri=1 "$@" >out 2>&1 ||
		grep -q 'error=Operation not supported' out
}

# shellcheck disable=SC2317 # called through svc_ok
data_uring() {
	data_fio --ioengine=io_uring --direct=1 --iodepth=4 --filename=/dev/mapper/alpha \
		--size=2M "$@"
}

svc_plan 5
data_start
# another test of this guest may have left it, without a device
modprobe -q -r null_blk || :
svc_must modprobe null_blk nr_devices=1 queue_mode=2 submit_queues=1 poll_queues=1 \
	memory_backed=1 gb=1 bs=512 irqmode=0
data_make_on /dev/nullb0 vol 16M 4096
svc_add_key vol >/dev/null
svc_is "the device below has polled queues" "$(</sys/block/nullb0/queue/io_poll)" 1
data_open alpha /dev/nullb0 vol
svc_note "the volume itself says io_poll=$(<"$(data_queue alpha)/io_poll")"
svc_ok "polled reads end in time" ends_in_time --rw=randread
svc_ok "polled writes end in time" ends_in_time --rw=randwrite
svc_note "they are $(grep -o -m 1 'error=.*' out || echo 'done')"
svc_ok "plain io_uring verifies" data_uring --rw=randrw --verify=crc32c
svc_is "no error is counted" "$(svc_status alpha 12) $(svc_status alpha 13)" "0 0"
svc_close alpha
svc_must rmmod null_blk
svc_done
