#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do as policy_killed_at_every_step, and kill svcencd with volumes
# DESCRIPTION: there at the steps before the transaction as well.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 900

export POLICY_EVERY_STEP=1
# shellcheck source=tests/cli/t_policy_killed_at_every_step.sh
. "$(dirname "$0")/t_policy_killed_at_every_step.sh"
