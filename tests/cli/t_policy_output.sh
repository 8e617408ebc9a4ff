#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will check what svcenc prints of a policy's rekey, roots and test: that
# DESCRIPTION: it calls again behind the volume at which the agent stopped and adds up, and the
# DESCRIPTION: exit status of a volume that was not reached, of a root version that is still
# DESCRIPTION: referenced, and of the gravest answer, with and without --json.
# RUNS: host
# SET: quick
# TIMEOUT: 60

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# A call's reply: changed, rewrapped, records, unreached, next.
policy='{"tenant": "alpha", "name": "own", "key": "svcenc:u:2", "volumes": 3}'
part() {
	printf '{"reply": {"policy": %s, "changed": %s, "rewrapped": %s, "records": %s, "unreached": [%s], "checks": [], "notes": [], "next": "%s"}}' \
		"$policy" "$@"
}

away='{"volume": "away", "device": "/dev/vg/away", "key": "svcenc:u:1", "why": "volume away: the device is not there", "hint": "attach it"}'

start() {
	cli_start_agent <<-EOF
		{"RekeyPolicy": [$(part true 1 0 '' one), $(part false 1 1 "$away" two), $(part false 0 0 '' '')],
		 "RetireRoots": {"reply": {"policy": $policy, "next": "", "rewrapped": 0, "records": 0, "unreached": [],
			"roots": [{"role": "a", "vault": "a", "kid": "file:a/k/1", "state": "referenced", "referenced_by": ["header of volume away", "store: svcenc:u:1"]},
			 {"role": "b", "vault": "b", "kid": "file:b/k/1", "state": "retired", "referenced_by": []}]}},
		 "ListTenants": {"reply": {"tenants": [{"name": "alpha"}, {"name": "beta"}]}},
		 "ListPolicies": {"reply": {"policies": [{"tenant": "alpha", "name": "own"}, {"tenant": "alpha", "name": "provider"}]}},
		 "TestPolicy": {"reply": {"policy": $policy, "roots": [
			{"role": "a", "vault": "a", "kid": "x", "answer": "unreachable", "reason": "", "detail": "", "took_ms": 3000},
			{"role": "b", "vault": "b", "kid": "y", "answer": "denied", "reason": "disabled", "detail": "it is off", "took_ms": 12}]}}}
	EOF
}

start
svcenc policy rekey alpha own
cli_is "a volume was not reached: exit" "$status" 5
cli_is "what is printed" "$out" "policy own of tenant alpha has a new policy key (key svcenc:u:2)
volumes rewrapped: 2, policy records rewritten: 1

NOT REACHED  DEVICE        WHY                                   CURE
away         /dev/vg/away  volume away: the device is not there  attach it"
cli_is "it went on behind each stop" "$(sed 's/.*Agent.//' "$CLI_TMP/calls")" \
	'RekeyPolicy {"name": "own", "tenant": "alpha"}
RekeyPolicy {"after": "one", "name": "own", "tenant": "alpha"}
RekeyPolicy {"after": "two", "name": "own", "tenant": "alpha"}'
start
svcenc policy rekey alpha own --json
cli_is "with --json: exit, one object, the sums" "$status $(/usr/bin/python3 -c 'import json, sys
r = json.load(sys.stdin); print(r["schema"], r["rewrapped"], r["records"], len(r["unreached"]), r["changed"], repr(r["next"]))' <<<"$out")" \
	"5 svcenc/1 2 1 1 True ''"
svcenc policy roll alpha own --retire
cli_is "referenced: exit" "$status" 5
cli_is "by what" "$out" "ROOT  VAULT  STATE       KEY         REFERENCED BY
a     a      referenced  file:a/k/1  header of volume away; store: svcenc:u:1
b     b      retired     file:b/k/1  -"
svcenc policy test alpha own
cli_is "the gravest answer: exit" "$status" 7
cli_is "each root, its class, its time" "$out" "ROOT  VAULT  ANSWER       REASON    TOOK     DETAIL
a     a      unreachable  -         3000 ms  -
b     b      denied       disabled  12 ms    it is off"
svcenc policy test alpha own --json
cli_is "with --json: exit" "$status" 7

# completes WORDS...: what a shell offers in place of the last one.
completes() (
	svcenc() {
		"$CLI_BIN/svcenc" --socket-dir "$CLI_TMP/run" "$@"
	}
	# shellcheck source=agent/units/svcenc.bash-completion
	. "$cli_top/agent/units/svcenc.bash-completion"
	# shellcheck disable=SC2034 # for the completion
	COMP_WORDS=(svcenc "$@") COMP_CWORD=$#
	_svcenc
	echo "${COMPREPLY[*]}"
)

cli_is "completion of verbs, with a dash in one" "$(completes policy re) | $(completes policy set)" "rekey recover | set-roots"
cli_is "of tenants and policies" "$(completes policy rekey '') | $(completes policy rekey alpha pr)" "alpha beta | provider"
cli_is "of options" "$(completes policy set-roots alpha own --ro) | $(completes policy recover alpha own --l)" "--root-a --root-b | --lost"
cli_done
