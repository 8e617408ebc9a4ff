#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let the agent look after 100 policies with 5 open volumes each, over a
# DESCRIPTION: simulated kernel: unwraps are per policy and spread over the interval; with slow
# DESCRIPTION: vaults and volumes being opened the bounds hold; a start against vaults that
# DESCRIPTION: throttle is bounded and its progress is seen. Prints memory and processor time.
# RUNS: host
# WAITS: rounds of probes
# SET: quick
# TIMEOUT: 240

exec /usr/bin/python3 "$(dirname "$0")/sim/many_policies.py" 100 5 3
