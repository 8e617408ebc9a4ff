#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will clear the keyring 50 times under full random load on two
# DESCRIPTION: volumes: nothing submitted a second later may succeed, a key that is
# DESCRIPTION: linked elsewhere lives on, and after unlock I/O must flow again.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

svc_tests=$(dirname "$0")
# shellcheck source=tests/kselftest/dm-svcenc/lib/key_end.sh
. "$svc_tests/lib/key_end.sh"

key_end_pairs 1
key_end_test clear "${1:-50}"
