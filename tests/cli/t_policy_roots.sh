#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will make a policy of a customer's keys and refuse keys that will not
# DESCRIPTION: do, each with its cure and nothing made; refuse steps that the policy's state does
# DESCRIPTION: not allow, with the reason; and kill svcencd at each step of roll, rekey, set-roots
# DESCRIPTION: and recover, after which the same command again ends in the wanted state.
# RUNS: host
# SET: quick
# TIMEOUT: 400
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
# shellcheck source=tests/cli/host_policy.sh
. "$(dirname "$0")/host_policy.sh"
CLI_BIN=$cli_top/build/test/bin
kills=0 total=0

# key VAULT NAME VERSION [MEMBER VALUE]: its owner makes a key.
key() {
	local state='"state": "enabled", ' member=${4:-state} value=${5:-'"enabled"'}

	[ "$member" = state ] && state=''
	printf '{"schema": "svcenc-file-vault/1", "name": "%s", "version": %s, %s"%s": %s, "alg": "A256KW", "key": "%s"}\n' \
		"$2" "$3" "$state" "$member" "$value" "$(head -c 32 /dev/urandom | base64 -w 0)" >"$CLI_TMP/key"
	install -m 600 -o nobody "$CLI_TMP/key" "$host_vaults/$1/$2.$3.key"
	rm "$CLI_TMP/key"
}

# Root versions of a policy, in order a, b, availability; its uuid as U.
roots() {
	"$CLI_BIN/svcenc" --socket-dir "$host_run" policy show alpha "$1" --json 2>/dev/null |
		sed -n 's/^ *"kid": "file:\(.*\)",$/\1/p' | sed "s/$(field "$1" uuid)/U/" | tr '\n' ' '
}

# create WORDS...: a policy of a customer.
create() {
	svcenc policy create alpha "$@" --accept-unrecoverable
}

refuses_keys_that_will_not_do() {
	key cust-a off 1 state '"disabled"'
	key cust-a old 1 expires_at 1893456000
	key cust-a gone 1 expires_at 946684800
	will_not_do "no such key" 7 "vault 'cust-a' denies (deleted): there is no key 'no'" "only the owner" \
		policy create alpha p --root-a cust-a:no --root-b cust-b:k
	will_not_do "disabled" 7 "vault 'cust-a' denies (disabled)" "only the owner" \
		policy create alpha p --root-a cust-a:off --root-b cust-b:k
	will_not_do "with an expiry date" 1 "root a: key 'old' of vault 'cust-a' will not do: expiry is 2030-01-01" "take the expiry date off" \
		policy create alpha p --root-a cust-a:old --root-b cust-b:k
	will_not_do "expired" 1 "root a: key 'gone' .* expiry is 2000-01-01" "take the expiry date off" \
		policy create alpha p --root-a cust-a:gone --root-b cust-b:k
	will_not_do "gone for good once deleted" 1 "root a: key 'k' .* recovery is none" "switch soft delete" \
		policy create alpha p --root-a cust-a:k --root-b cust-b:k
	will_not_do "b as well as a" 7 "vault 'cust-b' denies" "only the owner" \
		policy create alpha p --root-a cust-a:k --root-b cust-b:no --accept-unrecoverable
	will_not_do "one vault" 1 "vault 'cust-a' is named for two roots" "the three roots lie in three vaults" \
		policy create alpha p --root-a cust-a:k --root-b cust-a:k2
	will_not_do "one vault by two names" 1 "vault '[a-z-]*' is the same as another" "the three roots lie in three vaults" \
		policy create alpha p --root-a cust-a:k --root-b alias:k
	will_not_do "one root" 1 "root b is not named" "name both" policy create alpha p --root-a cust-a:k
	will_not_do "no vault of that name" 1 "there is no vault 'elsewhere'" "'svcenc vault list'" \
		policy create alpha p --root-a elsewhere:k --root-b cust-b:k
	will_not_do "another type" 1 "'pkcs11:cust-a:k': vault 'cust-a' is of type file" "leave the type out" \
		policy create alpha p --root-a pkcs11:cust-a:k --root-b cust-b:k
	will_not_do "a key and a vault" 1 "a vault for a root key and a key are both named" "--root-a VAULT:KEY" \
		policy create alpha p --vault-a a --root-a cust-a:k --root-b cust-b:k
	chmod 0 "$host_vaults/cust-b"
	will_not_do "a vault that we cannot use" 2 "vault 'cust-b' cannot be used" "correct that" \
		policy create alpha p --root-a cust-a:k --root-b cust-b:k --accept-unrecoverable
	chmod 700 "$host_vaults/cust-b"
}

takes_keys_that_do() {
	create own --root-a cust-a:k --root-b file:cust-b:k --availability never
	cli_is "a customer's policy" "$status" 0
	cli_is "each check is shown, for each root" "$(grep -c -E '^[ab]  *[a-z-]+  *(ok|not-told)' <<<"$out")" 16
	cli_is "its kind, rule, roots" "$(field own kind) $(field own availability) $(roots own)" \
		"customer never cust-a/k/1 cust-b/k/1 availability/U/1 "
	create own --root-a cust-a:k --root-b cust-b:k --availability never
	cli_is "the same again" "$status $(grep -c 'was there already' <<<"$out")" "0 1"
	create own --root-a cust-a:k2 --root-b cust-b:k --availability never
	cli_is "with another key" "$status" 5
	svcenc policy test alpha own
	cli_is "policy test" "$status $(grep -c ' ok .* ms' <<<"$out")" "0 3"
}

