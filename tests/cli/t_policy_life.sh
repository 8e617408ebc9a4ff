#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will roll, rekey, put under a customer's roots and back, and recover
# DESCRIPTION: a policy with an open volume under load, a closed one, one that was never
# DESCRIPTION: opened and one out of reach; read the data and lose the store after each; and
# DESCRIPTION: find that root versions still referenced are not forgotten.
# RUNS: vm
# VM: --disk 96M --disk 96M
# SET: quick
# TIMEOUT: 400
#
# shellcheck disable=SC2317 # called through svc_ok

# shellcheck source=tests/cli/lib_agent.sh
. "$(dirname "$0")/lib_agent.sh"
# shellcheck source=tests/cli/lib_policy.sh
. "$(dirname "$0")/lib_policy.sh"

field() {
	agent_field "$1" policy show alpha provider
}

# Four volumes: "open" is under load, "shut" has data, "new" was never opened,
# "away" loses its device.
volumes() {
	local name at=0

	for name in shut new away; do
		svc_must dmsetup create d-$name --table "0 49152 linear /dev/vdb $at"
		at=$((at + 49152))
	done
	agent_must svcenc tenant create alpha
	agent_must svcenc format open /dev/vda --tenant alpha
	for name in shut new away; do
		agent_must svcenc format $name /dev/mapper/d-$name --tenant alpha
	done
	for name in open shut away; do
		agent_must svcenc open $name
		svc_must policy_write $name "data of $name"
	done
	agent_must svcenc close shut
	agent_must svcenc close away
	svc_load_begin /dev/mapper/open --threads 1 --reads 100
}

away() {
	svc_must dmsetup remove --retry d-away
}

back() {
	svc_must dmsetup create d-away --table "0 49152 linear /dev/vdb 98304"
}

# has_data WHEN NAME...: closed volumes are opened for that.
has_data() {
	local when=$1 name

	shift
	for name in "$@"; do
		svc_ok "$when: $name opens" svcenc open "$name"
		svc_is "$when: $name has its data" "$(policy_read "$name")" "data of $name"
		agent_must svcenc close "$name"
	done
}

flows() {
	svc_load_facts
	svc_is "$1: failed I/O of the open volume ($fact_ok went well)" "$fact_failed" 0
}

# Its store is lost: everything comes back from headers and vaults. The open
# volume goes on meanwhile.
survives_loss() {
	policy_lose_store
	svc_ok "$1: the store is rebuilt" svcenc store recover /dev/vda /dev/mapper/d-shut /dev/mapper/d-new /dev/mapper/d-away
	svc_is "$1: all four are known" "$(svcenc volume list --json | grep -c '"device_size"')" 4
	has_data "$1, store lost" shut away
	flows "$1, store lost"
}

tests_roots() {
	svc_ok "policy test" svcenc policy test alpha provider
	svc_is "three roots open their probe" "$(svcenc policy test alpha provider | grep -c ' ok .* ms')" 3
}

rolls() {
	local uuid

	uuid=$(field uuid)
	svc_ok "policy roll" svcenc policy roll alpha provider
	sed 's/^/# /' "$SVC_TMP/output"
	svc_is "roots of the open volume's header" "$(policy_roots_of /dev/vda)" \
		"2xfile:a/$uuid/2 2xfile:availability/$uuid/1 2xfile:b/$uuid/2 "
	svc_is "state" "$(field state)" active
	svc_ok "former versions are retired" svcenc policy roll alpha provider --retire
	svc_is "both" "$(grep -c '  retired  ' "$SVC_TMP/output")" 2
	away
	agent_refused "a volume out of reach is told, with status 5" 5 "volume 'away' on /dev/mapper/d-away: the device is not there" policy roll alpha provider --root a
	agent_refused "a version that its header names is not forgotten" 5 "header of volume away" policy roll alpha provider --retire
	back
	has_data "rolled" shut away
	svc_ok "its open has rewritten the header: now it is" svcenc policy roll alpha provider --retire
	flows "rolled"
}

rekeys() {
	away
	dd if=/dev/mapper/d-shut of="$SVC_TMP/older" bs=1M count=4 iflag=direct status=none
	agent_refused "policy rekey: the volume out of reach is told" 5 "volume 'away' on /dev/mapper/d-away: the device is not there" policy rekey alpha provider
	svcenc policy show alpha provider | sed 's/^/# /'
	svc_is "the open one is under the new key" "$(svc_status open 3)" "$(field key)"
	svc_is "superblocks of the closed one" "$(policy_header /dev/mapper/d-shut)" "2 "
	back
	svc_is "of the one out of reach" "$(policy_header /dev/mapper/d-away)" "1 "
	svc_is "nothing is left mapped" "$(dmsetup table --target svcenc | wc -l)" 1
	flows "rekeyed"
	survives_loss "rekeyed, one left behind"
	svc_is "which its open has mended" "$(policy_header /dev/mapper/d-away)" "2 "
	svc_is "so no key is left" "$(svcenc policy show alpha provider --json | grep -c '"superseded_keys": \[\]')" 1
	dd if=/dev/mapper/d-shut of="$SVC_TMP/newer" bs=1M count=4 iflag=direct status=none
	svc_must dd if="$SVC_TMP/older" of=/dev/mapper/d-shut bs=1M oflag=direct status=none
	agent_refused "a header from before the rekey is a rollback" 9 "rollback: volume 'shut'" open shut
	svc_must dd if="$SVC_TMP/newer" of=/dev/mapper/d-shut bs=1M oflag=direct status=none
	svc_ok "the one never opened opens" svcenc open new
	agent_must svcenc close new
}

