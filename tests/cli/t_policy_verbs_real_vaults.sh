#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will make policies whose roots lie in a key vault (the emulator of tests/akv),
# DESCRIPTION: a SoftHSM token and a PyKMIP server, over a simulated kernel: each check of a root
# DESCRIPTION: fails once in each vault that can tell, with its cure; then roll, retire, rekey,
# DESCRIPTION: set-roots both ways, recover and test, as owners of real keys do it.
# RUNS: host
# WAITS: vaults, and owners of keys
# SET: quick
# TIMEOUT: 240
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/host_vaults.sh
. "$(dirname "$0")/host_vaults.sh"

# --- what there is ----------------------------------------------------------

keys() {
	akv key kv1 root >/dev/null
	akv key kv2 root RSA 3072 >/dev/null
	akv key kv1 curve EC 256 >/dev/null
	akv key kv1 short RSA 1024 >/dev/null
	akv key kv1 nowrap RSA 2048 unwrapKey >/dev/null
	akv key kv1 nounwrap RSA 2048 wrapKey >/dev/null
	akv key kv1 past >/dev/null
	akv change kv1 past exp=946684800 >/dev/null
	akv key kv1 future >/dev/null
	akv change kv1 future exp=1893456000 >/dev/null
	akv key kv1 off >/dev/null
	akv change kv1 off enabled=0 >/dev/null
	hsm_key root 01
	hsm_key short 02 16
	hsm_key future 03 32 20300101
	hsm_key nowrap 04
	hsm_owner wraps nowrap 0
	hsm_key nounwrap 05
	hsm_owner allow nounwrap 0
	kms_root=$(kms_owner make root)
	kms_owner make short 128 >/dev/null
	kms_owner make nowrap 256 decrypt >/dev/null
	kms_owner make nounwrap 256 encrypt >/dev/null
}

# --- checks -----------------------------------------------------------------

# bad ROOT NAME STATUS ERROR HINT: as root a, beside a good one.
bad() {
	local spec=$1 name=$2 with=hsm:root

	shift 2
	[[ $spec != hsm* ]] || with=kv1:root
	will_not_do "$spec, $name" "$@" policy create alpha p --root-a "$spec" --root-b $with
}

readonly MAKE_AES='make an AES key of 256 bits' MAKE_RSA='make an RSA key of 2048, 3072 or 4096 bits'
readonly MAY_WRAP='allow the operation wrapKey for the key' MAY_UNWRAP='allow the operation unwrapKey for the key'
readonly NO_DATE='take the expiry date off the key' OWNER='only the owner of the root key'

checks() {
	bad kv1:curve "wrong type" 1 "root a: key 'curve' of vault 'kv1' will not do: type is other" "$MAKE_RSA, or an AES key"
	bad kv1:short "wrong size" 1 ".* size is 1024 bits" "$MAKE_RSA"
	bad hsm:short "wrong size" 1 ".* size is 128 bits" "$MAKE_AES"
	bad kms:short "wrong size" 1 ".* size is 128 bits" "$MAKE_AES"
	bad kv1:nowrap "may not wrap" 1 ".* wrap is no" "$MAY_WRAP"
	bad kv1:nounwrap "may not unwrap" 1 ".* unwrap is no" "$MAY_UNWRAP"
	bad hsm:nowrap "may not wrap" 1 ".* wrap is no" "$MAY_WRAP"
	bad hsm:nounwrap "may not unwrap" 7 ".*'nounwrap' .* its owner must allow it (CKA_UNWRAP)" "$OWNER"
	bad kms:nowrap "may not wrap" 1 ".* wrap is no" "$MAY_WRAP"
	bad kms:nounwrap "may not unwrap" 1 ".* unwrap is no" "$MAY_UNWRAP"
	bad kv1:past "expired" 1 ".* expiry is 2000-01-01" "$NO_DATE"
	bad kv1:future "will expire" 1 ".* expiry is 2030-01-01" "$NO_DATE"
	bad hsm:future "will expire" 1 ".* expiry is 2030-01-01" "$NO_DATE"
	bad kv1:off "disabled" 7 "vault 'kv1' denies (disabled)" "$OWNER"
	bad kv1:no "no such key" 7 "vault 'kv1' denies (deleted)" "$OWNER"
	bad hsm:no "no such key" 7 "vault 'hsm' denies (deleted)" "$OWNER"
	bad kms:no "no such key" 7 "vault 'kms' denies (deleted)" "$OWNER"
	akv level kv1 Purgeable
	bad kv1:root "no soft delete" 1 "root a: .* recovery is none" 'switch soft delete (and purge protection) on for the vault'
	akv level kv1 Recoverable+Purgeable
}

