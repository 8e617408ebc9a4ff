#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will lose the store, rebuild it from the policy records and the
# DESCRIPTION: vaults, and read the data again; refuse hostile and forged records without
# DESCRIPTION: contacting whom they name; and find single records of the store that were
# DESCRIPTION: changed, swapped, deleted or rolled back.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly HEADER_MIB=4
state=$agent_dir/state

# shellcheck disable=SC2317 # called through svc_must
write_words() {
	printf %s "$2" | dd of="/dev/mapper/$1" bs=4096 conv=sync oflag=direct status=none
}

read_words() {
	dd if="/dev/mapper/$1" bs=4096 count=1 iflag=direct status=none | tr -d '\0'
}

loses_the_store() {
	agent_kill KILL
	rm -rf "$state"
	agent_start
}

# What the workers have read since they started: it changes when they are asked.
vault_traffic() {
	local pid

	for pid in $(pgrep -P "$agent_pid" | sort -n); do
		sed -n "s/^syscr: /$pid /p" "/proc/$pid/io"
	done
}

# Of svcencd and its workers; they could not make one: neither is let.
internet_sockets() {
	local inodes

	inodes=$(for pid in "$agent_pid" $(pgrep -P "$agent_pid"); do
		find "/proc/$pid/fd" -lname 'socket:*' -printf '%l\n'
	done | tr -dc '0-9\n')
	cat /proc/net/{tcp,tcp6,udp,udp6,raw} 2>/dev/null | awk '{ print $10 }' | grep -c -x -F "$inodes"
}

settled_traffic() {
	local before now

	now=$(vault_traffic)
	until [ "$now" = "${before:-}" ]; do
		sleep 0.7
		before=$now
		now=$(vault_traffic)
	done
	echo "$now"
}

recovers() {
	local before

	loses_the_store
	svc_is "the store is empty" "$(agent_field store agent status)" empty
	agent_refused "nothing is known of the volume" 1 one open one
	before=$(settled_traffic)
	svc_ok "svcenc store recover" svcenc store recover /dev/vda /dev/vdb
	sed 's/^/# /' "$SVC_TMP/output"
	svc_ok "the vaults were asked" test "$before" != "$(vault_traffic)"
	svc_ok "a second time changes nothing" svcenc store recover /dev/vda /dev/vdb
	svc_is "both are known" "$(grep -c ' known ' "$SVC_TMP/output")" 2
	svc_is "tenants" "$(svcenc tenant list --json | grep -c '"created"')" 2
	svc_ok "one opens" svcenc open one
	svc_ok "two opens" svcenc open two
	svc_is "one has its data" "$(read_words one)" "data of one"
	svc_is "two has its data" "$(read_words two)" "data of two"
	agent_must svcenc close one
	agent_must svcenc close two
	svc_ok "a new volume of the recovered tenant" svcenc format three /dev/vdb --tenant alpha --force --yes
}

