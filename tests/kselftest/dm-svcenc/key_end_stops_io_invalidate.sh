#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will invalidate a policy key 50 times under full random load
# DESCRIPTION: on two volumes: nothing submitted a second later may succeed,
# DESCRIPTION: another key's volume must not notice, and after unlock I/O must flow
# DESCRIPTION: again.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

svc_tests=$(dirname "$0")
# shellcheck source=tests/kselftest/dm-svcenc/lib/key_end.sh
. "$svc_tests/lib/key_end.sh"

key_end_pairs 2
key_end_test invalidate "${1:-50}"
