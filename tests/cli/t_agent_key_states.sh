#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will read the tables of svcencd(8) on what a withdrawn key leads to,
# DESCRIPTION: and let the agent live through every cell: each state of a root key or vault at
# DESCRIPTION: one root and at both, and each availability rule in an outage. The states, the
# DESCRIPTION: bounds in time and the defaults are as the manual says; allowed again, the
# DESCRIPTION: service returns by itself.
# RUNS: host
# WAITS: probes, leases
# SET: quick
# TIMEOUT: 120

exec /usr/bin/python3 "$(dirname "$0")/sim/key_states.py"