# What a policy's state does not allow is refused, with the reason.
refuses_steps() {
	will_not_do "recover while both roots open" 5 "root b of policy 'alpha/own' opens its key" "a new version of it is 'svcenc policy roll'" \
		policy recover alpha own --lost b
	will_not_do "set-roots to nothing" 1 "no roots are named" "either --root-a" policy set-roots alpha own
	will_not_do "set-roots to both" 1 "roots of the provider's and a customer's" "either --root-a" \
		policy set-roots alpha own --provider --root-a cust-a:k --root-b cust-b:k
	will_not_do "roll of a root that there is not" 1 "a root is a, b or availability" "as in --root a,b" policy roll alpha own --root c
	will_not_do "recover of none" 1 "lost is a, b or availability" "the root that" policy recover alpha own --lost x
	svcenc policy roll alpha own
	cli_is "roll without a new version" "$status $(grep -c 'make a new version there, then roll' <<<"$err")" "0 2"
	mv "$host_vaults/cust-a/k.1.key" "$CLI_TMP/a.key"
	mv "$host_vaults/cust-b/k.1.key" "$CLI_TMP/b.key"
	will_not_do "rekey while both deny" 7 "policy 'alpha/own'" "only the owner" policy rekey alpha own
	svcenc policy test alpha own
	cli_is "policy test has the gravest answer" "$status $(grep -c ' denied  *deleted ' <<<"$out")" "7 2"
	mv "$CLI_TMP/a.key" "$host_vaults/cust-a/k.1.key"
	mv "$CLI_TMP/b.key" "$host_vaults/cust-b/k.1.key"
}

# --- killed at every step ---------------------------------------------------

save() {
	host_stop TERM
	rm -rf "$CLI_TMP/saved"
	mkdir "$CLI_TMP/saved"
	cp -a "$host_state" "$host_vaults" "$CLI_TMP/saved"
}

restore() {
	host_stop KILL
	rm -rf "$host_state" "$host_vaults"
	cp -a "$CLI_TMP/saved"/* "$CLI_TMP"
}

# is_whole NAME ROOTS: active, no task, every root opens; roots as wanted.
is_whole() {
	svcenc policy test alpha own
	cli_is "$1" "$(field own state) '$(field own task)' $status $(roots own)" "active '' 0 $2"
}

# every_step NAME ROOTS ROOTS2 WORDS...: ROOTS2 if it is done and done again.
every_step() {
	local name=$1 wanted=$2 again=$3 number steps

	shift 3
	restore
	host_options=(--count-steps "$CLI_TMP/steps")
	host_start
	svcenc policy "$@"
	cli_is "$name" "$status" 0
	is_whole "$name" "$wanted"
	mapfile -t steps < <(cut -d ' ' -f 2 "$CLI_TMP/steps")
	echo "# $name: ${#steps[@]} steps: ${steps[*]}"
	total=$((total + ${#steps[@]}))
	for number in "${!steps[@]}"; do
		restore
		host_options=(--kill-at-step $((number + 1)))
		host_start
		svcenc policy "$@"
		wait "$host_pid" 2>/dev/null
		[ $? -eq 137 ] && kills=$((kills + 1))
		host_options=()
		host_start
		svcenc policy "$@"
		[ "$status" -eq 0 ] || cli_fail "$name, killed at step $((number + 1)): ${err//$'\n'/ }"
		[ "${steps[number]}" != pass-stored ] || wanted=$again
		is_whole "$name, killed at step $((number + 1)), ${steps[number]}, and given again" "$wanted"
	done
}

mkdir -p "$CLI_TMP/etc/vaults.d"
host_prepare
for vault in cust-a cust-b cust-c; do
	printf '[vault]\nuser = nobody\n' >"$CLI_TMP/etc/vaults.d/$vault.conf"
done
printf '[vault]\nuser = nobody\ndirectory = %s\n' "$host_vaults/cust-a" >"$CLI_TMP/etc/vaults.d/alias.conf"
host_start
svcenc tenant create alpha
cli_is "tenant" "$status" 0
key cust-a k 1
key cust-a k2 1
key cust-b k 1
key cust-c k 1
refuses_keys_that_will_not_do
takes_keys_that_do
refuses_steps
save
every_step rekey "cust-a/k/1 cust-b/k/1 availability/U/1 " \
	"cust-a/k/1 cust-b/k/1 availability/U/1 " rekey alpha own
every_step "set-roots to the provider" "a/U/1 b/U/1 availability/U/1 " \
	"a/U/1 b/U/1 availability/U/1 " set-roots alpha own --provider
save
every_step "set-roots to a customer" "cust-a/k2/1 cust-b/k/1 availability/U/1 " \
	"cust-a/k2/1 cust-b/k/1 availability/U/1 " set-roots alpha own --root-a cust-a:k2 --root-b cust-b:k --accept-unrecoverable
every_step roll "a/U/2 b/U/2 availability/U/1 " "a/U/3 b/U/3 availability/U/1 " roll alpha own
restore
host_options=()
host_start
svcenc policy roll alpha own
save
every_step "retire" "a/U/2 b/U/2 availability/U/1 " "" roll alpha own --retire
restore
rm "$host_vaults"/a/*.key
host_options=()
host_start
save
every_step recover "cust-c/k/1 b/U/2 availability/U/1 " \
	"cust-c/k/1 b/U/2 availability/U/1 " recover alpha own --lost a --root cust-c:k --accept-unrecoverable
cli_is "killed once at each of $total steps" $kills $total
echo "# took $SECONDS s"
host_stop TERM
cli_done
