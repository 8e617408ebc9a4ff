#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will end the policy key in the midst of a rotation, in both
# DESCRIPTION: directions: all I/O fails at once, nobody hangs, the rotation waits; with
# DESCRIPTION: the key back and unlocked it goes on and ends.  A rewrap in its midst
# DESCRIPTION: takes both volume keys along: the old policy key no longer opens it.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317,SC2016 # run by svc_ok and eval
# shellcheck source=tests/kselftest/dm-svcenc/lib_rotate.sh
. "$(dirname "$0")/lib_rotate.sh"

key_ended() {
	rotate_begin
	svc_revoke_key vol
	svc_ok "$1, key ended: reads fail" eval '! dd if=$above of=/dev/null bs=4k count=1 iflag=direct status=none'
	svc_ok "$1, key ended: writes fail, anywhere" eval \
		'for at in 0 1 2 3; do ! dd if=data of=$above bs=4M seek=$at count=1 oflag=direct conv=notrunc status=none || exit 1; done'
	svc_is "$1, key ended: it waits for it" "$(svc_status alpha 17)" locked
	svc_add_key vol >/dev/null
	svc_must dmsetup message alpha 0 unlock "$(<vol.desc)"
	svc_ok "$1, key back: it runs" rotate_is running
	rotate_ends "$1, key ended and back"
}

# The authorisation is made by the model, which knows the keys.
rewrapped() {
	local auth new policy

	policy=$(</proc/sys/kernel/random/uuid)
	new=svcenc:$policy:1
	echo "$new" >other.desc
	head -c 32 /dev/urandom >other.key
	svc_add_key other >/dev/null
	auth=$("$svc_model" rewrap-auth vol --policy-key-file vol.key --to-policy "$policy" --to-version 1 --to-key-file other.key)
	rotate_begin
	svc_ok "$1, rewrapped under another policy key" dmsetup message alpha 0 rewrap "$new" "$auth"
	svc_revoke_key vol
	svc_ok "$1, the old policy key does not matter any more" dd if=$above of=/dev/null bs=4k count=1 iflag=direct status=none
	svc_ok "$1, it runs" rotate_is running
	svc_close alpha
	mv other.desc vol.desc
	mv other.key vol.key
	svc_open alpha vol
	rotate_ends "$1, rewrapped and reopened"
}

svc_plan 22
data_start
rotate_volume 16M 4096
key_ended up
key_ended down
rewrapped up
rewrapped down
svc_done
