#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what t_agent_withdrawal_times does at the default probe
# DESCRIPTION: interval of 30 s, three times.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 600

exec bash "$(dirname "$0")/t_agent_withdrawal_times.sh" 3 1 30
