#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run races on two processors, preemptible, on a kernel that
# DESCRIPTION: reports data races (KCSAN) of the modules, by the strict rules, and fail on
# DESCRIPTION: any: every call at once, the end of keys, removal, reloads, rotations.
# RUNS: host-vm
# SET: long
# TIMEOUT: 5400

cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/uml/lib_smp.sh
. tests/uml/lib_smp.sh

tests/uml/selftest x86-kcsan || exit 1
smp_test x86-kcsan <<'TESTS'
300 uml/t_completes_in_interrupt
900 uml/t_end_of_key_matrix_long 5 1
600 kselftest/dm-svcenc/keys_and_tables_race 90
600 kselftest/dm-svcenc/remove_under_io 100
600 kselftest/dm-svcenc/reload_and_suspend_under_load
900 kselftest/dm-svcenc/rotate_under_load 6
600 kselftest/dm-svcenc/rotate_starts_at_any_moment 60
900 kselftest/dm-svcenc/rotate_stops_with_its_key
1500 kselftest/dm-svcenc/rotate_survives_reopen_and_reload
TESTS
