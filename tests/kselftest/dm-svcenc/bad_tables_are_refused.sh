#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DESCRIPTION: This test will load bad table lines, each refused in its very words and with
# DESCRIPTION: no byte of the device changed, and each beginning of a good one; then load
# DESCRIPTION: good ones, whose table and status lines must read as documented and never be
# DESCRIPTION: cut off unsaid, and load what dmsetup table prints.  No refusal loads a module.
# RUNS: vm
# SET: quick
# TIMEOUT: 300

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/kselftest/dm-svcenc/lib/key.sh
. "$svc_here/lib/key.sh"

volume=$SVC_TMP/one
# shellcheck disable=SC2119 # our arguments are not the module's
svc_load_module
svc_plan_volume "$volume"
svc_plan_volume "$SVC_TMP/fresh" --fresh
svc_make_planned
svc_attach "$volume"
dev=$svc_dev uuid=$(<"$volume.uuid") key=$(<"$volume.desc") len=$(<"$volume.sectors")
policy=${key#svcenc:}
policy=${policy%:*}

# bad TEXT WORDS: these arguments of the target, the rest being right
bad() {
	svc_expect_fail "$1" dmsetup create bad --table "0 $len svcenc $2"
}

bad_line() {
	svc_expect_fail "$1" dmsetup create bad --table "$2"
}

bad_words() {
	local text words

	text="too few arguments (wanted: <device> <volume uuid> <policy key description> [<#opts> <opt>...])"
	bad "$text" ""
	bad "$text" "$dev"
	bad "$text" "$dev $uuid"
	text="volume uuid is malformed (wanted: 36 lower-case characters)"
	for words in x "${uuid^^}" "${uuid//-/}" "${uuid%?}" "${uuid}0" "{$uuid}" "${uuid/-/_}" \
		"0x${uuid#??}" 00000000-0000-0000-0000-000000000000; do
		bad "$text" "$dev $words $key"
	done
	text="policy key description is malformed (wanted: svcenc:<policy uuid>:<version>)"
	for words in x "$policy:1" "user:$policy:1" "svcenc:$policy" "svcenc:$policy:" \
		"svcenc:$policy:0" "svcenc:$policy:01" "svcenc:$policy:4294967296" \
		"svcenc:${policy^^}:1" "svcenc:00000000-0000-0000-0000-000000000000:1" \
		":64:logon:$key" "$(printf '%05000d' 0)"; do
		bad "$text" "$dev $uuid $words"
	done
	bad "device path is too long" "/$(printf '%04096d' 0) $uuid $key"
}

bad_options() {
	local text words

	text="number of options is not a number from 0 to 4"
	for words in x 5 -1 +1 01 1. 18446744073709551617 allow_discards; do
		bad "$text" "$dev $uuid $key $words"
	done
	text="number of options does not match the options given"
	for words in 1 "0 allow_discards" "1 allow_discards grow" "2 allow_discards" \
		"1 $(yes x | head -n 50000 | tr '\n' ' ')"; do
		bad "$text" "$dev $uuid $key $words"
	done
	text="unknown option (wanted: allow_discards, initialize, grow, min_seq:<n>)"
	for words in foo Allow_discards min_seq "min_seq=3" same_cpu_crypt sector_size:512; do
		bad "$text" "$dev $uuid $key 1 $words"
	done
	for words in allow_discards initialize grow min_seq:2; do
		bad "option given twice" "$dev $uuid $key 2 $words $words"
	done
	text="min_seq wants a number from 1 to 18446744073709551614"
	for words in "" 0 -1 01 x 0x10 18446744073709551615 18446744073709551616; do
		bad "$text" "$dev $uuid $key 1 min_seq:$words"
	done
	bad "initialize and grow exclude each other" "$dev $uuid $key 2 initialize grow"
	bad "initialize and min_seq exclude each other" "$dev $uuid $key 2 initialize min_seq:2"
}

bad_devices() {
	local small none

	truncate -s 4M "$SVC_TMP/small"
	truncate -s 16M "$SVC_TMP/none"
	svc_attach "$SVC_TMP/small"
	small=$svc_dev
	svc_attach "$SVC_TMP/none"
	none=$svc_dev
	bad "device cannot be opened" "/dev/no-such-device $uuid $key"
	bad "device cannot be opened" "4095:1 $uuid $key"
	bad "device is too small for a svcenc header" "$small $uuid $key"
	: >"$SVC_TMP/empty"
	svc_attach "$SVC_TMP/empty"
	bad "device is too small for a svcenc header" "$svc_dev $uuid $key"
	bad "no svcenc superblock here (bad magic)" "$none $uuid $key"
	bad "volume uuid in the superblock is another one" "$dev $(<"$SVC_TMP/fresh.uuid") $key"
}

# Of all beginnings of a line only those without the number of options are
# whole by themselves, with and without a blank behind them.
beginnings() {
	local words="$dev $uuid $key" line

	line="$words 2 allow_discards min_seq:2"
	svc_must dmsetup create part --notable
	svc_ok "every beginning of a good line" "$svc_bin/svcenc-tables" prefixes part "$len" "$line"
	svc_is "is refused but where it is whole" "$(sed -n 's/^taken: //p' "$SVC_TMP/output")" \
		"${#words} $((${#words} + 1)) ${#line}"
	svc_is "as invalid, each" "$(sed -n 's/^refused //p' "$SVC_TMP/output")" \
		"$((${#line} - 2)): Invalid argument"
	svc_must dmsetup remove part
}

# Ciphers and modes named in a header that nobody signed are not asked for.
loads_no_module() {
	svc_is "no refusal has loaded a module" "$(cut -d ' ' -f 1 /proc/modules | sort)" "$modules"
}

bad_places() {
	local words="$dev $uuid $key"

	bad_line "table is shorter than the volume: shrinking is not possible" "0 $((len - 8)) svcenc $words"
	bad_line "table is shorter than the volume: shrinking is not possible" "0 $((len - 8)) svcenc $words 1 grow"
	bad_line "table is longer than the volume: option 'grow' is needed" "0 $((len + 8)) svcenc $words"
	bad_line "table length is not a multiple of the volume's sector size" "0 $((len + 1)) svcenc $words 1 grow"
	bad_line "device is too small for header, data and spare" "0 $((len + 8)) svcenc $words 1 grow"
	bad_line "Gap in table" "8 $len svcenc $words"
	bad_line "svcenc: singleton target type must appear alone in table" "0 8 zero
8 $len svcenc $words"
	bad_line "target type svcenc must appear alone in table" "0 $len svcenc $words
$len 8 zero"
}

# reload OPTIONS...: what dmsetup prints for it can be loaded, and is printed again
round_trip() {
	local line

	svc_open one "$volume" "$@"
	line=$(dmsetup table one)
	svc_is "table is what was loaded: ${*:-no options}" "$line" \
		"0 $len svcenc $(dmsetup deps -o devno one | sed 's/.*(\(.*\), \(.*\)).*/\1:\2/') $uuid $key${*:+ $# $*}"
	svc_close one
	svc_must dmsetup create one --table "$line"
	svc_is "and prints the same again" "$(dmsetup table one)" "$line"
	svc_must dmsetup remove one
}

one_shot_options() {
	svc_add_key "$SVC_TMP/fresh" >/dev/null
	svc_open fresh "$SVC_TMP/fresh" initialize
	svc_is "initialize is not printed" "$(dmsetup table fresh | cut -d ' ' -f 7-)" ""
	svc_is "and made a key: epoch, seq" "$(svc_status fresh 2) $(svc_status fresh 5)" "1 2"
	svc_close fresh
	svc_detach "$SVC_TMP/fresh"
	truncate -s +4M "$SVC_TMP/fresh"
	echo $((len + 8192)) >"$SVC_TMP/fresh.sectors"
	svc_open fresh "$SVC_TMP/fresh" allow_discards grow
	svc_is "grow is not printed" "$(dmsetup table fresh | cut -d ' ' -f 7-)" "1 allow_discards"
	svc_is "and grew" "$(blockdev --getsz /dev/mapper/fresh)" $((len + 8192))
	svc_is "in one commit" "$(svc_status fresh 5)" 3
	svc_close fresh
	svc_open fresh "$SVC_TMP/fresh"
	svc_is "the header holds the new length" "$(svc_status fresh 5)" 3
	svc_close fresh
}

status_line() {
	svc_open one "$volume"
	svc_ok "status has its twenty fields in their order" grep -E -q -x \
		"0 $len svcenc active 1 $key [0-9a-f]{32} 2 0/0( [0-9]+){10} idle( [0-9]+){3}" <(dmsetup status one)
	svc_ok "with too little room for it nothing is cut off unsaid" "$svc_bin/svcenc-tables" answers one
	sed 's/^/# /' "$SVC_TMP/output"
	svc_revoke_key "$volume"
	svc_ok "and so when locked, without a check value" grep -E -q -x \
		"0 $len svcenc locked 1 $key - 2 0/0( [0-9]+){10} idle( [0-9]+){3}" <(dmsetup status one)
	svc_close one
}

before=$(svc_hash "$volume")
svc_must modprobe dm-zero # a table below names it
modules=$(cut -d ' ' -f 1 /proc/modules | sort)
bad_words
bad_options
bad_devices
bad_places
beginnings
loads_no_module
svc_is "no byte of the device has changed" "$(svc_hash "$volume")" "$before"
svc_add_key "$volume" >/dev/null
svc_expect_fail "superblock is rolled back: seq 2, at least 3 expected" \
	svc_try_open one "$volume" min_seq:3
round_trip
round_trip allow_discards
round_trip min_seq:2
round_trip allow_discards min_seq:1
one_shot_options
status_line
svc_done
