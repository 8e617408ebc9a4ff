#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do what rotate_decides_after_a_failed_commit does, for either
# DESCRIPTION: superblock copy and in both directions.
# RUNS: vm
# SET: long
# TIMEOUT: 400

exec "$(dirname "$0")/rotate_decides_after_a_failed_commit.sh" all
