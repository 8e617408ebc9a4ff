#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will keep a volume open under roots in a key vault (the emulator of tests/akv)
# DESCRIPTION: and a SoftHSM token, over a simulated kernel, while their owners do what they can: one
# DESCRIPTION: root withdrawn is DEGRADED, both are LOCKED in time, and neither an outage nor a
# DESCRIPTION: restart undoes that; both out of reach are bridged, but never a credential that was
# DESCRIPTION: revoked or a name that is gone; and each time the service returns by itself.
# RUNS: host
# WAITS: probes, vaults that are slow or gone
# SET: quick
# TIMEOUT: 300
#
# shellcheck disable=SC2119,SC2317 # no wrapper around svcencd; called by name

# shellcheck source=tests/cli/host_vaults.sh
. "$(dirname "$0")/host_vaults.sh"
readonly PROBE=2 LEASE=12 BOUND_MS=7000

# becomes NAME STATE MILLISECONDS [NOT]: from now on, by then; and never NOT.
becomes() {
	local name=$1 wanted=$2 bound=$3 never=${4:-none} seen='' now begun=${EPOCHREALTIME/./} took=0

	while [ "$seen" != "$wanted" ] && [ "$took" -lt $((bound + 5000)) ]; do
		now=$(field two state)
		took=$(((${EPOCHREALTIME/./} - begun) / 1000))
		[ "$now" != "$never" ] || cli_fail "$name: $never"
		seen=$now
		sleep 0.1
	done
	cli_is "$name: $wanted, within $bound ms" "$seen $((took <= bound))" "$wanted 1"
	echo "# after $took ms"
}

# withdrawn_in NAME COMMAND UNDO: by the key vault's owner alone.
withdrawn_in_one() {
	local name=$1

	$2
	becomes "$name" degraded $BOUND_MS locked
	$3
	becomes "$name, undone" active $BOUND_MS locked
}

akv_off() { akv change kv1 root enabled=0 >/dev/null; }
akv_on() { akv change kv1 root enabled=1 >/dev/null; }
akv_deleted() { akv delete kv1 root >/dev/null; }
akv_recovered() { akv recover kv1 root >/dev/null; }
akv_forbidden() { akv grant app kv1 get,wrapKey; }
akv_allowed() { akv grant app kv1 get,wrapKey,unwrapKey; }
akv_firewall() { akv fault vault-op firewall; }
akv_clear() { akv clear; }
akv_down() { akv fault vault-op status 503; }
hsm_off() { hsm_owner allow root 0; }
hsm_on() { hsm_owner allow root 1; }
hsm_down() { mv "$hsm_folder/tokens" "$hsm_folder/away"; }
hsm_up() { mv "$hsm_folder/away" "$hsm_folder/tokens"; }
akv_credential_gone() {
	akv secret app another >/dev/null
	akv revoke
}
akv_credential_new() { vaults_secret another; }
akv_name_gone() { sed 's/ kv1[^ ]*//' "$AKV_NAMESPACE/hosts" >"$CLI_TMP/hosts" && cat "$CLI_TMP/hosts" >"$AKV_NAMESPACE/hosts"; }
akv_name_back() { sed -i 's/$/ kv1.vault.localhost/' "$CLI_TMP/hosts" && cat "$CLI_TMP/hosts" >"$AKV_NAMESPACE/hosts"; }

both_withdrawn() {
	akv_off
	hsm_off
	becomes "both withdrawn" locked $BOUND_MS fallback
	akv_down
	hsm_down
	sleep $((2 * PROBE)) # probes of vaults that are gone
	cli_is "both vaults gone then" "$(field two state)" locked
	host_stop KILL
	host_start
	becomes "and svcencd started anew" locked 1000
	sleep $((2 * PROBE))
	cli_is "after its probes, too" "$(field two state)" locked
	akv_clear
	hsm_up
	sleep $((2 * PROBE))
	cli_is "in reach again, and still denied" "$(field two state)" locked
	hsm_on
	becomes "allowed in the token" degraded $BOUND_MS
	akv_on
	becomes "and in the key vault" active $BOUND_MS
}

both_gone() {
	akv_down
	hsm_down
	becomes "both out of reach" fallback $BOUND_MS locked
	svcenc policy show alpha two
	cli_is "with its reason" "$(grep -c 'the availability key bridges the outage' <<<"$out")" 1
	cli_is "in the journal" "$(grep -c "'alpha/two'.*fallback" "$host_log" | sed 's/^[1-9].*/some/')" some
	akv_clear
	hsm_up
	becomes "back" active $BOUND_MS locked
}

# never_bridged NAME COMMAND UNDO [SECONDS]: while the token is gone; the lease runs out.
never_bridged() {
	hsm_down
	$2
	becomes "$1" locked $(((LEASE + ${4:-0}) * 1000 + BOUND_MS)) fallback
	$3
	hsm_up
	becomes "$1, undone" active $(((${4:-0}) * 1000 + BOUND_MS))
}

vaults_make
akv key kv1 root >/dev/null
hsm_key root 01
host_start
ends "tenant" 0 tenant create alpha
ends "policy" 0 policy create alpha two --root-a akv:kv1:root --root-b pkcs11:hsm:root --probe $PROBE --lease $LEASE
vaults_volume v two
becomes "to begin with" active $BOUND_MS
withdrawn_in_one "key disabled in the key vault" akv_off akv_on
withdrawn_in_one "key deleted there" akv_deleted akv_recovered
withdrawn_in_one "permission removed there" akv_forbidden akv_allowed
withdrawn_in_one "network rule there" akv_firewall akv_clear
withdrawn_in_one "key vault out of order" akv_down akv_clear
withdrawn_in_one "unwrap switched off in the token" hsm_off hsm_on
withdrawn_in_one "token gone" hsm_down hsm_up
both_withdrawn
both_gone
never_bridged "a credential that is revoked" akv_credential_gone akv_credential_new
# an address is remembered for 10 s
never_bridged "a vault whose name is gone" akv_name_gone akv_name_back 10
host_stop TERM
echo "# took $SECONDS s"
cli_done
