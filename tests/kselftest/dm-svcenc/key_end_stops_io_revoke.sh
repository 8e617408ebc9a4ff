#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will revoke a policy key 50 times under full random load
# DESCRIPTION: on two volumes: nothing submitted after keyctl revoke has returned
# DESCRIPTION: may succeed, another key's volume must not notice, and after unlock
# DESCRIPTION: I/O must flow again.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 300

svc_tests=$(dirname "$0")
# shellcheck source=tests/kselftest/dm-svcenc/lib/key_end.sh
. "$svc_tests/lib/key_end.sh"

key_end_pairs 1
key_end_test revoke "${1:-50}"
