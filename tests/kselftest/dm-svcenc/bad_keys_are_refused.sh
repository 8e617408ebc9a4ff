#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will offer keys that must be refused (length, payload version,
# DESCRIPTION: lease, names), ask without the capability, hide keys of the same name
# DESCRIPTION: elsewhere, add other bytes under the right name, which must be refused
# DESCRIPTION: before the data area is read, and try to read, update and print a key.
# RUNS: vm
# SET: quick
# TIMEOUT: 240

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one

# bytes VERSION LEASE LENGTH: a payload of that many bytes.
bytes() {
	{
		svc_le32 "$1"
		svc_le32 "$2"
		cat "$volume.key" /dev/zero
	} 2>/dev/null | head -c "$3"
}

# refused NAME TEXT DESCRIPTION VERSION LEASE LENGTH
refused() {
	bytes "$4" "$5" "$6" >"$SVC_TMP/payload"
	svc_says "$1" "$2" add "$3"
}

# shellcheck disable=SC2317 # called through svc_says
add() {
	keyctl padd svcenc "$1" "$svc_keyring" <"$SVC_TMP/payload"
}

bad_payloads() {
	local length

	for length in 1 8 39 41 4096 32767; do
		refused "payload of $length bytes" "Invalid argument" "$desc" 1 60 "$length"
	done
	refused "payload version 0" "Invalid argument" "$desc" 0 60 40
	refused "payload version 2" "Invalid argument" "$desc" 2 60 40
	refused "big-endian payload version" "Invalid argument" "$desc" 16777216 60 40
	refused "no lease" "Invalid argument" "$desc" 1 0 40
	refused "lease above 7 days" "Invalid argument" "$desc" 1 604801 40
	refused "lease of 2^32-1 s" "Invalid argument" "$desc" 1 4294967295 40
	svc_says "no payload at all" "Invalid argument" keyctl add svcenc "$desc" "" "$svc_keyring"
}

