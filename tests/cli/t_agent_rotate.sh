#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will rotate a mounted ext4 under load and wait for it: checksums
# DESCRIPTION: hold.  Then pause, resume, a limit, a second rotation, close and open again,
# DESCRIPTION: a killed agent, a key that ends, read-only, an older header and a sector that
# DESCRIPTION: cannot be read, each in the middle of a rotation; and what svcenc says.
# RUNS: vm
# VM: --smp 2 --disk 96M
# SET: quick
# TIMEOUT: 900
#
# shellcheck disable=SC2016,SC2317 # called, and expanded, by others

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
readonly SLOW=256K # so slow that a rotation lasts until it is told otherwise
mnt=$SVC_TMP/mnt

# rotation MEMBER: of volume v
rotation() {
	svcenc status v --json | jq -r ".volume.rotation.$1"
}

rotation_is() {
	[ "$(rotation state)" = "$1" ]
}

moves() {
	local before

	before=$(rotation "done")
	svc_wait 20 eval '[ "$(rotation "done")" -gt '"$before"' ]'
}

# stands NAME: it does not move.
stands() {
	local before

	before=$(rotation "done")
	svc_nap
	svc_nap
	svc_is "$1: nothing moves" "$(rotation "done")" "$before"
}

stored() {
	svcenc status v --json | jq -r ".volume.$1"
}

# --- a mounted filesystem, under load

