#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will count the instructions of whole rotations on a RAM disk,
# DESCRIPTION: both directions, everything included (start, read, decrypt, encrypt, write,
# DESCRIPTION: commits, spare, end): at most 25,000 per 4 KiB of the volume, of which
# DESCRIPTION: AES-256-XTS alone takes 19,200.  Arguments: MiB of volume and spare.
# RUNS: vm
# VM: --plain --icount
# SET: quick
# TIMEOUT: 20000

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_cost.sh
. "$(dirname "$0")/lib_cost.sh"

mib=${1:-40} spare=${2:-16}

svc_plan 3
data_start
cost_ram_disk $((mib + spare + 4))
data_make_on /dev/ram0 vol "${mib}M" 4096 --spare "${spare}M"
cost_open alpha /dev/ram0 vol
for direction in up down; do
	cost_of_rotation "$mib"
	svc_ok "$direction: $cost instructions per 4 KiB, at most 25000" test "$cost" -le 25000
	# less than the cipher alone: then it was not done, or not counted
	[ "$cost" -gt 15000 ] || svc_bail "$cost cannot be"
done
svc_is "it was rotated twice" "$(svc_status alpha 2)" 3
svc_done
