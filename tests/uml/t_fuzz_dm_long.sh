#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will send a million hostile tables, messages, device-mapper ioctls,
# DESCRIPTION: netlink messages and keys, a fifth of them from two processes at once: no
# DESCRIPTION: report of the kernel, nothing left behind, and a volume in use all the time
# DESCRIPTION: holds every byte.
# RUNS: uml
# SET: long
# TIMEOUT: 14400

# shellcheck source=tests/uml/fuzz/lib_fuzz.sh
. "$(dirname "$0")/fuzz/lib_fuzz.sh"

cases=${CASES:-1000000} seed=${SEED:-$((RANDOM * 32768 + RANDOM))}

fuzz_start
# the second process sends about as many as the first
fuzz_run $((cases / 10)) "$seed" --race &&
	fuzz_run $((cases - cases / 5)) $((seed + 1))
fuzz_end
