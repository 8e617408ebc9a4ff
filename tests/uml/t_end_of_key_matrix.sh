#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will end a key in each of six ways in each of ten situations: idle,
# DESCRIPTION: under reads, under writes, suspended, while it resumes, reloads, is removed,
# DESCRIPTION: the module unloads, the device below fails, and unlock is tried all the time.
# DESCRIPTION: I/O fails from then on, nothing hangs, and with the key back the volume opens,
# DESCRIPTION: with its contents.  The kernel watches.
# RUNS: uml
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/uml/lib_matrix.sh
. "$(dirname "$0")/lib_matrix.sh"

matrix_test --rounds 3
