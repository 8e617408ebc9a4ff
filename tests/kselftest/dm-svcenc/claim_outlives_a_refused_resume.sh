#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will hold a resume while it reads the superblock, send an unlock that
# DESCRIPTION: has to wait for it, and end and add the key, so that the resume fails and the
# DESCRIPTION: unlock succeeds: the volume is listed, and a copy of it is refused.
# RUNS: vm
# SET: quick
# TIMEOUT: 90

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# shellcheck disable=SC2317 # called through svc_wait
waits_in() {
	[[ $(<"/proc/$1/wchan") == *"$2"* ]]
}

# starts NAME FUNCTION COMMAND...: in the background, until it waits in there.
starts() {
	local name=$1 where=$2

	shift 2
	"$@" >"$SVC_TMP/$name" 2>&1 &
	started=$!
	svc_ok "the $name waits" svc_wait 20 waits_in $started "$where"
}

svc_plan 7
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
for suffix in "" .uuid .desc .key .sectors; do
	cp --sparse=always "$volume$suffix" "$SVC_TMP/copy$suffix"
done
svc_attach "$volume"
svc_must dmsetup create below --table "0 $(($(stat -c %s "$volume") / 512)) linear $svc_dev 0"
svc_must dmsetup create one --notable
svc_mappings+=(below one)
svc_must dmsetup load one --table \
	"0 $(<"$volume.sectors") svcenc /dev/mapper/below $(<"$volume.uuid") $(<"$volume.desc")"
# what is read from it waits, as long as it is suspended
svc_must dmsetup suspend below
starts resume submit_bio_wait dmsetup resume one
resume=$started
starts unlock svcenc_activate_run dmsetup message one 0 unlock "$(<"$volume.desc")"
unlock=$started
svc_revoke_key "$volume"
svc_add_key "$volume" >/dev/null
svc_must dmsetup resume below
wait $resume
svc_is "the resume fails" $? 1
wait $unlock
svc_is "the unlock succeeds" $? 0
svc_is "one device is shown to netlink" "$("$svc_bin/svcenc-genl" devices | grep -c "STATE=1 ")" 1
svc_expect_fail "volume is mapped already, by device $(dmsetup info -c --noheadings --separator : -o major,minor one)" \
	svc_try_open two "$SVC_TMP/copy"
svc_must dmsetup resume one
svc_is "the volume reads" "$(svc_read_errno /dev/mapper/one)" ""
svc_done
