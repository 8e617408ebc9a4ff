#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let two openers race for a volume with a torn superblock
# DESCRIPTION: copy 1000 times, see second_mapping_refused.sh.
# RUNS: vm
# VM: --smp 2
# SET: long
# TIMEOUT: 900

exec "$(dirname "$0")/second_mapping_refused.sh" 1000
