#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will send 10 000 hostile tables, messages, device-mapper ioctls,
# DESCRIPTION: netlink messages and keys: no report of the kernel, nothing left behind, and a
# DESCRIPTION: volume in use all the time holds every byte.
# RUNS: uml
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/uml/fuzz/lib_fuzz.sh
. "$(dirname "$0")/fuzz/lib_fuzz.sh"

fuzz_start
fuzz_run "${CASES:-10000}" "${SEED:-$((RANDOM * 32768 + RANDOM))}"
fuzz_end
