#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will serve a vault by a script of some 70 lines in Python, the one
# DESCRIPTION: that svcenc-vault(7) offers as a beginning, with "start = external": it passes
# DESCRIPTION: the vault test, a policy is made with it, its owner's decisions have their
# DESCRIPTION: class; and a policy has its three roots in a token, a KMIP server and there.
# RUNS: host
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
