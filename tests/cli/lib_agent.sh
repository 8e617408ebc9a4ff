# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Helpers of the tests that run the real agent, in a VM: module, vault user,
# svcencd with directories of its own, svcenc talking to it.  On top of the
# kernel tests' library (checks, load, way down).
#
# shellcheck disable=SC2154 # svc_* come from lib.sh

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../kselftest/dm-svcenc/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_top/tests/kselftest/dm-svcenc/lib/key.sh"

agent_bin=${CLI_BIN:-$svc_top/build/bin}
# shellcheck disable=SC2034 # for the tests
agent_here=$svc_top/tests/cli
agent_pid='' agent_dir=$SVC_TMP/agent
agent_sockets=$agent_dir/run agent_log=$SVC_TMP/agent.log
agent_paths=(--etc "$agent_dir/etc" --state "$agent_dir/state"
	--run "$agent_dir/run" --vault-state "$agent_dir/vaults"
	--libexec "$agent_dir/libexec")
: >"$agent_log"
agent_lines=()
mkdir "$agent_dir"
chmod 755 "$SVC_TMP" "$agent_dir" # the workers are not root

# shellcheck disable=SC2317 # called by a trap
agent_cleanup() {
	local name

	# a child that gets a signal before its exec comes here, too
	[ "$BASHPID" = $$ ] || return
	{
		agent_kill KILL
		awk '$1 ~ "^/dev/mapper/" { print $2 }' /proc/self/mounts | xargs -r umount
		for name in $(dmsetup table --target svcenc | cut -d : -f 1); do
			dmsetup remove --retry "$name"
		done
		dmsetup remove_all # what a test had put below
		swapoff -a
	} >/dev/null 2>&1
	svc_cleanup
}
trap agent_cleanup EXIT

agent_prepare() {
	# shellcheck disable=SC2119 # no module parameters
	svc_load_module
	getent passwd svcenc-vault >/dev/null ||
		svc_must useradd --system --no-create-home --shell /usr/sbin/nologin svcenc-vault
}

# agent_launch OPTION...: starts svcencd and returns at once.  The workers' user
# may not be let into this checkout (below a home directory), so they run from
# a place of the test.
agent_launch() {
	local worker=$agent_dir/libexec/svcenc-vault-file

	cmp -s "$agent_bin/svcenc-vault-file" "$worker" ||
		svc_must install -D -m 755 "$agent_bin/svcenc-vault-file" "$worker"
	mapfile -t agent_lines <"$agent_log"
	"$agent_bin/svcencd" "${agent_paths[@]}" "$@" 2>>"$agent_log" &
	agent_pid=$!
}

agent_answers() {
	"$agent_bin/svcenc" --socket-dir "$agent_sockets" agent status
}

# It has said so since agent_launch. Looks, and naps, without a process: in an
# emulated machine each one would take time from what it waits for.
agent_is_ready() {
	local new

	mapfile -t -s ${#agent_lines[@]} new <"$agent_log"
	[[ ${new[*]} == *"svcencd: ready"* ]]
}

agent_nap() {
	# shellcheck disable=SC2154 # opened by lib.sh
	read -r -t 0.03 -u "$svc_silence" || : # times out, always
}

# agent_start_with OPTION...: and waits until it answers.
# shellcheck disable=SC2120 # options come from a test
agent_start_with() {
	local end=$((SECONDS + 60))

	agent_launch "$@"
	until agent_is_ready; do
		if [ "$SECONDS" -ge "$end" ] || ! agent_lives; then
			svc_bail "svcencd does not start: $(tail -n 5 "$agent_log")"
		fi
		agent_nap
	done
	agent_answers >/dev/null 2>&1 || svc_bail "svcencd is ready, but does not answer"
}

agent_start() {
	# shellcheck disable=SC2119
	agent_start_with
}

# A zombie is no agent.
agent_lives() {
	local state

	[ -n "$agent_pid" ] &&
		read -r _ _ state _ 2>/dev/null <"/proc/$agent_pid/stat" && [[ $state != [ZX] ]]
}

# agent_kill SIGNAL: and waits; its exit status.
agent_kill() {
	local status

	[ -n "$agent_pid" ] || return 0
	kill "-$1" "$agent_pid" 2>/dev/null
	wait "$agent_pid" 2>/dev/null
	status=$?
	agent_pid=''
	return $status
}

svcenc() {
	"$agent_bin/svcenc" --socket-dir "$agent_sockets" "$@"
}

# A step on the way to a check; speaks only when it fails.
agent_must() {
	"$@" >"$SVC_TMP/output" 2>&1 </dev/null || svc_bail "$*: $(cat "$SVC_TMP/output")"
}

# agent_refused NAME STATUS TEXT WORDS...: svcenc exits so, and its message
# (all of what it says, on one line) has TEXT in it.
agent_refused() {
	local name=$1 wanted=$2 text=$3 status said

	shift 3
	said=$(svcenc "$@" 2>&1 </dev/null)
	status=$?
	if [ "$status" = "$wanted" ] && [[ ${said//$'\n'/ } == *"$text"* ]]; then
		svc_pass "$name (exit $status)"
		return 0
	fi
	svc_fail "$name"
	svc_note "wanted: exit $wanted, ...$text..."
	svc_note "got: exit $status, $said"
	return 1
}

# agent_field NAME WORDS...: a member of an answer, without quotes: its first
# occurrence in the JSON text.
agent_field() {
	local name=$1

	shift
	svcenc "$@" --json | sed -n "s/^ *\"$name\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1
}

# For checks: one direct read says what I/O says.
agent_reads() {
	dd if="$1" of=/dev/null bs=4096 count=1 iflag=direct status=none
}

now_ms() {
	local up

	read -r up _ </proc/uptime
	echo "${up/./}0"
}
