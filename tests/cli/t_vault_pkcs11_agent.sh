#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give svcencd a vault in a SoftHSM token: a policy is made with
# DESCRIPTION: it; a module that crashes or hangs makes it unreachable within 4 s, its
# DESCRIPTION: worker is started again, with back-off, and serves; a wrong PIN is presented
# DESCRIPTION: once, however often the worker is started.
# RUNS: host
# WAITS: probes, leases
# SET: quick
# TIMEOUT: 240

# shellcheck disable=SC2317 # functions that check() calls
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
# shellcheck source=tests/hsm/lib_hsm.sh
. "$cli_top/tests/hsm/lib_hsm.sh"
trap 'hsm_end; host_end' EXIT

works() {
	svcenc vault test hsm
	[ "$status" = 0 ]
}

comes_back() {
	local end=$((SECONDS + 40))

	until works; do
		[ "$SECONDS" -lt "$end" ] || return
		sleep 0.1
	done
}

check() {
	local name=$1

	shift
	if "$@"; then
		cli_pass "$name"
	else
		cli_fail "$name"
		printf '# %s\n' "$err" "$(tail -n 3 "$host_log")"
	fi
}

ended() {
	grep -c "worker of vault 'hsm' ended" "$host_log"
}

logins() {
	grep -c -x C_Login "$hsm_folder/log"
}

# unreachable_in SECONDS
unreachable_in() {
	local start=$SECONDS

	svcenc vault test hsm
	[ "$status" = 6 ] && [[ $err == *"cannot be reached"* ]] && [ $((SECONDS - start)) -le "$1" ]
}

module_crashes() {
	local before start took

	hsm_control C_UnwrapKey crash once
	check "the module crashes: unreachable at once" unreachable_in 3
	check "the worker was started again" comes_back
	cli_is "it ended once, by SIGABRT" "$(grep -c "worker of vault 'hsm' ended (signal 6)" "$host_log")" 1
	before=$(ended) start=${EPOCHREALTIME/./}
	hsm_control C_UnwrapKey crash
	SECONDS=0
	while [ "$(ended)" -lt $((before + 4)) ] && [ $SECONDS -lt 60 ]; do
		svcenc vault test hsm
	done
	took=$(((${EPOCHREALTIME/./} - start) / 1000))
	hsm_control
	cli_is "it crashes each time: workers that ended" $(($(ended) - before)) 4
	# 0.25 s, 0.5 s and 1 s between them, if not more
	check "with back-off between them ($took ms)" [ $took -ge 1750 ]
	check "it serves when the module is well" comes_back
}

module_hangs() {
	hsm_control C_UnwrapKey hang once
	check "the module hangs: unreachable in its deadline" unreachable_in 4
	check "the worker gives up, and is started again" comes_back
	cli_is "it ended by itself" "$(grep -c "worker of vault 'hsm' ended (status 75)" "$host_log")" 1
	check "and said why" grep -q "the PKCS#11 module does not return" "$host_log"
}

# Each round with another worker.
wrong_pin() {
	local before round before_end

	hsm_pin 4321
	before=$(logins)
	for round in 1 2 3; do
		before_end=$(ended)
		kill "$(host_worker hsm)"
		until [ "$(ended)" -gt "$before_end" ]; do sleep 0.02; done
		until host_worker hsm >/dev/null; do sleep 0.02; done
		svcenc vault test hsm
		cli_is "wrong PIN, worker $round: exit" "$status" 2
	done
	check "the message has the cure" grep -q "put the right one there" <<<"$err"
	cli_is "three workers, one login" $(($(logins) - before)) 1
	hsm_pin 1234
	check "with the right PIN it works at once" works
}

host_prepare
hsm_vault hsm
host_start
check "the vault works" works
svcenc vault list
check "it is listed" grep -q 'hsm *pkcs11 *reachable *yes' <<<"$out"
svcenc tenant create alpha
svcenc policy create alpha strong --vault-b hsm
cli_is "a policy with a root there: exit" "$status" 0
check "its root key is in the token" eval "\"\$CLI_BIN/svcenc\" --socket-dir '$host_run' policy show alpha strong --json | grep -q '\"kid\": \"pkcs11:id=%00%01;object=.*;type=secret-key\"'"
module_crashes
module_hangs
wrong_pin
host_stop TERM
cli_done