refuses_bad_roots() {
	policy_key cust-a off 1 state '"disabled"'
	policy_key cust-a old 1 expires_at 1893456000
	agent_refused "no recovery" 1 "recovery is none svcenc: hint: switch soft delete" policy set-roots alpha provider --root-a cust-a:k --root-b cust-b:k
	agent_refused "a key that is not there" 7 "no key 'gone'" policy set-roots alpha provider --root-a cust-a:gone --root-b cust-b:k
	agent_refused "disabled" 7 "enabled" policy set-roots alpha provider --root-a cust-a:off --root-b cust-b:k
	agent_refused "with an expiry date" 1 "expiry is 2030-01-01" policy set-roots alpha provider --root-a cust-a:old --root-b cust-b:k
	agent_refused "one vault twice" 1 "named for two roots" policy set-roots alpha provider --root-a cust-a:k --root-b cust-a:k2
	agent_refused "one vault under two names" 1 "is the same as another" policy set-roots alpha provider --root-a cust-a:k --root-b alias:k
	agent_refused "one root only" 1 "root b is not named" policy set-roots alpha provider --root-a cust-a:k
	agent_refused "nothing" 1 "no roots are named" policy set-roots alpha provider
	svc_is "none of it has changed anything" "$(field kind) $(field state) $(policy_header /dev/vda)" "provider active 2 "
}

changes_hands() {
	svc_ok "policy set-roots to a customer's" svcenc policy set-roots alpha provider \
		--root-a cust-a:k --root-b file:cust-b:k --accept-unrecoverable
	sed 's/^/# /' "$SVC_TMP/output"
	svc_is "whose policy it is" "$(field kind) $(field state)" "customer active"
	svc_is "roots in a header" "$(policy_roots_of /dev/mapper/d-shut)" \
		"2xfile:availability/$(field uuid)/1 2xfile:cust-a/k/1 2xfile:cust-b/k/1 "
	svc_is "superblocks" "$(policy_header /dev/vda)$(policy_header /dev/mapper/d-new)" "3 3 "
	flows "the customer's"
	survives_loss "the customer's"
	svc_is "recovered as a customer's" "$(field kind)" customer
	agent_refused "no newer version: nothing is rolled" 0 "make a new version there" policy roll alpha provider
	policy_key cust-a k 2
	svc_ok "the owner has made one" svcenc policy roll alpha provider
	svc_is "it is taken" "$(policy_roots_of /dev/vda)" \
		"2xfile:availability/$(field uuid)/1 2xfile:cust-a/k/2 2xfile:cust-b/k/1 "
	svc_ok "the same roots again: nothing" svcenc policy set-roots alpha provider \
		--root-a cust-a:k --root-b cust-b:k --accept-unrecoverable
	svc_is "no new key" "$(policy_header /dev/vda)" "3 "
}

recovers() {
	agent_refused "recover refuses a root that opens" 5 "it is not lost" policy recover alpha provider --lost a
	rm "$policy_vaults"/cust-a/k.*.key
	policy_key cust-c k 1
	agent_refused "policy test says so" 7 "deleted" policy test alpha provider
	svc_ok "policy recover" svcenc policy recover alpha provider --lost a --root cust-c:k --accept-unrecoverable
	svc_is "state, key" "$(field state) $(policy_header /dev/vda)" "active 3 "
	svc_is "roots in a header" "$(policy_roots_of /dev/mapper/d-shut)" \
		"2xfile:availability/$(field uuid)/1 2xfile:cust-b/k/1 2xfile:cust-c/k/1 "
	svc_ok "all roots open" svcenc policy test alpha provider
	survives_loss "recovered"
}

goes_back() {
	svc_ok "policy set-roots back" svcenc policy set-roots alpha provider --provider
	svc_is "whose policy it is" "$(field kind) $(field state)" "provider active"
	rm -r "$policy_vaults"/cust-*/*.key
	survives_loss "the provider's again, the customer's keys destroyed"
	agent_refused "a root that there is not" 1 "lost is a, b" policy recover alpha provider --lost c
}

agent_prepare
policy_vault cust-a cust-b cust-c
printf '[vault]\ntype = file\ndirectory = %s\n' "$policy_vaults/cust-a" >"$agent_dir/etc/vaults.d/alias.conf"
agent_start
policy_key cust-a k 1
policy_key cust-a k2 1
policy_key cust-b k 1
volumes
tests_roots
rolls
rekeys
refuses_bad_roots
changes_hands
recovers
goes_back
svc_load_end
svc_is "the volume that was open all along has its data" "$(policy_read open)" "data of open"
agent_must svcenc close open
agent_kill TERM
svc_note "took $SECONDS s"
svc_done
