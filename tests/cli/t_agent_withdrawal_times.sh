#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will withdraw the root keys of volumes under load, in both vaults, again
# DESCRIPTION: and again: disabled, deleted, their file gone, permission removed. Each time
# DESCRIPTION: the I/O stops within the probe interval plus 5 s, with no other error than
# DESCRIPTION: offline, and flows again by itself once the keys are back. Prints the
# DESCRIPTION: distribution. Arguments: volumes, rounds, probe interval (10 5 2).
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 400

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
volumes=${1:-10} rounds=${2:-5} probe=${3:-2}

agent_prepare
mkdir -p "$agent_dir/etc/vaults.d"
for vault in told-a told-b; do
	printf '[vault]\nstart = external\nuser = root\n' >"$agent_dir/etc/vaults.d/$vault.conf"
	mkdir -p "$agent_dir/run/vault/$vault"
done
agent_start
for ((i = 0; i < volumes; i++)); do
	svc_must dmsetup create "part$i" --table "0 16384 linear /dev/vda $((i * 16384))"
done
if SVC_LOAD=$svc_bin/svcenc-load /usr/bin/python3 "$agent_here/sim/withdrawal_times.py" \
	"$agent_dir" "$volumes" "$rounds" "$probe"; then
	svc_pass "$((volumes * rounds)) withdrawals at a probe interval of $probe s"
else
	svc_fail "$((volumes * rounds)) withdrawals at a probe interval of $probe s"
	tail -n 40 "$agent_log" | sed 's/^/# /'
fi
agent_kill TERM
for ((i = 0; i < volumes; i++)); do
	svc_must dmsetup remove --retry "part$i"
done
svc_done
