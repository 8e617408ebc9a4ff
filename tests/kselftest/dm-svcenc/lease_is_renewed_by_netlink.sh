#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will renew, shorten and read leases through the generic netlink
# DESCRIPTION: family, send it malformed requests, and ask without CAP_SYS_ADMIN.
# RUNS: vm
# SET: quick
# TIMEOUT: 180

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
genl=$svc_bin/svcenc-genl
readonly KEY=3 LEASE_S=11 CMD_KEYRING=3 CMD_LEASE=4 CMD_EVENT=5

hex() {
	od -An -v -tx1 | tr -d ' \n'
}

# attr TYPE HEX: one attribute, padded, in hex.
attr() {
	local hex=$2

	while [ $((${#hex} % 8)) -ne 0 ]; do
		hex+=00
	done
	printf '%02x%02x%02x%02x%s' $(((${#2} / 2 + 4) & 255)) $(((${#2} / 2 + 4) >> 8)) "$1" 0 "$hex"
}

# shellcheck disable=SC2317 # called through svc_wait
is_locked() {
	[ "$(svc_status one 1)" = locked ]
}

# raw_lease NAME TEXT HEX...: a LEASE request of these attributes fails with TEXT.
raw_lease() {
	local name=$1 text=$2

	shift 2
	svc_says "$name" "$text" "$genl" raw $CMD_LEASE "do" "$(printf '%s' "$@")"
}

dumps_tell_the_truth() {
	"$genl" keys >"$SVC_TMP/keys"
	"$genl" devices >"$SVC_TMP/devices"
	svc_is "the keyring is the module's" "$("$genl" keyring)" "KEYRING=$svc_keyring "
	svc_is "one live key is shown" "$(wc -l <"$SVC_TMP/keys")" 1
	svc_ok "with name, lease and one volume" \
		grep -q "^KEY=$desc CHECK=[0-9a-f]\{32\} LEASE_S=60 LEASE_LEFT_MS=[0-9]* DEVICES=1 $" "$SVC_TMP/keys"
	svc_ok "its check value is that of /proc/keys" grep -q \
		"svcenc:.*: $(sed 's/.*CHECK=\([0-9a-f]*\).*/\1/' "$SVC_TMP/keys")$" /proc/keys
	svc_is "one device is shown" "$(cat "$SVC_TMP/devices")" "$(printf '%s ' \
		"DEVNO=$(dmsetup info -c --noheadings --separator : -o major,minor one)" \
		"UUID=$(<"$volume.uuid")" "KEY=$desc" STATE=1 EPOCH=1 SEQ=2 \
		"SECTORS=$(<"$volume.sectors")" ROTATION_DONE=0 ROTATION_TOTAL=0 ROTATION=0)"
}

renews_and_shortens() {
	svc_ok "the lease is shortened to 3 s" "$genl" lease "$desc" 3
	svc_ok "and made long again" "$genl" lease "$desc" 604800
	sleep 4 # longer than the short one
	svc_ok "after the short one's end I/O flows" svc_load_sees ok
	svc_is "and none has failed" "$(svc_status one 11)" 0
	svc_ok "shortened to 1 s" "$genl" lease "$desc" 1
	svc_ok "it ends" svc_wait 4 is_locked
	svc_says "a lease that is over is not renewed" "Required key not available" "$genl" lease "$desc" 60
	svc_is "no live key is shown" "$("$genl" keys)" ""
	"$genl" devices >"$SVC_TMP/devices"
	svc_ok "the device is shown as locked" grep -q "STATE=2 " "$SVC_TMP/devices"
}

refuses_nonsense() {
	local name_hex

	name_hex=$(printf '%s\0' "$desc" | hex)
	svc_says "an unknown key" "Required key not available" "$genl" lease "${desc%:*}:7" 60
	svc_says "a malformed description" "Invalid argument" "$genl" lease "svcenc:1:1" 60
	svc_says "lease of 0 s" "Invalid argument" "$genl" lease "$desc" 0
	svc_says "lease of 7 days and a second" "Invalid argument" "$genl" lease "$desc" 604801
	svc_says "lease of 2^32-1 s" "Invalid argument" "$genl" lease "$desc" 4294967295
	raw_lease "no attributes" "Invalid argument" ""
	raw_lease "no key" "Invalid argument" "$(attr $LEASE_S 3c000000)"
	raw_lease "no lease" "Invalid argument" "$(attr $KEY "$name_hex")"
	raw_lease "lease of two bytes" "Invalid argument" \
		"$(attr $KEY "$name_hex")" "$(attr $LEASE_S 3c00)"
	raw_lease "lease of eight bytes" "Invalid argument" \
		"$(attr $KEY "$name_hex")" "$(attr $LEASE_S 3c00000000000000)"
	raw_lease "description without its NUL" "Invalid argument" \
		"$(attr $KEY "${name_hex%00}")" "$(attr $LEASE_S 3c000000)"
	raw_lease "description of 56 characters" "Invalid argument" \
		"$(attr $KEY "$(printf '%056d\0' 0 | hex)")" "$(attr $LEASE_S 3c000000)"
	raw_lease "empty description" "Invalid argument" \
		"$(attr $KEY 00)" "$(attr $LEASE_S 3c000000)"
	raw_lease "an attribute that lease does not have" "Invalid argument" \
		"$(attr $KEY "$name_hex")" "$(attr $LEASE_S 3c000000)" "$(attr 12 00)"
	raw_lease "an attribute longer than the message" "Invalid argument" ff000300
	raw_lease "an attribute shorter than its head" "Invalid argument" 01000300
	svc_says "an unknown command" "Operation not supported" "$genl" raw 77 "do" ""
	svc_says "an event as a request" "Operation not supported" "$genl" raw $CMD_EVENT "do" ""
	svc_says "a dump of the keyring" "Operation not supported" "$genl" raw $CMD_KEYRING dump ""
}

needs_the_capability() {
	local who

	for who in svc_as_nobody svc_as_weak_root; do
		svc_says "$who: devices" "Operation not permitted" $who "$SVC_TMP/genl" devices
		svc_says "$who: keys" "Operation not permitted" $who "$SVC_TMP/genl" keys
		svc_says "$who: keyring" "Operation not permitted" $who "$SVC_TMP/genl" keyring
		svc_says "$who: lease" "Operation not permitted" $who "$SVC_TMP/genl" lease "$desc" 1
	done
	svc_says "svc_as_nobody: events" "Operation not permitted" \
		svc_as_nobody timeout 10 "$SVC_TMP/genl" listen
}

# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_make_planned
desc=$(<"$volume.desc")
cp "$genl" "$SVC_TMP/genl"
chmod 755 "$SVC_TMP" "$SVC_TMP/genl"
svc_add_key "$volume" 60 >/dev/null
svc_open one "$volume"
dumps_tell_the_truth
refuses_nonsense
needs_the_capability
"$genl" keys >"$SVC_TMP/keys"
svc_ok "all that has not changed the lease" grep -q "LEASE_S=60 " "$SVC_TMP/keys"
svc_load_begin /dev/mapper/one --threads 2
renews_and_shortens
svc_load_end
svc_done
