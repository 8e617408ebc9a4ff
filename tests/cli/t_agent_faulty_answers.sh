#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let vaults give every kind of faulty answer, among them one with
# DESCRIPTION: another tenant's plaintext: each has one class, open volumes go on with the other
# DESCRIPTION: root, nothing opens with a faulty answer, the agent's memory does not grow, and
# DESCRIPTION: policies beside are probed as always.
# RUNS: host
# WAITS: answers that come late, or never
# SET: quick
# TIMEOUT: 120

exec /usr/bin/python3 "$(dirname "$0")/sim/faulty_answers.py"
