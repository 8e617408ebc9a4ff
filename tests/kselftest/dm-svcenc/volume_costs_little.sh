#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do as many_volumes in a kernel without slub_debug,
# DESCRIPTION: so that the figure is that of a real machine: an idle volume may
# DESCRIPTION: cost 256 KiB of memory.
# RUNS: vm
# VM: --smp 2 --plain
# SET: long
# TIMEOUT: 300

exec "$(dirname "$0")/many_volumes.sh" 256
