#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will record every write below a volume during two
# DESCRIPTION: rotations (up and down) under load, rebuild the device as power
# DESCRIPTION: cuts may have left it, for a seeded sample of all entries of the
# DESCRIPTION: record, with unflushed writes lost, kept and torn, open each with
# DESCRIPTION: the target, and fail if a flushed sector is lost, a volume does not
# DESCRIPTION: open, or its rotation does not end. Some recoveries are cut, too.
# RUNS: uml
# TIMEOUT: 240

cd "$(dirname "$0")/../rotation" || exit 1
# shellcheck source=tests/rotation/lib_crash.sh
. "$PWD/lib_crash.sh"

svc_plan 5
seed=${SEED:-1}
crash_start 1280K 4096
crash_record 2 "$seed"
crash_replay --variants 8 --points "${POINTS:-160}" --second 2 --second-points 30 --seed "$seed" \
	--until-failed "${UNTIL_FAILED:-0}"
svc_done
