# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers for tests of the command line: programs from build/bin, a directory
# of their own, an agent that answers by the book (fake_agent), and checks
# that print what they hold.  The end is "cli_done": it says how many.

set -u
cli_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cli_top=$(cd "$cli_here/../.." && pwd -P)
CLI_BIN=${CLI_BIN:-$cli_top/build/bin}

# svcenc talks to root only; whoever is not root plays it.
if [ "$(id -u)" -ne 0 ]; then
	exec unshare --map-root-user bash "$0" "$@"
fi

CLI_TMP=$(mktemp -d "${TMPDIR:-/tmp}/svcenc-cli.XXXXXX")
cli_count=0 cli_failed=0 cli_agent=''

cli_end() {
	[ -z "$cli_agent" ] || kill "$cli_agent" 2>/dev/null
	rm -rf "$CLI_TMP"
}
trap cli_end EXIT

cli_pass() {
	cli_count=$((cli_count + 1))
	echo "ok $cli_count - $*"
}

cli_fail() {
	cli_count=$((cli_count + 1))
	cli_failed=$((cli_failed + 1))
	echo "not ok $cli_count - $*"
}

# cli_is NAME GOT WANTED
cli_is() {
	if [ "$2" = "$3" ]; then
		cli_pass "$1"
	else
		cli_fail "$1"
		diff <(printf '%s\n' "$3") <(printf '%s\n' "$2") | sed 's/^/# /'
	fi
}

# Runs a command: its words in $out, $err, its exit status in $status.
cli_run() {
	"$@" >"$CLI_TMP/out" 2>"$CLI_TMP/err" </dev/null
	status=$?
	# shellcheck disable=SC2034 # for the tests
	out=$(<"$CLI_TMP/out")
	err=$(<"$CLI_TMP/err")
}

svcenc() {
	cli_run "$CLI_BIN/svcenc" --socket-dir "$CLI_TMP/run" "$@"
}

# cli_refused NAME STATUS ERROR HINT WORDS...: svcenc says exactly that.
cli_refused() {
	local name=$1 wanted=$2 error=$3 hint=$4

	shift 4
	svcenc "$@"
	cli_is "$name" "$status: $err" "$wanted: svcenc: error: $error${hint:+
svcenc: hint: $hint}"
}

# Starts the fake agent with the answers on stdin.
cli_start_agent() {
	cat >"$CLI_TMP/answers.json"
	cli_stop_agent
	rm -rf "$CLI_TMP/run" "$CLI_TMP/ready"
	mkdir "$CLI_TMP/run"
	/usr/bin/python3 "$cli_here/fake_agent" "$CLI_TMP/run" "$CLI_TMP/answers.json" \
		"$CLI_TMP/calls" 3>"$CLI_TMP/ready" &
	cli_agent=$!
	until [ -s "$CLI_TMP/ready" ]; do # made by the shell in the background
		kill -0 "$cli_agent" 2>/dev/null || {
			echo "Bail out! the fake agent did not start"
			exit 1
		}
		sleep 0.02
	done
}

cli_stop_agent() {
	[ -n "$cli_agent" ] || return 0
	kill "$cli_agent" 2>/dev/null
	wait "$cli_agent" 2>/dev/null
	cli_agent=''
}

# The last call: "socket method parameters".
cli_last_call() {
	tail -n 1 "$CLI_TMP/calls" 2>/dev/null
}

cli_done() {
	echo "1..$cli_count"
	[ "$cli_count" -gt 0 ] && [ "$cli_failed" -eq 0 ]
	exit
}
