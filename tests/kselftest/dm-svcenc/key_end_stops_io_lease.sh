#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let 50 leases of four seconds run out under full random
# DESCRIPTION: load, 25 keys at a time: nothing may fail before a lease's end, and
# DESCRIPTION: nothing submitted a second after it may succeed.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

svc_tests=$(dirname "$0")
# shellcheck source=tests/kselftest/dm-svcenc/lib/key_end.sh
. "$svc_tests/lib/key_end.sh"

key_end_many 25
key_end_test lease "${1:-50}" --lease 4 --threads 1
