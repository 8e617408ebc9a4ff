#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will put an older header back below a closed volume: open refuses
# DESCRIPTION: and changes nothing, an operator may not insist, an officer may. It will lead
# DESCRIPTION: the path of a volume's device to another volume, and to none: refused, too.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly WORDS="written before the header was saved"

# as GROUP WORDS...: svcenc, as a member of that group alone.
as() {
	local group=$1

	shift
	setpriv --reuid nobody --regid nogroup --groups "$group" --inh-caps=-all \
		"$SVC_TMP/svcenc" --socket-dir "$agent_sockets" "$@" >"$SVC_TMP/said" 2>&1 </dev/null
}

# as_refused NAME STATUS TEXT GROUP WORDS...
as_refused() {
	local name=$1 wanted=$2 text=$3 status

	shift 3
	as "$@"
	status=$?
	svc_is "$name: exit" "$status" "$wanted"
	svc_ok "$name: $text" grep -q -F -e "$text" "$SVC_TMP/said" || sed 's/^/# /' "$SVC_TMP/said"
}

header() {
	dd if=/dev/vda bs=1M count=4 iflag=direct status=none
}

# What an older backup of the device's first 4 MiB does.
rolled_back() {
	agent_must svcenc format v /dev/vda --size 8M --spare 1M
	agent_must svcenc open v
	printf %s "$WORDS" | dd of=/dev/mapper/v bs=4096 conv=sync oflag=direct status=none
	agent_must svcenc close v
	header >"$SVC_TMP/old"
	agent_must svcenc open v
	agent_must svcenc resize v
	newest=$(svc_status v 5)
	agent_must svcenc close v
	header >"$SVC_TMP/new"
	svc_must dd if="$SVC_TMP/old" of=/dev/vda bs=1M oflag=direct status=none
}

untouched() {
	svc_ok "$1: the device is as it was" cmp "$SVC_TMP/old" <(header)
	svc_ok "$1: nothing is mapped" test ! -e /dev/mapper/v
	svc_is "$1: no key is in the kernel" "$("$svc_top/build/test/bin/svcenc-genl" keys | grep -c LEASE_LEFT_MS)" 0
}

rollback() {
	agent_refused "open after a rollback" 9 \
		"rollback: the header of volume 'v' on /dev/vda has sequence number $((newest - 1)), the store knows $newest" open v
	agent_refused "the hint names who may go on" 9 "an officer runs 'svcenc open v --accept-rollback'" open v
	untouched "refused"
	as_refused "an operator" 9 "rollback: the header of volume 'v'" svcenc-operator open v
	as_refused "an operator who insists" 2 "svcenc-officer" svcenc-operator open v --accept-rollback
	svc_ok "the same, past svcenc: said" /usr/bin/python3 -c '
import json, os, socket, sys
os.setgroups([int(sys.argv[2])]); os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(json.dumps({"method": "io.svcenc.Agent.OpenVolume",
    "parameters": {"name": "v", "accept_rollback": True}}).encode() + b"\0")
answer = json.loads(s.recv(65536)[:-1])
print(answer)
assert "only an officer may accept a rollback" in answer["parameters"]["message"]
assert answer["parameters"]["exit"] == 2' \
		"$agent_sockets/operator.sock" "$(getent group svcenc-operator | cut -d : -f 3)"
	untouched "an operator refused"
	svc_ok "an officer opens it" as svcenc-officer open v --accept-rollback
	svc_ok "which the log tells" grep -q "volume 'v' opened on /dev/vda, seq [0-9]*, rollback accepted" "$agent_log"
	svc_is "it has the data of then" "$(dd if=/dev/mapper/v bs=4096 count=1 status=none | tr -d '\0')" "$WORDS"
	agent_must svcenc close v
	svc_ok "from then on it opens as ever" as svcenc-operator open v
	agent_must svcenc close v
}

# A path that leads elsewhere than when the volume was formatted.
device_swapped() {
	local link=$SVC_TMP/device before

	ln -s /dev/vdb "$link"
	agent_must svcenc format w "$link" --force --yes
	agent_must svcenc open w
	agent_must svcenc close w
	ln -sfn /dev/vda "$link"
	before=$(header | sha256sum)
	agent_refused "the path leads to another volume" 4 "$link carries another svcenc volume, not 'w'" open w
	agent_refused "and the hint is a cure" 4 "name the right device: 'svcenc open w DEVICE'" open w
	ln -sfn /dev/null "$link"
	agent_refused "to no block device" 4 "device $link of volume 'w': not a block device" open w
	rm "$link"
	agent_refused "nowhere" 4 "device $link of volume 'w': No such file or directory" open w
	agent_refused "which has a cure, too" 4 "if it has another path now: 'svcenc open w PATH'" open w
	svc_ok "nothing is mapped" test ! -e /dev/mapper/w
	svc_is "the other volume's header is as it was" "$(header | sha256sum)" "$before"
	svc_ok "named as the hints say, it opens" svcenc open w /dev/vdb
	agent_must svcenc close w
	ln -s /dev/vdb "$link"
	svc_ok "back in place it opens" svcenc open w
	agent_must svcenc close w
}

agent_prepare
svc_must groupadd --system --force svcenc-operator
svc_must groupadd --system --force svcenc-officer
svc_must install -m 755 "$agent_bin/svcenc" "$SVC_TMP/svcenc"
agent_start
rolled_back
rollback
device_swapped
agent_kill TERM
svc_done
