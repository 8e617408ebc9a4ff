#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will rekey policies that have an open volume out of reach, and so live
# DESCRIPTION: by two keys from then on: both are renewed, found again by a svcencd that is started
# DESCRIPTION: anew, and have figures of their own in the metrics; a withdrawal ends both, a grant
# DESCRIPTION: bridges an outage for both and its end ends both. A policy that is locked while a
# DESCRIPTION: rekey makes its key stays as it was.
# RUNS: host
# WAITS: probes, leases
# SET: quick
# TIMEOUT: 120

exec /usr/bin/python3 "$(dirname "$0")/sim/two_keys.py"
