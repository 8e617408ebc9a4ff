#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will end svcencd 50 times under full load, with SIGTERM and with
# DESCRIPTION: SIGKILL in turn, and start it again: not one I/O fails.  Then it is killed
# DESCRIPTION: and stays dead: I/O fails when the lease ends, not before, within 1 s.
# DESCRIPTION: A clock that is set ten years back or forth changes nothing about that.
# RUNS: vm
# VM: --smp 2 --disk 96M
# SET: long
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly RESTARTS=50 LEASE=15
genl=$svc_top/build/test/bin/svcenc-genl

# SIGKILL leaves no time to say good-bye; both leave the kernel alone.
restarts() {
	local i signal total=0 slowest=0 began took

	svc_load_begin /dev/mapper/v --threads 2
	svc_ok "I/O flows" svc_load_sees ok
	for ((i = 0; i < RESTARTS; i++)); do
		signal=$((i % 2 ? 9 : 15))
		agent_kill $signal
		began=$(now_ms)
		agent_start
		took=$(($(now_ms) - began))
		slowest=$((took > slowest ? took : slowest))
		svc_load_facts
		total=$((total + fact_ok))
		[ "$fact_failed" -eq 0 ] || break
	done
	svc_is "restarts" "$i" $RESTARTS
	svc_load_facts
	svc_is "failed I/O" "$fact_failed" 0
	svc_is "wrong reads" "$fact_wrong" 0
	svc_note "$((total + fact_ok)) I/Os succeeded; slowest start $slowest ms"
	svc_ok "I/O flows on" svc_load_sees ok
}

# dies_at_lease_end NAME [DATE]: the agent is killed; the load's clock and the
# kernel's lease are CLOCK_MONOTONIC and CLOCK_BOOTTIME, the same here.
dies_at_lease_end() {
	local name=$1 when=${2:-} left before after first end

	svc_load_facts
	agent_kill KILL
	# it takes a slow machine some time to ask: the end lies between the two
	before=$(now_ms)
	"$genl" keys >"$SVC_TMP/keys"
	after=$(now_ms)
	left=$(sed -n 's/.* LEASE_LEFT_MS=\([0-9]*\) .*/\1/p' "$SVC_TMP/keys")
	svc_note "$name: agent dead, lease left $left ms of $LEASE s"
	svc_ok "$name: the lease runs" test "$left" -gt 3000
	[ -z "$when" ] || svc_must date -s "$when" >/dev/null
	end=$((SECONDS + LEASE + 10))
	until [ "$(svc_status v 1)" = locked ] || [ $SECONDS -ge $end ]; do
		sleep 0.2
	done
	svc_load_facts
	first=$((fact_first_failure / 1000000))
	svc_note "$name: lease over at $((before + left))..$((after + left)) ms, first failed I/O at $first ms ($fact_ok went well before)"
	svc_ok "$name: I/O flowed before" test "$fact_ok" -gt 0
	svc_ok "$name: I/O failed" test "$fact_failed" -gt 0
	svc_is "$name: with no other error than offline" "$fact_not_offline" 0
	svc_ok "$name: not before the lease's end" test "$first" -ge $((before + left))
	svc_ok "$name: within 1 s" test "$first" -le $((after + left + 1000))
	agent_start
	svc_ok "$name: the agent is back, I/O flows" svc_wait 20 agent_reads /dev/mapper/v
	svc_load_facts
}

agent_prepare
agent_start
agent_must svcenc tenant create alpha
agent_must svcenc policy create alpha quick --lease $LEASE --probe 3
agent_must svcenc format v /dev/vda --tenant alpha --policy quick
agent_must svcenc open v
restarts
dies_at_lease_end "killed"
dies_at_lease_end "killed, clock ten years back" "@$(($(date +%s) - 315360000))"
dies_at_lease_end "killed, clock ten years forth" "@$(($(date +%s) + 630720000))"
kill "$svc_load_pid"
wait "$svc_load_pid" 2>/dev/null
svc_load_pid=''
agent_must svcenc close v
agent_kill TERM
svc_must date -s "@$(($(date +%s) - 315360000))" >/dev/null # as it was
svc_done
