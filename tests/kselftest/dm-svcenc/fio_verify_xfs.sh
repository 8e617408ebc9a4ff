#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will put xfs on a volume, run fio with verification on
# DESCRIPTION: it, direct and buffered, then svcenc-fsx (random writes, mmap,
# DESCRIPTION: truncate, holes), remount, and check files and filesystem.
# DESCRIPTION: Arguments: MiB for fio, operations for svcenc-fsx.
# RUNS: vm
# VM: --smp 2 --mem 1024 --disk 400M
# SET: quick
# TIMEOUT: 400

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

mib=${1:-8} operations=${2:-1200} seed=$RANDOM

svc_plan 7
data_start
svc_must modprobe xfs
# xfs wants 300 MiB, mostly for a log that mkfs fills: not in memory
data_make_on /dev/vda vol 320M 4096
svc_add_key vol >/dev/null
data_open alpha /dev/vda vol
svc_must mkfs.xfs -q /dev/mapper/alpha
mkdir mnt
svc_must mount /dev/mapper/alpha mnt
svc_ok "fio, direct" data_fio_verify --directory=mnt --size="${mib}M" --direct=1
svc_ok "fio, buffered" data_fio_verify --directory=mnt --size="${mib}M" --direct=0 --end_fsync=1
svc_note "svcenc-fsx with seed $seed"
svc_ok "svcenc-fsx" timeout 300 "$data_bin/svcenc-fsx" mnt/fsx "$operations" $seed
sum=$(sha256sum <mnt/fsx)
svc_must umount mnt
svc_ok "the filesystem is clean" xfs_repair -n /dev/mapper/alpha
svc_must mount /dev/mapper/alpha mnt
svc_is "the file is the same after a remount" "$(sha256sum <mnt/fsx)" "$sum"
svc_must umount mnt
svc_is "no I/O error was counted" "$(svc_status alpha 12) $(svc_status alpha 13)" "0 0"
svc_is "no conversion failed" "$(svc_status alpha 14)" 0
svc_close alpha
svc_done
