#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what t_mutants does for every mutant there is.
# RUNS: host-vm
# SET: long
# TIMEOUT: 3600

exec "$(dirname "$0")/t_mutants.sh" --all
