#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will rotate on two processors, preemptible, under KASAN, lockdep
# DESCRIPTION: and checks for sleeping where nobody may: every sector, under load, at any
# DESCRIPTION: moment, again and again; with errors below, and with all that ends, holds,
# DESCRIPTION: freezes, reloads, rewraps or copies a volume in the midst of it.
# RUNS: host-vm
# SET: long
# TIMEOUT: 5400

cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/uml/lib_smp.sh
. tests/uml/lib_smp.sh

smp_test x86-kasan --mem 1536 <<'TESTS'
600 kselftest/dm-svcenc/rotate_moves_every_sector
900 kselftest/dm-svcenc/rotate_under_load 6
600 kselftest/dm-svcenc/rotate_starts_at_any_moment 60
900 kselftest/dm-svcenc/rotate_again_and_again 3
900 kselftest/dm-svcenc/rotate_stops_with_its_key
600 kselftest/dm-svcenc/rotate_survives_freeze
900 kselftest/dm-svcenc/rotate_survives_cut_in_rewrap
900 kselftest/dm-svcenc/rotate_can_be_controlled
900 kselftest/dm-svcenc/rotate_of_a_snapshot
600 kselftest/dm-svcenc/rotate_beside_readers_below
900 kselftest/dm-svcenc/rotate_halts_on_errors
1500 kselftest/dm-svcenc/rotate_passes_over_bad_sectors
1500 kselftest/dm-svcenc/rotate_survives_reopen_and_reload
TESTS
