#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do what rotate_stalls_nobody_long does, with a load that
# DESCRIPTION: never rests (one write follows the other), on the rotation alone.
# RUNS: vm
# VM: --plain --icount --mem 1200
# SET: long
# TIMEOUT: 100000

exec "$(dirname "$0")/rotate_stalls_nobody_long.sh" 284 "" 0
