#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will let the vendor's own client, @azure/keyvault-keys with
# DESCRIPTION: @azure/identity, use the emulated key vault: if it is content, tests of ours
# DESCRIPTION: against the emulator mean something.
# RUNS: host
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/akv/lib_akv.sh
. "$(dirname "$0")/../akv/lib_akv.sh"
modules=$akv_here/../../build/npm/keyvault-keys-4.10.2-identity-4.13.1

# Before the names are the test's own: npm needs the real ones.
fetch() {
	local program

	for program in node npm; do
		command -v $program >/dev/null || {
			echo "Bail out! $program is needed (Node.js 20 or later, with npm)"
			exit 1
		}
	done
	[ ! -e "$modules/package.json" ] || return 0
	mkdir -p "$modules.new"
	(cd "$modules.new" && npm install --no-audit --no-fund --ignore-scripts \
		@azure/keyvault-keys@4.10.2 @azure/identity@4.13.1) >"$modules.log" 2>&1 || {
		echo "Bail out! npm: $(tail -n 5 "$modules.log")"
		exit 1
	}
	rm -rf "$modules" && mv "$modules.new" "$modules"
}
[ -n "${AKV_NAMESPACE:-}" ] || fetch
akv_namespace "$@"

folder=$AKV_NAMESPACE/akv
trap akv_stop EXIT
akv_start "$folder"
NODE_EXTRA_CA_CERTS=$folder/ca.pem node "$akv_here/official_client.mjs" "$folder" "$modules"
