#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will learn all keys of a volume through the model and search for
# DESCRIPTION: them in a core file and the memory of agent and workers, command lines, store,
# DESCRIPTION: logs, audit records, tables, /proc/keys, what svcenc-dump prints and a swap
# DESCRIPTION: device: none is there, and a worker cannot be read by its own user.  The same search
# DESCRIPTION: catches a build of the agent that was made leaky on purpose.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
keys=$SVC_TMP/keys.json roots=$SVC_TMP/roots.json own=$SVC_TMP/own.json
vaults=$agent_dir/vaults
audit_pid='' decoy=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n') # no key of anything

# The life of a volume, with all that makes the agent handle a policy key.
life() {
	agent_must svcenc tenant create alpha
	agent_must svcenc format v /dev/vda --tenant alpha
	agent_must svcenc open v
	agent_kill TERM
	agent_start
	svc_wait 10 svcenc vault test a
	keyctl revoke "$(keyctl search "$svc_keyring" svcenc "$(agent_field key status v)")"
	agent_must svcenc open v
	agent_must agent_reads /dev/mapper/v
}

learn_keys() {
	dd if=/dev/vda of="$SVC_TMP/header" bs=1M count=4 iflag=direct status=none
	svc_must "$svc_model" keys --json --vault "a=$vaults/a" --vault "b=$vaults/b" "$SVC_TMP/header" >"$SVC_TMP/all.json"
	jq 'del(.check)' "$SVC_TMP/all.json" >"$keys"
	svc_ok "the model tells the keys" test "$(jq length "$keys")" -ge 5
	# root keys: with the vaults alone, not with the agent
	for file in "$vaults"/{a,b,availability}/*.key; do
		printf '"%s": "%s"\n' "${file#"$vaults"/}" "$(jq -r .key "$file" | base64 -d | od -An -v -tx1 | tr -d ' \n')"
	done | paste -s -d , | sed 's/.*/{&}/' >"$roots"
	svc_ok "root keys are known" test "$(jq length "$roots")" -ge 3
	# what the agent does hold for good, in locked memory: proof of the search
	printf '{"store key": "%s"}\n' "$(od -An -v -tx1 "$vaults/store-mac.key" | tr -d ' \n')" >"$own"
	jq -s add "$keys" "$roots" "$own" >"$SVC_TMP/every.json"
}

# search KEYS PLACE...: says what it found; fails when it found something.
search() {
	/usr/bin/python3 "$agent_here/agent_find_keys" "$@"
}

none() {
	local name=$1

	shift
	svc_ok "$name" search "$@" && svc_note "$(tail -n 1 "$SVC_TMP/output")"
}

# found NAME KEYS PLACE...
found() {
	local name=$1

	shift
	if search "$@" >"$SVC_TMP/output"; then
		svc_fail "$name"
	else
		svc_pass "$name"
		sed 's/^/# /' "$SVC_TMP/output"
	fi
}

core_of() {
	gcore -o "$SVC_TMP/core" "$1" >"$SVC_TMP/gcore.out" 2>&1 || svc_bail "gcore: $(cat "$SVC_TMP/gcore.out")"
	echo "$SVC_TMP/core.$1"
}

cores_and_memory() {
	local core

	svc_ok "memory is locked ($(sed -n 's/^VmLck:[[:space:]]*//p' "/proc/$agent_pid/status"))" \
		grep -q '^VmLck:.*[1-9]' "/proc/$agent_pid/status"
	core=$(core_of "$agent_pid")
	none "a core file of the agent" "$SVC_TMP/every.json" "$core"
	none "all memory of the agent, locked too" <(jq -s add "$keys" "$roots") "pid:$agent_pid"
	found "where the search finds what is there" "$own" "pid:$agent_pid"
	# shellcheck disable=SC2046 # numbers
	none "all memory of the workers" <(jq -s add "$keys" "$roots") \
		$(pgrep -P "$agent_pid" | sed "s|^|pid:|")
}

# with the identity of the workers
as_worker=(setpriv --reuid svcenc-vault --regid svcenc-vault --clear-groups --no-new-privs)

# shellcheck disable=SC2317 # called through svc_ok
# attaches PID: as a debugger does, or gcore; held for a second.
attaches() {
	"${as_worker[@]}" timeout 1 strace -o /dev/null -p "$1" >"$SVC_TMP/attach.out" 2>&1
	[ $? -eq 124 ]
}

worker_is_closed_to_its_user() {
	local worker own

	worker=$(pgrep -P "$agent_pid" -f -- "--name a ")
	echo 0 >/proc/sys/kernel/yama/ptrace_scope # not the reason for what follows
	"${as_worker[@]}" sleep 100 &
	own=$!
	svc_ok "a process of that user" svc_wait 10 grep -q sleep "/proc/$own/comm"
	svc_ok "a user can attach to another process of its own" attaches $own ||
		sed 's/^/# /' "$SVC_TMP/attach.out"
	kill $own
	wait $own 2>/dev/null
	svc_ok "but to no vault worker" eval "! attaches $worker"
	svc_ok "that is refused" grep -q 'Operation not permitted' "$SVC_TMP/attach.out" ||
		sed 's/^/# /' "$SVC_TMP/attach.out"
	svc_ok "nor read its memory" eval "! ${as_worker[*]} head -c 1 /proc/$worker/maps"
	svc_ok "the worker lives" svcenc vault test a
}

