#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what kselftest/stacked_under_memory_pressure does, a volume
# DESCRIPTION: on a volume while the memory is used up, on a kernel that watches memory and
# DESCRIPTION: locks.
# RUNS: uml
# VM: --mem 640 --disk 640M --disk 320M
# SET: quick
# TIMEOUT: 300

# The load has more than on a stock kernel: KASAN keeps up to a 32nd of all memory
# in its quarantine, and every process needs 64 KiB in one piece for its stack.
exec "$(dirname "$0")/../kselftest/dm-svcenc/stacked_under_memory_pressure.sh" 110
