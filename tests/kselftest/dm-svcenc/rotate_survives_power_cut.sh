#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will do on a stock kernel what uml/t_rotate_survives_power_cut
# DESCRIPTION: does: record every write below a volume during two rotations under
# DESCRIPTION: load, rebuild the device as 500 power cuts may have left it, open
# DESCRIPTION: each, and fail if a flushed sector is lost, a volume does not open,
# DESCRIPTION: or its rotation does not end.
# RUNS: vm
# SET: long
# TIMEOUT: 3600
# VM: --smp 2 --mem 1024

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/rotation/lib_crash.sh
. "$(dirname "$0")/../../rotation/lib_crash.sh"

svc_plan 5
seed=${SEED:-2}
crash_start 1280K 4096
crash_record 2 "$seed"
crash_replay --variants 4 --points 1100 --at-least 500 --second 2 --second-points 20 --seed "$seed"
svc_done