# Who audits system calls sees arguments, paths and addresses.
audit_begins() {
	"$agent_here/agent_audit" "$SVC_TMP/audit" &
	audit_pid=$!
	svc_wait 20 test -e "$SVC_TMP/audit" || svc_bail "system calls are not audited"
	/bin/true "$decoy"
}

audit_ends() {
	kill "$audit_pid"
	svc_ok "the audit of system calls ends" wait "$audit_pid"
	svc_ok "it has calls of add_key by svcencd ($(wc -l <"$SVC_TMP/audit") records)" \
		grep -q '^type=1300 .* syscall=248 .*comm="svcencd"' "$SVC_TMP/audit"
	printf '{"decoy": "%s"}\n' "$decoy" >"$SVC_TMP/decoy.json"
	found "it shows what is in a command line" "$SVC_TMP/decoy.json" "$SVC_TMP/audit"
	mv "$SVC_TMP/audit" "$SVC_TMP/said/audit"
}

words_and_files() {
	mkdir "$SVC_TMP/said"
	audit_ends
	cat /proc/[0-9]*/cmdline >"$SVC_TMP/said/cmdline" 2>/dev/null
	cat /proc/[0-9]*/environ >"$SVC_TMP/said/environ" 2>/dev/null
	dmsetup table --showkeys >"$SVC_TMP/said/table"
	dmsetup status >"$SVC_TMP/said/status"
	cat /proc/keys >"$SVC_TMP/said/keys"
	dmesg >"$SVC_TMP/said/dmesg"
	cp "$agent_log" "$SVC_TMP/said/log"
	svcenc policy show alpha provider --json >"$SVC_TMP/said/policy" 2>&1
	svcenc status v --json >"$SVC_TMP/said/volume" 2>&1
	"$svc_top/build/bin/svcenc-dump" /dev/vda >"$SVC_TMP/said/dump"
	"$svc_top/build/bin/svcenc-dump" --json /dev/vda >"$SVC_TMP/said/dump.json"
	svc_ok "svcenc-dump shows the volume" grep -q "$(agent_field uuid status v)" "$SVC_TMP/said/dump" "$SVC_TMP/said/dump.json"
	svc_ok "there is something to search in" eval "! find '$SVC_TMP/said' -empty | grep ."
	none "command lines, environments, tables, status, logs, /proc/keys, answers, dumps, audit records" \
		"$SVC_TMP/every.json" "$SVC_TMP/said"
	none "the store" "$SVC_TMP/every.json" "$agent_dir/state"
	none "the volume's header" <(jq -s add "$keys" "$roots") "$SVC_TMP/header"
}

swapped_kib() {
	sed -n 's/^VmSwap:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# Swaps the agent out as far as it lets itself be, and looks at the device.
swap_out() {
	/usr/bin/python3 "$agent_here/agent_find_keys" --page-out "$agent_pid"
	sync
	svc_ok "$1 is swapped out ($(swapped_kib "$agent_pid") KiB)" test "$(swapped_kib "$agent_pid")" -gt 0
	dd if=/dev/vdb of="$SVC_TMP/swap" bs=1M count=32 iflag=direct conv=sparse status=none
}

leaves_no_core() {
	local pid=$agent_pid

	cd "$SVC_TMP" || svc_bail "no $SVC_TMP"
	echo "core.of.%p" >/proc/sys/kernel/core_pattern
	echo 0 >/proc/sys/kernel/core_uses_pid
	ulimit -c unlimited
	# it signals itself: a child of this shell that gets a signal before its
	# exec is still this shell, and would run the clean-up of the test
	# shellcheck disable=SC2016 # for the other shell
	sh -c 'kill -SEGV $$' &
	wait $! 2>/dev/null
	svc_is "another process dies of a signal" $? 139
	svc_ok "and leaves a core file" test -s "core.of.$!"
	agent_kill TERM
	agent_start
	pid=$agent_pid
	kill -SEGV "$pid"
	wait "$pid" 2>/dev/null
	svc_is "the agent dies of it" $? 139
	agent_pid=''
	svc_ok "and leaves none" test ! -e "core.of.$pid"
}

agent_prepare
svc_ok "there is a leaky build (make agent-leaky)" test -x "$svc_top/build/test/leaky/svcencd"
svc_must mkswap -q /dev/vdb
svc_must swapon /dev/vdb
audit_begins
agent_start
life
learn_keys
cores_and_memory
worker_is_closed_to_its_user
words_and_files
swap_out "the agent"
none "the swap device" "$SVC_TMP/every.json" "$SVC_TMP/swap"
leaves_no_core
svc_must swapoff /dev/vdb
svc_must mkswap -q /dev/vdb
svc_must swapon /dev/vdb

svc_note "the same with an agent that is leaky on purpose"
agent_bin_true=$agent_bin
svc_must install -d "$SVC_TMP/leaky"
svc_must cp "$svc_top/build/test/leaky/"* "$agent_bin_true/svcenc" "$SVC_TMP/leaky/"
agent_bin=$SVC_TMP/leaky
agent_start
svc_wait 10 svcenc vault test a
keyctl revoke "$(keyctl search "$svc_keyring" svcenc "$(agent_field key status v)")"
agent_must svcenc open v
found "its core file gives it away" "$keys" "$(core_of "$agent_pid")"
swap_out "the leaky one"
found "its swapped pages do" "$keys" "$SVC_TMP/swap"
agent_must svcenc close v
agent_kill TERM
svc_must swapoff /dev/vdb
svc_done
