#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will try to unload the module while a volume is mapped, locked or
# DESCRIPTION: suspended: refused.  With keys live, linked elsewhere and watched by a
# DESCRIPTION: listener, but no volume, it unloads and leaves none, five times.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
file=$(svc_module_file)

# shellcheck disable=SC2317 # called through svc_wait
no_key() {
	! awk '$8 == "svcenc" || /keyring *\.svcenc/ { found = 1 } END { exit !found }' /proc/keys
}

refused() {
	svc_says "unloading while $1" "is in use" rmmod dm_svcenc
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
refused "a volume is mapped"
svc_must dmsetup suspend one
refused "it is suspended"
svc_must dmsetup resume one
svc_revoke_key "$volume"
refused "it is locked"
svc_close one

for round in 1 2 3 4 5; do
	serial=$(svc_add_key "$volume" $((round + 1)))
	keyctl link "$serial" @u
	svc_add_key "$volume" 3600 >/dev/null # the same key, a second holder
	"$svc_bin/svcenc-genl" listen >"$SVC_TMP/events" 2>&1 &
	listener=$!
	svc_wait 10 grep -q listening "$SVC_TMP/events"
	svc_ok "round $round: unloads with keys live" rmmod dm_svcenc
	svc_ok "no svcenc key is left" svc_wait 5 no_key
	kill $listener
	wait $listener 2>/dev/null
	svc_must insmod "$file"
	svc_keyring=$(cat /sys/module/dm_svcenc/parameters/keyring)
done
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
svc_is "and works after all that" "$(svc_read_errno /dev/mapper/one)" ""
svc_is "the kernel is not tainted by more than a module from outside" \
	"$(($(cat /proc/sys/kernel/tainted) & ~(4096 | 8192)))" 0
svc_done
