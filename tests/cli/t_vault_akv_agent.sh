#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will configure a key vault of vaults.d for the real agent, on the
# DESCRIPTION: emulator, and run svcenc vault test and list on it: works, denied, throttled,
# DESCRIPTION: gone, wrong credential, each with its exit status and words; the worker comes
# DESCRIPTION: back after a kill and dies with the agent; wrong configurations are refused.
# RUNS: host
# WAITS: probes, leases
# SET: quick
# TIMEOUT: 120
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/akv/lib_akv.sh
. "$(dirname "$0")/../akv/lib_akv.sh"
akv_namespace "$@"
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
conf=$CLI_TMP/etc/vaults.d/kv.conf

# shellcheck disable=SC2317 # called by a trap
end() {
	[ "$BASHPID" = $$ ] || return
	akv_stop
	host_end
}
trap end EXIT

ask() {
	cli_run "$CLI_BIN/svcenc" --socket-dir "$host_run" "$@"
}

# tests_as NAME STATUS TEXT: svcenc vault test kv ends so, with that in what it says.
tests_as() {
	ask vault test kv
	if [ "$status" = "$2" ] && [[ "$out $err" == *"$3"* ]]; then
		cli_pass "$1 (exit $status)"
	else
		cli_fail "$1"
		printf '# wanted: exit %s, %s\n# got: exit %s, %s %s\n' "$2" "$3" "$status" "$out" "$err"
	fi
}

host_prepare
install -m 755 "$CLI_BIN/svcenc-vault-akv" "$CLI_TMP/libexec/"
akv_start "$CLI_TMP/akv"
chmod 755 "$CLI_TMP/akv"
akv secret app s3cret >/dev/null
akv grant app kv1 get,wrapKey,unwrapKey
akv key kv1 root >/dev/null
(umask 077 && printf 's3cret\n' >"$CLI_TMP/secret")
chown nobody "$CLI_TMP/secret"
settings() {
	akv_settings kv1 "$CLI_TMP/secret"
}

{ settings && echo "urll = x"; } >"$conf"
host_refuses_to_start "misspelt key" 1 "$conf: 'urll': unknown key for this type of vault" 'correct the line'
{ settings && echo "type = ../x"; } >"$conf"
host_refuses_to_start "impossible type" 1 "$conf: 'type': not a type of vault" 'correct the line'

settings >"$conf"
host_start
tests_as "a vault that makes no keys wants one named" 7 "'test_key = KEY' in vaults.d/kv.conf"
host_stop TERM
{ settings && echo "test_key = root"; } >"$conf"
host_start
tests_as "it works" 0 "unwrapped; it is the same number"
ask vault list --json
cli_is "it is listed" "$(jq -r '.vaults[] | select(.name == "kv") | .type, .state, .separates_from_root' <<<"$out")" \
	"akv
reachable
true"

akv change kv1 root enabled=0 >/dev/null
tests_as "key disabled" 7 "denies (disabled)"
akv change kv1 root enabled=1 >/dev/null
akv grant app kv1
tests_as "no permission" 7 "grant the worker's principal"
akv grant app kv1 get,wrapKey,unwrapKey
akv fault vault-op firewall
tests_as "network rule" 7 "denies (network-rule)"
akv fault vault-op status 503
tests_as "vault has a fault" 6 "HTTP 503"
akv fault vault-op throttle
tests_as "throttled" 6 "too many requests"
akv fault vault-op other-value
tests_as "somebody else's reply" 9 "vault 'kv'"
akv clear
akv delete kv1 root >/dev/null
tests_as "key deleted" 7 "denies (deleted)"
akv recover kv1 root >/dev/null
tests_as "key recovered" 0 "works"
akv secret app another
akv revoke
tests_as "credential revoked" 2 "AADSTS7000215"
echo another >"$CLI_TMP/secret"
tests_as "the new one is read at once" 0 works

# its_processes: those that serve; the worker itself waits for their end.
its_processes() {
	pgrep -P "$(host_worker kv)"
}

# is_replaced COMMAND...: after that there is another worker.
is_replaced() {
	local worker

	worker=$(host_worker kv)
	"$@"
	until [ -n "$(host_worker kv)" ] && [ "$(host_worker kv)" != "$worker" ]; do
		sleep 0.02
	done
}

is_replaced kill -KILL "$(host_worker kv)"
tests_as "the worker is killed, and started again" 0 works
is_replaced kill -KILL "$(its_processes | head -n 1)"
tests_as "one of its processes is killed: all are started again" 0 works
cli_is "as the log says" "$(grep -c "worker of vault 'kv' ended (status 137)" "$host_log")" 1
cli_is "processes that serve" "$(its_processes | wc -l)" 8
cli_is "none has a right left" "$(for process in $(host_worker kv) $(its_processes); do
	sed -n -e 's/^CapEff:\t//p' -e 's/^NoNewPrivs:\t//p' -e 's/^Seccomp:\t//p' "/proc/$process/status" | paste -s
done | sort -u)" "0000000000000000	1	2"
askers=()
for _ in 1 2 3 4 5 6 7 8; do
	"$CLI_BIN/svcenc" --socket-dir "$host_run" vault test kv >/dev/null &
	askers+=($!)
done
wait "${askers[@]}"
echo "# memory: $(for process in $(host_worker kv) $(its_processes); do
	sed -n 's/^Pss: *//p' "/proc/$process/smaps_rollup"
done | awk '{ sum += $1 } END { print sum }') KiB for the worker and its processes"
cli_is "and no core file" "$(sed -n 's/^Max core file size *\([0-9]*\) .*/\1/p' "/proc/$(host_worker kv)/limits")" 0

mapfile -t processes < <(host_worker kv && its_processes)
host_stop KILL
for process in "${processes[@]}"; do
	while [ -e "/proc/$process" ] && ! grep -q '^State:.Z' "/proc/$process/status"; do
		sleep 0.02
	done
done
cli_is "the worker and its processes die with the agent" "${#processes[@]}" 9

{ settings && echo "url = https://gone.vault.localhost" && echo "test_key = root"; } >"$conf"
host_start
tests_as "the vault's name is gone" 6 "is the vault deleted"
host_stop TERM

printf '[vault]\ntype = cloud\nuser = nobody\nlevel = 9\n' >"$conf"
host_start
tests_as "a type without a program" 6 "no worker listens"
cli_is "and the log says which" "$(grep -c "cannot run .*svcenc-vault-cloud.*install the back end for vaults of type 'cloud'" "$host_log")" 1
host_stop TERM

printf '[vault]\ntype = akv\nuser = nobody\n' >"$conf"
host_start
ask vault list --json
cli_is "a vault with a network is a unit's, unless told otherwise" \
	"$(jq -r '.vaults[] | select(.name == "kv") | .start' <<<"$out")" external
host_stop TERM

cp "$cli_top/agent/vault/akv/example.conf" "$conf"
host_start
ask vault list --json
cli_is "the example is understood" "$(jq -r '.vaults[] | select(.name == "kv") | .type, .user' <<<"$out")" \
	"akv
svcenc-vault-net"
cli_done
