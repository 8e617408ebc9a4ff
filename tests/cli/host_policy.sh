# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests of what becomes of a policy on the host: what svcenc shows of
# one, and a command that is refused with its cure and changes nothing. Sourced
# after agent_host.sh.
#
# shellcheck disable=SC2154 # host_*, status, err come from there

# field POLICY MEMBER: of a policy of tenant alpha; its first occurrence.
field() {
	"$CLI_BIN/svcenc" --socket-dir "$host_run" policy show alpha "$1" --json 2>/dev/null |
		sed -n "s/^ *\"$2\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

# Which policies there are, their keys and roots; not their states.
stored() {
	"$CLI_BIN/svcenc" --socket-dir "$host_run" policy list --json |
		grep -E '"(name|uuid|key|check|kid|task)": '
}

# will_not_do NAME STATUS ERROR HINT WORDS...: patterns; and nothing is stored.
will_not_do() {
	local name=$1 wanted=$2 error=$3 hint=$4 before

	shift 4
	before=$(stored)
	svcenc "$@"
	cli_is "$name: exit" "$status" "$wanted"
	if grep -q "^svcenc: error: $error" <<<"$err" && grep -q "^svcenc: hint: $hint" <<<"$err"; then
		cli_pass "$name: error and cure"
	else
		cli_fail "$name: error and cure"
		echo "# ${err//$'\n'/ }"
	fi
	cli_is "$name: nothing is stored" "$(stored)" "$before"
}
