#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run the worker of Azure Key Vaults against the emulator through
# DESCRIPTION: its real socket: every kind of credential and key, every state of a key, each
# DESCRIPTION: wrong answer of vault, token endpoint and identity endpoint, wrong
# DESCRIPTION: certificates, hostile challenges: each has one class, and nothing is sent
# DESCRIPTION: before the challenge was checked, nor is a key left in memory.
# RUNS: host
# WAITS: answers that come late, or never
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/akv/lib_akv.sh
. "$(dirname "$0")/../akv/lib_akv.sh"
akv_namespace "$@"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2317 # called by a trap
end() {
	[ "$BASHPID" = $$ ] || return
	akv_stop
	cli_end
}
trap end EXIT

chmod 755 "$CLI_TMP" # the worker is not root
install -D -m 755 "$CLI_BIN/svcenc-vault-akv" "$CLI_TMP/svcenc-vault-akv"
mkdir "$CLI_TMP/worker"
chown nobody "$CLI_TMP/worker"
akv_start "$CLI_TMP/akv"
chmod 755 "$CLI_TMP/akv" # the CA's certificate lies there
"$akv_here/worker_cases" "$CLI_TMP/svcenc-vault-akv" "$CLI_TMP/akv" "$CLI_TMP/worker" "$@"
