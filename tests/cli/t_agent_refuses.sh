#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will give a vault directory a wrong mode and owner, fill the disk
# DESCRIPTION: under the store, exhaust the quota of keys, start a second agent, kill
# DESCRIPTION: workers, knock as an unprivileged user, and repeat an open that fails: each
# DESCRIPTION: is refused in words that help, and the service goes on.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
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

# Nothing of a refused open is left.
nothing_is_open() {
	[ ! -e /dev/mapper/v ] && ! dmsetup table --target svcenc | grep -q -v "^No devices" &&
		! awk '$8 == "svcenc" && $2 !~ /[RDi]/' /proc/keys | grep -q .
}

# A mistyped or missing key must not wear anything out.
failing_open_repeated() {
	local i codes='' files said=''

	agent_must svcenc vault test a
	files=$(open_files "$agent_pid")
	svc_must chmod 755 "$vaults/a" "$vaults/b"
	for ((i = 0; i < 10; i++)); do
		svcenc open v >"$SVC_TMP/said" 2>&1
		codes+="$? "
		nothing_is_open || said+="round $i: $(cat /proc/keys) $(dmsetup table)"
	done
	svc_is "an open that fails, ten times: exit" "$codes" "2 2 2 2 2 2 2 2 2 2 "
	svc_is "nothing was opened, no key is there" "$said" ""
	svc_wait 5 eval "[ \$(open_files $agent_pid) = $files ]"
	svc_is "open files of the agent" "$(open_files "$agent_pid")" "$files"
	svc_must chmod 700 "$vaults/a" "$vaults/b"
	svc_ok "then it opens at once" svcenc open v
	agent_must svcenc close v
}

no_room_for_keys() {
	local limit=/proc/sys/kernel/keys/root_maxkeys before

	before=$(<$limit)
	echo 1 >$limit
	agent_refused "the quota of keys is exhausted" 4 "cannot add the policy key to the kernel: Disk quota exceeded" open v
	agent_refused "the hint names the limit" 4 "raise $limit" open v
	svc_ok "no half-open device, no key" nothing_is_open
	echo "$before" >$limit
	svc_ok "with room again it opens" svcenc open v
	agent_must svcenc close v
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
agent_must svcenc open v # its key is made here, not in what follows
agent_must svcenc close v
vault_directory_of_others
failing_open_repeated
no_room_for_keys
second_agent
killed_workers
unprivileged_user
full_disk
svc_done
