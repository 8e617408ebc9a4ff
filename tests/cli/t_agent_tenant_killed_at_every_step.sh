#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will count the steps of tenant create, kill svcencd with SIGKILL at
# DESCRIPTION: each of them, start it again, give the command again, as svcenc says, and find
# DESCRIPTION: one tenant with one usable policy each time; and so if svcenc itself is killed.
# RUNS: host
# SET: quick
# TIMEOUT: 120
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
CLI_BIN=$cli_top/build/test/bin

# of a tenant: "name, its policies, those that are ready"
there_is() {
	svcenc tenant list --json
	echo "$(grep -c "\"name\": \"$1\"" <<<"$out") $(svcenc policy list --tenant "$1" --json
		grep -c '"kind": "provider"' <<<"$out"
		grep -c '"state": "active"' <<<"$out")" | tr '\n' ' '
}

is_whole() {
	local tenant=$1 name=$2

	cli_is "$name: one tenant, one provider policy, active" "$(there_is "$tenant")" "1 1 1 "
}

host_prepare
host_options=(--count-steps "$CLI_TMP/steps")
host_start
svcenc tenant create counted
cli_is "tenant counted" "$status" 0
is_whole counted "counted"
mapfile -t steps < <(cut -d ' ' -f 2 "$CLI_TMP/steps")
cli_is "steps: ${steps[*]}" "${#steps[@]}" 10
host_stop TERM
for number in "${!steps[@]}"; do
	round="killed at step $((number + 1)), ${steps[number]}"
	host_options=(--kill-at-step $((number + 1)))
	host_start
	svcenc tenant create "t$number"
	cli_is "$round: exit" "$status" 10
	cli_is "$round: the cure" "$(grep -c "^svcenc: hint: .*'svcenc agent status'.* then give the command again" <<<"$err")" 1
	wait "$host_pid" 2>/dev/null
	cli_is "$round: by SIGKILL" $? 137
	host_options=()
	host_start
	svcenc tenant create "t$number"
	cli_is "$round: again: exit" "$status" 0
	is_whole "t$number" "$round"
	host_stop TERM
done
host_start
for step in 1 2; do
	svcenc --kill-at-step $step tenant create other
	cli_is "svcenc itself killed at step $step" "$status" 137
done
svcenc tenant create other
cli_is "again: exit" "$status" 0
is_whole other "svcenc killed"
host_stop TERM
cli_done
