#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will map one volume twice, by the same device and by a copy of it,
# DESCRIPTION: one after the other and at the same time: only one mapping may ever run, and
# DESCRIPTION: only that one repairs a torn superblock copy.  Argument: how many such races.
# RUNS: vm
# VM: --smp 2
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

rounds=${1:-20}
volume=$SVC_TMP/one

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
devno=$(dmsetup info -c --noheadings --separator : -o major,minor one)
for suffix in "" .uuid .desc .key .sectors; do
	cp --sparse=always "$volume$suffix" "$SVC_TMP/copy$suffix"
done
svc_expect_fail "volume is mapped already, by device $devno" svc_try_open two "$volume"
before=$(svc_hash "$SVC_TMP/copy")
svc_expect_fail "volume is mapped already, by device $devno" svc_try_open two "$SVC_TMP/copy"
svc_is "the copy was not written" "$(svc_hash "$SVC_TMP/copy")" "$before"
svc_revoke_key "$volume"
svc_expect_fail "volume is mapped already, by device $devno" svc_try_open two "$SVC_TMP/copy"
svc_add_key "$volume" >/dev/null
svc_must dmsetup message one 0 unlock "$(<"$volume.desc")"
svc_must dmsetup suspend one
svc_expect_fail "volume is mapped already, by device $devno" svc_try_open two "$volume"
svc_must dmsetup resume one
svc_is "the first one works all the time" "$(svc_read_errno /dev/mapper/one)" ""
svc_close one
svc_open two "$SVC_TMP/copy"
svc_is "the copy opens once the first is closed" "$(svc_status two 1)" active
svc_close two

table=$(svc_table "$volume")
won=0
for _ in 1 2 3 4 5 6 7 8; do
	dmsetup create one --table "$table" 2>/dev/null &
	dmsetup create two --table "$table" 2>/dev/null &
	wait
	active=$(dmsetup status --target svcenc | grep -c active)
	won=$((won + active))
	dmsetup remove one 2>/dev/null
	dmsetup remove two 2>/dev/null
done
svc_is "of two at the same time one wins, 8 times of 8" "$won" 8

svc_note "the same by threads, with one copy of the superblock torn"
svc_log_mark
svc_ok "$rounds times one wins, and the header is whole again" "$svc_bin/svcenc-open-race" "$volume" \
	"$(<"$volume.uuid")" "$(<"$volume.sectors")" "$(cut -d ' ' -f 4- <<<"$table")" "$rounds"
sed 's/^/# /' "$SVC_TMP/output"
svc_log_since_mark >"$SVC_TMP/log"
svc_is "it was repaired once each time" "$(grep -c 'superblock repaired from the copy with seq 2' "$SVC_TMP/log")" "$rounds"
svc_is "and the other one was told why not" \
	"$(grep -c 'resume refused: volume is mapped already, by device' "$SVC_TMP/log")" "$rounds"
svc_done
