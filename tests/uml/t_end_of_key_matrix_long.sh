#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what t_end_of_key_matrix does, with 40 rounds where two
# DESCRIPTION: calls race, or as many as the arguments say (of ends at once, by the clock).
# RUNS: uml
# SET: long
# TIMEOUT: 900

# shellcheck source=tests/uml/lib_matrix.sh
. "$(dirname "$0")/lib_matrix.sh"

matrix_test --rounds "${1:-40}" --waves "${2:-10}"
