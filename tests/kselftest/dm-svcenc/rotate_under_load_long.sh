#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do what rotate_under_load does, for a minute each.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 900

exec "$(dirname "$0")/rotate_under_load.sh" 60
