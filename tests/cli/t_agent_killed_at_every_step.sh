#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will count the steps of format, open, close, resize, unlock, rotate
# DESCRIPTION: and store recover, kill svcencd with SIGKILL at each of them, start it
# DESCRIPTION: again, do what svcenc then prints as the cure, and find the wanted state each
# DESCRIPTION: time; and so if svcenc itself is killed before or after the agent's work.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 500
#
# shellcheck disable=SC2317 # before_* and after_* are called by name

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/cli/lib_killed.sh
. "$(dirname "$0")/lib_killed.sh"
readonly SMALL=131072 LARGE=163840 WORDS="written before the kill"

# --- what there is before each command: files, header, mappings

below() {
	svc_must dmsetup "$@" below --table "0 $size linear /dev/vda 0"
}

save() {
	agent_kill TERM
	[ ! -e /dev/mapper/v ] || svc_must dmsetup remove --retry v
	rm -rf "$SVC_TMP/saved"
	svc_must cp -a "$agent_dir" "$SVC_TMP/saved"
	dd if=/dev/vda of="$SVC_TMP/header" bs=1M count=5 iflag=direct status=none
}

restore() {
	agent_kill KILL
	[ ! -e /dev/mapper/v ] || svc_must dmsetup remove --retry v
	keyctl clear "$svc_keyring"
	rm -rf "$agent_dir"
	svc_must cp -a "$SVC_TMP/saved" "$agent_dir"
	dd if="$SVC_TMP/header" of=/dev/vda bs=1M oflag=direct status=none
	if [ "$size" -ne $SMALL ]; then
		size=$SMALL
		svc_must dmsetup suspend below
		below load
		svc_must dmsetup resume below
	fi
}

# --- before and after, by the name of the command

before_tenant() { :; }
before_format() { :; }
before_open() { :; }
before_reopen() { :; }

before_close() {
	quiet svcenc open v
}

before_resize() {
	quiet svcenc open v
	size=$LARGE
	svc_must dmsetup suspend below
	below load
	svc_must dmsetup resume below
}

state_is() {
	local state

	state=$(agent_field state status v 2>/dev/null)
	[ "$state" = "$1" ] || problem "volume is '$state', not $1"
}

reads_words() {
	[ "$(dd if=/dev/mapper/v bs=4096 count=1 iflag=direct status=none | tr -d '\0')" = "$WORDS" ] ||
		problem "other data"
}

after_tenant() {
	[ "$(svcenc policy list --json 2>/dev/null | grep -c '"kind": "provider"')" = 1 ] ||
		problem "not one provider policy"
}

after_format() {
	[[ $(agent_field state status v 2>/dev/null) =~ ^(new|closed)$ ]] || problem "not formatted"
	quiet "$svc_top/build/bin/svcenc-dump" /dev/mapper/below ||
		problem "no header: $(cat "$SVC_TMP/said")"
}

after_open() {
	state_is active
	agent_reads /dev/mapper/v || problem "cannot be read"
}

after_reopen() {
	state_is active
	reads_words
}

after_close() {
	state_is closed
	[ ! -e /dev/mapper/v ] || problem "closed, but there"
}

after_resize() {
	local sectors

	state_is active
	sectors=$(blockdev --getsz /dev/mapper/v)
	[ "$sectors" -eq $((small + LARGE - SMALL)) ] || problem "not grown: $sectors sectors"
	reads_words
}

before_unlock() {
	quiet svcenc open v
	keyctl revoke "$(agent_serial)"
	# shellcheck disable=SC2016 # for eval
	svc_wait 5 eval '[ "$(svc_status v 1)" = locked ]'
}

after_unlock() {
	after_reopen
}

# Paused in its middle: given again, that is no other state.
before_pause() {
	quiet svcenc open v
	quiet svcenc rotate v --rate 256K
}

after_pause() {
	# shellcheck disable=SC2016 # for eval
	svc_wait 10 eval '[ "$(svc_status v 17)" = paused ]' || problem "not paused: $(dmsetup status v)"
	state_is active
	reads_words
}

before_recover() { :; }

after_recover() {
	quiet svcenc open v || problem "cannot be opened: $(cat "$SVC_TMP/said")"
	after_reopen
}

agent_serial() {
	keyctl search "$svc_keyring" svcenc "$(agent_field key status v)"
}

# All that stand in svcencd's sources: none may be passed by.
steps_of_sources() {
	# a withdrawal's: t_agent_withdrawal_is_durable.sh kills there
	killed_steps | grep -v -E "$killed_policy_steps|^drop-"
}

agent_prepare
size=$SMALL
below create
save
# killed at each of these in t_agent_tenant_killed_at_every_step.sh
count_steps tenant tenant create alpha
save
every_step format format v /dev/mapper/below --tenant alpha
save
every_step open open v
small=$(blockdev --getsz /dev/mapper/v)
printf %s "$WORDS" | dd of=/dev/mapper/v bs=4096 conv=sync oflag=direct status=none
agent_must svcenc close v
save
every_step reopen open v
every_step close close v
every_step unlock open v
every_step resize resize v
every_step pause rotate v --pause
restore
rm -rf "$agent_dir/state"
save
every_step recover store recover /dev/mapper/below
round=''
svc_note "$total steps, $kills kills, $cures cures, took $SECONDS s"
svc_is "places in the sources that were reached" "$(sort -u "$SVC_TMP/reached")" "$(steps_of_sources)"
svc_is "as many as there are" "$(steps_of_sources | wc -l)" 28
svc_is "svcenc itself was killed twice in each command" "$cli_kills" $((2 * commands))
svc_is "killed once at each step" "$kills" "$total"
svc_is "each cure worked" "$cures" "$total"
svc_is "problems" "$problems" 0
agent_must svcenc close v
agent_kill TERM
svc_must dmsetup remove --retry below
svc_done
