#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will end svcencd 12 times under full load, with SIGTERM and with
# DESCRIPTION: SIGKILL in turn, and start it again: not one I/O fails.  Then it is killed
# DESCRIPTION: and stays dead: I/O fails when the lease ends, not before, within 1 s.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/cli/agent_dies.sh
. "$(dirname "$0")/agent_dies.sh"
readonly RESTARTS=${1:-12}

# SIGKILL leaves no time to say good-bye; both leave the kernel alone.
restarts() {
	local i signal all=0 slowest=0 began took

	svc_ok "I/O flows" svc_load_sees ok
	for ((i = 0; i < RESTARTS; i++)); do
		signal=$((i % 2 ? 9 : 15))
		agent_kill $signal
		began=$(now_ms)
		agent_start
		took=$(($(now_ms) - began))
		slowest=$((took > slowest ? took : slowest))
		all=$((all + took))
	done
	svc_load_facts
	svc_is "failed I/O in $RESTARTS restarts" "$fact_failed" 0
	svc_is "wrong reads" "$fact_wrong" 0
	svc_ok "$fact_ok I/Os succeeded" test "$fact_ok" -gt $((20 * RESTARTS))
	svc_note "start: $((all / RESTARTS)) ms, slowest $slowest ms"
	svc_ok "I/O flows on" svc_load_sees ok
}

agent_prepare
dies_begin 8
restarts
dies_at_lease_end "killed"
dies_end
svc_done
