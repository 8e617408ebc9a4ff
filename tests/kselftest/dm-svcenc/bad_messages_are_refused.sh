#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will send bad messages to an open volume, each refused in its very
# DESCRIPTION: words, after which I/O goes on as before.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
key=$(<"$volume.desc") hex=$(printf '%064d' 0)
policy=${key%:*}

rotate="rotate start | pause | resume [skip_unreadable] | rate <KiB/s>"

# bad TEXT WORDS...
bad() {
	svc_expect_fail "$1" dmsetup message one 0 "${@:2}"
}

svc_add_key "$volume" >/dev/null
svc_open one "$volume"
before=$(svc_hash "$volume")
for words in x "rotates start" "Unlock $key" "UNLOCK" "key wipe" "unlockk $key" "rewra p"; do
	# shellcheck disable=SC2086 # words
	bad "unknown message (wanted: unlock, rewrap, rotate)" $words
done
for words in unlock "unlock $key $key" "unlock $key 0 0"; do
	# shellcheck disable=SC2086
	bad "wrong number of arguments (wanted: unlock <key description>)" $words
done
for words in rewrap "rewrap $policy:2" "rewrap $policy:2 $hex $hex"; do
	# shellcheck disable=SC2086
	bad "wrong number of arguments (wanted: rewrap <new key description> <authorisation>)" $words
done
bad "wrong number of arguments (wanted: $rotate)" rotate
bad "wrong number of arguments (wanted: $rotate)" rotate resume skip_unreadable now
for words in x "start now" "pause 1" "resume skip" "rate" "rate 1 2"; do
	text="rotate cannot do this (wanted: $rotate)"
	[ "$words" != "rate 1 2" ] || text="wrong number of arguments (wanted: $rotate)"
	# shellcheck disable=SC2086 # words
	bad "$text" rotate $words
done
for words in x 4294967296 0x10 1.5; do
	bad "rate wants a number of KiB/s, 0 for no limit" rotate rate "$words"
done
bad "pause refused: no rotation is under way" rotate pause
bad "resume refused: no rotation is under way" rotate resume
bad "resume refused: no rotation is under way" rotate resume skip_unreadable
for words in x "$policy" "$policy:0" "$policy:01" "${key^^}" "$(printf '%0500d' 0)"; do
	bad "key description is malformed (wanted: svcenc:<policy uuid>:<version>)" unlock "$words"
	bad "key description is malformed (wanted: svcenc:<policy uuid>:<version>)" rewrap "$words" "$hex"
done
for words in 00 "${hex%?}" "${hex}0" "${hex%?}g" "${hex%?}A" "0x${hex#??}"; do
	bad "authorisation is malformed (wanted: 64 lower-case hex digits)" rewrap "$policy:2" "$words"
done
bad "unlock refused: volume is not locked and uses another key" unlock "$policy:2"
bad "rewrap refused: volume is wrapped under that key already" rewrap "$key" "$hex"
bad "rewrap refused: no live key $policy:2 in keyring .svcenc: add it first" rewrap "$policy:2" "$hex"
svc_expect_fail "Target message sector outside device." dmsetup message one 999999999 unlock "$key"
text="unknown message (wanted: unlock, rewrap, rotate)"
bad "$text" "$(printf '%04000d' 0)"
bad "$text" unlock, "$key"
bad "$text" $'unlock\x01' "$key"
# shellcheck disable=SC2046 # a thousand words
bad "wrong number of arguments (wanted: unlock <key description>)" unlock $(yes x | head -n 1000)
svc_must dmsetup suspend one
bad "rewrap is not possible while suspended: resume first" rewrap "$policy:2" "$hex"
bad "rotate is not possible while suspended: resume first" rotate start
bad "unlock refused: volume is not locked and uses another key" unlock "$policy:2"
svc_must dmsetup resume one
svc_revoke_key "$volume"
svc_note "and to a locked volume"
bad "unlock refused: no live key $key in keyring .svcenc: add it first" unlock "$key"
bad "unlock refused: no live key $policy:2 in keyring .svcenc: add it first" unlock "$policy:2"
bad "rewrap refused: volume is locked: unlock it first" rewrap "$policy:2" "$hex"
bad "rotate refused: volume is locked: unlock it first" rotate start
svc_is "so it stays" "$(svc_status one 1)" locked
svc_add_key "$volume" >/dev/null
svc_ok "with the key it unlocks" dmsetup message one 0 unlock "$key"
svc_ok "unlock of a volume that is not locked changes nothing" dmsetup message one 0 unlock "$key"
svc_is "no byte of the device has changed" "$(svc_hash "$volume")" "$before"
svc_is "I/O goes on" "$(svc_read_errno /dev/mapper/one)" ""
svc_done
