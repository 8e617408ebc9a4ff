#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will put a volume on a loop device on a file on ext4 on
# DESCRIPTION: another volume on a slow disk and send it far more large writes at
# DESCRIPTION: once than the loop device has requests: writes that wait for a
# DESCRIPTION: request must not keep those of the volume below from being
# DESCRIPTION: encrypted, or all wait for ever.
# DESCRIPTION: Argument: writes in flight (default 900).
# RUNS: vm
# VM: --smp 2 --mem 1024 --disk 400M
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

depth=${1:-900}

svc_plan 4
data_start
svc_must modprobe ext4
data_make_on /dev/vda lower 200M 4096
svc_add_key lower >/dev/null
svc_must modprobe dm-delay
# writes take 2 s, so that the requests of the loop device run out
data_map slow "0 $(data_sectors /dev/vda) linear /dev/vda 0"
data_open lower /dev/mapper/slow lower
svc_must mkfs.ext4 -q /dev/mapper/lower
mkdir mnt
svc_must mount /dev/mapper/lower mnt
svc_make_volume mnt/upper 120M 4096
svc_add_key mnt/upper >/dev/null
svc_must losetup -f --sector-size 4096 --direct-io=on mnt/upper
svc_attach mnt/upper
svc_is "the loop device writes around the page cache" \
	"$(<"/sys/block/${svc_dev#/dev/}/loop/dio")" 1
svc_open upper mnt/upper
data_swap slow "0 $(data_sectors /dev/vda) delay /dev/vda 0 0 /dev/vda 0 2000"
# 128 KiB each, in flight, 128 requests in the loop device
data_background load timeout -k 5 150 fio --name=load --ioengine=libaio --iodepth="$depth" \
	--iodepth_batch_submit="$depth" --rw=write --bs=128k --direct=1 --zero_buffers \
	--filename=/dev/mapper/upper --size=112M --eta=never
svc_is "$depth large writes at once come to an end" "$(data_finished load 170)" 0
data_swap slow "0 $(data_sectors /dev/vda) linear /dev/vda 0"
tail -n 3 load.out | sed 's/^/# /'
svc_note "upper: $(dmsetup status upper)"
svc_note "lower: $(dmsetup status lower)"
svc_ok "nothing failed above" test "$(svc_status upper 13)" -eq 0
svc_ok "nothing failed below" test "$(svc_status lower 13)" -eq 0
svc_close upper
svc_detach mnt/upper
svc_must umount mnt
svc_close lower
svc_close slow
svc_done
