#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will fail each write and flush that "tenant create" makes, of the
# DESCRIPTION: store and of the vaults, with ENOSPC and with EIO, and kill svcencd then:
# DESCRIPTION: each time it says what to do, what was there is there, and the same command
# DESCRIPTION: goes through.
# RUNS: host
# SET: quick
# TIMEOUT: 400
#
# shellcheck disable=SC2119 # no wrapper around svcencd

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/cli/agent_host.sh
. "$(dirname "$0")/agent_host.sh"
declare -A text=([ENOSPC]='No space left on device' [EIO]='Input/output error')
tenants=0 faults=0 problems=0

problem() {
	problems=$((problems + 1))
	echo "# $*"
}

# traced PID WORDS...: "svcenc tenant create" of a new tenant, while strace
# does that to PID; its log is $CLI_TMP/strace.
traced() {
	local pid=$1 tracer end=$((SECONDS + 20))

	shift
	: >"$CLI_TMP/strace"
	strace -qq -o "$CLI_TMP/strace" "$@" -p "$pid" &
	tracer=$!
	until grep -q "^TracerPid:.$tracer\$" "/proc/$pid/status"; do
		[ $SECONDS -lt $end ] || host_bail "strace does not attach to $pid"
		sleep 0.01
	done
	tenants=$((tenants + 1))
	svcenc tenant create "t$tenants"
	kill $tracer
	wait $tracer
}

alpha_is_as_it_was() {
	svcenc tenant show alpha --json
	[ "$out" = "$alpha" ] || problem "$1: alpha is not as it was: $out $err"
}

# fault NAME SYSCALL NUMBER ERROR STATUS ERROR_WORDS HINT_WORDS: in svcencd, or
# in the worker of the vault of that name.
fault() {
	local name=$1 call=$2 number=$3 error=$4 wanted=$5 words=$6 hint=$7 pid=$host_pid what said

	what="$name, $call $number: $error"
	[ "$name" = svcencd ] || pid=$(host_worker "$name")
	# getpid: the number that strace itself would put in place of the call is
	# not among those that a worker's sandbox lets pass
	traced "$pid" -e trace="$call" -e inject="$call:error=$error:when=$number:syscall=getpid"
	grep -q INJECTED "$CLI_TMP/strace" || problem "$what: was not injected"
	faults=$((faults + 1))
	[ "$status" = "$wanted" ] || problem "$what: exit $status, wanted $wanted: $err"
	# of a flush, SQLite tells only that it failed
	[ "$call" = fdatasync ] && said=${text[EIO]} || said=${text[$error]}
	grep -q "^svcenc: error: .*$words.*: $said" <<<"$err" || problem "$what: $err"
	grep -q "^svcenc: hint: .*$hint" <<<"$err" || problem "$what: $err"
	alpha_is_as_it_was "$what"
	host_stop KILL
	host_start
	alpha_is_as_it_was "$what, svcencd killed"
	svcenc tenant create "t$tenants"
	[ "$status" = 0 ] || problem "$what: again: exit $status: $err"
	svcenc policy list --json
	[ "$(grep -c '"kind": "provider"' <<<"$out")" = $((tenants + 1)) ] || problem "$what: policies: $out"
}

# calls_of PID SYSCALL...: how many of each an undisturbed command makes.
calls_of() {
	local pid=$1 call

	shift
	traced "$pid" -e trace="$(IFS=,; echo "$*")"
	[ "$status" = 0 ] || host_bail "tenant create: $err"
	for call; do
		grep -c "^$call(" "$CLI_TMP/strace"
	done
}

# every_fault NAME PID STATUS WORDS HINT SYSCALL...
every_fault() {
	local name=$1 pid=$2 status_wanted=$3 words=$4 hint=$5 calls count number error

	shift 5
	calls_of "$pid" "$@" >"$CLI_TMP/calls.$name"
	mapfile -t calls <"$CLI_TMP/calls.$name"
	for call; do
		count=${calls[0]}
		calls=("${calls[@]:1}")
		[ "$count" -gt 0 ] || problem "$name makes no $call"
		for ((number = 1; number <= count; number++)); do
			for error in ENOSPC EIO; do
				fault "$name" "$call" $number $error "$status_wanted" "$words" "$hint"
			done
		done
		echo "# $name: $count times $call"
	done
}

host_prepare
host_start
svcenc tenant create alpha
svcenc tenant show alpha --json
alpha=$out
cli_is "tenant alpha" "$status" 0
every_fault svcencd "$host_pid" 4 "cannot write the store $host_state/store.db" "run the same command again" \
	pwrite64 fdatasync
cli_is "each write and flush of the store failed once with each error: problems" $problems 0
for vault in a b availability; do
	every_fault $vault "$(host_worker $vault)" 6 "vault '$vault' .*cannot make key '.*' in $host_vaults/$vault" "try again" \
		write fsync linkat
done
cli_is "the same for root keys in three vaults: problems" $problems 0
echo "# $faults faults"
if [ $faults -ge 60 ]; then cli_pass "there were that many"; else cli_fail "there were that many"; fi
svcenc tenant list --json
cli_is "in the end all tenants are there" "$(grep -c '"created"' <<<"$out")" $((tenants + 1))
host_stop TERM
cli_done