bad_names() {
	local name policy=${desc#svcenc:}

	policy=${policy%:*}
	for name in svcenc svcenc: "svcenc:$policy" "svcenc:$policy:" "svcenc:$policy:0" \
		"svcenc:$policy:01" "svcenc:$policy:+1" "svcenc:$policy:-1" "svcenc:$policy:1 " \
		"svcenc:$policy:4294967296" "svcenc:$policy:18446744073709551617" \
		"svcenc:$policy:1:1" "svcenc:$policy:a" "svcenc:${policy^^}:1" \
		"svcenc:${policy//-/}:1" "svcenc:${policy%?}:1" "svcenc:{$policy}:1" \
		"svcenc:00000000-0000-0000-0000-000000000000:1" " $desc" "SVCENC:$policy:1" \
		"dm:$policy:1" "$policy:1" "svcenc:$(printf '%04000d' 0):1"; do
		refused "name '${name:0:60}'" "Invalid argument" "$name" 1 60 40
	done
}

only_with_the_capability() {
	bytes 1 60 40 >"$SVC_TMP/payload"
	chmod 644 "$SVC_TMP/payload"
	svc_says "another user" "Operation not permitted" \
		svc_as_nobody keyctl padd svcenc "$desc" @u <"$SVC_TMP/payload"
	svc_says "root without CAP_SYS_ADMIN" "Operation not permitted" \
		svc_as_weak_root keyctl padd svcenc "$desc" "$svc_keyring" <"$SVC_TMP/payload"
	svc_says "root of a user namespace" "Operation not permitted" \
		unshare -Ur keyctl padd svcenc "$desc" @s <"$SVC_TMP/payload"
}

# Any of these could be there before the agent adds the right key.
only_the_right_type_and_place() {
	local type

	for type in user logon; do
		keyctl padd "$type" "$desc" "$svc_keyring" <"$SVC_TMP/payload" >/dev/null
		keyctl padd "$type" "$desc" @s <"$SVC_TMP/payload" >/dev/null
		svc_expect_fail "no live key $desc in keyring .svcenc: add it first" \
			svc_try_open one "$volume"
	done
	for place in @s @u @us; do
		keyctl padd svcenc "$desc" "$place" <"$SVC_TMP/payload" >"$SVC_TMP/serial"
		svc_expect_fail "no live key $desc in keyring .svcenc: add it first" \
			svc_try_open one "$volume"
		keyctl revoke "$(<"$SVC_TMP/serial")"
		keyctl unlink "$(<"$SVC_TMP/serial")" "$place"
	done
}

# Other bytes under the name that the header asks for, NAME.key each.
make_wrong_keys() {
	local other=$SVC_TMP/other.key

	# shellcheck disable=SC2016 # perl's variables
	svc_must perl -e 'local $/; my ($key, $dir) = @ARGV; open F, "<", $key or die; my $k = <F>;
		sub out { open my $f, ">", "$dir/$_[0].key" or die; print $f $_[1] }
		out "first-bit-flipped", (substr($k, 0, 1) ^ "\x01") . substr($k, 1);
		out "last-bit-flipped", substr($k, 0, 31) . (substr($k, 31) ^ "\x80");
		out "second-half-zero", substr($k, 0, 16) . "\0" x 16;
		out "last-byte-zero", substr($k, 0, 31) . (substr($k, 31) eq "\0" ? "\1" : "\0");
		out "moved-by-one", substr($k, 1) . "\0";
		out "all-zero", "\0" x 32' "$volume.key" "$SVC_TMP"
	cp "$other" "$SVC_TMP/another-tenant's.key"
}

# Reads of the data area, which is a device of its own below.
data_reads() {
	local reads

	read -r reads _ <"/sys/block/$area/stat"
	echo "$reads"
}

other_bytes_under_the_right_name() {
	local name before size

	make_wrong_keys
	svc_attach "$volume"
	size=$(($(stat -c %s "$volume") / 512))
	svc_must dmsetup create area --table "0 $((size - 8192)) linear $svc_dev 8192"
	svc_must dmsetup create below --table "0 8192 linear $svc_dev 0
8192 $((size - 8192)) linear /dev/mapper/area 0"
	svc_mappings+=(area below)
	area=$(dmsetup info -c --noheadings -o blkdevname area)
	before=$(svc_hash "$volume")
	for name in first-bit-flipped last-bit-flipped second-half-zero last-byte-zero \
		moved-by-one all-zero "another-tenant's"; do
		svc_note "the key's bytes: $name"
		cp "$SVC_TMP/$name.key" "$SVC_TMP/wrong.key"
		echo "$desc" >"$SVC_TMP/wrong.desc"
		svc_add_key "$SVC_TMP/wrong" >/dev/null
		svc_expect_fail "superblock is forged: HMAC does not match" \
			dmsetup create one --table "$(wrong_table)"
		[ ! -e /dev/mapper/one ] || svc_must dmsetup remove --retry one
		svc_revoke_key "$volume"
	done
	svc_is "not a byte of the device has changed" "$(svc_hash "$volume")" "$before"
	svc_is "and none of the data area was read" "$(data_reads)" 0
	svc_add_key "$volume" >/dev/null
	svc_open_on /dev/mapper/below one "$volume"
	svc_is "with the right bytes it opens" "$(svc_read_errno /dev/mapper/one)" ""
	svc_ok "and now that area was read" test "$(data_reads)" -gt 0
	svc_close one
	svc_close below
	svc_close area
	svc_revoke_key "$volume"
}

wrong_table() {
	echo "0 $(<"$volume.sectors") svcenc /dev/mapper/below $(<"$volume.uuid") $desc"
}

# not_in FILE TEXT...; nor the first half of the key as it is.
# shellcheck disable=SC2317 # called through svc_ok
not_in() {
	local file=$1 text

	shift
	for text; do
		! grep -q -i -F -e "$text" "$file" || return
	done
	# shellcheck disable=SC2016 # perl's variables
	perl -e 'local $/; open F, "<", $ARGV[0] or die; my $key = <F>;
		open G, "<", $ARGV[1] or die; my $all = <G>;
		exit(index($all, substr($key, 0, 16)) >= 0 ? 1 : 0)' "$volume.key" "$file"
}

gives_nothing_away() {
	local serial hex base64 monitor what

	udevadm monitor --kernel --property >"$SVC_TMP/uevents" 2>&1 &
	monitor=$!
	svc_wait 20 grep -q '^KERNEL' "$SVC_TMP/uevents" || svc_bail "no uevents are heard"
	serial=$(svc_add_key "$volume")
	hex=$(od -An -v -tx1 "$volume.key" | tr -d ' \n')
	base64=$(base64 -w 0 "$volume.key")
	svc_says "keyctl read" "Permission denied" keyctl read "$serial"
	svc_says "keyctl update" "Permission denied" keyctl pupdate "$serial" <"$SVC_TMP/payload"
	svc_note "and with all permissions there is nothing to read or update"
	keyctl setperm "$serial" 0x3f3f3f3f
	svc_says "keyctl read" "Operation not supported" keyctl read "$serial"
	svc_says "keyctl pipe" "Operation not supported" keyctl pipe "$serial"
	svc_says "keyctl print" "Operation not supported" keyctl print "$serial"
	svc_says "keyctl update" "Operation not supported" keyctl pupdate "$serial" <"$SVC_TMP/payload"
	keyctl setperm "$serial" 0x3f3b0000
	svc_says "description for another user" "denied" svc_as_nobody keyctl describe "$serial"
	svc_says "revocation by another user" "denied" svc_as_nobody keyctl revoke "$serial"
	svc_says "unlink by another user" "denied" svc_as_nobody keyctl unlink "$serial" "$svc_keyring"
	svc_says "clear by another user" "denied" svc_as_nobody keyctl clear "$svc_keyring"
	{
		cat /proc/keys
		keyctl describe "$serial"
		keyctl show "$svc_keyring"
		dmesg
	} >"$SVC_TMP/seen" 2>&1
	svc_ok "/proc/keys shows name and check value" grep -q "svcenc *$desc: [0-9a-f]\{32\}$" "$SVC_TMP/seen"
	svc_is "the key's bytes are shown nowhere" "$(grep -c -i -e "${hex:0:16}" -e "${hex:48:16}" "$SVC_TMP/seen")" 0
	svc_open one "$volume"
	svc_is "the right key in the right place opens" "$(svc_read_errno /dev/mapper/one)" ""
	svc_revoke_key "$volume"
	svc_close one
	svc_ok "uevents told of the volume" svc_wait 10 grep -q "DM_UUID=SVCENC-1\|/block/dm-[0-9]* (block)" "$SVC_TMP/uevents"
	kill "$monitor"
	dmesg >"$SVC_TMP/dmesg"
	for what in uevents dmesg; do
		svc_ok "neither hex nor base64 nor bytes of the key are in $what" not_in "$SVC_TMP/$what" \
			"${hex:0:16}" "${hex:48:16}" "${base64:0:20}" "${base64:20:20}"
	done
}

keyctl new_session >/dev/null # so that @s lasts longer than one keyctl
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_plan_volume "$SVC_TMP/other"
svc_make_planned
chmod 755 "$SVC_TMP"
desc=$(<"$volume.desc")
bad_payloads
bad_names
only_with_the_capability
only_the_right_type_and_place
other_bytes_under_the_right_name
gives_nothing_away
svc_done
