#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will stack a volume on a volume and write through both
# DESCRIPTION: while another process uses up the memory: no hang, everything
# DESCRIPTION: verifies.  Each volume has its own reserve, so neither can wait
# DESCRIPTION: for the other.  Argument: MiB of memory that the load may have.
# RUNS: vm
# VM: --smp 2 --mem 384 --disk 640M --disk 320M
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib_data.sh
. "$(dirname "$0")/lib_data.sh"

# Leaves about MIB of memory to the others.
hog_all_but() {
	local free

	free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
	svc_note "$free MiB available"
	data_background hog data_io hog $((free - $1)) 60
}

svc_plan 6
data_start
data_make_on /dev/vda lower 240M 4096
svc_add_key lower >/dev/null
data_open lower /dev/vda lower
data_make_on /dev/mapper/lower upper 200M 4096
svc_add_key upper >/dev/null
data_open upper /dev/mapper/lower upper
hog_all_but "${1:-60}"
svc_ok "buffered writes through both, verified" timeout 250 fio --name=load --rw=randwrite \
	--bssplit=4k/30:64k/30:256k/40 --ioengine=psync --filename=/dev/mapper/upper --size=96M \
	--verify=crc32c --do_verify=1 --verify_fatal=1 --verify_state_save=0 --eta=never --fsync=64
svc_ok "direct I/O through both, verified" data_fio_verify --direct=1 \
	--filename=/dev/mapper/upper --size=24M --iodepth=32
svc_is "the memory was used all the time" "$(data_finished hog 120)" 0
svc_note "$(cat hog.out)"
svc_note "upper: $(dmsetup status upper | cut -d ' ' -f 10-)"
svc_note "lower: $(dmsetup status lower | cut -d ' ' -f 10-)"
svc_is "no write failed above" "$(svc_status upper 13)" 0
svc_is "no write failed below" "$(svc_status lower 13)" 0
svc_ok "conversions were handed to workers" test "$(svc_status lower 15)" -gt 0
svc_close upper
svc_close lower
svc_done
