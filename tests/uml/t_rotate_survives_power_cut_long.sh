#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will do what t_rotate_survives_power_cut does, for every
# DESCRIPTION: entry of the record in up to 9 ways, 20000 cuts at the least, with
# DESCRIPTION: every entry of 20 recoveries cut; and a part of it for a volume
# DESCRIPTION: with sectors of 512 bytes.  On the kernel without checks, which is
# DESCRIPTION: faster; the sample of the quick set has them.
# RUNS: uml
# VM: --kernel uml-fast --append log_buf_len=64M
# SET: long
# TIMEOUT: 14400

cd "$(dirname "$0")/../rotation" || exit 1
# shellcheck source=tests/rotation/lib_crash.sh
. "$PWD/lib_crash.sh"

svc_plan 10
seed=${SEED:-1}
crash_start 1280K 4096
crash_record 2 "$seed"
crash_replay --variants 9 --at-least 20000 --second 20 --seed "$seed"
crash_end
crash_start 1280K 512
crash_record 2 "$seed"
crash_replay --variants 8 --points 2000 --second 2 --seed "$seed"
svc_done
