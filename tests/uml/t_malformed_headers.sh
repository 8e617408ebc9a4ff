#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what kselftest/malformed_headers does, every damaged volume
# DESCRIPTION: of tests/images, on a kernel that watches memory and locks.
# RUNS: uml
# SET: quick
# TIMEOUT: 300

exec "$(dirname "$0")/../kselftest/dm-svcenc/malformed_headers.sh"
