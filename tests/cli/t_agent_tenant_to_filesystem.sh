#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will start svcencd on a machine with nothing configured and go
# DESCRIPTION: from format to a file in a mounted filesystem that is there again after
# DESCRIPTION: close and open; each verb answers in JSON; errors have their exit codes;
# DESCRIPTION: workers are unprivileged, files private, and plain dmsetup works.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"

# The real places: what is not configured must be found there.  Only the workers
# run from elsewhere, see agent_launch.
agent_paths=(--libexec "$agent_dir/libexec")
agent_sockets=/run/svcenc
vaults=/var/lib/svcenc-vault
mnt=$SVC_TMP/mnt
mkdir "$mnt" "$SVC_TMP/json"

# json NAME WORDS...: keeps the answer for the one look at all of them.
json() {
	local name=$1

	shift
	svcenc "$@" --json >"$SVC_TMP/json/$name" 2>"$SVC_TMP/json.err" </dev/null ||
		svc_note "svcenc $* --json: exit $? $(cat "$SVC_TMP/json.err")"
}

from_nothing() {
	svc_ok "format, with nothing configured" svcenc format data /dev/vda
	svc_ok "open" svcenc open data
	svc_ok "mkfs.ext4" mkfs.ext4 -q /dev/mapper/data
	svc_ok "mount" mount /dev/mapper/data "$mnt"
	svc_must cp -r "$svc_top/agent/lib" "$mnt/"
	agent_refused "close while mounted" 5 "data" close data
	svc_must umount "$mnt"
	svc_ok "close" svcenc close data
	svc_ok "the device is gone" test ! -e /dev/mapper/data
	svc_ok "open again" svcenc open data
	svc_ok "fsck has nothing to say" fsck.ext4 -fn /dev/mapper/data
	svc_ok "mount again" mount -o ro /dev/mapper/data "$mnt"
	svc_ok "what was written is there" diff -r "$svc_top/agent/lib" "$mnt/lib"
	svc_must umount "$mnt"
}

bare_says_the_state() {
	local said

	said=$(svcenc)
	svc_ok "bare svcenc has a line for the volume" grep -q '^data  *active  *default' <<<"$said" ||
		svc_note "$said"
	svc_ok "it warns that root can read these vaults" eval \
		'svcenc policy show default provider 2>&1 | grep -q "separates nothing from root"'
}

every_verb_in_json() {
	local name

	json tenant_create tenant create alpha
	json tenant_list tenant list
	json tenant_show tenant show alpha
	json policy_create policy create alpha strict --lease 5m --availability never
	json policy_list policy list
	json policy_show policy show alpha strict
	json vault_list vault list
	json vault_test vault test b
	json volume_create format logs /dev/vdb --tenant alpha --policy strict
	json volume_open open logs
	json volume_status status logs
	json volume_list volume list
	json volume_resize resize logs
	json volume_table table /dev/vdb
	json volume_close close logs
	json agent_status agent status
	json store_recover store recover /dev/vdb
	json bare
	for name in "$SVC_TMP"/json/*; do
		svc_ok "JSON: ${name##*/}" grep -q '"schema": *"svcenc/1"' "$name" ||
			svc_note "$(head -c 300 "$name")"
	done
	svc_ok "all $(find "$SVC_TMP/json" -type f | wc -l) parse" /usr/bin/python3 -c '
import json, sys
for path in sys.argv[1:]:
    value = json.load(open(path, encoding="utf-8"))
    assert value["schema"] == "svcenc/1", path' "$SVC_TMP"/json/*
}

errors_have_their_codes() {
	agent_refused "a misspelt verb" 1 "svcenc: error:" volume opne data
	agent_refused "an unknown volume" 1 "nosuch" open nosuch
	agent_refused "an unknown tenant" 1 "nosuch" tenant show nosuch
	agent_refused "a hostile name" 1 "svcenc: error:" tenant create ../x
	agent_refused "a device that is not there" 4 "/dev/nosuch" format x /dev/nosuch
	agent_refused "a device in use" 5 "/dev/vda" format x /dev/vda
	agent_refused "a name in use" 5 "data" format data /dev/vdb
	agent_refused "a device without header" 4 "/dev/null" table /dev/null
	mv "$vaults/a" "$vaults/b" "$SVC_TMP/"
	agent_must svcenc close data
	agent_refused "vaults out of reach, availability never" 6 "svcenc: hint:" open logs
	mv "$SVC_TMP/a" "$SVC_TMP/b" "$vaults/"
	svc_ok "with the vaults back it opens" svcenc open logs
	agent_must svcenc close logs
	status=0
	"$agent_bin/svcenc" --socket-dir "$SVC_TMP" agent status >"$SVC_TMP/out" 2>&1 || status=$?
	svc_is "no agent" "$status" 10
}

# worker_field PID FIELD
worker_field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

workers_are_unprivileged() {
	local pid uid count=0 field

	uid=$(id -u svcenc-vault)
	for pid in $(pgrep -P "$agent_pid"); do
		count=$((count + 1))
		svc_is "worker $count: uid" "$(worker_field "$pid" Uid)" "$(printf '%s\t%s\t%s\t%s' "$uid" "$uid" "$uid" "$uid")"
		svc_is "worker $count: groups" "$(worker_field "$pid" Groups | tr -d ' ')" ""
		for field in CapInh CapPrm CapEff CapAmb; do
			svc_is "worker $count: $field" "$(worker_field "$pid" "$field")" 0000000000000000
		done
		svc_is "worker $count: NoNewPrivs" "$(worker_field "$pid" NoNewPrivs)" 1
		svc_is "worker $count: environment" "$(tr '\0' ' ' <"/proc/$pid/environ")" ""
	done
	svc_is "a worker per vault" "$count" 3
}

# mode PATH: "octal owner"
mode() {
	stat -c '%a %U' "$1"
}

files_are_private() {
	local vault file

	svc_is "state directory" "$(mode /var/lib/svcenc)" "700 root"
	svc_is "store" "$(mode /var/lib/svcenc/store.db)" "600 root"
	svc_is "store key" "$(mode $vaults/store-mac.key)" "600 root"
	for vault in a b availability; do
		svc_is "vault $vault" "$(mode $vaults/$vault)" "700 svcenc-vault"
		svc_is "socket of vault $vault" "$(mode /run/svcenc/vault/$vault/sock)" "600 svcenc-vault"
		svc_is "its directory" "$(mode /run/svcenc/vault/$vault)" "700 svcenc-vault"
		for file in "$vaults/$vault"/*.key; do
			svc_is "root key ${file##*/}" "$(mode "$file")" "600 svcenc-vault"
		done
	done
}

plain_dmsetup_works() {
	# the key is in the kernel while a volume of its policy is open
	agent_must svcenc format second /dev/vdb --force --yes
	agent_must svcenc open data
	agent_must svcenc open second
	agent_must svcenc close second
	svc_ok "svcenc table | dmsetup create" eval 'svcenc table /dev/vdb | dmsetup create byhand'
	svc_ok "and it reads" agent_reads /dev/mapper/byhand
	svc_must dmsetup remove --retry byhand
	agent_must svcenc close data
}

rm -rf $vaults
agent_prepare
agent_start
from_nothing
bare_says_the_state
workers_are_unprivileged
every_verb_in_json
errors_have_their_codes
files_are_private
plain_dmsetup_works
svc_ok "svcencd ends at SIGTERM with 0" agent_kill TERM
svc_done
