#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will run volumes for more than two leases without a failed I/O,
# DESCRIPTION: then disable a policy's root keys in both vaults: I/O stops within the probe
# DESCRIPTION: interval plus 5 s. With on_withdrawal=shutdown a cached file is gone, with
# DESCRIPTION: fail it may stay. Neither a restart of svcencd nor an outage of the vaults
# DESCRIPTION: undoes it; enabled again, the service returns by itself and the data is intact.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500
#
# shellcheck disable=SC2317 # called through svc_ok and eval

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly LEASE=10 PROBE=2 BOUND_MS=7000
vaults=$agent_dir/vaults mnt=$SVC_TMP/mnt

# Two volumes of one policy: "raw" under load, "shut" mounted. "fail" is a
# volume of the other policy.
volumes() {
	svc_must dmsetup create half0 --table "0 81920 linear /dev/vda 0"
	svc_must dmsetup create half1 --table "0 81920 linear /dev/vda 81920"
	agent_must svcenc tenant create alpha
	agent_must svcenc policy create alpha strict --lease $LEASE --probe $PROBE
	agent_must svcenc policy create alpha lax --lease $LEASE --probe $PROBE --on-withdrawal fail
	agent_must svcenc format raw /dev/mapper/half0 --tenant alpha --policy strict
	agent_must svcenc format shut /dev/mapper/half1 --tenant alpha --policy strict
	agent_must svcenc format fail /dev/vdb --tenant alpha --policy lax
	agent_must svcenc open raw
	for name in shut fail; do
		agent_must svcenc open $name
		svc_must mkfs.ext4 -q /dev/mapper/$name
		mkdir -p "$mnt/$name"
		svc_must mount /dev/mapper/$name "$mnt/$name"
		head -c 1M /dev/urandom >"$SVC_TMP/$name.plain"
		svc_must cp "$SVC_TMP/$name.plain" "$mnt/$name/file"
	done
	sync
}

# file NAME: read through the page cache; fresh NAME: from the device.
file() {
	cmp "$mnt/$1/file" "$SVC_TMP/$1.plain"
}

fresh() {
	dd if="$mnt/$1/file" of=/dev/null bs=64k iflag=direct status=none
}

# All I/O of a volume that failed for want of its key.
offline() {
	svc_status "$1" 11
}

leases_are_renewed() {
	local end=$((SECONDS + 2 * LEASE + 2)) reads=0 failed=0

	while [ $SECONDS -lt $end ]; do
		reads=$((reads + 1))
		fresh shut && fresh fail || failed=$((failed + 1))
		sleep 0.5
	done
	svc_load_facts
	svc_is "two leases of $LEASE s passed: failed reads of $reads on two filesystems" $failed 0
	svc_is "failed I/O of $((fact_ok + fact_failed)) under load" "$fact_failed" 0
	svc_ok "load: there was some" test "$fact_ok" -gt 100
	svc_is "the kernel has counted none either" "$(offline raw) $(offline shut) $(offline fail)" "0 0 0"
}

# roots_are FROM TO POLICY: what the owner of the root keys does in both vaults.
roots_are() {
	local uuid

	uuid=$(agent_field uuid policy show alpha "$3")
	# as their owner: a file of root would be no answer at all
	svc_must setpriv --reuid svcenc-vault --regid svcenc-vault --clear-groups sed -i "s/\"state\": \"$1\"/\"state\": \"$2\"/" \
		"$vaults/a/$uuid.1.key" "$vaults/b/$uuid.1.key"
	disabled=$(now_ms) # if that is what was done
	svc_is "policy $3: root keys $2" \
		"$(cat "$vaults/a/$uuid.1.key" "$vaults/b/$uuid.1.key" | grep -c "\"state\": \"$2\"")" 2
}

is_locked() {
	[ "$(svc_status "$1" 1)" = locked ]
}

