#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will serve a vault by a script of some 70 lines in Python, the one
# DESCRIPTION: that svcenc-vault(7) offers as a beginning, with "start = external": it passes
# DESCRIPTION: the vault test, a policy is made with it, its owner's decisions have their
# DESCRIPTION: class. Policies have roots in a token, a KMIP server and there, made by svcenc or
# DESCRIPTION: by their owner; they are tested, rolled and set to others.
# RUNS: host
# WAITS: probes
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
# shellcheck source=tests/hsm/lib_hsm.sh
. "$cli_top/tests/hsm/lib_hsm.sh"
trap 'hsm_end; host_end' EXIT

# test_says NAME STATUS WORDS
test_says() {
	svcenc vault test mine
	if [ "$status" = "$2" ] && [[ "$out $err" == *"$3"* ]]; then
		cli_pass "$1 (exit $status)"
	else
		cli_fail "$1"
		printf '# %s\n' "exit $status" "$out" "$err"
	fi
}

kids_of() {
	"$CLI_BIN/svcenc" --socket-dir "$host_run" policy show alpha "$1" --json |
		sed -n 's/.*"kid": "\([^"]*\)".*/\1/p' | sed 's/:.*//' | tr '\n' ' '
}

made() {
	svcenc policy create alpha "$@"
	cli_is "policy $1 is made: exit" "$status $err" "0 "
}

host_prepare
own_vault mine
hsm_vault hsm
kms_vault kms
host_start
test_says "the vault test" 0 "it is the same number"
svcenc vault list
cli_is "it is listed" "$(awk '$1 == "mine" { print $2, $3, $6 }' <<<"$out")" "own reachable external"
svcenc tenant create alpha
made own --vault-b mine
cli_is "its root key b is there" "$(kids_of own)" "file own file "
made three --vault-a hsm --vault-b kms --vault-availability mine
cli_is "three vaults of three makers" "$(kids_of three)" "pkcs11 kmip own "
hsm_owner aes payroll 01 "$(printf '%064d' 7)"
kms_owner make payroll
made customer --root-a hsm:payroll --root-b kmip:kms:payroll --availability-vault mine
svcenc policy test alpha customer
cli_is "its roots open" "$(awk 'NR > 1 { print $2, $3 }' <<<"$out" | tr '\n' ' ')" "hsm ok kms ok mine ok "
svcenc policy roll alpha three
cli_is "the other one's keys are rolled: exit" "$status $err" "0 "
cli_is "in the token" "$("$CLI_BIN/svcenc" --socket-dir "$host_run" policy show alpha three --json |
	grep -c '"kid": "pkcs11:id=%00%02;')" 1
svcenc policy set-roots alpha own --root-a hsm:payroll --root-b kms:payroll
cli_is "and the first one's roots are set to the owner's: exit" "$status $err" "0 "
cli_is "which are there" "$(kids_of own)" "pkcs11 kmip file "
chmod 000 "$own_folder/svcenc-selftest"
test_says "a key that its owner has disabled" 7 "denies (disabled)"
chmod 600 "$own_folder/svcenc-selftest"
test_says "and enabled" 0 "it is the same number"
mv "$own_folder" "$own_folder.away"
test_says "keys that are not mounted" 6 "is not there: mount it"
mv "$own_folder.away" "$own_folder"
own_stop
test_says "a vault that is not served" 6 "no worker listens"
own_start
test_says "and again" 0 "it is the same number"
host_stop TERM
cli_done
