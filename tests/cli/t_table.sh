#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DESCRIPTION: This test will print table lines of real headers with "svcenc
# DESCRIPTION: table" and load them with dmsetup, without any agent: fresh,
# DESCRIPTION: keyed, one copy torn, foreign, too short. svcenc-probe must agree
# DESCRIPTION: on what is a volume.
# RUNS: vm
# SET: quick
# TIMEOUT: 120
# expect-log: svcenc|Buffer I/O error

# shellcheck source=tests/kselftest/dm-svcenc/lib.sh
. "$(dirname "$0")/../kselftest/dm-svcenc/lib.sh"
bin=${CLI_BIN:-$svc_top/build/bin}

# shellcheck disable=SC2119 # no module parameters
svc_load_module
svc_make_volume "$SVC_TMP/keyed" 16M 4096
svc_make_volume "$SVC_TMP/fresh" 16M 512 --fresh
svc_add_key "$SVC_TMP/keyed" >/dev/null
svc_add_key "$SVC_TMP/fresh" >/dev/null

# line FILE [OPTION...]: what svcenc table prints for its loop device
line() {
	local file=$1

	shift
	svc_attach "$file"
	"$bin/svcenc" table "$svc_dev" "$@" 2>"$SVC_TMP/notes"
}

# refused NAME STATUS WORDS FILE
refused() {
	local status

	svc_attach "$4"
	"$bin/svcenc" table "$svc_dev" >"$SVC_TMP/out" 2>&1
	status=$?
	svc_is "$1" "$status $(head -n 1 "$SVC_TMP/out")" \
		"$2 svcenc: error: ${3//@/$svc_dev}"
}

svc_attach "$SVC_TMP/keyed"
svc_is "line of a keyed volume" "$(line "$SVC_TMP/keyed")" \
	"0 $(<"$SVC_TMP/keyed.sectors") svcenc $svc_dev $(<"$SVC_TMP/keyed.uuid") $(<"$SVC_TMP/keyed.desc")"
svc_ok "it says that the volume lives until the lease ends" \
	grep -q 'without the agent the volume lives until' "$SVC_TMP/notes"
svc_is "with discards" "$(line "$SVC_TMP/keyed" --discard | cut -d ' ' -f 7-)" "1 allow_discards"
svc_is "for machines" "$(line "$SVC_TMP/keyed" --json | jq -r '.schema, .table')" \
	"svcenc/1
$(line "$SVC_TMP/keyed")"
line "$SVC_TMP/keyed" >"$SVC_TMP/line"
svc_ok "dmsetup takes it" dmsetup create keyed "$SVC_TMP/line"
svc_is "and prints the same" "$(dmsetup table keyed | cut -d ' ' -f 1-3,5-)" \
	"$(cut -d ' ' -f 1-3,5- "$SVC_TMP/line")"
svc_ok "a mapped device is still read" line "$SVC_TMP/keyed"
svc_is "probe of the device below" "$("$bin/svcenc-probe" --udev "$svc_dev")" \
	"ID_FS_TYPE=svcenc
ID_FS_USAGE=crypto
ID_FS_VERSION=1
ID_FS_UUID=$(<"$SVC_TMP/keyed.uuid")
ID_FS_UUID_ENC=$(<"$SVC_TMP/keyed.uuid")"
"$bin/svcenc-probe" --udev /dev/mapper/keyed >"$SVC_TMP/out"
svc_is "the volume itself is none" "$? $(<"$SVC_TMP/out")" "2 "
svc_ok "closed" dmsetup remove --retry keyed

svc_is "line of a fresh volume" "$(line "$SVC_TMP/fresh" | cut -d ' ' -f 7-)" "1 initialize"
svc_is "fresh with discards" "$(line "$SVC_TMP/fresh" --discard | cut -d ' ' -f 7-)" \
	"2 allow_discards initialize"
line "$SVC_TMP/fresh" >"$SVC_TMP/line"
svc_ok "dmsetup makes the key" dmsetup create fresh "$SVC_TMP/line"
svc_ok "closed" dmsetup remove --retry fresh
svc_is "now it has a key" "$(line "$SVC_TMP/fresh" | cut -d ' ' -f 7-)" ""

dd if=/dev/urandom of="$SVC_TMP/keyed" bs=4096 count=1 conv=notrunc status=none
svc_detach "$SVC_TMP/keyed"
line "$SVC_TMP/keyed" >"$SVC_TMP/line"
svc_ok "one copy torn: noted" grep -q 'the two header copies differ' "$SVC_TMP/notes"
svc_ok "one copy torn: probed" "$bin/svcenc-probe" --udev "$svc_dev"
svc_ok "one copy torn: opens" dmsetup create keyed "$SVC_TMP/line"
svc_ok "closed" dmsetup remove --retry keyed

truncate -s 16M "$SVC_TMP/empty"
refused "no volume" 4 '@: copy 1: no svcenc superblock here (bad magic); copy 2: no svcenc superblock here (bad magic)' "$SVC_TMP/empty"
"$bin/svcenc-probe" --udev "$svc_dev"
svc_is "no volume, probed" "$?" 2
truncate -s 1M "$SVC_TMP/small"
refused "too small" 4 '@ is too small to hold a volume' "$SVC_TMP/small"
cp "$SVC_TMP/keyed" "$SVC_TMP/short"
truncate -s 15M "$SVC_TMP/short"
svc_attach "$SVC_TMP/short"
"$bin/svcenc" table "$svc_dev" >"$SVC_TMP/out" 2>&1
svc_is "shorter than its header" "$? $(cut -d ' ' -f 1-5 "$SVC_TMP/out" | head -n 1)" \
	"4 svcenc: error: $svc_dev has 15728640"
for at in 0 3145728; do
	printf '\xff' | dd of="$SVC_TMP/short" bs=1 seek=$((at + 700)) conv=notrunc status=none
done
svc_detach "$SVC_TMP/short"
refused "both copies damaged" 9 '@: copy 1: checksum does not match (torn write or rot); copy 2: checksum does not match (torn write or rot)' "$SVC_TMP/short"
"$bin/svcenc" table "$SVC_TMP/fresh" >"$SVC_TMP/out" 2>&1
svc_is "a file" "$? $(head -n 1 "$SVC_TMP/out")" \
	"4 svcenc: error: $SVC_TMP/fresh is not a block device"
svc_done
