#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will listen to the netlink group and find an event for each thing
# DESCRIPTION: that happened to a volume and its key, with device, key and reason.
# RUNS: vm
# SET: quick
# TIMEOUT: 120

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
events=$SVC_TMP/events

# shellcheck disable=SC2317 # called through svc_wait
is_there() {
	tail -n +"$line" "$events" | grep -q -e "$1"
}

# event PATTERN: comes within ten seconds of the last begin
event() {
	svc_ok "event: $1" svc_wait 10 is_there "$1" ||
		tail -n +"$line" "$events" | sed 's/^/# /'
}

begin() {
	svc_note "$*"
	line=$(($(wc -l <"$events") + 1))
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
desc=$(<"$volume.desc") uuid=$(<"$volume.uuid")
idle="ROTATION_DONE=0 ROTATION_TOTAL=0 ROTATION=0"
"$svc_bin/svcenc-genl" listen >"$events" 2>&1 &
listener=$!
svc_ok "joins the group" svc_wait 20 grep -q listening "$events"

begin "a resume that is refused"
svc_try_open one "$volume" 2>/dev/null
event "^EVENT=refused TIME_MS=[0-9]* REASON=no live key $desc in keyring .svcenc: add it first DEVNO=[0-9:]* UUID=$uuid KEY=$desc "
begin "a volume opens"
svc_add_key "$volume" >/dev/null
svc_open one "$volume"
devno=$(dmsetup info -c --noheadings --separator : -o major,minor one)
event "^EVENT=activated TIME_MS=[0-9]* DEVNO=$devno UUID=$uuid KEY=$desc EPOCH=1 SEQ=2 $idle $"
begin "its key is revoked"
svc_revoke_key "$volume"
event "^EVENT=key-lost TIME_MS=[0-9]* REASON=revoked KEY=$desc $"
event "^EVENT=key-lost TIME_MS=[0-9]* DEVNO=$devno UUID=$uuid KEY=$desc EPOCH=1 SEQ=2 $idle $"
begin "it is resumed without a key"
svc_must dmsetup suspend one
svc_must dmsetup resume one
event "^EVENT=key-needed TIME_MS=[0-9]* REASON=no live key .* DEVNO=$devno UUID=$uuid "
begin "an unlock without a key"
dmsetup message one 0 unlock "$desc" 2>/dev/null
event "^EVENT=refused TIME_MS=[0-9]* REASON=no live key .* DEVNO=$devno "
begin "the key is back"
svc_add_key "$volume" >/dev/null
svc_must dmsetup message one 0 unlock "$desc"
event "^EVENT=key-back TIME_MS=[0-9]* DEVNO=$devno UUID=$uuid KEY=$desc "
begin "its lease ends"
svc_must "$svc_bin/svcenc-genl" lease "$desc" 1
event "^EVENT=key-lost TIME_MS=[0-9]* REASON=lease ended KEY=$desc $"
svc_close one
begin "a copy of the superblock is rotten"
svc_add_key "$volume" >/dev/null
dd if=/dev/zero of="$svc_dev" bs=4096 seek=768 count=1 oflag=direct conv=fsync status=none
svc_open one "$volume"
event "^EVENT=superblock-repaired TIME_MS=[0-9]* DEVNO=[0-9:]* UUID=$uuid KEY=$desc EPOCH=1 SEQ=2 $idle $"
svc_close one
begin "it grows"
svc_detach "$volume"
truncate -s +4M "$volume"
echo $(($(<"$volume.sectors") + 8192)) >"$volume.sectors"
svc_open one "$volume" grow
event "^EVENT=grown TIME_MS=[0-9]* DEVNO=[0-9:]* UUID=$uuid KEY=$desc EPOCH=1 SEQ=3 $idle $"
begin "it is rotated"
svc_must dmsetup message one 0 rotate rate 512
svc_must dmsetup message one 0 rotate start
event "^EVENT=rotation-progress TIME_MS=[0-9]* DEVNO=[0-9:]* UUID=$uuid KEY=$desc EPOCH=1 SEQ=[0-9]* ROTATION_DONE=[1-9][0-9]* ROTATION_TOTAL=$(<"$volume.sectors") ROTATION=1 $"
begin "it pauses"
svc_must dmsetup message one 0 rotate pause
event "^EVENT=rotation-paused TIME_MS=[0-9]* REASON=asked for DEVNO=[0-9:]* UUID=$uuid KEY=$desc EPOCH=1 SEQ=[0-9]* ROTATION_DONE=[1-9][0-9]* ROTATION_TOTAL=$(<"$volume.sectors") ROTATION=2 $"
begin "it goes on to its end"
svc_must dmsetup message one 0 rotate rate 0
svc_must dmsetup message one 0 rotate resume
event "^EVENT=rotation-done TIME_MS=[0-9]* DEVNO=[0-9:]* UUID=$uuid KEY=$desc EPOCH=2 SEQ=[0-9]* $idle $"
svc_is "no event holds what looks like key bytes" "$(grep -c '[0-9a-f]\{33\}' "$events")" 0
kill $listener
wait $listener 2>/dev/null
svc_done