# withdrawn NAME POLICY: its keys are disabled; the volume stops.
withdrawn() {
	local name=$1

	svc_ok "$name: its file is cached" file "$name"
	roots_are enabled disabled "$2"
	svc_ok "$name: is locked" svc_wait 20 is_locked "$name"
	svc_ok "$name: I/O fails" eval "! fresh $name"
	# it first acts, then writes
	svc_ok "the log says why" svc_wait 10 \
		grep -q "policy '.*$2.*' is locked now, was [a-z]*: both roots are denied" "$agent_log" ||
		svc_note "$(grep "$2" "$agent_log")"
	agent_refused "$name: open" 7 "is disabled" open "$name"
	svc_ok "$name: is locked still" is_locked "$name"
}

lax_is_withdrawn() {
	withdrawn fail lax
	svc_ok "on_withdrawal=fail: the cached file is still read" file fail
	svc_load_facts
	svc_is "the other policy: failed I/O meanwhile" "$fact_failed" 0
	svc_ok "the other policy: its filesystem reads" fresh shut
}

strict_is_withdrawn() {
	local first

	svc_load_facts
	withdrawn shut strict
	svc_ok "on_withdrawal=shutdown: within 1 s the cached file is read no more" svc_wait 1 eval '! file shut'
	svc_load_facts
	svc_ok "load: I/O flowed before" test "$fact_ok" -gt 0
	svc_ok "load: and then failed" test "$fact_failed" -gt 0
	svc_is "load: with no other error than offline" "$fact_not_offline" 0
	svc_is "load: wrong reads" "$fact_wrong" 0
	first=$((fact_first_failure / 1000000 - disabled))
	svc_ok "load: within probe interval + 5 s (first failed I/O $first ms after the order)" test $first -le $BOUND_MS
}

# With nobody at the vaults' sockets an unbroken policy would fall back on the
# availability key.
denied_is_sticky() {
	local vault

	agent_kill KILL
	mkdir -p "$agent_dir/etc/vaults.d"
	for vault in a b; do
		printf '[vault]\nstart = external\n' >"$agent_dir/etc/vaults.d/$vault.conf"
	done
	agent_start
	svc_is "restarted, vaults out of reach: the policy" "$(agent_field state policy show alpha strict)" locked
	sleep $((PROBE + 1)) # a probe may come to another conclusion
	svc_ok "volumes stay locked" eval 'is_locked raw && is_locked shut && is_locked fail'
	agent_refused "open" 7 "svcenc: error: policy 'alpha/strict' was denied to this host, which no outage undoes: root a: no worker listens" open raw
	svc_ok "raw is locked still" is_locked raw
	svc_is "and the policy" "$(agent_field state policy show alpha strict)" locked
	agent_kill TERM
	rm -r "$agent_dir/etc/vaults.d"
	agent_start
	agent_refused "vaults back, keys disabled: open" 7 "is disabled" open raw
	svc_ok "raw is locked still" is_locked raw
}

are_active() {
	[ "$(svc_status raw 1) $(svc_status shut 1) $(svc_status fail 1)" = "active active active" ]
}

strict_is_active() {
	[ "$(agent_field state policy show alpha strict)" = active ]
}

service_returns() {
	local name

	roots_are disabled enabled strict
	roots_are disabled enabled lax
	svc_ok "the volumes are active again by themselves" svc_wait 20 are_active
	svc_note "$(($(now_ms) - disabled)) ms after the last order, probe interval $PROBE s"
	svc_load_facts
	svc_ok "I/O of the load flows again" svc_load_sees ok
	svc_load_end
	svc_is "wrong reads" "$fact_wrong" 0
	for name in shut fail; do
		svc_must umount "$mnt/$name"
		svc_ok "$name: mounts (which replays its journal)" mount /dev/mapper/$name "$mnt/$name"
		svc_ok "$name: its data is intact" file $name
		svc_must umount "$mnt/$name"
		svc_ok "$name: fsck has nothing to say" fsck.ext4 -fn /dev/mapper/$name
	done
	svc_ok "policy strict is active" svc_wait 10 strict_is_active
	for name in raw shut fail; do
		agent_must svcenc close $name
	done
}

agent_prepare
agent_start
volumes
svc_load_begin /dev/mapper/raw --threads 1
leases_are_renewed
lax_is_withdrawn
strict_is_withdrawn
denied_is_sticky
service_returns
agent_kill TERM
svc_must dmsetup remove --retry half0
svc_must dmsetup remove --retry half1
svc_done
