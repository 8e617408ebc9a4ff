#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give a vault directory a wrong mode and owner, fill the disk
# DESCRIPTION: under the store, start a second agent, kill workers, knock as an
# DESCRIPTION: unprivileged user, and send 10,000 malformed messages: each is
# DESCRIPTION: refused in words that help, and the service goes on.
# RUNS: vm
# VM: --smp 2 --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly MESSAGES=2500 # to each of four sockets
vaults=$agent_dir/vaults

worker_of() {
	pgrep -P "$agent_pid" -f -- "--name $1 "
}

vault_directory_of_others() {
	local uid

	uid=$(id -u svcenc-vault)
	svc_must chmod 755 "$vaults/a"
	agent_refused "mode of a vault directory: found" 2 "mode 0755" vault test a
	agent_refused "its path and cure" 2 "chown $uid $vaults/a && chmod 0700 $vaults/a" vault test a
	svc_ok "the other root still opens volumes" svcenc open v
	agent_must svcenc close v
	svc_must chmod 700 "$vaults/a"
	svc_ok "with the mode as it should be" svcenc vault test a
	svc_must chown root "$vaults/b"
	agent_refused "owner of a vault directory" 2 "chown $uid $vaults/b && chmod 0700 $vaults/b" vault test b
	svc_must chown svcenc-vault "$vaults/b"
	svc_ok "with the owner as it should be" svcenc vault test b
	svc_must chmod 644 "$vaults/b"/svcenc-selftest.1.key
	agent_refused "mode of a root key" 2 "chmod 0600 $vaults/b/svcenc-selftest.1.key" vault test b
	svc_must chmod 600 "$vaults/b"/svcenc-selftest.1.key
	svc_ok "with that mode as it should be" svcenc vault test b
}

second_agent() {
	local first=$agent_pid

	agent_launch
	wait "$agent_pid"
	svc_is "a second agent: exit" $? 5
	agent_pid=$first
	svc_ok "it says so" grep -q "error: another svcencd runs with $agent_dir/run" "$agent_log"
	svc_ok "the first one serves on" agent_answers
}

killed_workers() {
	local i pid

	agent_must svcenc open v
	for i in 1 2; do
		pid=$(worker_of a)
		svc_must kill -9 "$pid"
		svc_ok "worker killed, round $i: I/O goes on" agent_reads /dev/mapper/v
		svc_ok "it is started again" svc_wait 15 svcenc vault test a
		svc_ok "as another process" test "$(worker_of a)" != "$pid"
	done
	svc_must pkill -9 -P "$agent_pid"
	svc_ok "all killed: all are back" svc_wait 20 eval 'svcenc vault test a && svcenc vault test b'
	svc_must chmod 700 "$agent_dir/libexec"
	svc_must kill -9 "$(worker_of a)"
	svc_ok "a worker that its user cannot run is named, with the cure" svc_wait 15 \
		grep -q "user 'svcenc-vault' cannot run $agent_dir/libexec/.*: install it where" "$agent_log"
	svc_must chmod 755 "$agent_dir/libexec"
	svc_ok "and with that done, it runs" svc_wait 30 svcenc vault test a
	agent_must svcenc close v
}

# as_nobody WORDS...
as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all \
		"$SVC_TMP/svcenc" --socket-dir "$agent_dir/run" "$@" >"$SVC_TMP/said" 2>&1
}

unprivileged_user() {
	svc_must install -m 755 "$agent_bin/svcenc" "$SVC_TMP/svcenc"
	as_nobody volume list
	svc_is "a stranger lists volumes: exit" $? 2
	svc_ok "and is told what is missing" grep -q '^svcenc: hint: .*svcenc-operator' "$SVC_TMP/said"
	as_nobody open v
	svc_is "a stranger opens a volume: exit" $? 2
	as_nobody tenant create x
	svc_is "a stranger makes a tenant: exit" $? 2
	as_nobody agent status
	svc_is "a stranger may see the counts: exit" $? 0
	svc_is "without a name in it" "$(grep -c alpha "$SVC_TMP/said")" 0
	chmod 666 "$agent_dir/run/operator.sock" # even then the peer is looked at
	as_nobody volume list
	svc_is "a stranger on a socket open to all is hung up on: exit" $? 10
	chmod 660 "$agent_dir/run/operator.sock"
}

