#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will rewrap a volume in the midst of a rotation and put on the
# DESCRIPTION: disk what each power cut inside the rewrap may leave: nothing written,
# DESCRIPTION: one copy torn, one copy whole, the other torn, both. Each state opens
# DESCRIPTION: under exactly one policy key, and its rotation ends with every byte
# DESCRIPTION: right; under the other key it is refused. In both directions.
# RUNS: vm
# SET: long
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

# COPY: where it is on the device, in blocks of 4 KiB
copy_at() {
	echo $((($1 - 1) * 768))
}

block() {
	dd bs=4k count=1 status=none conv=notrunc "$@"
}

# FROM COPY [HALF]: the device gets that copy as FROM has it; only its first
# half: then it is torn.
put_copy() {
	local at

	at=$(copy_at "$2")
	if [ "${3-}" = half ]; then
		dd if="$1" of="$svc_dev" bs=512 count=2 skip=$((at * 8)) seek=$((at * 8)) conv=notrunc,fsync status=none
	else
		block if="$1" of="$svc_dev" skip="$at" seek="$at" conv=notrunc,fsync
	fi
}

# NAME KEY OTHER: what is on the disk opens under KEY, not under OTHER.
opens_under() {
	local name=$1 key=$2 other=$3

	svc_add_key "$other" >/dev/null
	cp "$other.desc" vol.desc
	svc_ok "$name: refused under the other key" eval '! svc_try_open alpha vol'
	svc_revoke_key "$other"
	svc_add_key "$key" >/dev/null
	cp "$key.desc" vol.desc
	svc_open alpha vol
	rotate_ends "$name"
	svc_close alpha
	svc_revoke_key "$key"
}

# NAME KEY OTHER FROM COPY [HALF]...: a state, made of the one before.
state() {
	local name=$1 key=$2 other=$3

	shift 3
	svc_must dd if=before of="$svc_dev" bs=1M conv=notrunc,fsync status=none
	while [ $# -gt 0 ]; do
		put_copy "$1" "$2" "$3"
		shift 3
	done
	opens_under "$name" "$key" "$other"
}

# Leaves: device as it was "before" and "after" a rewrap in mid-rotation.
rewrapped() {
	local auth policy

	policy=$(</proc/sys/kernel/random/uuid)
	echo "svcenc:$policy:1" >new.desc
	head -c 32 /dev/urandom >new.key
	cp vol.desc old.desc
	cp vol.key old.key
	auth=$("$svc_model" rewrap-auth vol --policy-key-file vol.key --to-policy "$policy" --to-version 1 --to-key-file new.key)
	svc_add_key old >/dev/null
	svc_add_key new >/dev/null
	svc_open alpha vol
	rotate_begin
	rotate_message pause
	svc_wait 30 rotate_is paused || svc_bail "it does not pause"
	svc_must dd if="$svc_dev" of=before bs=1M iflag=direct status=none
	svc_must dmsetup message alpha 0 rewrap "$(<new.desc)" "$auth"
	svc_must dd if="$svc_dev" of=after bs=1M iflag=direct status=none
	svc_close alpha
	svc_revoke_key old
	svc_revoke_key new
}

cuts() {
	rewrapped
	state "$1, cut before it" old new
	state "$1, cut in copy 1" old new after 1 half
	state "$1, cut between the copies" new old after 1 whole
	state "$1, cut in copy 2" new old after 1 whole after 2 half
	state "$1, cut after it" new old after 1 whole after 2 whole
	cp new.desc vol.desc
	cp new.key vol.key
}

svc_plan 30
data_start
rotate_volume 4M 4096
svc_close alpha
svc_revoke_key vol
for direction in up down; do
	cuts $direction
done
svc_done