files_begin() {
	svc_must mkfs.ext4 -q /dev/mapper/v
	mkdir -p "$mnt"
	svc_must mount /dev/mapper/v "$mnt"
	mkdir "$mnt/old" "$mnt/new"
	for i in 1 2 3 4 5 6 7 8; do
		head -c 1500000 /dev/urandom >"$mnt/old/$i"
	done
	(cd "$mnt" && sha256sum old/*) >"$SVC_TMP/sums"
}

# Writes files for as long as it may, each with its checksum elsewhere.
load() {
	local i=0

	: >"$SVC_TMP/sums.new"
	while [ ! -e "$SVC_TMP/enough" ]; do
		i=$((i + 1))
		head -c 100000 /dev/urandom >"$SVC_TMP/piece"
		cp "$SVC_TMP/piece" "$mnt/new/$((i % 50))" || return
		sync -d "$mnt/new/$((i % 50))" || return
		sha256sum <"$SVC_TMP/piece" | sed "s,-\$,new/$((i % 50))," >>"$SVC_TMP/sums.new"
	done
}

# The last word on each file.
sums_hold() {
	tac "$SVC_TMP/sums.new" | sort -u -k 2,2 >"$SVC_TMP/sums.last"
	echo 3 >/proc/sys/vm/drop_caches
	(cd "$mnt" && sha256sum --quiet -c "$SVC_TMP/sums" "$SVC_TMP/sums.last") >"$SVC_TMP/said" 2>&1
}

under_load() {
	local loader

	load &
	loader=$!
	svc_ok "rotate --wait, with a mounted filesystem and load" svcenc rotate v --wait
	touch "$SVC_TMP/enough"
	wait $loader
	svc_is "the load met no error" $? 0
	svc_note "$(wc -l <"$SVC_TMP/sums.new") files written meanwhile"
	svc_is "epoch" "$(stored epoch)" 2
	svc_is "idle again" "$(rotation state) $(rotation total)" "idle 0"
	svc_ok "checksums hold, mounted" sums_hold
	svc_must umount "$mnt"
	agent_must svcenc close v
	svc_is "the store knows epoch and seq of the end" "$(stored epoch) $(stored seq)" \
		"2 $("$svc_top/build/bin/svcenc-dump" --json /dev/mapper/below | jq -r '.superblocks[0].fields.seq')"
	agent_must svcenc open v
	svc_ok "the filesystem is clean" fsck.ext4 -f -n /dev/mapper/v
	svc_must mount /dev/mapper/v "$mnt"
	svc_ok "checksums hold, opened again" sums_hold
	svc_must umount "$mnt"
	svc_ok "the journal has its end" grep -q "audit.*volume 'v' is rotated: epoch 2" "$agent_log"
}

# --- steering

refusals_while_idle() {
	agent_refused "pause, while idle" 1 "volume 'v' is not being rotated (epoch 2) svcenc: hint: 'svcenc rotate v' starts it" \
		rotate v --pause
	agent_refused "resume, while idle" 1 "volume 'v' is not being rotated" rotate v --resume
	agent_must svcenc close v
	agent_refused "closed" 1 "volume 'v' is closed svcenc: hint: open it first: 'svcenc open v'" rotate v
	agent_refused "no such volume" 1 "no volume 'w'" rotate w
	agent_must svcenc open v
}

steering() {
	svc_ok "a slow rotation begins" svcenc rotate v --rate $SLOW
	svc_is "its limit is shown" "$(rotation limit)" 262144
	svc_ok "it moves" moves
	agent_refused "a second one: refused with the progress" 5 "volume 'v' is being rotated already: " rotate v
	agent_refused "and the way to wait" 5 "'svcenc rotate v --resume --wait'" rotate v
	svc_ok "list shows it" eval 'svcenc | grep -q "^v  *active, rotating [0-9.]*%  "'
	svc_ok "status shows it" eval 'svcenc status v | grep -q "^rotation  *running, "'
	svc_ok "pause" svcenc rotate v --pause
	svc_ok "paused in a moment" svc_wait 10 rotation_is paused
	stands "paused"
	svc_ok "the cure is shown" eval "svcenc | grep -q \"paused: 'svcenc rotate v --resume'\""
	agent_refused "waiting for a paused one" 5 "volume 'v' is being rotated already" rotate v --wait
	svc_ok "the journal says why it stops" grep -q "audit.*rotation of volume 'v' stops at .*asked for" "$agent_log"
	svc_ok "pause and resume, right behind each other" eval 'svcenc rotate v --pause && svcenc rotate v --resume'
	svc_ok "it moves again" moves
	svc_ok "no limit any more" svcenc rotate v --resume --rate 0 --wait
	svc_is "rotated, back in the other direction" "$(stored epoch)" 3
}

# --- in the middle

# The seq in the store is what no older header may undercut.
closed_and_opened() {
	agent_must svcenc rotate v --rate $SLOW
	svc_ok "in the middle" moves
	agent_must svcenc rotate v --pause
	svc_wait 10 rotation_is paused
	agent_must svcenc close v
	svc_must dd if=/dev/mapper/below of="$SVC_TMP/older" bs=1M count=4 iflag=direct status=none
	svc_ok "a read-only open in the middle" svcenc open v --readonly
	svc_is "the rotation is held" "$(rotation state)" held
	svc_ok "and reads are right" eval 'fsck.ext4 -f -n /dev/mapper/v'
	agent_refused "no steering while read-only" 4 "volume 'v' is open read-only" rotate v --resume
	agent_must svcenc close v
	svc_ok "opened again" svcenc open v
	svc_ok "it goes on by itself: a pause ends with the close" svc_wait 10 rotation_is running
	svc_is "and so does the limit" "$(rotation limit)" 0
	svc_ok "to its end" svc_wait 120 rotation_is idle
	svc_is "epoch" "$(stored epoch)" 4
	agent_must svcenc close v
}

older_header() {
	svc_must dd if=/dev/mapper/below of="$SVC_TMP/newer" bs=1M count=4 iflag=direct status=none
	svc_must dd if="$SVC_TMP/older" of=/dev/mapper/below bs=1M oflag=direct status=none
	agent_refused "a header from the middle of that rotation" 9 "rollback: the header of volume 'v'" open v
	svc_ok "nothing was written" cmp "$SVC_TMP/older" <(dd if=/dev/mapper/below bs=1M count=4 iflag=direct status=none)
	svc_must dd if="$SVC_TMP/newer" of=/dev/mapper/below bs=1M oflag=direct status=none
	svc_ok "the newest header opens" svcenc open v
}

closed_as_it_moves() {
	agent_must svcenc rotate v --rate $SLOW
	svc_ok "in the middle" moves
	agent_must svcenc close v
	svc_is "closed as it moves: the store knows the last seq" "$(stored seq)" \
		"$("$svc_top/build/bin/svcenc-dump" --json /dev/mapper/below | jq -r '.superblocks[0].fields.seq')"
	agent_must svcenc open v
	svc_ok "to its end" svc_wait 120 rotation_is idle
	svc_is "epoch" "$(stored epoch)" 5
}

agent_killed() {
	local waiter

	agent_must svcenc rotate v --rate 4
	svc_ok "in the middle" moves
	svcenc rotate v --resume --wait >"$SVC_TMP/waiter" 2>&1 &
	waiter=$!
	svc_wait 10 test -s "$SVC_TMP/waiter"
	agent_kill KILL
	agent_start
	svc_ok "killed and started again: the rotation goes on" moves
	agent_must svcenc rotate v --resume --rate 0
	wait $waiter
	svc_is "and who waits has not noticed" "$? $(tail -n 1 "$SVC_TMP/waiter")" \
		"0 volume v is rotated: epoch 6"
	svc_is "epoch" "$(stored epoch)" 6
	svc_ok "its end was heard" grep -q "audit.*volume 'v' is rotated: epoch 6" "$agent_log"
}

key_ends() {
	agent_must svcenc rotate v --rate $SLOW
	svc_ok "in the middle" moves
	keyctl revoke "$(keyctl search "$svc_keyring" svcenc "$(agent_field key status v)")"
	svc_wait 5 eval '[ "$(svc_status v 1)" = locked ]'
	svc_ok "the key ended: so says the rotation" rotation_is locked
	agent_refused "no steering while locked" 2 "volume 'v' is locked: no key is live for it svcenc: hint: 'svcenc open v'" \
		rotate v --resume
	svc_ok "the key is back" svcenc open v
	svc_ok "it goes on by itself" moves
	svc_ok "to its end" svcenc rotate v --resume --rate 0 --wait
	svc_is "epoch" "$(stored epoch)" 7
	svc_ok "the filesystem is clean" fsck.ext4 -f -n /dev/mapper/v
}

# Logical sector 81920 (byte 40 MiB) of the place it is at.
unreadable_sector() {
	local at

	at=$(("$("$svc_top/build/bin/svcenc-dump" --json /dev/mapper/below |
		jq '.superblocks[0].fields | .data_offset + if .place == "high" then .spare_len else 0 end')" / 512 + 81920))
	svc_must dmsetup suspend --nolockfs below
	svc_must dmsetup load below <<EOF
0 $at linear /dev/vda 0
$at 8 error
$((at + 8)) $((size - at - 8)) linear /dev/vda $((at + 8))
EOF
	svc_must dmsetup resume below
	svcenc rotate v --wait >"$SVC_TMP/said" 2>&1
	svc_is "a sector that cannot be read: exit of --wait" $? 4
	svc_ok "and its words" grep -q "error: rotation of volume v stopped at .*: read-error" "$SVC_TMP/said"
	svc_ok "with the cure" grep -q "hint: .*'svcenc rotate v --resume' tries again, with --skip-unreadable" "$SVC_TMP/said"
	svc_ok "the journal names the sector" grep -q "audit.*rotation of volume 'v' stops at .*sector 81920" "$agent_log"
	svc_ok "it may be passed over" svcenc rotate v --resume --skip-unreadable --rate $SLOW
	svc_ok "one extent is listed then" svc_wait 20 eval '[ "$(rotation unreadable)" = 1 ]'
	# as a disk does when a bad sector is written: nothing is bad any more
	svc_must dmsetup suspend --nolockfs below
	below load
	svc_must dmsetup resume below
	svc_ok "it goes on to its end" svcenc rotate v --resume --rate 0 --wait
	svc_is "epoch" "$(stored epoch)" 8
	svc_ok "reading it fails" eval '! dd if=/dev/mapper/v of=/dev/null bs=4096 skip=10240 count=1 iflag=direct status=none'
	agent_must svcenc close v
	svc_ok "the header lists it" eval '"$svc_top/build/bin/svcenc-dump" /dev/mapper/below | grep -q "unreadable   sectors 81920 to 81927"'
	agent_must svcenc open v
	svc_must dd if=/dev/zero of=/dev/mapper/v bs=4096 seek=10240 count=1 oflag=direct status=none
	svc_is "written, it is gone from the list" "$(rotation unreadable)" 0
	svc_ok "and reads" dd if=/dev/mapper/v of=/dev/null bs=4096 skip=10240 count=1 iflag=direct status=none
}

below() {
	svc_must dmsetup "$@" below --table "0 $size linear /dev/vda 0"
}

agent_prepare
size=$(blockdev --getsz /dev/vda)
below create
agent_start
agent_must svcenc tenant create alpha
agent_must svcenc format v /dev/mapper/below --tenant alpha
agent_must svcenc open v
files_begin
under_load
refusals_while_idle
steering
closed_and_opened
older_header
closed_as_it_moves
agent_killed
key_ends
unreadable_sector
agent_must svcenc close v
agent_kill TERM
svc_must dmsetup remove --retry below
svc_done
