#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run races on two processors, preemptible, under KASAN, lockdep
# DESCRIPTION: and checks for sleeping where nobody may: every call at once, the end of keys
# DESCRIPTION: in each way and situation, removal under I/O, reloads, second mappings,
# DESCRIPTION: completions in an interrupt, unloading.
# RUNS: host-vm
# SET: long
# TIMEOUT: 5400

cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/uml/lib_smp.sh
. tests/uml/lib_smp.sh

tests/uml/selftest x86-kasan || exit 1
smp_test x86-kasan --mem 1536 <<'TESTS'
300 uml/t_completes_in_interrupt
900 uml/t_end_of_key_matrix_long 10 2
600 kselftest/dm-svcenc/keys_and_tables_race 90
600 kselftest/dm-svcenc/remove_under_io 100
600 kselftest/dm-svcenc/second_mapping_refused 20
600 kselftest/dm-svcenc/reload_and_suspend_under_load
300 kselftest/dm-svcenc/module_unloads_only_when_unused
TESTS
