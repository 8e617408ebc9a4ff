# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests in which svcencd dies under load: a volume "v" with a short
# lease and a load on it, and what is to happen at the lease's end. Sourced
# after lib_agent.sh.
#
# shellcheck disable=SC2154 # svc_*, fact_* come from there

genl=$svc_top/build/test/bin/svcenc-genl

# dies_begin LEASE_SECONDS
dies_begin() {
	dies_lease=$1
	agent_start
	agent_must svcenc tenant create alpha
	agent_must svcenc policy create alpha quick --lease "$dies_lease" --probe 2
	agent_must svcenc format v /dev/vda --tenant alpha --policy quick
	agent_must svcenc open v
	svc_load_begin /dev/mapper/v --threads 1
}

# dies_at_lease_end NAME [DATE]: the agent is killed; the load's clock and the
# kernel's lease are CLOCK_MONOTONIC and CLOCK_BOOTTIME, the same here.
dies_at_lease_end() {
	local name=$1 when=${2:-} left before after first end

	svc_load_facts
	svc_is "$name: failed I/O until then" "$fact_failed" 0
	agent_kill KILL
	# it takes a slow machine some time to ask: the end lies between the two
	before=$(now_ms)
	"$genl" keys >"$SVC_TMP/keys"
	after=$(now_ms)
	left=$(sed -n 's/.* LEASE_LEFT_MS=\([0-9]*\) .*/\1/p' "$SVC_TMP/keys")
	svc_note "$name: agent dead, lease left $left ms of $dies_lease s"
	svc_ok "$name: the lease runs" test "$left" -gt 2000
	[ -z "$when" ] || svc_must date -s "$when" >/dev/null
	end=$((SECONDS + dies_lease + 10))
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

dies_end() {
	svc_load_end
	agent_must svcenc close v
	agent_kill TERM
}
