#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will check that unwraps are hedged, then let both vaults of policies
# DESCRIPTION: go away: a fallback stands with its reason in status, events, metrics and log,
# DESCRIPTION: without names in the metrics, and ends after fallback_max. With availability =
# DESCRIPTION: ask it needs an officer's grant, and ends with that. A denial outlives outages and
# DESCRIPTION: restarts. Neither a restart nor a clock ten years off makes anything end early or
# DESCRIPTION: last longer.
# RUNS: host
# WAITS: outages that last
# SET: quick
# TIMEOUT: 120

exec /usr/bin/python3 "$(dirname "$0")/sim/fallback.py"
