#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take the device away under full load, once by a
# DESCRIPTION: table of errors below, once by deleting a SCSI disk: every I/O
# DESCRIPTION: fails, nothing hangs, the volume can be removed, and no task is
# DESCRIPTION: left waiting.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

above=/dev/mapper/alpha

start_load() {
	data_background load data_fio --rw=randrw --direct=1 --filename=$above --size=16M \
		--time_based --runtime=200 --iodepth=32
	data_io_flows alpha
}

stuck_tasks() {
	ps -eo state=,comm= | awk '$1 == "D" && $2 ~ /fio|dd|svcenc|dmsetup/ { n++ } END { print n + 0 }'
}

# NAME
expect_all_fails() {
	local status

	status=$(data_finished load 60)
	svc_ok "$1: the load ends with an error within a minute (status $status)" \
		eval "[ $status != hangs ] && [ $status -ne 0 ] && [ $status -ne 124 ]"
	svc_ok "$1: a direct read fails" eval "! timeout 20 dd if=$above of=/dev/null bs=4k count=1 iflag=direct"
	svc_ok "$1: a direct write fails" eval "! timeout 20 dd if=/dev/zero of=$above bs=4k count=1 oflag=direct"
	svc_ok "$1: a flush or buffered write fails" \
		eval "! timeout 20 dd if=/dev/zero of=$above bs=4k count=1 conv=fsync"
	svc_note "$(dmsetup status alpha)"
	svc_ok "$1: dmsetup remove works" timeout 20 dmsetup remove --retry alpha
	svc_mappings=("${svc_mappings[@]/alpha/}")
	svc_is "$1: no task hangs" "$(stuck_tasks)" 0
}

by_table() {
	local size

	svc_make_volume vol 16M 4096
	svc_add_key vol >/dev/null
	svc_attach vol
	size=$(data_sectors "$svc_dev")
	data_map below "0 $size linear $svc_dev 0"
	data_open alpha /dev/mapper/below vol
	start_load
	data_swap below "0 $size error"
	expect_all_fails "error table"
	svc_expect_fail "superblock cannot be read: I/O errors below" \
		data_try_open alpha /dev/mapper/below vol
	data_swap below "0 $size linear $svc_dev 0"
	data_open alpha /dev/mapper/below vol
	svc_ok "error table: with the device back the volume opens and reads" \
		dd if=$above of=/dev/null bs=1M iflag=direct
	svc_close alpha
	svc_close below
}

scsi_disk() {
	for disk in /sys/block/sd*; do
		grep -q scsi_debug "$disk/device/model" && echo "${disk##*/}" && return
	done
	return 1
}

by_scsi() {
	local disk

	svc_must modprobe sd_mod
	svc_must modprobe scsi_debug dev_size_mb=32 delay=0
	svc_wait 20 scsi_disk || svc_bail "no disk of scsi_debug"
	disk=$(scsi_disk)
	data_make_on "/dev/$disk" scsi 16M 4096
	svc_add_key scsi >/dev/null
	data_open alpha "/dev/$disk" scsi
	start_load
	echo 1 >"/sys/block/$disk/device/delete"
	expect_all_fails "SCSI disk deleted"
	svc_ok "SCSI disk deleted: its driver unloads" svc_wait 20 rmmod scsi_debug
}

svc_plan 15
data_start
by_table
by_scsi
svc_done
