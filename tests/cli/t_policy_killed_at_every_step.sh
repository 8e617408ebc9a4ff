#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will kill svcencd with SIGKILL at each step of policy rekey and of
# DESCRIPTION: policy roll, of policy recover of a root that is lost for good, at the open of a
# DESCRIPTION: volume that was left behind, and at those of store recover from headers of two key
# DESCRIPTION: versions, in both orders, and over a store of before; start it, give the command
# DESCRIPTION: again, and find both volumes, one open and one closed, whole each time.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: long
# TIMEOUT: 3600
#
# shellcheck disable=SC2317 # before_* and after_* are called by name

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/cli/lib_policy.sh
. "$(dirname "$0")/lib_policy.sh"
# shellcheck source=tests/cli/lib_killed.sh
. "$(dirname "$0")/lib_killed.sh"
# --- what there is before each command: files, headers, mappings

no_mappings() {
	local name

	for name in $(dmsetup table --target svcenc | sed -n 's/: .*//p'); do
		svc_must dmsetup remove --retry "$name"
	done
}

save() {
	agent_kill TERM
	no_mappings
	rm -rf "$SVC_TMP/saved"
	svc_must cp -a "$agent_dir" "$SVC_TMP/saved"
	dd if=/dev/vda of="$SVC_TMP/header.a" bs=1M count=4 iflag=direct status=none
	dd if=/dev/vdb of="$SVC_TMP/header.b" bs=1M count=4 iflag=direct status=none
}

restore() {
	agent_kill KILL
	no_mappings
	keyctl clear "$svc_keyring"
	rm -rf "$agent_dir"
	svc_must cp -a "$SVC_TMP/saved" "$agent_dir"
	dd if="$SVC_TMP/header.a" of=/dev/vda bs=1M oflag=direct status=none
	dd if="$SVC_TMP/header.b" of=/dev/vdb bs=1M oflag=direct status=none
}

policy() {
	agent_field "$1" policy show alpha provider
}

before_rekey() {
	quiet svcenc open v
}

before_roll() { :; }
before_lost() { :; }
before_late() { :; }
before_recover() { :; }

# Both volumes have their data under one key, which their headers name; nothing
# is to be finished, nothing left over.
is_whole() {
	local key version

	key=$(policy key)
	version=${key##*:}
	[ "$(policy state) $(policy task)" = "active " ] || problem "state $(policy state) $(policy task)"
	svcenc policy show alpha provider --json | grep -q '"superseded_keys": \[\]' || problem "earlier keys are left"
	[ "$(policy_header /dev/vda)$(policy_header /dev/vdb)" = "$version $version " ] ||
		problem "headers: $(policy_header /dev/vda), $(policy_header /dev/vdb), not $version"
	quiet svcenc open w || problem "w: $(cat "$SVC_TMP/said")"
	[ "$(policy_read v) $(policy_read w)" = "data of v data of w" ] || problem "other data"
	quiet svcenc close w
	[ "$(dmsetup table --target svcenc | cut -d : -f 1)" = v ] || problem "mapped: $(dmsetup table --target svcenc)"
}

after_rekey() {
	[ "$(svc_status v 3)" = "$(policy key)" ] || problem "v is under $(svc_status v 3)"
	is_whole
}

after_roll() {
	quiet svcenc open v
	is_whole
	[[ $(policy_roots_of /dev/vdb) =~ ^2xfile:a/[^/]*/([0-9])\ 2xfile:availability/[^/]*/1\ 2xfile:b/[^/]*/([0-9])\ $ ]] ||
		problem "records of w: $(policy_roots_of /dev/vdb)"
}

after_lost() {
	quiet svcenc policy test alpha provider || problem "test: $(cat "$SVC_TMP/said")"
	after_roll
}

after_late() {
	quiet svcenc open v
	is_whole
}

# Its open takes w along, too.
after_recover() {
	quiet svcenc open v || problem "v: $(cat "$SVC_TMP/said")"
	quiet svcenc open w || problem "w: $(cat "$SVC_TMP/said")"
	is_whole
}

others() {
	killed_rounds roll policy roll alpha provider

	# root a is lost for good
	cp -a "$SVC_TMP/saved" "$SVC_TMP/whole"
	rm "$SVC_TMP"/saved/vaults/a/*.key
	killed_rounds lost policy recover alpha provider --lost a
	rm -rf "$SVC_TMP/saved"
	mv "$SVC_TMP/whole" "$SVC_TMP/saved"

	# w is left behind, under the key of before
	restore
	agent_start
	svc_must dmsetup remove --retry below
	agent_refused "the volume out of reach is told" 5 "volume 'w' on /dev/mapper/below: the device is not there" policy rekey alpha provider
	svc_must dmsetup create below --table "0 $(blockdev --getsz /dev/vdb) linear /dev/vdb 0"
	save
	killed_rounds late open w
	restore
	rm -rf "$agent_dir/state"
	save
	# from the newer header to the older, and the other way round
	killed_rounds recover store recover /dev/vda /dev/mapper/below
	killed_rounds recover store recover /dev/mapper/below /dev/vda
	# the store is of a time before the rekey
	restore
	svc_must cp -a "$SVC_TMP/older" "$agent_dir/state"
	save
	killed_rounds recover store recover /dev/vda /dev/mapper/below
	sort -u - "$SVC_TMP/reached" >"$SVC_TMP/here" <<-EOF
		change-root
		root-renewed
		retire-forget
		retire-forgotten
	EOF
	svc_is "steps of a policy's life that were reached, here or without a kernel" \
		"$(grep -E "$killed_policy_steps" "$SVC_TMP/here")" "$(killed_steps | grep -E "$killed_policy_steps")"
}

agent_prepare
agent_start
agent_must svcenc tenant create alpha
agent_must svcenc format v /dev/vda --tenant alpha
svc_must dmsetup create below --table "0 $(blockdev --getsz /dev/vdb) linear /dev/vdb 0"
agent_must svcenc format w /dev/mapper/below --tenant alpha
for name in v w; do
	agent_must svcenc open $name
	svc_must policy_write $name "data of $name"
	agent_must svcenc close $name
done
save
svc_must cp -a "$agent_dir/state" "$SVC_TMP/older"
killed_rounds rekey policy rekey alpha provider
others
round=''
svc_note "$total kills wanted, $kills kills, $cures cures, took $SECONDS s"
svc_is "killed once at each step" "$kills" "$total"
svc_is "each cure worked" "$cures" "$total"
svc_is "problems" "$problems" 0
agent_kill TERM
no_mappings
svc_must dmsetup remove --retry below
svc_done
