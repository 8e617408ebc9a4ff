#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will kill svcencd right after it stored a denial and right after it acted
# DESCRIPTION: on it, and fail each write, flush and truncation of its store with ENOSPC and with
# DESCRIPTION: EIO while keys are withdrawn: the key ends in time nevertheless, and an outage of
# DESCRIPTION: both vaults never turns the denial back into access. Metrics that cannot be
# DESCRIPTION: written, or renamed, harm nothing.
# RUNS: host
# WAITS: leases, probes
# SET: quick
# TIMEOUT: 240

exec /usr/bin/python3 "$(dirname "$0")/sim/durable.py"
