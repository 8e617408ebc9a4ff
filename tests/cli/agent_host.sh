# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The real svcencd and its workers on the host, for what needs no kernel
# module: store, vaults, sockets. Sourced after lib.sh; directories of its own,
# workers of user nobody, as the host may not have the real one.

host_pid='' host_log=$CLI_TMP/agent.log
host_state=$CLI_TMP/state host_vaults=$CLI_TMP/vaults host_run=$CLI_TMP/run
host_paths=(--etc "$CLI_TMP/etc" --state "$host_state" --run "$host_run"
	--vault-state "$host_vaults" --libexec "$CLI_TMP/libexec")
host_options=() # more of them, from a test
host_agent='' # or the one over a simulated kernel
: >"$host_log"

# shellcheck disable=SC2317 # called by a trap
host_end() {
	[ "$BASHPID" = $$ ] || return
	host_stop KILL
	cli_end
}
trap host_end EXIT

host_bail() {
	echo "Bail out! $*"
	exit 1
}

host_prepare() {
	local vault

	# lib.sh makes everybody root; here it must be one who can become nobody
	setpriv --reuid nobody --clear-groups true 2>"$CLI_TMP/said" ||
		host_bail "needs root: workers run as another user: $(cat "$CLI_TMP/said")"
	chmod 755 "$CLI_TMP" # the workers are not root
	install -D -m 755 "$CLI_BIN/svcenc-vault-file" "$CLI_TMP/libexec/svcenc-vault-file"
	mkdir -p "$CLI_TMP/etc/vaults.d"
	for vault in a b availability; do
		printf '[vault]\nuser = nobody\n' >"$CLI_TMP/etc/vaults.d/$vault.conf"
	done
}

host_lives() {
	[ -n "$host_pid" ] && grep -q '^State:.[^ZX]' "/proc/$host_pid/status" 2>/dev/null
}

# host_start [WRAPPER...]: svcencd, maybe under another program; waits until
# it answers.
# shellcheck disable=SC2120 # a wrapper comes from a test
host_start() {
	local end=$((SECONDS + 30))

	"$@" "${host_agent:-$CLI_BIN/svcencd}" "${host_paths[@]}" "${host_options[@]}" 2>>"$host_log" &
	host_pid=$!
	until "$CLI_BIN/svcenc" --socket-dir "$host_run" agent status >/dev/null 2>&1; do
		if [ $SECONDS -ge $end ] || ! host_lives; then
			host_bail "svcencd does not start: $(tail -n 5 "$host_log")"
		fi
		sleep 0.02
	done
}

# host_stop SIGNAL
host_stop() {
	[ -n "$host_pid" ] || return 0
	kill "-$1" "$host_pid" 2>/dev/null
	wait "$host_pid" 2>/dev/null
	host_pid=''
}

# host_refuses_to_start NAME STATUS ERROR HINT: patterns of what it says.
host_refuses_to_start() {
	local name=$1 wanted=$2 error=$3 hint=$4 status

	timeout 20 "$CLI_BIN/svcencd" "${host_paths[@]}" >"$CLI_TMP/said" 2>&1
	status=$?
	cli_is "$name: exit" "$status" "$wanted"
	if grep -q "error: $error" "$CLI_TMP/said" && grep -q "hint: $hint" "$CLI_TMP/said"; then
		cli_pass "$name: error and hint"
	else
		cli_fail "$name: error and hint"
		sed 's/^/# /' "$CLI_TMP/said"
	fi
}

host_worker() {
	pgrep -P "$host_pid" -f -- "--name $1 "
}