vaults_apart() {
	will_not_do "one vault twice" 1 "vault 'kv1' is named for two roots" "the three roots lie in three vaults" \
		policy create alpha p --root-a kv1:root --root-b kv1:off
	will_not_do "one vault by two names, akv" 1 "vault '[a-z0-9]*' is the same as another" "the three roots lie in three vaults" \
		policy create alpha p --root-a kv1:root --root-b kvagain:root
	will_not_do "one vault by two names, pkcs11" 1 "vault '[a-z0-9]*' is the same as another" "the three roots lie in three vaults" \
		policy create alpha p --root-a hsm:root --root-b hsmagain:root
}

round_trips() {
	akv fault vault-op other-value
	bad kv1:root "opens to something else" 9 "vault 'kv1'.* to something else than was wrapped" "'svcenc vault test kv1'"
	akv fault vault-op firewall
	bad kv1:root "behind a network rule" 7 "vault 'kv1' denies (network-rule)" "$OWNER"
	akv fault vault-op status 503
	bad kv1:root "out of order" 6 "vault 'kv1' cannot be reached" "try again; 'svcenc vault test kv1'"
	akv clear
	akv grant app kv1 get,wrapKey
	bad kv1:root "no permission to unwrap" 7 "vault 'kv1' denies (permission)" "$OWNER"
	akv grant app kv1 get,wrapKey,unwrapKey
	hsm_control C_UnwrapKey rv 0x40 # CKR_ENCRYPTED_DATA_INVALID
	bad hsm:root "does not open what it has wrapped" 9 "vault 'hsm'" "'svcenc vault test hsm'"
	hsm_control
	kms_owner revoke "$kms_root"
	bad kms:root "deactivated" 7 "vault 'kms' denies (disabled)" "$OWNER"
	kms_root=$(kms_owner make root)
}

# --- verbs ------------------------------------------------------------------

# roots POLICY: vaults, and whether a version is another than at the last call.
roots() {
	"$CLI_BIN/svcenc" --socket-dir "$host_run" policy show alpha "$1" --json >"$CLI_TMP/now"
	jq -r '(.policy // .).roots[] | .vault + " " + .kid' "$CLI_TMP/now" >"$CLI_TMP/roots.$1.now"
	touch "$CLI_TMP/roots.$1"
	while read -r vault kid; do
		grep -qxF "$vault $kid" "$CLI_TMP/roots.$1" && echo "$vault" || echo "$vault+"
	done <"$CLI_TMP/roots.$1.now" | paste -s -d ' '
	mv "$CLI_TMP/roots.$1.now" "$CLI_TMP/roots.$1"
}

# is_whole NAME POLICY ROOTS: active, all open; roots as in roots().
is_whole() {
	local want

	svcenc policy test alpha "$2"
	want=$(grep -c -E '^(a|b|availability) .* ok .* [0-9]+ ms' <<<"$out")
	cli_is "$1" "$status $want $(field "$2" state) '$(field "$2" task)' $(roots "$2")" "0 3 active '' $3"
}

# A volume that is open, one that is closed.
volumes() {
	local name

	for name in "$1-open" "$1-shut"; do
		vaults_volume "$name" "$1"
	done
	ends "close" 0 close "$1-shut"
}

creates() {
	ends "create: key vault and token" 0 policy create alpha two --root-a akv:kv1:root --root-b pkcs11:hsm:root
	cli_is "each check is shown, for each root" "$(grep -c -E '^[ab]  *[a-z-]+  *(ok|not-told)' <<<"$out")" 16
	cli_is "what a key vault tells, a token does not" "$(grep -E '^[ab]  *recovery' <<<"$out" | tr -s ' ' | paste -s -d ,)" \
		"a recovery ok soft-delete, 90 days,b recovery not-told not told"
	is_whole "two: roots" two "kv1+ hsm+ availability+"
	ends "create: key vault whose keys we may not read, and KMIP" 0 policy create alpha three --root-a kv2:root --root-b kmip:kms:root
	is_whole "three: roots" three "kv2+ kms+ availability+"
	volumes two
	volumes three
}

# new_versions POLICY: their owners make some.
new_versions() {
	case $1 in
	two)
		akv key kv1 root >/dev/null
		hsm_key root 10
		;;
	three)
		akv key kv2 root RSA 4096 >/dev/null
		sleep 1.1 # a server has seconds, and the newer one is to be known
		kms_owner make root >/dev/null
		;;
	esac
}

