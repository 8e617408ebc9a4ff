#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will kill svcencd under load and set the clock ten years back, and
# DESCRIPTION: forth: I/O fails when the lease ends, not before, within 1 s, and flows again
# DESCRIPTION: when svcencd is back.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/cli/agent_dies.sh
. "$(dirname "$0")/agent_dies.sh"
readonly YEARS_S=315360000

agent_prepare
dies_begin 15
dies_at_lease_end "clock ten years back" "@$(($(date +%s) - YEARS_S))"
dies_at_lease_end "clock ten years forth" "@$(($(date +%s) + 2 * YEARS_S))"
dies_end
svc_must date -s "@$(($(date +%s) - YEARS_S))" >/dev/null # as it was
svc_done
