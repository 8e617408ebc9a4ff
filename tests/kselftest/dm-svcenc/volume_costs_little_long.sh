#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do as volume_costs_little with 10,000 volumes, which
# DESCRIPTION: then cost at most 2.5 GiB in all.
# RUNS: host-vm
# SET: long
# TIMEOUT: 2400

exec "$(dirname "$0")/volume_costs_little.sh" 10000 3584
