#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will count the steps of tenant create, format, open, close and
# DESCRIPTION: resize, kill svcencd with SIGKILL at each of them, start it again, do what
# DESCRIPTION: svcenc then prints as the cure, and find the wanted state each time.
# RUNS: vm
# VM: --disk 96M
# SET: quick
# TIMEOUT: 420

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
agent_bin=$svc_top/build/test/bin

kills=0 cures=0 problems=0 round=0

problem() {
	problems=$((problems + 1))
	svc_note "killed at step $round (${names[round - 1]:-none}): $*"
}

# The agent died under "svcenc WORDS...".  svcenc's words are followed: look at
# the state (systemd has started the agent by then), give the command again.
# Should that fail, its hint may name one more command, between quotes.
cure() {
	local command

	kills=$((kills + 1))
	grep -q "^svcenc: hint: .*'svcenc agent status'.* then give the command again" "$SVC_TMP/said" ||
		problem "no cure in: $(cat "$SVC_TMP/said")"
	wait "$agent_pid" 2>/dev/null
	agent_start
	svcenc agent status >/dev/null || problem "no state after the restart"
	if ! svcenc "$@" >"$SVC_TMP/said" 2>&1 </dev/null; then
		command=$(sed -n "s/^svcenc: hint: .*'svcenc \\([^']*\\)'.*/\\1/p" "$SVC_TMP/said")
		svc_note "killed at step $round (${names[round - 1]}): second cure: svcenc $command"
		# shellcheck disable=SC2086 # words
		svcenc $command >>"$SVC_TMP/said" 2>&1 </dev/null &&
			svcenc "$@" >>"$SVC_TMP/said" 2>&1 </dev/null || {
			problem "svcenc $*: not cured: $(cat "$SVC_TMP/said")"
			return
		}
	fi
	cures=$((cures + 1))
}

step() {
	svcenc "$@" >"$SVC_TMP/said" 2>&1 </dev/null && return
	svc_wait 2 agent_died || {
		problem "svcenc $*: $(cat "$SVC_TMP/said")"
		return
	}
	cure "$@"
}

# shellcheck disable=SC2317 # called through svc_wait
agent_died() {
	! agent_lives
}

below() {
	echo "0 $1 linear /dev/vda 0"
}

first_bytes() {
	dd if=/dev/mapper/v bs=4096 count=1 iflag=direct status=none | head -c ${#1}
}

flow() {
	local words="written in round $round" sectors

	step tenant create alpha
	step format v /dev/mapper/below --tenant alpha
	step open v
	printf %s "$words" | dd of=/dev/mapper/v bs=4096 conv=sync oflag=direct status=none ||
		problem "cannot write"
	step close v
	[ ! -e /dev/mapper/v ] || problem "closed, but there"
	step open v
	dmsetup suspend below
	dmsetup load below --table "$(below 163840)"
	dmsetup resume below
	step volume resize v
	sectors=$(blockdev --getsz /dev/mapper/v)
	[ "$sectors" -gt 131072 ] || problem "not grown: $sectors sectors"
	[ "$(first_bytes "$words")" = "$words" ] || problem "other data"
	step close v
	[ "$(svcenc volume list --json | grep -c '"state": "closed"')" = 1 ] || problem "not closed"
}

reset() {
	agent_kill KILL
	for name in v below; do
		[ ! -e "/dev/mapper/$name" ] || svc_must dmsetup remove --retry "$name"
	done
	rm -rf "${agent_dir:?}"/*
	dd if=/dev/zero of=/dev/vda bs=1M count=5 oflag=direct status=none
	svc_must dmsetup create below --table "$(below 131072)"
}

names=()
agent_prepare
reset
agent_start --count-steps "$SVC_TMP/steps"
flow
svc_is "without a kill" "$problems" 0
mapfile -t names < <(cut -d ' ' -f 2- "$SVC_TMP/steps")
svc_note "steps: ${#names[@]}: ${names[*]}"
svc_ok "there are steps" test ${#names[@]} -ge 20
# the steps of the agent's own start are before the first command: all count
for ((round = 1; round <= ${#names[@]}; round++)); do
	reset
	before=$kills
	agent_start --kill-at-step $round
	flow
	[ $kills -eq $((before + 1)) ] || problem "killed $((kills - before)) times"
done
round=0
svc_is "killed once at each of ${#names[@]} steps" "$kills" ${#names[@]}
svc_is "each cure worked" "$cures" "$kills"
svc_is "problems" "$problems" 0
agent_kill TERM
svc_must dmsetup remove --retry below
svc_done
