#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will check that unwraps are hedged, then let both vaults of policies go away: a fallback stands with its
# DESCRIPTION: reason in status, events, metrics and journal, without names in the metrics, and
# DESCRIPTION: ends after fallback_max. With availability = ask it needs an officer's grant,
# DESCRIPTION: and ends with that. A denial outlives outages and restarts. Neither a restart
# DESCRIPTION: nor a clock ten years off makes anything end early or last longer.
# RUNS: host
# SET: quick
# TIMEOUT: 120

exec /usr/bin/python3 "$(dirname "$0")/sim/fallback.py"
