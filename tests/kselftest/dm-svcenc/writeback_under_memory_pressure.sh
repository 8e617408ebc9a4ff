#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will write files larger than the memory to ext4 on a
# DESCRIPTION: volume while another process uses most of the memory: writeback
# DESCRIPTION: makes progress, the data verifies after a remount, nothing hangs.
# DESCRIPTION: Arguments: MiB to write; "swap" to swap on a second volume, too.
# RUNS: vm
# VM: --smp 2 --mem 384 --disk 640M --disk 320M
# SET: quick
# TIMEOUT: 400

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

mib=${1:-260} swap=${2:-}

# Swap on a volume: pages go out through the crypto when there are none left.
swap_on_volume() {
	data_make_on /dev/vdb swap 300M 4096
	svc_add_key swap >/dev/null
	data_open swap /dev/vdb swap
	svc_must mkswap /dev/mapper/swap >/dev/null
	svc_must swapon /dev/mapper/swap
}

hog_all_but() {
	local free

	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	svc_note "$free MiB available"
	data_background hog data_io hog $((free - $1)) $((mib / 4))
}

svc_plan 6
data_start
svc_must modprobe ext4
data_make_on /dev/vda vol 620M 4096
svc_add_key vol >/dev/null
data_open alpha /dev/vda vol
svc_must mkfs.ext4 -q /dev/mapper/alpha
mkdir mnt
svc_must mount /dev/mapper/alpha mnt
if [ -n "$swap" ]; then
	swap_on_volume
	hog_all_but -100
else
	hog_all_but 60
fi
DATA_FIO_LIMIT=$((mib * 2))
svc_ok "$mib MiB are written within bounds" data_fio --rw=write --directory=mnt --direct=0 \
	--ioengine=psync --size="${mib}M" --verify=crc32c --do_verify=0 --end_fsync=1
svc_note "$(dmsetup status alpha | cut -d ' ' -f 10-)"
svc_is "the memory was used all the time" "$(data_finished hog $((mib * 2)))" 0
svc_note "$(cat hog.out)"
svc_must umount mnt
svc_must mount /dev/mapper/alpha mnt
svc_ok "everything verifies" data_fio --rw=write --directory=mnt --direct=0 \
	--ioengine=psync --size="${mib}M" --verify=crc32c --verify_only
svc_is "no I/O failed" "$(svc_status alpha 12) $(svc_status alpha 13) $(svc_status alpha 14)" "0 0 0"
svc_ok "conversions were handed to workers" test "$(svc_status alpha 15)" -gt 0
svc_must umount mnt
svc_ok "the filesystem is clean" e2fsck -f -n /dev/mapper/alpha
if [ -n "$swap" ]; then
	svc_note "swap volume: $(dmsetup status swap | cut -d ' ' -f 10-)"
	svc_must swapoff /dev/mapper/swap
	svc_close swap
fi
svc_close alpha
svc_done
