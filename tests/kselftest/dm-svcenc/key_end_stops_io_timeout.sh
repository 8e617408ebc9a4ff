#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will give keys a timeout of one second (keyctl timeout) under
# DESCRIPTION: full random load, ten at a time: a second later, plus the second in
# DESCRIPTION: which it is looked at, nothing may succeed any more.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

svc_tests=$(dirname "$0")
# shellcheck source=tests/kselftest/dm-svcenc/lib/key_end.sh
. "$svc_tests/lib/key_end.sh"

key_end_many 10
key_end_test timeout "${1:-20}" --threads 1
