#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will open 5 volumes under each of 200 policies on a real kernel: unwraps
# DESCRIPTION: are per policy, a restarted agent finds all of them and renews all leases within
# DESCRIPTION: the probe interval, withdrawn ones stop within their bound, the others go on.
# DESCRIPTION: Prints memory per policy and volume. Arguments: policies, volumes, interval.
# RUNS: vm
# VM: --mem 2048 --disk 9G
# SET: long
# TIMEOUT: 5400

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
policies=${1:-200} volumes=${2:-5} probe=${3:-30}

agent_prepare
mkdir -p "$agent_dir/etc"
printf '[agent]\nmetrics_interval = 1\n' >"$agent_dir/etc/svcencd.conf"
agent_start
echo "$agent_pid" >"$agent_dir/pid"
for ((i = 0; i < policies * volumes; i++)); do
	echo "part$i,,,rw,0 16384 linear /dev/vda $((i * 16384))"
done >"$SVC_TMP/parts"
svc_must dmsetup create --concise "$(paste -s -d ';' "$SVC_TMP/parts")"
# the agent is this shell's child, so it is this shell that starts it again
/usr/bin/python3 "$agent_here/sim/many_real.py" "$agent_dir" "$policies" "$volumes" "$probe" \
	>"$SVC_TMP/said" 2>&1 &
worker=$!
until ! kill -0 $worker 2>/dev/null; do
	if [ -e "$agent_dir/restart" ]; then
		agent_kill KILL
		agent_start
		echo "$agent_pid" >"$agent_dir/pid"
		rm "$agent_dir/restart"
	fi
	agent_nap
done
wait $worker
status=$?
sed 's/^/# /' "$SVC_TMP/said"
svc_is "$policies policies with $volumes open volumes each" $status 0
agent_kill TERM
svc_must dmsetup remove_all --retry
svc_done
