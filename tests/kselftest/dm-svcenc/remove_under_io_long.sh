#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take a volume down 10,000 times with I/O in
# DESCRIPTION: flight, see remove_under_io.sh.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 3600

exec "$(dirname "$0")/remove_under_io.sh" 10000
