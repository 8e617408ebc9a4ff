# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For the tests that kill svcencd at each of its steps: count them, one round
# for each, the cure that svcenc prints, the wanted state. The test has two
# functions, save and restore, for what there is before a command, and for each
# command before_NAME and after_NAME. Sourced after lib_agent.sh.
#
# shellcheck disable=SC2154,SC2034 # agent_* and svc_* come from there, others go to the tests

agent_bin=$svc_top/build/test/bin
kills=0 cures=0 problems=0 total=0 round='' commands=0 cli_kills=0
# What svcenc says to a command that had done all when it was killed, and that
# cannot be told from a mistaken one.
killed_behind_all='opens its key: it is not lost'
: >"$SVC_TMP/reached"

problem() {
	problems=$((problems + 1))
	svc_note "$round: $*"
}

quiet() {
	"$@" >"$SVC_TMP/said" 2>&1 </dev/null
}

# The agent died under "svcenc WORDS...".  svcenc's words are followed: look
# at the state (systemd has started the agent by then, which agent_start plays
# and waits for), give the command again.  Should that fail, its hint may name
# one more command, between quotes.
cure() {
	local command

	kills=$((kills + 1))
	grep -q "^svcenc: hint: .*'svcenc agent status'.* then give the command again" "$SVC_TMP/said" ||
		problem "no cure in: $(cat "$SVC_TMP/said")"
	wait "$agent_pid" 2>/dev/null
	agent_start
	if ! quiet svcenc "$@" && ! grep -q "^svcenc: error: .*$killed_behind_all" "$SVC_TMP/said"; then
		command=$(sed -n "s/^svcenc: hint: .*'svcenc \\([^']*\\)'.*/\\1/p" "$SVC_TMP/said")
		svc_note "$round: second cure: svcenc $command"
		# shellcheck disable=SC2086 # words
		quiet svcenc $command
		if ! quiet svcenc "$@"; then
			problem "svcenc $*: not cured: $(cat "$SVC_TMP/said")"
			return
		fi
	fi
	cures=$((cures + 1))
}

agent_died() {
	! agent_lives
}

# cli_killed NAME WORDS...: svcenc dies before it has asked, then before it has
# heard the answer; given again, the command ends in the wanted state.
cli_killed() {
	local name=$1 step

	shift
	round="svcenc $*, itself killed"
	restore
	agent_start
	before_"$name"
	for step in 1 2; do
		quiet svcenc --kill-at-step $step "$@"
		if [ $? -eq 137 ]; then cli_kills=$((cli_kills + 1)); else problem "not killed at step $step"; fi
	done
	quiet svcenc "$@" || problem "again: $(cat "$SVC_TMP/said")"
	after_"$name"
}

# count_steps NAME WORDS...: of "svcenc WORDS...", into "steps" and "skip". What
# is saved is the state before; it is left afterwards.
count_steps() {
	local name=$1

	shift
	round="svcenc $*"
	restore
	agent_start_with --count-steps "$SVC_TMP/steps"
	before_"$name"
	skip=$(wc -l <"$SVC_TMP/steps")
	quiet svcenc "$@" || problem "without a kill: $(cat "$SVC_TMP/said")"
	mapfile -t steps < <(tail -n "+$((skip + 1))" "$SVC_TMP/steps" | cut -d ' ' -f 2-)
	after_"$name"
	svc_note "svcenc $*: ${#steps[@]} steps: ${steps[*]}"
	printf '%s\n' "${steps[@]}" >>"$SVC_TMP/reached"
}

# killed_rounds NAME WORDS...: counts the steps, then one round for each.
killed_rounds() {
	local name=$1 skip steps step

	count_steps "$@"
	shift
	commands=$((commands + 1))
	total=$((total + ${#steps[@]}))
	for step in "${!steps[@]}"; do
		round="svcenc $*, killed at step $((step + 1)), ${steps[step]}"
		restore
		agent_start_with --kill-at-step $((skip + step + 1))
		before_"$name"
		quiet svcenc "$@" && problem "was not killed"
		if svc_wait 5 agent_died; then
			cure "$@"
			after_"$name"
		else
			problem "svcenc $*: $(cat "$SVC_TMP/said")"
		fi
	done
}

# every_step NAME WORDS...
every_step() {
	killed_rounds "$@"
	cli_killed "$@"
}

# killed_steps: all that stand in svcencd's sources.
killed_steps() {
	cat "$svc_top"/agent/daemon/*.c | grep -o 'svcenc_step("[^"]*")' | cut -d '"' -f 2 | sort -u
}

# Those of what becomes of a policy: t_policy_killed_at_every_step.sh and
# t_policy_roots.sh see to them, the rest is of volumes.
killed_policy_steps='^(change|pass|refresh|retire)-|^root-renewed$|^recover-(policy-newer|policy-older|volume-key)$'