# hostile NAME WORDS RENEW FIELD VALUE...: the records of /dev/vda say that.
hostile() {
	local name=$1 words=$2 renew=$3 fields=() status
	shift 3

	while [ $# -gt 0 ]; do
		fields+=(--field "rec.$1" --value "$2")
		shift 2
	done
	svc_must cp --sparse=never "$SVC_TMP/header" "$SVC_TMP/mutant"
	svc_must "$svc_model" mutate "$SVC_TMP/mutant" "$renew" "${fields[@]}" \
		--vault "a=$agent_dir/vaults/a" --vault "b=$agent_dir/vaults/b"
	svc_must dd if="$SVC_TMP/mutant" of=/dev/vda bs=1M oflag=direct status=none
	svcenc store recover /dev/vda >"$SVC_TMP/said" 2>&1
	status=$?
	svc_is "$name: exit" "$status" 9
	svc_ok "$name: says why" grep -q "refused .*$words" "$SVC_TMP/said" || sed 's/^/# /' "$SVC_TMP/said"
	svc_is "$name: the store stays empty" "$(agent_field store agent status)" empty
}

refuses_hostile_records() {
	local before elsewhere=https://evil.example.org/keys/k/1

	dd if=/dev/vda of="$SVC_TMP/header" bs=1M count=$HEADER_MIB iflag=direct status=none
	loses_the_store
	before=$(settled_traffic)
	hostile "vaults of a stranger" "vault 'evil.example.org' is not configured" --remac \
		wrap0.vault evil.example.org wrap1.vault evil.example.org wrap2.vault evil.example.org
	hostile "a wrap too many" "no wraps or more than 8" --remac wrap_count 9
	hostile "an oversized blob" "malformed wrap" --remac wrap0.blob_len 1025
	hostile "an oversized key identifier" "malformed wrap" --remac wrap1.kid_len 513
	hostile "terminal codes in a name" "malformed" --remac tenant_name $'v\e[2J'
	svc_is "no vault was asked for any of them" "$(vault_traffic)" "$before"
	svc_is "no escape reaches the terminal or the log" \
		"$(cat "$SVC_TMP/said" "$agent_log" | grep -c $'\e')" 0
	# their vaults are asked, and know their own keys only
	hostile "keys of another host in vaults of ours" "names no key of vault" --remac \
		wrap0.kid $elsewhere wrap0.kid_len ${#elsewhere} wrap1.kid $elsewhere wrap1.kid_len ${#elsewhere} \
		wrap2.kid $elsewhere wrap2.kid_len ${#elsewhere}
	svc_is "nothing of svcencd has a socket of the internet" "$(internet_sockets)" 0
	hostile "a forged tenant" "root a" --recrc tenant_name mallory
	svc_ok "that one was tried" test "$(vault_traffic)" != "$before"
	svc_must dd if="$SVC_TMP/header" of=/dev/vda bs=1M oflag=direct status=none
	svc_ok "the true record is taken" svcenc store recover /dev/vda
	svc_ok "and opens" svcenc open one
	svc_is "with its data" "$(read_words one)" "data of one"
	agent_must svcenc close one
}

# tampered NAME SQL: the agent does not start on such a store.
tampered() {
	local name=$1 status mark

	rm -rf "$state"
	svc_must cp -a "$SVC_TMP/good" "$state"
	svc_must sqlite3 "$state/store.db" "$2"
	mark=$(wc -l <"$agent_log")
	agent_launch
	svc_wait 20 eval '! agent_lives' || kill -9 "$agent_pid" # it must not run
	wait "$agent_pid"
	status=$?
	agent_pid=''
	tail -n "+$((mark + 1))" "$agent_log" >"$SVC_TMP/said"
	svc_is "$name: exit" "$status" 9
	svc_ok "$name: names the store" grep -q "error: the store $state/store.db is not what its MACs say" "$SVC_TMP/said" ||
		sed 's/^/# /' "$SVC_TMP/said"
	svc_ok "$name: names the cure" grep -q "hint: .*svcenc store recover" "$SVC_TMP/said"
}

finds_tampering() {
	local old="$SVC_TMP/old/store.db"

	# an older state of the same store, and the present one
	agent_kill TERM
	svc_must cp -a "$state" "$SVC_TMP/old"
	agent_start
	agent_must svcenc open three # for the first time: its epoch changes
	agent_must svcenc close three
	agent_kill TERM
	svc_must cp -a "$state" "$SVC_TMP/good"
	svc_ok "a record changes when its volume is first opened" test "$(sqlite3 "$state/store.db" \
		"ATTACH '$old' AS old; SELECT count(*) FROM record AS r JOIN old.record AS o
		 USING (kind, id) WHERE r.generation > o.generation")" -gt 0
	tampered "a record rolled back" "ATTACH '$old' AS old; INSERT OR REPLACE INTO record SELECT o.* FROM
		old.record AS o JOIN record AS r USING (kind, id) WHERE r.generation > o.generation LIMIT 1"
	tampered "two records swapped" "CREATE TEMP TABLE v AS SELECT * FROM record WHERE kind = 'volume' ORDER BY id LIMIT 2;
		UPDATE record SET (generation, body, mac) = (SELECT generation, body, mac FROM v WHERE v.id != record.id)
		WHERE kind = 'volume' AND id IN (SELECT id FROM v)"
	tampered "a record deleted" "DELETE FROM record WHERE kind = 'volume' AND id = (SELECT min(id) FROM record WHERE kind = 'volume')"
	tampered "one letter changed" "UPDATE record SET body = replace(body, 'alpha', 'alphb') WHERE kind = 'tenant'"
	tampered "the head rolled back" "ATTACH '$old' AS old; INSERT OR REPLACE INTO head SELECT * FROM old.head"
	rm -rf "$state"
	svc_must cp -a "$SVC_TMP/good" "$state"
	agent_start
	svc_ok "the true one is fine" svcenc open one
	agent_must svcenc close one
}

agent_prepare
agent_start
agent_must svcenc tenant create alpha
agent_must svcenc format one /dev/vda --tenant alpha
agent_must svcenc format two /dev/vdb
for name in one two; do
	agent_must svcenc open $name
	svc_must write_words $name "data of $name"
	agent_must svcenc close $name
done
recovers
finds_tampering
refuses_hostile_records
agent_kill TERM
svc_done