open_files() {
	find "/proc/$1/fd" -mindepth 1 | wc -l
}

resident() {
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

garbage() {
	local socket pid=$agent_pid worker files rss grown

	worker=$(worker_of b)
	files=$(open_files "$pid")/$(open_files "$worker")
	/usr/bin/python3 "$agent_here/agent_garbage" "$agent_dir/run/status.sock" 300 1 >/dev/null
	rss=$(resident "$pid")
	for socket in status.sock operator.sock officer.sock vault/b/sock; do
		svc_ok "$MESSAGES malformed messages to $socket" /usr/bin/python3 \
			"$agent_here/agent_garbage" "$agent_dir/run/$socket" \
			$MESSAGES $((MESSAGES + ${#socket})) && svc_note "$(cat "$SVC_TMP/output")"
	done
	grown=$(($(resident "$pid") - rss))
	svc_ok "the agent is the same process" eval "agent_lives && [ $pid = $agent_pid ]"
	svc_ok "and answers" agent_answers
	svc_is "the worker is the same process" "$(worker_of b)" "$worker"
	svc_ok "and answers" svcenc vault test b
	svc_wait 10 eval "[ \$(open_files $pid)/\$(open_files $worker) = $files ]"
	svc_is "open files of agent and worker" "$(open_files "$pid")/$(open_files "$worker")" "$files"
	svc_ok "memory has not grown by a mebibyte ($grown KiB)" test "$grown" -lt 1024
}

full_disk() {
	local names

	agent_kill TERM
	svc_must mount -t tmpfs -o size=1M,mode=700 none "$SVC_TMP/full"
	svc_must cp -a "$agent_dir/state/." "$SVC_TMP/full/"
	svc_must mount --move "$SVC_TMP/full" "$agent_dir/state"
	agent_start
	names=$(svcenc tenant list)
	dd if=/dev/zero of="$agent_dir/state/fill" bs=1k 2>/dev/null
	svc_is "the disk is full" "$(df --output=avail "$agent_dir/state" | tail -n 1 | tr -d ' ')" 0
	local i failed=0
	for ((i = 0; i < 40 && failed == 0; i++)); do
		svcenc tenant create full$i >/dev/null 2>&1 || failed=$i
		names=$(svcenc tenant list)
	done
	agent_refused "full disk" 4 "make room on that filesystem" tenant create "full$failed"
	svc_is "what was there is there" "$(svcenc tenant list)" "$names"
	svc_ok "and usable: open" svcenc open v
	svc_ok "read" agent_reads /dev/mapper/v
	svc_ok "close" svcenc close v
	agent_kill KILL
	agent_launch
	svc_ok "after SIGKILL it starts on the full disk, for the leases' sake" svc_wait 15 agent_answers ||
		tail -n 3 "$agent_log" | sed 's/^/# /'
	agent_kill KILL
	rm "$agent_dir/state/fill"
	agent_start
	svc_is "after SIGKILL, with room, all is there" "$(svcenc tenant list)" "$names"
	svc_ok "the same command goes through" svcenc tenant create "full$failed"
	agent_kill TERM
	svc_must umount "$agent_dir/state"
}

mkdir "$SVC_TMP/full"
agent_prepare
agent_start
agent_must svcenc tenant create alpha
agent_must svcenc format v /dev/vda --tenant alpha
agent_must svcenc vault test a
agent_must svcenc vault test b
vault_directory_of_others
second_agent
killed_workers
unprivileged_user
garbage
full_disk
svc_done
