#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will take the first step of a hibernation (pm_test = freezer): before
# DESCRIPTION: anything could be written to swap all keys are gone and the volume is locked.
# DESCRIPTION: After it, the key can be added again.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
svc_is "the volume is active" "$(svc_status one 1)" active
svc_ok "the kernel can test hibernation" grep -q freezer /sys/power/pm_test
echo freezer >/sys/power/pm_test
svc_ok "the first step of a hibernation" eval 'echo disk >/sys/power/state'
echo none >/sys/power/pm_test
svc_is "the volume is locked" "$(svc_status one 1)" locked
svc_is "and nothing can be read" "$(svc_read_errno /dev/mapper/one)" "No such device"
svc_is "no key is live" "$("$svc_bin/svcenc-genl" keys)" ""
svc_add_key "$volume" >/dev/null
svc_ok "with the key added again it unlocks" dmsetup message one 0 unlock "$(<"$volume.desc")"
svc_is "and can be read" "$(svc_read_errno /dev/mapper/one)" ""
svc_done
