#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give svcencd a vault in a SoftHSM token: a policy is made with
# DESCRIPTION: it; a module that crashes or hangs makes it unreachable within 4 s, its
# DESCRIPTION: worker is started again, with back-off, and serves; a wrong PIN is presented
# DESCRIPTION: once, however often the worker is started.
# RUNS: host
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
hsm=$CLI_TMP/hsm

token_prepare() {
	install -m 755 "$CLI_BIN/svcenc-vault-pkcs11" "$cli_top/build/test/p11_shim.so" "$CLI_TMP/libexec"
	install -d -o nobody -m 700 "$hsm" "$hsm/tokens"
	printf 'directories.tokendir = %s\nobjectstore.backend = file\n' "$hsm/tokens" >"$hsm/conf"
	set_pin 1234
	(cd / && SOFTHSM2_CONF=$hsm/conf setpriv --reuid nobody --clear-groups softhsm2-util --init-token \
		--free --label mine --so-pin 5678 --pin 1234) >"$CLI_TMP/said" 2>&1 ||
		host_bail "no token: $(cat "$CLI_TMP/said")"
	cat >"$CLI_TMP/etc/vaults.d/hsm.conf" <<-END
		[vault]
		type = pkcs11
		start = agent
		user = nobody
		module = $CLI_TMP/libexec/p11_shim.so
		token = pkcs11:token=mine
		pin_file = $hsm/pin
		environment = SOFTHSM2_CONF=$hsm/conf P11_SHIM_MODULE=/usr/lib/softhsm/libsofthsm2.so P11_SHIM_FOLDER=$hsm
	END
}

set_pin() {
	install -o nobody -m 600 /dev/null "$hsm/pin"
	echo "$1" >"$hsm/pin"
}

control() {
	install -o nobody -m 644 /dev/null "$hsm/control.new"
	echo "$*" >"$hsm/control.new"
	mv "$hsm/control.new" "$hsm/control"
}

works() {
	svcenc vault test hsm
	[ "$status" = 0 ]
}

comes_back() {
	local end=$((SECONDS + 40))

	until works; do
		[ $SECONDS -lt $end ] || return
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
	grep -c -x C_Login "$hsm/log"
}

# unreachable_in SECONDS
unreachable_in() {
	local start=$SECONDS

	svcenc vault test hsm
	[ "$status" = 6 ] && [[ $err == *"cannot be reached"* ]] && [ $((SECONDS - start)) -le "$1" ]
}

module_crashes() {
	local before

	control C_UnwrapKey crash once
	check "the module crashes: unreachable at once" unreachable_in 3
	check "the worker was started again" comes_back
	cli_is "it ended once, by SIGABRT" "$(grep -c "worker of vault 'hsm' ended (signal 6)" "$host_log")" 1
	before=$(ended)
	control C_UnwrapKey crash
	SECONDS=0
	while [ $SECONDS -lt 4 ]; do # 0.25 s of back-off, then twice that, and so on
		svcenc vault test hsm
	done
	rm "$hsm/control"
	check "it crashes each time: not more than 5 workers in 4 s" [ $(($(ended) - before)) -le 5 ]
	check "but more than one" [ $(($(ended) - before)) -ge 2 ]
	check "it serves when the module is well" comes_back
}

module_hangs() {
	control C_UnwrapKey hang once
	check "the module hangs: unreachable in its deadline" unreachable_in 4
	check "the worker gives up, and is started again" comes_back
	cli_is "it ended by itself" "$(grep -c "worker of vault 'hsm' ended (status 75)" "$host_log")" 1
	check "and said why" grep -q "the PKCS#11 module does not return" "$host_log"
}

# Each round with another worker.
wrong_pin() {
	local before round before_end

	set_pin 4321
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
	set_pin 1234
	check "with the right PIN it works at once" works
}

host_prepare
token_prepare
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
