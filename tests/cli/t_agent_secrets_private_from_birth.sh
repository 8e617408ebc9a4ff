#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will trace each file that svcencd and its workers make, from the
# DESCRIPTION: first start on: none below the store's and the vaults' directories is open to
# DESCRIPTION: others for a moment, nor is a socket of a vault.
# RUNS: host
# SET: quick
# TIMEOUT: 120
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"

umask 0 # what they do must not depend on ours
host_prepare
host_start strace -f -qq -y -s 256 -o "$CLI_TMP/strace" -e signal=none \
	-e trace=umask,openat,open,creat,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,link,linkat,bind,fork,vfork,clone,clone3
svcenc tenant create alpha
cli_is "tenant alpha" "$status" 0
svcenc vault test a
cli_is "vault test" "$status" 0
# the wrapper is strace: end what it runs, and it follows
pkill -TERM -P "$host_pid" -x svcencd
wait "$host_pid"
host_pid=''
/usr/bin/python3 "$cli_here/agent_file_modes" "$CLI_TMP/strace" "$host_state" "$host_vaults" "$host_run/vault" \
	>"$CLI_TMP/modes"
cli_is "files that were open to others, maybe for a moment" "$(grep '^OPEN' "$CLI_TMP/modes")" ""
for kind in "$host_state/store.db 600" "$host_state/store.db-wal 600" "$host_vaults/store-mac.key.new 600" \
	"$host_vaults/a/.*\.1\.key\.new 600" "$host_vaults/availability/.*\.1\.key\.new 600" "$host_vaults/b 700" \
	"$host_run/vault/a/sock 600"; do
	grep -q -x "made $kind" "$CLI_TMP/modes"
	cli_is "it saw: ${kind#"$CLI_TMP"/}" $? 0
done
# the proof that it looks: the same files, had the mask been lost
sed 's/umask(0[0-7]*/umask(000/; s/, 0600\b/, 0644/' "$CLI_TMP/strace" >"$CLI_TMP/careless"
/usr/bin/python3 "$cli_here/agent_file_modes" "$CLI_TMP/careless" "$host_state" "$host_vaults" "$host_run/vault" \
	>"$CLI_TMP/careless.modes"
cli_is "a careless one would be found" "$(grep -c "^OPEN $host_vaults/.*key.new 644" "$CLI_TMP/careless.modes")" \
	"$(grep -c "^made $host_vaults/.*key.new 600" "$CLI_TMP/modes")"
cli_done
