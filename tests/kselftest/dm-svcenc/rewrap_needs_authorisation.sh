#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will ask for a rewrap without, with a wrong and with another
# DESCRIPTION: volume's authorisation, while locked and while suspended: refused.  With the
# DESCRIPTION: right one the header names the new key, and only its end stops I/O.  A crash
# DESCRIPTION: between the two copies opens with the new key and is repaired, the old key is
# DESCRIPTION: told which one is needed.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one new=$SVC_TMP/new

# shellcheck disable=SC2317 # called through svc_ok
rewrap() {
	dmsetup message one 0 rewrap "$(<"$new.desc")" "$1"
}

# copy NUMBER: bytes of a superblock copy
copy() {
	dd if="$svc_dev" bs=4096 skip=$((($1 - 1) * 768)) count=1 iflag=direct status=none
}

refuses() {
	local name auth

	svc_expect_fail "no live key $(<"$new.desc") in keyring .svcenc: add it first" rewrap "$right"
	svc_add_key "$new" >/dev/null
	while read -r name auth; do
		[ "$name" != right ] || continue
		svc_note "an authorisation $name"
		svc_expect_fail "authorisation is not by the current policy key for this volume and new key" \
			rewrap "$auth"
	done <"$SVC_TMP/auths"
	svc_must dmsetup suspend one
	svc_expect_fail "rewrap is not possible while suspended: resume first" rewrap "$right"
	svc_must dmsetup resume one
	svc_revoke_key "$volume"
	svc_expect_fail "volume is locked: unlock it first" rewrap "$right"
	svc_add_key "$volume" >/dev/null
	svc_must dmsetup message one 0 unlock "$(<"$volume.desc")"
	svc_is "nothing of that was written" "$(svc_hash "$volume")" "$before"
	svc_must dmsetup load one --readonly --table "$(svc_table "$volume")"
	svc_must dmsetup resume one
	svc_expect_fail "table is read-only" rewrap "$right"
	svc_must dmsetup load one --table "$(svc_table "$volume")"
	svc_must dmsetup resume one
}

rewraps_under_load() {
	svc_load_begin /dev/mapper/one --threads 2
	svc_ok "I/O flows" svc_load_sees ok
	copy 2 >"$SVC_TMP/old2"
	svc_ok "with the right authorisation it is done" rewrap "$right"
	svc_is "status: state, epoch, key, seq" "$(dmsetup status one | cut -d ' ' -f 4-6,8)" \
		"active 1 $(<"$new.desc") 3"
	svc_is "the table names the new key" "$(dmsetup table one | cut -d ' ' -f 6)" "$(<"$new.desc")"
	svc_ok "both copies are equal" cmp <(copy 1) <(copy 2)
	svc_revoke_key "$volume"
	svc_ok "the old key's end does not stop I/O" svc_load_sees ok
	svc_is "not one I/O failed until now" "$(svc_status one 11)" 0
	svc_revoke_key "$new"
	svc_is "the new key's end does" "$(svc_read_errno /dev/mapper/one)" "No such device"
	svc_add_key "$volume" >/dev/null
	svc_expect_fail "superblock is protected by another policy key: $(<"$new.desc") is needed" \
		dmsetup message one 0 unlock "$(<"$volume.desc")"
	svc_add_key "$new" >/dev/null
	svc_ok "and unlocks it again" dmsetup message one 0 unlock "$(<"$new.desc")"
	svc_ok "I/O flows again" svc_load_sees ok
	svc_load_end
	svc_is "no read returned wrong bytes" "$fact_wrong" 0
	svc_close one
}

is_crash_safe() {
	svc_must dd if="$SVC_TMP/old2" of="$svc_dev" bs=4096 seek=768 oflag=direct conv=fsync status=none
	before=$(svc_hash "$volume")
	svc_expect_fail "superblock is protected by another policy key: $(<"$new.desc") is needed" \
		svc_try_open one "$volume"
	svc_is "and not a byte is written" "$(svc_hash "$volume")" "$before"
	cp "$volume.desc" "$volume.desc.old"
	cp "$new.desc" "$volume.desc"
	svc_log_mark
	svc_open one "$volume"
	svc_ok "the new key opens and repairs" svc_log_has "superblock repaired from the copy with seq 3"
	svc_ok "both copies are equal again" cmp <(copy 1) <(copy 2)
	svc_close one
	svc_ok "the model opens it with the new key" "$svc_model" open "$volume" --policy-key-file "$new.key"
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_siblings "$volume" "$SVC_TMP/sibling"
svc_make_planned
sed 's/:1$/:2/' "$volume.desc" >"$new.desc"
head -c 32 /dev/urandom >"$new.key"
svc_must "$svc_here/lib/rewrap_auths.py" "$volume" "$SVC_TMP/sibling" "$new" >"$SVC_TMP/auths"
right=$(sed -n 's/^right //p' "$SVC_TMP/auths")
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
before=$(svc_hash "$volume")
refuses
rewraps_under_load
is_crash_safe
svc_done
