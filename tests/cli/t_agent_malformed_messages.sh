#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will send 10,000 random, truncated, oversized and misshapen messages
# DESCRIPTION: to each socket of svcencd and to one of a worker: both answer or hang up, live
# DESCRIPTION: on, serve on, and keep neither files nor memory of it.
# RUNS: host
# SET: quick
# TIMEOUT: 300
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
readonly MESSAGES=10000

open_files() {
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

# Of its own: pages of programs and libraries come and go as the host likes.
anonymous_kib() {
	sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# garbage SOCKET COUNT SEED
garbage() {
	/usr/bin/python3 "$cli_here/agent_garbage" "$host_run/$1" "$2" "$3" >"$CLI_TMP/counts"
}

# files_are PID COUNT: in the end; a connection may still be on its way out.
files_are() {
	local end=$((SECONDS + 10))

	until [ "$(open_files "$1")" = "$2" ] || [ $SECONDS -ge $end ]; do
		sleep 0.05
	done
	open_files "$1"
}

# survives NAME PID SOCKET...
survives() {
	local name=$1 pid=$2 socket files before grown

	shift 2
	files=$(open_files "$pid")
	garbage "$1" 1000 1
	before=$(anonymous_kib "$pid")
	for socket; do
		garbage "$socket" $MESSAGES $((MESSAGES + ${#socket}))
		cli_is "$MESSAGES messages to $socket: accepted to the end" $? 0
		cli_is "$socket: $(<"$CLI_TMP/counts")" "$(sed 's/.*; //' "$CLI_TMP/counts")" "$((MESSAGES / 250)) longer than 1 MiB"
	done
	grown=$(($(anonymous_kib "$pid") - before))
	cli_is "$name: the same process lives" "$(grep -c '^State:.[^ZX]' "/proc/$pid/status")" 1
	cli_is "$name: open files" "$(files_are "$pid" "$files")" "$files"
	if [ $grown -lt 1024 ]; then
		cli_pass "$name: memory has not grown by a mebibyte ($grown KiB)"
	else
		cli_fail "$name: memory has grown by $grown KiB"
	fi
}

host_prepare
host_start
svcenc tenant create alpha
cli_is "tenant alpha" "$status" 0
svcenc tenant show alpha --json
alpha=$out agent=$host_pid
survives svcencd "$agent" status.sock operator.sock officer.sock
worker=$(host_worker b)
survives "the worker" "$worker" vault/b/sock
cli_is "it is the worker still" "$(host_worker b)" "$worker"
svcenc vault test b
cli_is "it works" "$status" 0
svcenc tenant show alpha --json
cli_is "the agent answers as before" "$out" "$alpha"
host_stop TERM
cli_done