rolls() {
	local policy=$1 a=$2 b=$3

	ends "$policy: roll without new versions" 0 policy roll alpha "$policy"
	cli_is "$policy: says what to do" "$(grep -c 'make a new version there, then roll' <<<"$err")" 2
	new_versions "$policy"
	ends "$policy: roll of a" 0 policy roll alpha "$policy" --root a
	is_whole "$policy: a is new" "$policy" "$a+ $b availability"
	mv "$CLI_TMP/$policy-shut" "$CLI_TMP/away"
	ends "$policy: roll of b, a volume out of reach" 5 policy roll alpha "$policy" --root b
	is_whole "$policy: b is new" "$policy" "$a $b+ availability"
	ends "$policy: retire while a header names the versions of before" 5 policy roll alpha "$policy" --retire
	cli_is "$policy: which, and by what" "$(grep -c -E "^[ab] .* referenced .* header of volume $policy-shut" <<<"$out")" 1
	mv "$CLI_TMP/away" "$CLI_TMP/$policy-shut"
	ends "$policy: in reach again" 0 policy roll alpha "$policy" --retire
	cli_is "$policy: retired" "$(grep -c -E '^[ab] .*  retired  ' <<<"$out")" 1
}

rekeys() {
	local key

	key=$(field "$1" key)
	ends "$1: rekey" 0 policy rekey alpha "$1"
	cli_is "$1: next key" "${key##*:} $(field "$1" key | sed 's/.*://')" "1 2"
	is_whole "$1: under the roots of before" "$1" "$2 $3 availability"
}

# To the provider's and back, with the open volume and the closed one.
changes_hands() {
	ends "set-roots to the provider's" 0 policy set-roots alpha two --provider
	is_whole "the provider's" two "a+ b+ availability"
	ends "set-roots to a customer's that will not do" 1 policy set-roots alpha two --root-a kv1:future --root-b hsm:root
	is_whole "the provider's still" two "a b availability"
	ends "set-roots to a customer's" 0 policy set-roots alpha two --root-a kv1:root --root-b hsm:root
	is_whole "the customer's again" two "kv1+ hsm+ availability"
	cli_is "whose it is" "$(field two kind)" customer
}

# One for good; the new one in another vault, or in the same.
recovers() {
	ends "recover what is not lost" 5 policy recover alpha two --lost b --root kms:root
	hsm_owner destroy root
	ends "the token's key is destroyed: test" 7 policy test alpha two
	cli_is "b is denied, others open" "$(grep -c -E '^b .* denied  *deleted ' <<<"$out") $(grep -c ' ok .* ms' <<<"$out")" "1 2"
	ends "recover with one that will not do" 1 policy recover alpha two --lost b --root kms:short
	ends "recover" 0 policy recover alpha two --lost b --root kms:root
	is_whole "b lies in the KMIP server" two "kv1 kms+ availability"
	ends "recover, given once more" 0 policy recover alpha two --lost b --root kms:root
	is_whole "it was done already" two "kv1 kms availability"
	akv delete kv2 root >/dev/null
	akv purge kv2 root
	ends "three: the key vault's key is purged: test" 7 policy test alpha three
	akv key kv2 other RSA 2048 >/dev/null
	ends "three: recover in the same vault" 0 policy recover alpha three --lost a --root kv2:other
	is_whole "three: a is another key" three "kv2+ kms availability"
}

# Roots that answer late, or not at all: class and time.
answers() {
	akv fault vault-op slow 0.7
	ends "test, a slow vault" 0 policy test alpha two
	cli_is "its time is told" "$(sed -n 's/^a .* ok .* \([0-9]*\) ms.*/\1/p' <<<"$out" | awk '{ print ($1 >= 700) }')" 1
	akv fault vault-op throttle 1
	ends "test, a throttling vault" 6 policy test alpha two
	cli_is "its class is told" "$(grep -c '^a .* throttled ' <<<"$out")" 1
	akv clear
}

end_well() {
	local name

	for name in two three; do
		ends "$name: open the closed one" 0 open "$name-shut"
		ends "$name: close both" 0 close "$name-shut"
		ends "$name: close both" 0 close "$name-open"
	done
}

vaults_make kms
sed 's|^url = https://kv1\(.*\)|url = https://KV1\1/|' "$CLI_TMP/etc/vaults.d/kv1.conf" >"$CLI_TMP/etc/vaults.d/kvagain.conf"
cp "$CLI_TMP/etc/vaults.d/hsm.conf" "$CLI_TMP/etc/vaults.d/hsmagain.conf"
keys
host_start
ends "tenant" 0 tenant create alpha
checks
vaults_apart
round_trips
creates
rolls two kv1 hsm
rolls three kv2 kms
rekeys two kv1 hsm
rekeys three kv2 kms
changes_hands
recovers
end_well
answers
host_stop TERM
echo "# took $SECONDS s"
cli_done
