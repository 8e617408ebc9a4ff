#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do as writeback_under_memory_pressure, with more
# DESCRIPTION: data and with swap on a second volume that is needed all the
# DESCRIPTION: time: reclaim itself then depends on the target.
# RUNS: vm
# VM: --smp 2 --mem 384 --disk 640M --disk 320M
# SET: long
# TIMEOUT: 2400

exec "$(dirname "$0")/writeback_under_memory_pressure.sh" 500 swap
