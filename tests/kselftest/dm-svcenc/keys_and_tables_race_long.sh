#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let threads change keys and tables for half an
# DESCRIPTION: hour, see keys_and_tables_race.sh.
# RUNS: vm
# VM: --smp 2 --append log_buf_len=128M
# SET: long
# TIMEOUT: 2100

exec "$(dirname "$0")/keys_and_tables_race.sh" 1800
