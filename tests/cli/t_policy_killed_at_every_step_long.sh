#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will kill svcencd with SIGKILL at each step of policy rekey and of
# DESCRIPTION: policy roll, at the open of a volume that was left behind, and at those of store
# DESCRIPTION: recover from headers of two key versions, in both orders, and over a store of
# DESCRIPTION: before; start it, give the command again, and find both volumes whole each time.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 900

export POLICY_EVERY_STEP=1
# shellcheck source=tests/cli/t_policy_killed_at_every_step.sh
. "$(dirname "$0")/t_policy_killed_at_every_step.sh"
