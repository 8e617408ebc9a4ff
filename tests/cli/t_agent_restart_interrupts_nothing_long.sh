#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will end svcencd 50 times under full load, see
# DESCRIPTION: t_agent_restart_interrupts_nothing.sh.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 500

exec "$(dirname "$0")/t_agent_restart_interrupts_nothing.sh" 50
