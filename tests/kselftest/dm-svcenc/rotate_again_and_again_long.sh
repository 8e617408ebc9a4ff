#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do what rotate_again_and_again does, 50 times in a row.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 1800

exec "$(dirname "$0")/rotate_again_and_again.sh" 50
