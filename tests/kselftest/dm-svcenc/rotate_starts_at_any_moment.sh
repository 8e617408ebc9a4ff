#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will ask for rotations without a pause, so that some come in
# DESCRIPTION: the last moments of the one before: each is refused with its progress or
# DESCRIPTION: done as a whole, every byte stays as it is, and the epoch has counted
# DESCRIPTION: exactly those that were accepted.  Argument: how many (default 120), and
# DESCRIPTION: more, up to ten times that, until 20 were accepted.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

wanted=${1:-120} asked=0 accepted=0 enough=20

svc_plan 5
svc_log_mark
data_start
rotate_volume 1M 4096
while [ $asked -lt "$wanted" ] || { [ $accepted -lt $enough ] && [ $asked -lt $((10 * wanted)) ]; }; do
	asked=$((asked + 1))
	if dmsetup message alpha 0 rotate start 2>/dev/null; then
		accepted=$((accepted + 1))
	fi
done
svc_ok "the last one ends" svc_wait 60 rotate_is idle
svc_ok "many were accepted ($accepted), not one too many" test "$accepted" -ge $enough
svc_is "the epoch has counted them" "$(svc_status alpha 2)" $((accepted + 1))
svc_is "all others were refused for the one under way" \
	"$(svc_log_since_mark | grep -c 'rotate refused: a rotation is under way: ')" $((asked - accepted))
svc_is "every byte is as before" "$(rotate_contents)" "$rotate_before"
svc_done
