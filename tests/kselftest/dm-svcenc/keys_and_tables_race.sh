#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will let threads add and end a key in every way, renew its lease,
# DESCRIPTION: unlock, suspend, resume, reload and rotate a volume and ask for its status,
# DESCRIPTION: and open, rotate, rewrap and remove a second one, all at once and under load:
# DESCRIPTION: I/O succeeds with right bytes or fails as offline, nothing hangs, the kernel
# DESCRIPTION: finds nothing wrong, in the end both volumes open, and a rotation under way
# DESCRIPTION: comes to its end.  Argument: seconds.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 150

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

seconds=${1:-15}
volume=$SVC_TMP/one second=$SVC_TMP/two new=$SVC_TMP/new

# The authorisation NAME of lib/rewrap_auths.py.
auth() {
	sed -n "s/^$1 //p" "$SVC_TMP/auths"
}

# shellcheck disable=SC2317 # called through svc_ok
second_opens() {
	local desc

	for desc in "$(<"$volume.desc")" "$(<"$new.desc")"; do
		echo "$desc" >"$second.desc"
		svc_try_open two "$second" && svc_mappings+=(two) && return
	done
}

# shellcheck disable=SC2317 # called through svc_wait
rotates_no_more() {
	[ "$(svc_status "$1" 17)" = idle ]
}

rotation_ends() {
	# refused if there is none
	dmsetup message "$1" 0 rotate resume 2>/dev/null
	dmsetup message "$1" 0 rotate rate 0
	svc_ok "$1: a rotation under way ends" svc_wait 60 rotates_no_more "$1" ||
		dmsetup status "$1"
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_siblings "$volume" "$second"
svc_make_planned
sed 's/:1$/:2/' "$volume.desc" >"$new.desc"
head -c 32 /dev/urandom >"$new.key"
"$svc_here/lib/rewrap_auths.py" "$second" "$volume" "$new" >"$SVC_TMP/auths" ||
	svc_bail "no authorisations"
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
table=$(svc_table "$volume")
second_table=$(svc_table "$second")
svc_ok "they race for $seconds s" timeout -k 5 $((seconds + 60)) "$svc_bin/svcenc-key-race" \
	"$volume" one "$svc_keyring" "$seconds" "$(cut -d ' ' -f 2,4- <<<"$table")" \
	"$new" two "$(cut -d ' ' -f 2,4,5 <<<"$second_table")" \
	"$(auth right)" "$(auth of-the-way-back)"
sed 's/^/# /' "$SVC_TMP/output"
svc_is "the volume is active" "$(svc_status one 1)" active
rotation_ends one
svc_add_key "$new" >/dev/null
svc_ok "the second one opens, under one of its keys" second_opens
rotation_ends two
svc_note "rotations that ended: $(($(svc_status one 2) - 1)) and $(($(svc_status two 2) - 1))"
svc_done
